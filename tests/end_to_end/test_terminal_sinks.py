"""Every command on evidence that attacks: a terminal gets nothing to obey, a pipe the exact bytes."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, get_args

import pytest
from escape_audit import escape_audit
from places import PROGRAM

from reducer import open_bundle, reduce_bundle
from reducer.model import RolloutTrace
from rollout_tui.cli import main
from rollout_tui.commands import show as show_command
from rollout_tui.language.asking import Listed
from rollout_tui.session import Session

pytestmark = pytest.mark.slow

Demo = Callable[[str], Path]
T = TypeVar("T")

DEMOS = ["hostile", "hostile-2"]
LISTS: tuple[str, ...] = get_args(Listed)
HINT = b"for the exact bytes pipe it, or write it with -o FILE"


@dataclass(frozen=True)
class Sent:
    """What a terminal was sent: by standard output, and by standard error."""

    out: bytes
    err: bytes


class _Drained:
    """A pseudo-terminal that changes no byte, and all that it was sent."""

    def __init__(self) -> None:
        self._master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self._pieces: list[bytes] = []
        self._thread = threading.Thread(target=self._drain)
        self._thread.start()

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(self._master, 65536):
                self._pieces.append(piece)

    def close(self) -> bytes:
        os.close(self.slave)
        self._thread.join()
        os.close(self._master)
        return b"".join(self._pieces)


@pytest.fixture
def quick(demo_trace: Demo, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """A bundle of which `show` reads the log only once: here it is asked hundreds of times."""

    def loaded(demo: str) -> Path:
        bundle = demo_trace(demo)
        session = Session(bundle)
        timelines = session.load(lambda _done, _total: None)
        monkeypatch.setattr(session, "load", lambda _progress: timelines)
        monkeypatch.setattr(show_command, "Session", lambda _directory: session)
        return bundle

    return loaded


def on_terminals(*arguments: object) -> Sent:
    """Run a command of the program in this process, with a terminal for each stream."""
    out, err = _Drained(), _Drained()
    with pytest.MonkeyPatch.context() as patch:
        for name, one in (("stdout", out), ("stderr", err)):
            patch.setattr(sys, name, os.fdopen(os.dup(one.slave), "w", encoding="utf-8"))
        main([str(argument) for argument in arguments])
        sys.stdout.close()
        sys.stderr.close()
    return Sent(out.close(), err.close())


def assert_plain_lines(data: bytes) -> None:
    for line in data.split(b"\n"):
        audit = escape_audit(line, in_columns=False)
        assert not audit.violations, audit.describe()
        assert not audit.sequences, "a command draws nothing"


def things(bundle: Path) -> Iterator[list[str]]:
    """What `show` can be asked for: every list, and some of every kind of thing from first to last."""
    trace = reduce_bundle(bundle).trace
    numbers = {
        "call": len(trace.inference_calls),
        "compaction": len(trace.compactions),
        "cell": len(trace.code_cells),
        "edge": len(trace.interaction_edges),
        "turn": len(trace.codex_turns),
        "tool": len(trace.tool_calls),
        "item": len(trace.conversation_items),
        "seq": 60,
        "line": 60,
        "prompt": 2,
        "problem": 2,
    }
    for word, count in numbers.items():
        yield from ([word, str(number)] for number in spread(range(1, count + 1), 4))
    yield from (["thread", thread] for thread in spread(list(trace.threads), 2))
    yield from (["payload", payload] for payload in spread(named_by_number(trace), 12))
    yield from ([word] for word in LISTS)


def named_by_number(trace: RolloutTrace) -> list[str]:
    """The payloads whose ids are no attack themselves: others cannot be asked for."""
    return [payload for payload in trace.raw_payloads if re.fullmatch(r"raw_payload:\d+", payload)]


def spread(all_of_them: Sequence[T], most: int) -> Sequence[T]:
    """At most so many, the first among them, evenly spread."""
    return all_of_them[:: max(1, -(-len(all_of_them) // most))]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", ["", "--json", "--json --content", "--raw"])
@pytest.mark.parametrize("demo", DEMOS)
def test_a_terminal_that_is_shown_anything_obeys_nothing(quick: Demo, demo: str, form: str) -> None:
    bundle = quick(demo)
    shown = 0
    for what in things(bundle):
        sent = on_terminals("show", bundle, *what, *form.split())
        assert_plain_lines(sent.out)
        assert_plain_lines(sent.err)
        if form.startswith("--json") and sent.out:
            assert sent.out.isascii()
        shown += bool(sent.out)
    assert shown > 20


@pytest.mark.parametrize("demo", DEMOS)
def test_a_terminal_obeys_nothing_of_the_other_commands(demo_trace: Demo, demo: str) -> None:
    bundle = demo_trace(demo)
    for command in (
        ["check", bundle],
        ["check", bundle, "--json"],
        ["ls", bundle],
        ["ls", bundle, "--json"],
        ["reduce", bundle, "-o", "-"],
        ["reduce", bundle, "-o", "-", "--json"],
        ["reduce", bundle, "-o", "-", "--strict"],
        ["reduce", bundle, "--strict", "--json"],
        ["show", bundle, "call", "\x1b]0;owned\x07\u202e"],
        ["open", f"{bundle}/\x1b[2J\u202e"],
        ["\x1b[2J", "\x9b2J"],
        ["--help"],
        ["--version"],
    ):
        sent = on_terminals(*command)
        assert sent.out or sent.err
        assert_plain_lines(sent.out)
        assert_plain_lines(sent.err)


def test_json_on_a_terminal_has_the_same_values(demo_trace: Demo, piped: Callable[..., bytes]) -> None:
    bundle = demo_trace("hostile")
    for command in (
        ["reduce", bundle, "-o", "-"],
        ["show", bundle, "call", "1", "--json", "--content"],
        ["show", bundle, "tools", "--json", "--content"],
        ["check", bundle, "--json"],
    ):
        exact = piped(*command)
        sent = on_terminals(*command)
        assert json.loads(sent.out) == json.loads(exact)
        assert (HINT in sent.err) == (sent.out != exact)
    assert not piped("reduce", bundle, "-o", "-").isascii()


def test_the_bytes_go_where_no_terminal_is(quick: Demo, piped: Callable[..., bytes], tmp_path: Path) -> None:
    bundle = quick("hostile")
    opened, trace = open_bundle(bundle), reduce_bundle(bundle).trace
    escaped = 0
    target = tmp_path / "payload"
    for number in spread(named_by_number(trace), 12):
        payload = opened.read_payload(trace.raw_payloads[number])
        sent = on_terminals("show", bundle, "payload", number, "-o", target)
        assert sent.out == f"{target}\n".encode(), sent.err
        assert target.read_bytes() == payload
        escaped += HINT in on_terminals("show", bundle, "payload", number).err
    assert escaped > 2
    assert piped("show", bundle, "payload", number) == payload
    assert piped("show", bundle, "payload", number, "-o", "-", "--json", "--content") == payload
    line = (bundle / "trace.jsonl").read_bytes().splitlines(keepends=True)[4]
    assert piped("show", bundle, "line", "5", "--raw") == line


def test_a_terminal_that_is_named_as_a_file_obeys_nothing(demo_trace: Demo) -> None:
    bundle = demo_trace("hostile")
    terminal = _Drained()
    named = os.ttyname(terminal.slave)
    for command in (["reduce", bundle], ["show", bundle, "call", "1", "--raw"]):
        assert HINT in on_terminals(*command, "-o", named).err
    sent = terminal.close()
    assert len(sent) > 10_000
    assert_plain_lines(sent)


def test_the_program_itself_knows_its_terminal(demo_trace: Demo) -> None:
    terminal = _Drained()
    command = [*PROGRAM, "show", str(demo_trace("hostile")), "call", "1", "--raw"]
    subprocess.run(command, stdout=terminal.slave, stderr=terminal.slave, check=True)
    sent = terminal.close()
    assert HINT in sent
    assert_plain_lines(sent)


def test_what_is_shown_is_not_written_into_a_bundle(demo_trace: Demo) -> None:
    bundle = demo_trace("hostile")
    before = (bundle / "trace.jsonl").read_bytes()
    sent = on_terminals("show", bundle, "line", "1", "--raw", "-o", bundle / "trace.jsonl")
    assert b"it is evidence" in sent.err
    assert (bundle / "trace.jsonl").read_bytes() == before


@pytest.fixture
def piped() -> Callable[..., bytes]:
    """Runs the program with a pipe for standard output; gives what came through."""

    def run(*arguments: object) -> bytes:
        return subprocess.run([*PROGRAM, *map(str, arguments)], capture_output=True, check=False).stdout

    return run
