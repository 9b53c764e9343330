"""What `show --json` prints is what `show --schema` says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from documents import DEMOS, all_told
from jsonschema import Draft202012Validator

from rollout_tui.language.vocabulary import word_meant, words_of
from rollout_tui.showing.pages import Page
from rollout_tui.showing.schema import DOCUMENTS, schema_of

Run = Callable[..., subprocess.CompletedProcess[bytes]]

RECORDED = [
    f"bundles/{name}/bundle"
    for name in ("multi-agent-v2", "compaction-remote", "compaction-local", "code-mode", "everything-ws")
]


@cache
def validator(word: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(word))


def check(bundle: Path, *, content: bool) -> None:
    number = 0
    for words, document in all_told(bundle, content=content, page=Page(5)):
        word = word_meant(words.split()[0], "shown").name
        if content and word == "payload":
            continue  # that is the payload itself
        validator(word).validate(document)
        number += 1
    assert number > 15


@pytest.mark.slow
@pytest.mark.parametrize("content", [False, True], ids=["facts", "content"])
@pytest.mark.parametrize("demo", DEMOS, ids=lambda path: path.name)
def test_documents_of_demos_are_as_the_schema_says(demo: Path, content: bool) -> None:
    check(demo, content=content)


@pytest.mark.slow
@pytest.mark.parametrize("content", [False, True], ids=["facts", "content"])
@pytest.mark.parametrize("name", RECORDED)
def test_documents_of_recordings_are_as_the_schema_says(shared_dir: Path, name: str, content: bool) -> None:
    check(shared_dir / name, content=content)


def test_documents_of_a_session_are_as_the_schema_says(shared_dir: Path) -> None:
    check(sorted((shared_dir / "sessions").rglob("rollout-*.jsonl"))[0], content=False)


def test_every_word_has_its_document() -> None:
    assert list(DOCUMENTS) == [word.name for word in words_of("shown")]


@pytest.mark.slow
@pytest.mark.parametrize("word", [None, *DOCUMENTS])
def test_every_schema_is_one(word: str | None) -> None:
    Draft202012Validator.check_schema(schema_of(word))


def test_a_document_with_another_type_is_none() -> None:
    assert not validator("waits").is_valid({"waits": 3})
    assert not validator("calls").is_valid({"calls": [{"number": "1"}]})
    assert not validator("summary").is_valid({})


def test_the_schema_is_printed(run_program: Run) -> None:
    one = json.loads(run_program("show", "--schema", "calls").stdout)
    assert one == schema_of("calls")
    assert json.loads(run_program("show", "--schema").stdout) == schema_of(None)
    finished = run_program("show", "--schema", "xyzzy")
    assert finished.returncode == 2
    assert b"there is no word xyzzy" in finished.stderr
