"""Work grows with the bytes that are read, not with events times objects: nothing is found by searching."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, exec_item, letter, message, text
from scenes import begin, call, end, output, stdin_invocation

from reducer import open_bundle, reduce_bundle

Shape = Callable[[BundleBuilder, int], None]
SIZE = 60


def tool_calls(b: BundleBuilder, n: int) -> None:
    for number in range(n):
        b.tool(f"T{number}", call_id=f"c{number}")
        b.tool_ended(f"T{number}")
    b.request("i1", [one for number in range(n) for one in (call(f"c{number}"), output(f"c{number}"))])
    b.request("i2", [one for number in range(n) for one in (call(f"c{number}"), output(f"c{number}"))])


def commands_and_writes(b: BundleBuilder, n: int) -> None:
    b.tool("c", "exec_command")
    b.runtime_started("c", "exec_command", begin())
    for number in range(n):
        b.tool(f"w{number}", "write_stdin", invocation=stdin_invocation(7, "x"))
        b.event("stdin_target_resolved", ROOT, "turn", tool_call_id=f"w{number}", exec_tool_call_id="c")
        b.tool(f"d{number}", "exec_command")
        b.runtime_started(f"d{number}", "exec_command", begin(str(number)))
        b.runtime_ended(f"d{number}", end(str(number)))


def nested_calls(b: BundleBuilder, n: int) -> None:
    b.request("i1", [exec_item("x")])
    b.cell("x")
    for number in range(n):
        b.tool(f"T{number}", cell="1")
        wait = {"tool_name": "wait", "payload": {"type": "function", "arguments": '{"cell_id":"1"}'}}
        b.tool(f"W{number}", invocation=wait)


def cells_that_never_start(b: BundleBuilder, n: int) -> None:
    for number in range(n):
        b.cell(f"x{number}", runtime_id=str(number))
        b.cell_response("yielded", runtime_id=str(number))
        b.request(f"i{number}", [message("a")])


def cells_that_start_late(b: BundleBuilder, n: int) -> None:
    for number in range(n):
        b.cell(f"x{number}", runtime_id=str(number))
    b.request("i1", [exec_item(f"x{number}") for number in range(n)])


def equal_letters(b: BundleBuilder, n: int) -> None:
    for number in range(n):
        result(b, f"e{number}", "the same")
    for number in range(n):
        b.request(f"i{number}", [letter("the same", "/root/a", "/root", id=f"m{number}")])


def letters_before_results(b: BundleBuilder, n: int) -> None:
    b.request("i1", [letter("the same", "/root/a", "/root", id=f"m{number}") for number in range(n)])
    for number in range(n):
        result(b, f"e{number}", "the same")


def undelivered_results(b: BundleBuilder, n: int) -> None:
    b.request("i0", [message(str(number), "assistant") for number in range(n)], CHILD)
    for number in range(n):
        result(b, f"e{number}", f"lost {number}")
        b.request(f"i{number + 1}", [letter(f"other {number}", "/root/a", "/root")])


def result(b: BundleBuilder, edge: str, said: str) -> None:
    ids = {"child_thread_id": CHILD, "child_codex_turn_id": "tc", "parent_thread_id": ROOT}
    b.event("agent_result_observed", CHILD, "tc", edge_id=edge, message=said, **ids)


def receipts(b: BundleBuilder, n: int) -> None:
    for number in range(n):
        b.accepted(f"m{number}")
    b.request("i1", [message(str(number), id=f"m{number}") for number in range(n)])
    for number in range(n):
        b.accepted(f"m{number}")


def incremental_requests(b: BundleBuilder, n: int) -> None:
    b.request("i0", [message("a")])
    b.response("i0", [], "r0")
    for number in range(n):
        b.request(f"i{number + 1}", [message(str(number))], previous_response_id=f"r{number}")
        b.response(f"i{number + 1}", [message("x", "assistant", id=f"m{number}")], f"r{number + 1}")


def small_requests(b: BundleBuilder, n: int) -> None:
    for number in range(n):
        b.request(f"i{number}", [message(str(number))])


def tools_between_small_requests(b: BundleBuilder, n: int) -> None:
    for number in range(n):
        b.tool(f"T{number}", call_id=f"c{number}")
        b.request(f"i{number}", [call(f"c{number}"), output(f"c{number}")])


def equal_items_that_moved(b: BundleBuilder, n: int) -> None:
    b.request("i1", [message("same")] * n)
    b.request("i2", [message("first"), *[message("same")] * n])


def equal_items_in_reverse(b: BundleBuilder, n: int) -> None:
    items = [message("same", id=f"m{number}") for number in range(n)]
    b.request("i1", items)
    b.request("i2", [message("first"), *reversed(items)])


def pictures_that_moved(b: BundleBuilder, n: int) -> None:
    items = [
        {"type": "message", "role": "user", "content": [{"type": "input_image", "url": str(number)}]}
        for number in range(n)
    ]
    b.request("i1", items)
    b.request("i2", [message("first"), *reversed(items)])


def threads_and_turns(b: BundleBuilder, n: int) -> None:
    for number in range(n):
        b.thread(f"t{number}", f"/root/t{number}")
        b.turn(f"u{number}", f"t{number}")
        b.turn(f"v{number}")
        b.request(f"i{number}", [message("a")])
        b.turn_ended("failed", f"v{number}")


def compactions(b: BundleBuilder, n: int) -> None:
    for number in range(n):
        b.installed(f"z{number}", [message("a")], [message("a"), call("c")])


def lines_out_of_order(b: BundleBuilder, n: int) -> None:
    for number in range(2 * n):
        b.thread(f"t{number}")
    b.lines = [*b.lines[1::2], *b.lines[::2]]


def late_failures(b: BundleBuilder, n: int) -> None:
    b.turns[ROOT] = "gone"
    for number in range(n):
        b.cell(f"x{number}", runtime_id=str(number))
    b.turns[ROOT] = "turn"
    b.request("i1", [exec_item(f"x{number}") for number in range(n)])


def everything_unreadable(b: BundleBuilder, n: int) -> None:
    for number in range(n):
        b.line(b"x" * (20 + number % 2))
        b.tool("T", cell="none")


SHAPES: list[Shape] = [
    tool_calls,
    commands_and_writes,
    nested_calls,
    cells_that_never_start,
    cells_that_start_late,
    equal_letters,
    letters_before_results,
    undelivered_results,
    receipts,
    incremental_requests,
    small_requests,
    tools_between_small_requests,
    equal_items_that_moved,
    equal_items_in_reverse,
    pictures_that_moved,
    threads_and_turns,
    compactions,
    lines_out_of_order,
    late_failures,
    everything_unreadable,
]


def pictures_among_texts(b: BundleBuilder, n: int) -> None:
    image = {"type": "input_image", "image_url": "data:,"}
    items = [{"type": "message", "role": "user", "content": [text(str(one)), image]} for one in range(n)]
    b.request("i1", items)
    b.request("i2", [message("first"), *reversed(items)])
    b.installed("z", [message("second"), *items], items)
    b.request("i3", [message("third"), *items])


def answers_to_one_request(b: BundleBuilder, n: int) -> None:
    b.request("i1", [message(str(number)) for number in range(n)])
    for number in range(n):
        b.response("i1", [message("x", "assistant", id=f"m{number}")], f"r{number}")


def mcp_calls(b: BundleBuilder, n: int) -> None:
    for number in range(n):
        b.tool(f"T{number}")
        b.runtime_started(f"T{number}", "web", {"invocation": {"server": "s", "tool": "t"}})
        b.runtime_ended(f"T{number}", {"end": number})


SHAPES_OF_SCHEMA_1 = [
    *[shape for shape in SHAPES if shape is not receipts],
    pictures_among_texts,
    answers_to_one_request,
    mcp_calls,
]


def work_and_bytes(path: Path, shape: Shape, size: int, schema: int) -> tuple[int, int]:
    """Function calls of Python and C that a reduction makes, and the bytes that it reads."""
    b = BundleBuilder(path, schema)
    for thread, agent, turn in ((ROOT, "/root", "turn"), (CHILD, "/root/a", "tc")):
        b.thread(thread, agent)
        b.turn(turn, thread)
    shape(b, size)
    bundle = open_bundle(b.write())
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        reduce_bundle(bundle)
    finally:
        sys.setprofile(None)
    return calls, sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def check_growth(shape: Shape, path: Path, schema: int) -> None:
    small, few = work_and_bytes(path / "small", shape, SIZE, schema)
    large, many = work_and_bytes(path / "large", shape, 4 * SIZE, schema)
    assert small > SIZE
    assert large / small < 1.4 * many / few


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_work_grows_with_the_bytes(shape: Shape, tmp_path: Path) -> None:
    check_growth(shape, tmp_path, 2)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES_OF_SCHEMA_1, ids=lambda shape: shape.__name__)
def test_work_grows_with_the_bytes_of_schema_1(shape: Shape, tmp_path: Path) -> None:
    check_growth(shape, tmp_path, 1)


def growing_history(b: BundleBuilder, n: int) -> None:
    history = []
    for number in range(n):
        history += [message(str(number)), call(f"c{number}"), output(f"c{number}")]
        b.tool(f"T{number}", call_id=f"c{number}")
        b.request(f"i{number}", history)


@pytest.mark.slow
@pytest.mark.parametrize("schema", [1, 2])
def test_work_does_not_grow_with_what_requests_repeat(tmp_path: Path, schema: int) -> None:
    """Four times the calls are sixteen times the bytes, but four times the work."""
    small, few = work_and_bytes(tmp_path / "small", growing_history, SIZE, schema)
    large, many = work_and_bytes(tmp_path / "large", growing_history, 4 * SIZE, schema)
    assert many > 10 * few
    assert large < 1.4 * 4 * small
