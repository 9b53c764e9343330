"""What commands printed beside what the model was shown; expectations were read from the raw payloads."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_cells import opened, raw_events, raw_payload
from hypothesis import given
from hypothesis import strategies as st
from places import REPOSITORY

from rollout_tui import glyphs
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.output.comparison import Comparison, compare
from rollout_tui.insight.output.saw_ran import SawRan, Shown, runtime_output, saw_ran
from rollout_tui.insight.output.shown import ends_in_line, read_shown, unwrapped
from rollout_tui.lines.rows import lay_out
from rollout_tui.lines.spans import spans_text
from rollout_tui.views.saw_ran_rows import SIDE_BY_SIDE, ComparisonRows, comparison_words

HEADER = "Chunk ID: 1\nWall time: 0.1 seconds\nProcess exited with code 0\nOriginal token count: 9\nOutput:\n"


@pytest.fixture
def shell_tools(shared_dir: Path) -> Path:
    return shared_dir / "bundles/shell-tools/bundle"


def compared(bundle: Path, call_id: str) -> Comparison:
    """The comparison of a call, by its id or the beginning of it."""
    session, index = opened(bundle)
    call = next(one for one in index.trace.tool_calls.values() if one.tool_call_id.startswith(call_id))
    view = saw_ran(index, call)
    assert view is not None
    return compare(view, session.text)


def nested(bundle: Path, seq: int) -> Comparison:
    """The comparison of the call that began at a sequence number."""
    _session, index = opened(bundle)
    call = next(one for one in index.trace.tool_calls.values() if one.execution.started_seq == seq)
    return compared(bundle, call.tool_call_id)


def made(ran: str | None, *texts: str, in_script: bool = False, seen: bool = True) -> Comparison:
    """A comparison of texts; each is an output of its own."""
    shown = tuple(
        Shown(f"output {n}", (TextSection("", "text", text),), seen) for n, text in enumerate(texts)
    )
    section = None if ran is None else TextSection("", "text", ran)
    return compare(SawRan(section, shown, in_script), lambda section: section.text or "")


def counts(comparison: Comparison) -> dict[str, int]:
    kinds = ("same", "joined", "unseen", "changed", "unshown", "added", "cut")
    found = {kind: comparison.count(kind) for kind in kinds}  # type: ignore[arg-type]
    return {kind: number for kind, number in found.items() if number}


def words(comparison: Comparison) -> str:
    return spans_text(comparison_words(comparison))


def drawn(comparison: Comparison, width: int = 80) -> list[str]:
    rows = ComparisonRows(comparison, width)
    return [spans_text(lay_out(rows.row(place), width)).rstrip() for place in range(len(rows))]


# Recorded commands


def test_a_command_whose_output_was_shown_whole(shell_tools: Path) -> None:
    comparison = compared(shell_tools, "call_00003")
    assert counts(comparison) == {"same": 5}
    assert words(comparison) == "the model saw all that was printed"
    assert drawn(comparison)[:9] == [
        "printed: 5 lines; shown to the model: 5 lines",
        "── command printf 'one\\ntwo\\n'; ls -la, in call 2",
        "  Chunk ID: 8d1152",
        "  Wall time: 0.0000 seconds",
        "  Process exited with code 0",
        "  Original token count: 26",
        "  Output:",
        "= one",
        "= two",
    ]


def test_a_truncated_output(shell_tools: Path) -> None:
    comparison = compared(shell_tools, "call_00026")
    assert counts(comparison) == {"same": 193, "unshown": 39_806, "cut": 1}
    assert comparison.notices == [
        "Warning: truncated output (original token count: 57224)",
        "Total output lines: 40000",
        "…57024 tokens truncated…",
    ]
    expected = "the model never saw 39806 of 40000 lines printed  cut by Codex: …57024 tokens truncated…"
    assert words(comparison) == expected
    rows = ComparisonRows(comparison, 120)
    texts = [spans_text(lay_out(rows.row(place), 120)) for place in (135, 136, 137)]
    assert [text.split() for text in texts] == [
        ["127", "=", "127"],
        ["!", "…57024", "tokens", "truncated…"],
        ["128", "-"],
    ]
    half = spans_text(lay_out(rows.row(len(rows) - 67), 120)).split()
    assert half == ["39934", "…", "934"], "Codex cut in the middle of a line"


def test_a_process_that_printed_on_after_its_command_returned(shell_tools: Path) -> None:
    """The first line was shown by the command, the others by a later poll of its terminal."""
    for call_id in ("call_00018", "call_00020"):
        comparison = compared(shell_tools, call_id)
        assert comparison.printed == ["tick 1", "tick 2", "tick 3"]
        assert counts(comparison) == {"same": 3}
        assert words(comparison) == "the model saw all that was printed"


def test_output_parted_in_the_middle_of_a_line(shell_tools: Path) -> None:
    """A prompt is shown by one call, and what was typed behind it by the next."""
    comparison = compared(shell_tools, "call_00006")
    assert comparison.printed[0] == ">>> print(6*7)"
    assert counts(comparison) == {"same": 2, "joined": 6, "added": 1}
    lines = drawn(comparison, 120)
    first = next(place for place, line in enumerate(lines) if line.startswith(">>> print"))
    assert lines[first].split() == [">>>", "print(6*7)", "=", ">>>"]
    assert lines[first + 7].split() == ["=", "print(6*7)"]
    assert words(comparison).startswith("the model saw all that was printed")
    own = [line for line in drawn(compared(shell_tools, "call_00008"), 80) if "(this one)" in line]
    assert len(own) == 1


def test_what_was_printed_after_the_last_poll_was_never_shown(shared_dir: Path) -> None:
    comparison = compared(shared_dir / "bundles/background-terminal/bundle", "call_00004")
    assert comparison.printed == ["quiet end"]
    assert counts(comparison) == {"unshown": 1}
    assert words(comparison) == "the model never saw 1 of 1 line printed"


def test_a_write_to_no_known_terminal(shared_dir: Path) -> None:
    comparison = compared(shared_dir / "bundles/background-terminal/bundle", "call_00012")
    assert not comparison.is_known
    assert words(comparison) == "the log does not have what was printed"
    assert drawn(comparison)[-1].strip() == "write_stdin failed: Unknown process id 424242"


def test_a_script_that_passed_the_output_on(shared_dir: Path) -> None:
    bundle = shared_dir / "bundles/code-mode/bundle"
    comparison = nested(bundle, 17)
    assert comparison.printed == ["nested_marker"]
    assert counts(comparison) == {"same": 1}
    assert "── from the JSON in it" in drawn(comparison)
    both = nested(bundle, 30)
    assert (both.printed, counts(both)) == (["a"], {"same": 1, "added": 1})


def test_a_script_that_kept_the_output(shared_dir: Path) -> None:
    comparison = nested(shared_dir / "bundles/code-mode/bundle", 51)
    assert comparison.printed == ["after-notify"]
    assert counts(comparison) == {"unshown": 1}
    assert "── 3 lines of other output" in drawn(comparison)


def test_an_output_that_a_compaction_took(shared_dir: Path) -> None:
    """Two lines went through a wait, two through an answer that no call of the model ever saw."""
    comparison = nested(shared_dir / "bundles/everything-ws/bundle", 71)
    assert comparison.printed == ["hello terminal"] * 2 + ["still here"] * 2
    assert counts(comparison) == {"same": 2, "unseen": 2}
    assert words(comparison) == "the model never saw 2 of 4 lines printed"
    lines = drawn(comparison)
    assert lines.count("- still here") == 2
    assert "── the script, but a compaction took it before any call saw it" in lines


def test_patches_and_servers(shared_dir: Path, shell_tools: Path) -> None:
    patch = compared(shell_tools, "call_00028")
    assert (patch.verb, counts(patch)) == ("said", {"same": 2})
    server = compared(shared_dir / "bundles/mcp-tools/bundle", "call_00002")
    assert server.printed == ["ECHO: direct"]
    assert [line.text for line in server.shown if line.kind == "line"] == ['{"echo":"direct"}']
    assert words(server) == "the model never saw 1 of 1 line answered  1 line shown that was not answered"


def test_calls_that_print_nothing_have_no_two_sides(shared_dir: Path) -> None:
    _session, index = opened(shared_dir / "bundles/mcp-tools/bundle")
    sides = {call.tool_call_id: saw_ran(index, call) for call in index.trace.tool_calls.values()}
    assert sides["search-1"] is None
    assert sides["call_00008"] is None, "an exec call has the stepper"
    assert sides["call_00010"] is not None


def test_everything_printed_and_shown_has_its_place(shared_dir: Path) -> None:
    """Over all recorded commands: each line of either side is in exactly one row, and in order."""
    commands = 0
    for bundle in [
        *sorted((shared_dir / "bundles").glob("*/bundle")),
        *(REPOSITORY / "demo_traces").glob("*/"),
    ]:
        if not (bundle / "manifest.json").exists():
            continue
        session, index = opened(bundle)
        for call in index.trace.tool_calls.values():
            view = saw_ran(index, call)
            if view is not None:
                check(compare(view, session.text))
                commands += 1
    assert commands > 150


def check(comparison: Comparison) -> None:
    left = [n for run in comparison.runs if run.left >= 0 for n in range(run.left, run.left + run.length)]
    right = [n for run in comparison.runs if run.right >= 0 for n in range(run.right, run.right + run.length)]
    assert left == list(range(len(comparison.printed)))
    assert right == list(range(len(comparison.shown)))
    for run in comparison.runs:
        if run.kind == "same":
            for offset in range(run.length):
                shown = comparison.shown[run.right + offset]
                assert (shown.kind, shown.text) == ("line", comparison.printed[run.left + offset])
    for width in (60, 120):
        rows = ComparisonRows(comparison, width)
        for place in {0, len(rows) // 2, len(rows) - 1}:
            spans = lay_out(rows.row(place), width)
            assert spans_text(spans).isprintable()


def test_what_the_runtime_printed_is_what_the_graph_has(shared_dir: Path) -> None:
    """The first side against the raw runtime events."""
    bundle = shared_dir / "bundles/shell-tools/bundle"
    seen = 0
    for event in raw_events(bundle):
        body = event["payload"]
        if body["type"] == "tool_call_runtime_ended" and "aggregated_output" in raw_payload(
            bundle, body["runtime_payload"]
        ):
            printed = raw_payload(bundle, body["runtime_payload"])["aggregated_output"]
            comparison = compared(bundle, body["tool_call_id"])
            assert "\n".join(comparison.printed) == printed.replace("\r\n", "\n").removesuffix("\n")
            seen += 1
    assert seen >= 9


# Made outputs


@given(
    st.lists(st.sampled_from(["a", "b", "", "c"]), max_size=8), st.lists(st.sampled_from("abc"), max_size=8)
)
def test_any_two_texts_are_laid_out_whole(printed: list[str], shown: list[str]) -> None:
    check(made("\n".join(printed), HEADER + "\n".join(shown)))
    check(made("\n".join(printed), HEADER + "\n".join(shown[:3]), HEADER + "\n".join(shown[3:])))
    check(made("\n".join(printed), "\n".join(shown), in_script=True))


def test_lines_that_differ_stand_beside_each_other() -> None:
    comparison = made("a\nb\nc\n", f"{HEADER}a\nx\nc\n")
    assert counts(comparison) == {"same": 2, "changed": 1}
    assert drawn(comparison)[-4:] == ["= a", "- b", "+ x", "= c"]
    assert [line.split() for line in drawn(comparison, 120)[-3:]] == [
        ["a", "=", "a"],
        ["b", "!", "x"],
        ["c", "=", "c"],
    ]
    assert words(comparison) == "the model never saw 1 of 3 lines printed  1 line shown that was not printed"


def test_a_notice_that_the_process_printed_is_none() -> None:
    text = "start\n…12 tokens truncated…\nend\n"
    assert made(text, HEADER + text).notices == []
    assert made("start\nmiddle\nend\n", HEADER + text).notices == ["…12 tokens truncated…"]
    warning = "Warning: truncated output (original token count: 9)\nTotal output lines: 4\n\nbody\n"
    assert made(warning, HEADER + warning).notices == []
    assert len(made("body\nmore\n", HEADER + warning).notices) == 2


@pytest.mark.parametrize(
    "notice",
    [
        "…5 chars truncated…",
        "[... omitted 3 of 9 lines ...]",
        "[... output truncated to fit 10240 bytes ...]",
    ],
)
def test_notices_of_other_versions(notice: str) -> None:
    comparison = made(
        "one\ntwo\nthree\nfour\n", f"Exit code: 0\nWall time: 1 seconds\nOutput:\none\ntw{notice}ree\nfour\n"
    )
    assert comparison.notices == [notice]
    assert counts(comparison) == {"same": 2, "cut": 2}


def test_an_output_without_header_is_all_output() -> None:
    assert [line.kind for line in read_shown("Chunk ID: 1\nplain\n", "")] == ["line", "line"]
    assert [line.kind for line in read_shown(f"{HEADER}x", "")] == ["told"] * 5 + ["line"]
    assert [line.text for line in read_shown("a\r\nb\rc\r\n", "")] == ["a", "b\rc"]


def test_where_an_output_ends() -> None:
    assert ends_in_line(f"{HEADER}>>> ")
    assert not ends_in_line(f"{HEADER}>>> \n")
    assert not ends_in_line(HEADER)
    assert not ends_in_line("write_stdin failed")


def test_an_empty_poll_and_an_error_do_not_break_a_line() -> None:
    comparison = made("$ ls\nx\n", f"{HEADER}$ ", HEADER, f"{HEADER}ls\nx\n")
    assert counts(comparison) == {"same": 1, "joined": 2}
    comparison = made("$ ls\n", f"{HEADER}$ ", "write_stdin failed: no")
    assert counts(comparison) == {"changed": 1, "added": 1}


def test_json_within_the_output_of_a_script() -> None:
    assert unwrapped('{"output": "x\\n", "exit_code": 0}', "y") == "x\n"
    assert unwrapped('[{"deep": ["out\\n"]}]', "out\n") == "out\n"
    assert unwrapped("[1, 2]", "out") is None
    assert unwrapped("{not json", "out") is None
    assert unwrapped("plain", "out") is None


def test_outputs_that_nobody_saw() -> None:
    comparison = made("a\n", f"{HEADER}a\n", seen=False)
    assert counts(comparison) == {"unseen": 1}
    assert words(comparison) == "the model never saw 1 of 1 line printed"


def test_nothing_printed_and_nothing_known() -> None:
    assert words(made("", HEADER)) == "nothing was printed"
    assert words(made(None, HEADER + "a\n")) == "the log does not have what was printed"
    assert drawn(made(None, HEADER + "a\n"))[0] == "printed: not in the log; shown to the model: 1 line"


def test_a_payload_that_cannot_be_read_is_not_taken_for_output() -> None:
    section = TextSection("", "text", "(not in the log)", payload=object())  # type: ignore[arg-type]
    comparison = compare(SawRan(section, (), in_script=False), lambda section: section.text or "")
    assert not comparison.is_known


def test_what_the_runtime_says() -> None:
    assert runtime_output({"aggregated_output": "x"}) == "x"
    assert runtime_output({"stdout": "x", "stderr": "y"}) == "xy"
    assert (
        runtime_output({"result": {"Ok": {"content": [{"text": "x"}, {"image": 1}, {"text": "y"}]}}})
        == "x\ny"
    )
    assert runtime_output({"result": {"Err": "no"}}) == "no"
    for odd in (None, [], {}, {"result": 1}, {"result": {}}, {"stdout": 1}):
        assert runtime_output(odd) is None


def test_rows_know_their_places_at_any_width() -> None:
    comparison = made("a\nb\n", f"{HEADER}a\nx\n")
    for width, rows in ((SIDE_BY_SIDE - 1, 10), (SIDE_BY_SIDE, 9)):
        source = ComparisonRows(comparison, width)
        assert len(source) == rows
        assert [source.find(source.key(place)) for place in range(rows)] == list(range(rows))
        assert source.find(rows) is None
        assert source.find("x") is None
        assert source.parent(3) is None


def test_a_line_of_megabytes_costs_no_more_than_it_shows() -> None:
    comparison = made("x" * 5_000_000, HEADER + "x" * 5_000_000)
    assert counts(comparison) == {"same": 1}
    assert len(drawn(comparison, 120)[-1]) <= 120


def test_marks_in_ascii() -> None:
    glyphs.use(glyphs.ASCII)
    try:
        comparison = made("a\nb\nc\nd\n", f"{HEADER}a\nx\nd\ne\n")
        assert all(line.isascii() for width in (60, 120) for line in drawn(comparison, width))
    finally:
        glyphs.use(glyphs.UNICODE)
