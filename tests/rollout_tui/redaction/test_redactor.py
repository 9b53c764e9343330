"""What stands for texts: nothing of them is left, equal ones stay equal, and what structure needs stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from work_ratio import assert_grows_linearly

from rollout_tui.redaction.redactor import Redactor
from rollout_tui.redaction.vocabulary import FIELDS, WORDS, Kind, kind_of

FOREIGN = "ЖΩÿ漢QXZ"
"""Letters that no word of the allow-list and no placeholder has."""
assert not set(FOREIGN) & set("".join((*FIELDS, *WORDS)))

TEXTS = st.text(alphabet=FOREIGN + ' \n\t\r"\\{}[],:/.-_=0\u2028\x00', max_size=30).filter(
    lambda text: any(letter in text for letter in FOREIGN)
)
KEYS = st.sampled_from(sorted(FIELDS)) | TEXTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none() | st.sampled_from(sorted(WORDS)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=3).map(json.dumps)
    ),
    max_leaves=20,
)


def redacted(value: Any, redactor: Redactor | None = None) -> Any:
    made = (redactor or Redactor()).walk("test").redacted(json.dumps(value, ensure_ascii=False))
    return json.loads(made)


def everything(value: Any) -> str:
    """All texts and keys of a value, also those of JSON in texts, one after the other."""
    if isinstance(value, str):
        try:
            inside = json.loads(value)
        except ValueError:
            return value
        return value + (everything(inside) if isinstance(inside, dict | list) else "")
    if isinstance(value, dict):
        return "".join(key + everything(one) for key, one in value.items())
    return "".join(map(everything, value)) if isinstance(value, list) else ""


def skeleton(value: Any) -> Any:
    """A value without its texts and numbers."""
    if isinstance(value, dict):
        return [skeleton(one) for one in value.values()]
    return [skeleton(one) for one in value] if isinstance(value, list) else type(value)


@given(VALUES)
@example({"arguments": '{"QX": "Ж", "message": ["Ω"]}', "Q": {"type": "Z", "role": "Ж"}})
@example({"input_preview": '{"cmd": "QQQQQ QQ...', "properties": {"XX": {"type": "string"}}})
@example({"agent_path": "/root/Ж", "cwd": "/home/QXZ/Ж", "model": "gpt-5-QQQ", "name": "exec.QQQ"})
@example("data:image/png;base64,QQQQXXZZ")
@example("Chunk ID: QQQQQQ\nOutput:\n*** Add File: Q.py")
def test_no_text_survives(value: Any) -> None:
    made = redacted(value)
    assert not set(FOREIGN) & set(everything(made))
    assert skeleton(made) == skeleton(value)


KINDS: list[Kind] = [
    "text",
    "word",
    "name",
    "id",
    "path",
    "agent",
    "model",
    "key",
    "json",
    "preview",
    "secret",
]


@pytest.mark.parametrize("kind", KINDS)
@given(
    st.lists(
        TEXTS | st.sampled_from(["a", "text-1", "t1", "{}", '{"a":1}', '{"a": 1}', "id-1", "x.y"]), max_size=8
    )
)
def test_two_texts_never_have_the_same_placeholder(kind: Kind, texts: list[str]) -> None:
    redactor = Redactor()
    made = [redactor.value(text, kind).text for text in texts]
    assert len(set(made)) == len(set(texts))
    assert [redactor.value(text, kind).text for text in texts] == made


@given(TEXTS, st.sampled_from(KINDS))
def test_a_text_that_is_nothing_stays_so_and_any_other_does_not(text: str, kind: Kind) -> None:
    assert Redactor().value("", kind).text == ""
    assert Redactor().value(text, kind).text != ""


@given(st.text(alphabet="abc xyz\n", min_size=1, max_size=200))
def test_lines_and_their_lengths_stay(text: str) -> None:
    made = Redactor().value(text, "text").text
    before, after = text.split("\n"), made.split("\n")
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert len(new) == len(old) or len(old.strip()) < len("text-100")
        assert len(new) - len(new.lstrip()) == len(old) - len(old.lstrip())


def test_a_line_has_the_same_placeholder_wherever_it_stands() -> None:
    redactor = Redactor()
    printed = redactor.value("first line of it\nsecond line\n", "text").text
    shown = redactor.value(
        "Chunk ID: 12ab34\nWall time: 0.2 seconds\nProcess exited with code 1\nOutput:\nsecond line", "text"
    ).text
    assert shown.startswith("Chunk ID: 12ab34\nWall time: 0.2 seconds\nProcess exited with code 1\nOutput:\n")
    assert shown.splitlines()[-1] == printed.splitlines()[1] != "second line"


def test_what_structure_needs_stays() -> None:
    item = {
        "type": "function_call",
        "status": "completed",
        "name": "exec_command",
        "call_id": "call_abc",
        "arguments": '{"cmd": "make test", "yield_time_ms": 1000}',
    }
    made = redacted(item)
    assert (made["type"], made["status"], made["name"]) == ("function_call", "completed", "exec_command")
    assert made["call_id"] == "call_000001"
    assert json.loads(made["arguments"]) == {"cmd": "text-1...", "yield_time_ms": 1000}
    assert redacted({"path": "payloads/12.json", "model": "gpt-5.5", "agent_path": "/root"}) == {
        "path": "payloads/12.json", "model": "gpt-5.5", "agent_path": "/root"
    }  # fmt: skip


def test_names_of_agents_are_the_same_in_paths_and_alone() -> None:
    made = redacted(
        {"agent_path": "/root/fix_acme", "task_name": "fix_acme", "target": "/root/fix_acme/deep"}
    )
    assert made == {"agent_path": "/root/agent_1", "task_name": "agent_1", "target": "/root/agent_1/agent_2"}


def test_in_a_field_that_is_not_known_nothing_is() -> None:
    made = redacted(
        {"x_new": {"type": "message", "role": "user", "model": "gpt-5.5", "n": 5551234567, "k": 12}}
    )
    [(key, inside)] = made.items()
    assert key == "key-1"
    assert not {"message", "user", "gpt-5.5", 5551234567} & {*inside.values()}
    assert 12 in inside.values()


def test_a_number_stays_where_it_counts_or_is_short() -> None:
    card = 4111111111111111
    made = redacted(
        {"started_at_unix_ms": 1795351674520, "input_tokens": card, "value": card, "exit_code": 3}
    )
    assert made["started_at_unix_ms"] == 1795351674520
    assert made["input_tokens"] == card
    assert made["exit_code"] == 3
    assert made["value"] != card
    assert redacted({"id": "4111111111111111", "process_id": "48213"}) == {
        "id": "id-000001", "process_id": "48213"
    }  # fmt: skip


def test_what_is_named_like_a_secret_has_no_length() -> None:
    made = redacted({"db_password": "hunter2", "apiKey": "x" * 40, "client_secret": {"pin": 12}})
    assert set(everything(made)) <= set("secretkeyn-0123456789")
    assert 12 not in [*made.values(), *list(made.values())[2].values()]
    assert kind_of("input_tokens") == "number"


def test_json_that_is_cut_off_is_replaced_up_to_its_end() -> None:
    made = redacted({"input_preview": '{"cmd": "grep -rn needle src", "workdir": "/home/me/pro...'})[
        "input_preview"
    ]
    assert made.startswith('{"cmd": "text-1')
    assert made.endswith("...")
    assert not any(word in made for word in ("grep", "needle", "home", "pro"))


@given(TEXTS)
def test_an_unpaired_surrogate_stays_one(text: str) -> None:
    assume(text)
    made = Redactor().walk("test").redacted(json.dumps({"text": text + "\ud800"}))
    assert "\\ud800" in made
    assert not set(FOREIGN) & set(made)


@pytest.mark.parametrize(
    "unit",
    [
        "-----BEGIN PRIVATE KEY-----\n",
        "eyJaaaaaa.",
        "a.a+a-",
        "token token_",
        '{"a":',
        "<image>",
        "aB3/",
        "x\n",
    ],
)
def test_work_grows_with_the_text_whatever_it_is_made_of(unit: str) -> None:
    def work(times: int) -> None:
        text = unit * times
        redactor = Redactor()
        redactor.value(text, "text")
        redactor.value(text, "preview")

    assert_grows_linearly(work, 1_500)


def test_spelling_and_blanks_of_json_stay() -> None:
    text = '{ "seq" : 1.50e+3,\n\t"text":"\\u0041bc" , "text": null }'
    assert Redactor().walk("test").redacted(text) == '{ "seq" : 1.50e+3,\n\t"text":"t1" , "text": null }'
