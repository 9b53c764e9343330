"""Damage to sound bundles: survived, named, and without effect on what does not depend on it.

What is guaranteed, and checked here for recorded and demo bundles of both schemas, cut off anywhere and
then damaged in one to four ways:

* Nothing is raised.
* A line that is no event any more is named by a problem with its number. So is a line whose sequence
  number was there before or comes late, and, by the line after it or an unreadable one in between, every
  place where numbers are missing. A payload that an unharmed event refers to and that is missing or no
  JSON any more is named by its id, where the schema wants it to be read.
* No thread, turn, inference call, tool call, compaction or compaction request is there that was not there
  before. This and what follows hold unless a damaged line happens to say something else now: to be
  another valid event, which may be about anything, or to have another number.
* Everything else is as it was. An event depends on the damage if it was damaged, lost or moved, if a
  payload of it was damaged, or if it reads a part of the reducer's state that such an event writes
  (`Footprints` says what reads and writes what). An object is compared if the events that make and change
  it do not depend on the damage. It must be equal in all fields, except for those that link it to objects
  which do depend on the damage. Items and terminals are numbered through a whole bundle; they are
  compared by their place in their thread and by their tool call.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec
import orjson
import pytest
from damage import (
    INTERPRETED,
    Damaged,
    Key,
    MemoryBundle,
    Reach,
    Sample,
    damages,
    decodes,
    reach,
    references,
    replayed,
    sample,
    sound_bundles,
)
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from msgspec import Struct

from reducer import Replay, RolloutTrace, state_json

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("ROLLOUT_TUI_DAMAGE_EXAMPLES", "2000"))
"""Examples in all; the environment asks for more."""

SHARES = 4
"""The examples are shared out among this many tests, so that workers can run them side by side."""

LONGEST = 220
"""Lines of a bundle that are used; a sound bundle that is cut off is one again."""

COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@st.composite
def damaged_samples(draw: st.DrawFn, schema: int) -> tuple[Sample, Damaged]:
    path = draw(st.sampled_from(sound_bundles(schema)))
    whole = sample(path, draw(st.sampled_from([12, 30, 60, 110, LONGEST])))
    return whole, draw(damages(whole))


@pytest.mark.timeout(0)
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("schema", [1, 2])
def test_damage(schema: int, share: int, shared_dir: object) -> None:
    # Each share looks at examples of its own.
    @seed(1000 * share + schema)
    @settings(max_examples=max(1, EXAMPLES // (2 * SHARES)), **COMMON)
    @given(found=damaged_samples(schema))
    def holds(found: tuple[Sample, Damaged]) -> None:
        check_damage(*found)

    holds()


def check_damage(whole: Sample, damaged: Damaged) -> None:
    payloads = {
        path: data for path, data in {**whole.bundle.kept, **damaged.payloads}.items() if data is not None
    }
    bundle = MemoryBundle(whole.bundle, payloads)
    replay = replayed(bundle, (line.data for line in damaged.lines))
    trace = replay.graph()
    replay.verify_payloads()
    state_json(trace)
    reached = reach(whole, damaged)
    assert_lines_are_named(whole, damaged, replay)
    assert_payloads_are_named(whole, damaged, reached, payloads, replay)
    if reached.forged_from == len(whole.lines):
        assert_nothing_is_invented(whole.trace, trace)
        assert_the_rest_is_the_same(whole, trace, reached)


# Named


def assert_lines_are_named(whole: Sample, damaged: Damaged, replay: Replay) -> None:
    named = {problem.line for problem in replay.problems}
    top, highest = 0, 0
    for number, line in enumerate(damaged.lines, 1):
        if not line.data.strip(b" "):
            continue
        if not decodes(line.data, whole.schema):
            assert number in named
            continue
        seq = orjson.loads(line.data)["seq"] if line.data[:1] == b"{" else None
        if seq is None:
            continue
        if seq <= highest:
            assert number in named
        elif seq > highest + 1:
            assert any(between in named for between in range(top + 1, number + 1))
        if seq > highest:
            top, highest = number, seq


def assert_payloads_are_named(
    whole: Sample, damaged: Damaged, reached: Reach, payloads: dict[str, bytes], replay: Replay
) -> None:
    gone = {path for path in damaged.payloads if not is_json(payloads.get(path))}
    reasons = [problem.reason for problem in replay.problems]
    lines_only = reach(whole, Damaged(damaged.lines, damaged.dropped))
    for place, event in enumerate(whole.events):
        wanted = whole.schema.checks_unused_payloads or event["payload"]["type"] in INTERPRETED
        if place in lines_only.events or not wanted:
            continue
        if any(other in reached.events for other in range(place)):
            continue  # something before it may keep it from being applied
        for payload_id, path in references(event):
            if path in gone:
                assert any(payload_id in reason for reason in reasons)


def is_json(data: bytes | None) -> bool:
    try:
        orjson.loads(data or b"")
    except orjson.JSONDecodeError:
        return False
    return True


# Not invented


def assert_nothing_is_invented(before: RolloutTrace, after: RolloutTrace) -> None:
    for name in (
        "threads",
        "codex_turns",
        "inference_calls",
        "tool_calls",
        "compactions",
        "compaction_requests",
        "raw_payloads",
    ):
        assert getattr(after, name).keys() <= getattr(before, name).keys()


# The same


class Names:
    """Ids that do not depend on how much came before in other threads."""

    def __init__(self, trace: RolloutTrace) -> None:
        self.of: dict[str, str] = {}
        counts: dict[str, int] = {}
        for item in trace.conversation_items.values():
            counts[item.thread_id] = counts.get(item.thread_id, 0) + 1
            self.of[item.item_id] = f"item {counts[item.thread_id]} of {item.thread_id}"
        for operation in trace.terminal_operations.values():
            name = self.of[operation.operation_id] = f"operation of {operation.tool_call_id}"
            self.of[f"terminal_session:{operation.operation_id}"] = f"session by {name}"

    def fields(self, target: Struct, without: tuple[str, ...]) -> Any:
        """An object as plain data, without some of its fields."""
        plain = msgspec.to_builtins(target)
        return self._renamed({name: value for name, value in plain.items() if name not in without})

    def _renamed(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.of.get(value, value)
        if isinstance(value, list):
            return [self._renamed(one) for one in value]
        if isinstance(value, dict):
            return {name: self._renamed(one) for name, one in value.items()}
        return value


class Comparison:
    """Compares the objects that the damage cannot have reached."""

    def __init__(self, whole: Sample, after: RolloutTrace, reached: Reach) -> None:
        self.before, self.after = whole.trace, after
        self.whole, self.reached = whole, reached
        self.names = Names(whole.trace), Names(after)
        self.by_name = {name: id_ for id_, name in self.names[1].of.items()}
        self.compared = 0

    def is_free(self, *parts: Key) -> bool:
        return self.reached.parts.isdisjoint(parts)

    def same(self, kind: str, object_id: str, *without: str) -> None:
        """An object must be there in both, and be equal."""
        known = getattr(self.after, kind)
        other_id = self.by_name.get(self.names[0].of.get(object_id, ""), object_id)
        assert other_id in known, f"{kind} {object_id} is missing"
        left = self.names[0].fields(getattr(self.before, kind)[object_id], without)
        right = self.names[1].fields(known[other_id], without)
        assert left == right
        self.compared += 1

    def all(self) -> None:
        self.session()
        self.threads_and_turns()
        self.calls_and_items()
        self.tools_and_terminals()
        self.cells()
        self.compactions()
        self.payloads()
        if not any(part[0] in ("edges", "thread", "tool") for part in self.reached.parts):
            for edge_id in self.before.interaction_edges:
                self.same("interaction_edges", edge_id)

    def session(self) -> None:
        for kind, names in (
            ("rollout_started", ("trace_id", "root_thread_id")),
            ("rollout_ended", ("status", "ended_at_unix_ms")),
            ("recording_completed", ("recording_complete",)),
        ):
            if self.is_free(("rollout", kind)):
                for name in names:
                    assert getattr(self.before, name) == getattr(self.after, name)

    def threads_and_turns(self) -> None:
        for thread_id in self.before.threads:
            if self.is_free(("thread", thread_id)):
                free = self.is_free(("context", thread_id), ("receipts", thread_id))
                self.same("threads", thread_id, *(() if free else ("conversation_item_ids",)))
        for turn_id in self.before.codex_turns:
            if self.is_free(("turn", turn_id)):
                self.same("codex_turns", turn_id)

    def calls_and_items(self) -> None:
        for call_id in self.before.inference_calls:
            if self.is_free(("call", call_id)):
                self.same("inference_calls", call_id, "tool_call_ids_started_by_response")
        for item in self.before.conversation_items.values():
            made = self.whole.provenance.of("ConversationItem", item.item_id)[0].line - 1
            if made in self.reached.events:
                continue
            without: list[str] = []
            if not self.is_free(("context", item.thread_id)):
                without += ["body", "responses_item_id", "agent_message"]
            if not self.is_free(("context", item.thread_id), ("receipts", item.thread_id)):
                without += ["accepted_at_unix_ms", "accepted_seq"]
            # A call id leads to tools and cells of any thread: a child that inherits a history shares them.
            cells = [("cells", thread_id) for thread_id in self.before.threads]
            if not self.is_free(("context", item.thread_id), ("call id", item.call_id), *cells):
                without.append("produced_by")
            self.same("conversation_items", item.item_id, *without)

    def tools_and_terminals(self) -> None:
        contexts = tuple(("context", thread_id) for thread_id in self.before.threads)
        for call in self.before.tool_calls.values():
            if not self.is_free(("tool", call.tool_call_id)):
                continue
            linked = self.is_free(*contexts)
            without = [] if linked else ["model_visible_call_item_ids", "model_visible_output_item_ids"]
            if not self.is_free(*contexts, ("cells", call.thread_id)):
                without.append("started_code_cell_id")
            self.same("tool_calls", call.tool_call_id, *without)
            if call.terminal_operation_id is not None:
                without = [] if linked else ["model_observations"]
                if not self.is_free(("terminal", call.thread_id)):
                    without.append("terminal_id")
                self.same("terminal_operations", call.terminal_operation_id, *without)
        for session in self.before.terminal_sessions.values():
            if self.is_free(("terminal", session.thread_id)):
                self.same("terminal_sessions", session.terminal_id)

    def cells(self) -> None:
        shared = self._shared_cell_ids()
        for cell in self.before.code_cells.values():
            thread = cell.thread_id
            parts = (("cells", thread), ("context", thread), ("cell id", cell.model_visible_call_id))
            if self.is_free(*parts) and cell.code_cell_id not in shared:
                # Tools that it asked for, waits for it, and outputs in threads that inherited them.
                threads = self.before.threads
                parts = tuple((part, one) for part in ("tools", "context") for one in threads)
                links = ("nested_tool_call_ids", "wait_tool_call_ids", "output_item_ids")
                self.same("code_cells", cell.code_cell_id, *(() if self.is_free(*parts) else links))

    def _shared_cell_ids(self) -> set[str]:
        """Cells whose call id several threads use: which of them starts is a matter of all of them."""
        threads: dict[str, set[str]] = {}
        for event in self.whole.events:
            if event["payload"]["type"] == "code_cell_started":
                cell_id = f"code_cell:{event['payload']['model_visible_call_id']}"
                threads.setdefault(cell_id, set()).add(event["thread_id"])
        return {cell_id for cell_id, found in threads.items() if len(found) > 1}

    def compactions(self) -> None:
        for compaction_id in self.before.compactions:
            if self.is_free(("compaction", compaction_id)):
                self.same("compactions", compaction_id)
        for request_id in self.before.compaction_requests:
            if self.is_free(("compaction request", request_id)):
                self.same("compaction_requests", request_id)

    def payloads(self) -> None:
        reached = {
            payload_id
            for place in self.reached.events
            for payload_id, _ in references(self.whole.events[place])
        }
        for payload_id in self.before.raw_payloads.keys() - reached:
            self.same("raw_payloads", payload_id)


def assert_the_rest_is_the_same(whole: Sample, trace: RolloutTrace, reached: Reach) -> None:
    Comparison(whole, trace, reached).all()
