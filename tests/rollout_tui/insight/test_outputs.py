"""What the output of a tool is titled: how the call went, how much there was, the line that tells most."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import index_of, recorded

from reducer import ObjectRef
from reducer.model import ConversationItem
from rollout_tui import glyphs
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.titles import item_words
from rollout_tui.insight.output.items import output_item
from rollout_tui.insight.output.outputs import LONGEST_LINE, read_output, telling_line
from rollout_tui.safe_text import safe_text
from rollout_tui.views.contexts.item_lines import item_spans

ENVELOPE = (
    "Chunk ID: 3feca8\nWall time: 2.4060 seconds\nProcess exited with code {}\n"
    "Original token count: {}\nOutput:\n"
)
LINES = st.sampled_from(
    [
        "",
        "====",
        "....F.. [ 45%]",
        " 45%|███   | 3/7",
        "FAILED tests/test_a.py::test_b - boom",
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in <module>',
        "ValueError: no",
        "error[E0308]: mismatched types",
        "Chunk ID: 3feca8",
        "Output:",
        "\x1b[31mred\x1b[0m \u202e",
        "3 passed",
        "{",
        '{"output": "x", "exit_code": 1}',
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(LINES, max_size=12).map("\n".join))


@pytest.mark.slow
@given(TEXTS, st.booleans())
def test_the_line_that_tells_most_is_a_line_of_the_text(text: str, failed: bool) -> None:
    line = telling_line(text, failed=failed)
    assert line in [one.strip()[:LONGEST_LINE] for one in [*text.splitlines(), ""]]
    assert bool(line) == bool(text.strip())


@given(st.lists(TEXTS, max_size=3), st.booleans())
def test_any_output_can_be_read(texts: list[str], failed: bool) -> None:
    output = read_output(texts, failed=failed)
    assert "\n" not in output.line
    assert output.shown_tokens >= 0


def test_a_long_text_is_looked_at_from_both_ends_and_gives_whole_lines() -> None:
    lines = [f"line {number} of many" for number in range(20_000)]
    text = "\n".join([*lines, "ValueError: at the end"])
    assert telling_line(text, failed=True) == "ValueError: at the end"
    assert telling_line(text) == "line 0 of many"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n\n====\n....... [100%]\n7 passed in 0.1s\n", "7 passed in 0.1s"),
        ("--------\n>>>>>>>> traceback >>>>>>>>\nleft\n", "left"),
        (" 10%|█    |\r 20%|██   |\rdone\n", "done"),
        ("42\n", "42"),
        ("......\n", "......"),
        ("   \n", ""),
    ],
)
def test_of_what_went_well_it_is_the_first_line_that_says_something(text: str, line: str) -> None:
    assert telling_line(text) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "E   assert 1 == 2\n=== short test summary ===\nFAILED t.py::test_sweep\n1 failed in 2s\n",
            "FAILED t.py::test_sweep",
        ),
        (
            'start\nTraceback (most recent call last):\n  File "a.py", line 3\n    raise KeyError("x")\n'
            "KeyError: 'x'\n\nDuring handling of the above exception:\n\n"
            'Traceback (most recent call last):\n  File "a.py", line 5\nRuntimeError: second\nbye\n',
            "RuntimeError: second",
        ),
        (
            "Compiling x\nerror[E0308]: mismatched types\nerror: could not compile\n",
            "error[E0308]: mismatched types",
        ),
        ("thread 'main' panicked at src/main.rs:2:5:\nboom\n", "thread 'main' panicked at src/main.rs:2:5:"),
        ("a.c:3:5: error: expected ';'\nmake: *** [a.o] Error 1\n", "a.c:3:5: error: expected ';'"),
        ("cd x\n/bin/sh: 1: nope: not found\n", "/bin/sh: 1: nope: not found"),
        ("all is well\nthe last word\n", "the last word"),
    ],
)
def test_of_what_failed_it_is_the_line_that_tells_it(text: str, line: str) -> None:
    assert telling_line(text, failed=True) == line


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        ([ENVELOPE.format(0, 9) + "one\n"], (0, "", 9, "one")),
        ([ENVELOPE.format(1, 9) + "ok\nerror: bad\nbye\n"], (1, "", 9, "error: bad")),
        (["Wall time: 2.4 seconds\nOutput:", "from a server"], (None, "", None, "from a server")),
        (["Exit code: 0\nWall time: 0 seconds\nOutput:\nDone\n"], (0, "", None, "Done")),
        (
            ["Script running with cell ID 6\nWall time 0.0 seconds\nOutput:\n", "x"],
            (None, "running", None, "x"),
        ),
        (
            ["Script failed\nOutput:\n", "before", "Script error:\nError: boom\n"],
            (None, "failed", None, "Error: boom"),
        ),
        (['{"chunk_id":"7","exit_code":3,"original_token_count":4,"output":"hm"}'], (3, "", 4, "hm")),
        (['{"output":"hm","metadata":{"exit_code":2,"duration_seconds":0.1}}'], (2, "", None, "hm")),
        (['{"content":[{"type":"text","text":"ECHO"}]}'], (None, "", None, "ECHO")),
        (["Chunk ID is what it says"], (None, "", None, "Chunk ID is what it says")),
    ],
)
def test_an_envelope_is_read_and_never_the_title(
    texts: list[str], wanted: tuple[int | None, str, int | None, str]
) -> None:
    output = read_output(texts)
    assert (output.exit_code, output.state, output.made_tokens, output.line) == wanted


def title_of(index: TraceIndex, item: ConversationItem) -> str:
    title = item_words(index, item)
    assert "".join(text for text, _style in item_spans(index, item)) == safe_text(title)
    return title


def outputs(index: TraceIndex) -> list[ConversationItem]:
    return [item for item in index.trace.conversation_items.values() if item.kind.endswith("call_output")]


def test_titles_in_a_recording(shared_dir: Path) -> None:
    index = recorded(shared_dir, "shell-tools")
    titles = [title_of(index, item) for item in outputs(index)]
    failed = glyphs.active().failed
    assert f"{failed} exit 3 · oops" in titles
    assert f"{failed} exit 127 · /bin/bash: line 1: no-such-program: command not found" in titles
    assert "exit 0 · 57.2k→206 tok · 1" in titles, "what there was, and what the model got of it"
    assert "still running · tick 1" in titles


@pytest.mark.slow
@pytest.mark.parametrize("group", ["bundles", "bundles-v1", "bundles-v3"])
def test_no_output_is_titled_by_its_envelope_and_none_that_failed_looks_well(
    shared_dir: Path, group: str
) -> None:
    seen = 0
    for manifest in sorted((shared_dir / group).glob("*/bundle/manifest.json")):
        index = index_of(manifest.parent)
        for item in outputs(index):
            title, found = title_of(index, item), output_item(index, item)
            assert not title.startswith(("Chunk ID", "Wall time", "Script ", "Exit code", "Output:"))
            assert found is not None
            call = index.tool_of_item(item)
            failure = None if call is None else failure_of(index, ObjectRef("ToolCall", call.tool_call_id))
            if found.failure is not None:
                assert found.failure == failure
                assert title[0] in (
                    glyphs.active().failed,
                    glyphs.active().cancelled,
                    glyphs.active().unknown,
                )
            elif failure is not None:
                assert title.startswith("still running") or not title.startswith("exit 0")
            seen += 1
    assert seen > 30


def test_a_later_output_of_a_call_that_failed_says_so_and_an_earlier_one_does_not(shared_dir: Path) -> None:
    index = recorded(shared_dir, "code-mode")
    told = [output_item(index, item) for item in outputs(index)]
    failed = [one for one in told if one is not None and one.failure is not None]
    assert {one.output.line for one in failed} >= {"Error: boom", "SyntaxError: Unexpected identifier 'is'"}
    assert all(one.failure is None for one in told if one is not None and one.output.state == "running")
