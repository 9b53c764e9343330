"""The check of what was written: it lets pass whatever redaction makes, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from secret_samples import SECRETS

from rollout_tui.redaction.check import Originals, Texts
from rollout_tui.redaction.redactor import Redactor
from rollout_tui.redaction.vocabulary import FIELDS, NAMES, WORDS

UUID = "01a2034d-194b-7130-8a38-5f5383f98fc8"
LINES = (
    "Output:", "Process exited with code 1", "*** Begin Patch", "*** Add File: src/a.py", "Chunk ID: 12ab34",
    "…12 tokens truncated…", "<environment_context>", "</environment_context>", "status: 429",
    "exec_main.mjs:3:7", "# AGENTS.md instructions for /home/me", "bash", "-lc", "data:image/png;base64,iV",
)  # fmt: skip
NAMED = (
    "root", "/root/alpha", "/root", "gpt-5.5", "ft:gpt-5:acme", UUID, "call_abc", f"exec-{UUID}", "g2:1",
    "edge:spawn:a:b", "raw_payload:3", "payloads/1.json", "payloads/x.json", "a.b.c", "mcp__ci.rerun", "12",
    "text-12", "secret-3", "id-000001",
)  # fmt: skip
SHAPES = (
    "{}",
    "});",
    "...",
    "----",
    '"',
    "\\",
    "x" * 40,
    '{"cmd": "ls',
    '{"cmd": "ls"}',
    '["a", {"b": 1234567890}]',
)
PIECES = st.sampled_from([*LINES, *NAMED, *SHAPES, *SECRETS.values()])
TEXTS = st.lists(PIECES | st.text(max_size=12), max_size=4).flatmap(
    lambda pieces: st.sampled_from(["", " ", "\n"]).map(lambda between: between.join(pieces))
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(FIELDS)) | TEXTS, inner, max_size=4)
        | st.dictionaries(st.sampled_from(sorted(FIELDS)) | TEXTS, inner, max_size=2).map(json.dumps)
    ),
    max_leaves=12,
)


@given(VALUES)
@example({"text": "*** End Patch ghp_abcdefghijklmnopqrstuvwxyz012345", "output": "*** End Patch"})
@example({"text": "status: 429/x", "output": "(exec_main.mjs:1:2)"})
@example({"name": "exec.text-1", "id": "id-000001", "path": "/root/payloads/text-1"})
def test_whatever_is_redacted_passes(value: Any) -> None:
    redactor = Redactor()
    made = redactor.walk("test").redacted(json.dumps(value, ensure_ascii=False))
    assert Texts(Originals(redactor)).are_plain(made.encode()), made


@given(st.text(alphabet="abcdefgh ", min_size=3, max_size=30).filter(lambda text: len(text.strip()) > 2))
def test_any_other_text_does_not(text: str) -> None:
    words = {*FIELDS, *WORDS, *NAMES}
    texts = Texts(Originals(Redactor()))
    for value in (text, {"text": text}, [text], {"arguments": json.dumps([text])}):
        assert text.strip() in words or not texts.are_plain(json.dumps(value).encode())


def test_an_original_is_found_wherever_the_list_of_what_may_stay_would_not() -> None:
    redactor = Redactor()
    original = "quarterly numbers of Acme"
    redactor.value(original, "text")
    originals = Originals(redactor)
    assert originals.is_in(f"xx {original} yy")
    assert not originals.is_in("quarterly numbers of Acm")
    assert not Originals(redactor, own_words=f"says: {original}").is_in(original)
