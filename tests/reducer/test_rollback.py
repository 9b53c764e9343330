"""An event that fails at any of its writes leaves the graph, the indexes and all other state as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from scenes import everything

from reducer import Replay, UnreadablePayload, open_bundle, state_json
from reducer.changes import Changes, Handler
from reducer.wire.events import RawEvent

WRITES = ("change", "put", "drop", "append", "insert_sorted", "remove", "add", "discard", "touch", "concern")
NOT_STATE = {
    "problems": "tells of the failure",
    "provenance": "compared by its number of events",
    "_payloads": "payloads that were read",
    "_store": "payloads that were read",
    "_of_shard": "records that were referred to, also by an event that failed",
    "_lines": "the line was there, whatever came of it",
    "_order": "the line was there, whatever came of it",
    "line_number": "the line was there",
    "_age": "only grows; gaps do no harm",
    "_memories": "what is remembered of requests is lost when one fails",
}


class FailingChanges(Changes):
    """Fails instead of the write that the countdown ends at."""

    countdown = -1

    def count(self) -> None:
        """A write is about to happen, or, after the last one, the event to end."""
        self.countdown -= 1
        if self.countdown == -1:
            raise UnreadablePayload("the test wants it so")


def _failing(name: str) -> Any:
    def write(self: FailingChanges, *arguments: Any) -> Any:
        self.count()
        return getattr(Changes, name)(self, *arguments)

    return write


for _name in WRITES:
    setattr(FailingChanges, _name, _failing(_name))


def frozen(value: Any, known: dict[int, str], place: str = "") -> Any:
    """Everything that a value holds, in a form that can be compared; order of keys does not matter."""
    if isinstance(value, (str, int, float, type(None))):
        return value
    if id(value) in known and not isinstance(value, (list, tuple)):
        return f"<{known[id(value)]}>"
    known[id(value)] = place
    if isinstance(value, dict):
        keys = sorted(value, key=repr)
        return {repr(key): frozen(value[key], known, f"{place}[{key!r}]") for key in keys}
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    if isinstance(value, (list, tuple)):
        return [frozen(entry, known, f"{place}[{number}]") for number, entry in enumerate(value)]
    if isinstance(value, Struct):
        names = value.__struct_fields__
        return {name: frozen(getattr(value, name), known, f"{place}.{name}") for name in names}
    if type(value).__module__.startswith("reducer."):
        return {
            name: frozen(one, known, f"{place}.{name}")
            for name, one in sorted(vars(value).items())
            if name not in NOT_STATE and name != "countdown"
        }
    return type(value).__name__


def state_of(replay: Replay) -> Any:
    """All that the replay and the modules behind it remember."""
    parts = {id(owner): owner for one in replay._handlers.values() for owner in owners_of(one)}
    return frozen([replay._work, replay._agents, replay._cells, *parts.values()], {})


def owners_of(handler: Any) -> list[Any]:
    """The object whose method a handler is, or what a closure holds on to."""
    if hasattr(handler, "__self__"):
        return [handler.__self__]
    held = [cell.cell_contents for cell in getattr(handler, "__closure__", None) or ()]
    return [owner for one in held for owner in (owners_of(one) if callable(one) else [one])]


@pytest.fixture(params=[1, 2, 3], ids=["schema 1", "schema 2", "schema 3"])
def replay_of_everything(request: pytest.FixtureRequest, tmp_path: Path) -> Replay:
    replay = Replay(open_bundle(everything(tmp_path / "bundle", request.param).write()))
    changes = replay._work.changes
    changes.__class__ = FailingChanges

    def also_failing_at_its_end(handler: Handler) -> Handler:
        def handle(raw: RawEvent, event: Any) -> None:
            handler(raw, event)
            changes.count()  # type: ignore[attr-defined]

        return handle

    replay._handlers = {type_: also_failing_at_its_end(one) for type_, one in replay._handlers.items()}
    return replay


def test_state_of_sees_the_indexes(replay_of_everything: Replay) -> None:
    """The comparison below would be worth nothing if it looked away."""
    lines = [*open_bundle(replay_of_everything._payloads._store._folder.path).lines()]
    for line in lines[:30]:
        replay_of_everything.feed(line)
    seen = repr(state_of(replay_of_everything))
    if replay_of_everything._work.schema.identifies_items:
        assert "'_receipts': {\"" in seen
    for name in ("_by_call", "_listed", "_current", "_process", "_by_model_call", "_bound"):
        assert f"'{name}'" in seen
    for name in ("_calls_by_response", "_contexts", "_readings", "_pending_by_delivery", "_requests"):
        assert f"'{name}'" in seen


@pytest.mark.slow
def test_a_failure_at_any_write_leaves_nothing(replay_of_everything: Replay) -> None:
    replay = replay_of_everything
    changes = replay._work.changes
    assert isinstance(changes, FailingChanges)
    failures = 0
    for line in open_bundle(replay._payloads._store._folder.path).lines():
        before, events = state_of(replay), len(replay.provenance.events)
        for writes in range(1000):
            changes.countdown = writes
            expected = replay._order.expected
            replay.feed(line)
            if changes.countdown >= 0:
                break
            assert state_of(replay) == before, f"line {line.number} failed at write {writes}"
            assert len(replay.provenance.events) == events
            assert replay.problems.pop().reason == "the test wants it so"
            replay._order.expected = expected
            failures += 1
        assert replay.problems == []
    assert failures > 500
    path = replay._payloads._store._folder.path
    sound = Replay(open_bundle(path))
    for line in open_bundle(path).lines():
        sound.feed(line)
    assert state_json(replay.graph()) == state_json(sound.graph())
