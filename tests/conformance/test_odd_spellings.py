"""Events and items that no recorder writes so, and that the reference takes or refuses all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from bundle_builder import ROOT, BundleBuilder
from sharded_builder import ShardedBuilder

from reducer.wire.payload_refs import PayloadKindName, ShardedKindName
from tests.fuzz.outcomes import EQUAL, REFUSED, UNWORDED, Outcome, outcome

pytestmark = pytest.mark.slow

Json = Any
CODEX = {1: "codex_164", 2: "codex_169", 3: "codex_171"}

TAKEN_KINDS: list[Json] = [
    *({"type": number, "server": "s", "tool": "t", "name": "n"} for number in range(12)),
    *([number] for number in (0, 1, 2, 4, 5, 6, 7, 8, 9, 10)),
    *(["web"], ["mcp", "s", "t"], [3, "s", "t"], ["other", "n"], [11, "n"]),
]
REFUSED_KINDS: list[Json] = [
    *({"type": tag} for tag in (12, -1, 1.0, 2**64, True, None, [], {}, {"web": None})),
    *([], ["web", 1], ["web", None], ["mcp", "s"], ["mcp", "s", "t", 1], [["web"]], "web", 4, {"web": None}),
]
TAKEN_REQUESTERS: list[Json] = [{"type": 0}, ["model"], [0]]
REFUSED_REQUESTERS: list[Json] = [{"type": 2}, ["model", 1], ["code_cell"], ["code_cell", 5]]
TAKEN_SUMMARIES: list[Json] = [
    {"type": 0, "operation_id": "o"},
    {"type": 1, "target_agent_path": "/root/a", "message_preview": "m"},
    {"type": 2},
    {"type": 3, "label": "l"},
    ["terminal", "o"],
    ["agent", "/root/a", None, "m"],
    ["wait_agent", None, 5],
    [3, "l", None, "o"],
]
REFUSED_SUMMARIES: list[Json] = [
    {"type": 4},
    ["agent", "/root/a", "m"],
    ["wait_agent"],
    ["wait_agent", None],
    ["generic", "l", None],
    {"type": "wait_agent", "timeout_ms": 1.0},
]
TAKEN_LABELS: list[Json] = [
    {"type": {"protocol_event": None}},
    {"type": {"protocol_event": {}}},
    {"type": {"protocol_event": None}, "value": None},
    ["protocol_event", None],
]
REFUSED_LABELS: list[Json] = [
    *({"type": 0}, {"type": {}}, {"type": {"protocol_event": 1}}, {"type": {"protocol_event": []}}),
    *({"type": "protocol_event", "value": {}}, ["protocol_event"], ["protocol_event", {}], [99, None]),
    *([{"protocol_event": None}, None], ["protocol_event", None, 1], "protocol_event"),
]
TAKEN_RECORDS: list[Json] = [
    *([], [{"status": "complete"}], [{"status": "complete"}, []], [{"status": 0}], [["complete"], []]),
    *([["truncated", 5, 2]], [[1, 5, 2]], [{"status": 1, "original_bytes": 5, "retained_bytes": 2}]),
]
REFUSED_RECORDS: list[Json] = [
    *([None], [{"status": 3}], [["complete", 1]], [["truncated", 5]], [{"status": "complete"}, [], 1]),
    *([{"status": {"complete": None}}], [{"status": "omitted", "original_bytes": 1.0}]),
]


class Asker:
    """Lets both reduce bundles of a schema."""

    def __init__(self, schema: int, codex: Path, directory: Path) -> None:
        self._schema, self._codex, self._directory = schema, codex, directory
        self._asked = 0

    def bundle(self) -> BundleBuilder:
        """A new bundle, with a thread and a turn."""
        self._asked += 1
        path = self._directory / str(self._asked) / "bundle"
        b = ShardedBuilder(path) if self._schema == 3 else BundleBuilder(path, schema=self._schema)
        b.thread()
        b.turn()
        return b

    def outcome(self, b: BundleBuilder) -> Outcome:
        """What comes of a bundle."""
        b.write()
        work = b.path.parent / "work"
        work.mkdir()
        return outcome(b.path, self._codex, work)


@pytest.fixture(params=CODEX, name="asker")
def _asker(request: pytest.FixtureRequest, tmp_path: Path) -> Asker:
    return Asker(request.param, request.getfixturevalue(CODEX[request.param]), tmp_path)


def add_call(b: BundleBuilder, name: str, **changed: Json) -> None:
    """A tool call with something spelled oddly."""
    fields = {
        "model_visible_call_id": None,
        "code_mode_runtime_tool_id": None,
        "requester": {"type": "model"},
        "kind": {"type": "web"},
        "summary": {"type": "generic", "label": "l", "input_preview": None, "output_preview": None},
        "invocation_payload": None,
    }
    b.event("tool_call_started", ROOT, "turn", tool_call_id=name, **{**fields, **changed})


def add_observed(b: BundleBuilder, spell: Any) -> None:
    """A reference to a payload of one's own, spelled in some way."""
    b.event("protocol_event_observed", event_type="e", event_payload=spell(b.payload({})))


def labelled(kind: Json) -> Any:
    return lambda ref: {**ref, "kind": kind}


def as_array(more: list[Json]) -> Any:
    return lambda ref: [*ref.values(), *more]


def test_spellings_that_are_taken_say_the_same(asker: Asker) -> None:
    b = asker.bundle()
    given = [("kind", one) for one in TAKEN_KINDS]
    given += [("requester", one) for one in TAKEN_REQUESTERS] + [("summary", one) for one in TAKEN_SUMMARIES]
    for number, (key, spelled) in enumerate(given):
        add_call(b, f"t{number}", **{key: spelled})
    names = get_args(ShardedKindName if b.schema == 3 else PayloadKindName)
    for kind in [*TAKEN_LABELS, *([number, None] for number in range(len(names)))]:
        add_observed(b, labelled(kind))
    for more in TAKEN_RECORDS if b.schema == 3 else [[]]:
        add_observed(b, as_array(more))
    b.raw(["tool_call_ended", "t0", {"failed": None}, None])
    b.raw(["tool_call_ended", "t1", {"aborted": {}}, [*b.payload({}).values()]])
    b.raw(["thread_ended", ROOT, "completed"])
    found = asker.outcome(b)
    assert found.kind == EQUAL, found


def test_spellings_that_are_refused_are_refused(asker: Asker) -> None:
    calls = [("kind", one) for one in REFUSED_KINDS] + [("summary", one) for one in REFUSED_SUMMARIES]
    for key, spelled in [*calls, *(("requester", one) for one in REFUSED_REQUESTERS)]:
        b = asker.bundle()
        add_call(b, "t", **{key: spelled})
        assert asker.outcome(b).kind == REFUSED, (key, spelled)
    spells = [labelled(kind) for kind in REFUSED_LABELS]
    spells += [as_array(more) for more in (REFUSED_RECORDS if b.schema == 3 else [[1]])]
    for number, spell in enumerate(spells):
        b = asker.bundle()
        add_observed(b, spell)
        assert asker.outcome(b).kind == REFUSED, number


@pytest.mark.parametrize(
    "body",
    [
        ["thread_ended", ROOT],
        ["thread_ended", ROOT, "completed", None],
        ["thread_ended", ROOT, 1],
        [3, ROOT, "completed"],
        {"type": 3, "thread_id": ROOT, "status": "completed"},
        {"type": "thread_ended", "thread_id": ROOT, "status": 1},
        {"type": "thread_ended", "thread_id": ROOT, "status": {"completed": []}},
    ],
    ids=str,
)
def test_events_that_are_refused_are_refused(asker: Asker, body: Json) -> None:
    b = asker.bundle()
    b.raw(body)
    assert asker.outcome(b).kind == REFUSED


PASSED_ON: list[Json] = [
    *({}, [], ["t"], ["t", 1.5], ["t", 1, {}, [], "x"], {"turn_id": None, "create_time": -5}),
    *(5, "x", ["t", "x"], [1], ["t", 1, 2, 3, 4, 5], {"turn_id": 1}, {"create_time": "x"}, {"x": 2**64}),
]


def letter(content: Json, **more: Json) -> Json:
    parts = {"author": "/root/a", "recipient": "/root", "content": content}
    return {"type": "agent_message", "id": "m", **parts, **more}


@pytest.mark.parametrize("passed", PASSED_ON, ids=str)
@pytest.mark.parametrize("place", ["request", "response", "receipt"])
def test_what_an_agent_message_passes_through(asker: Asker, place: str, passed: Json) -> None:
    b, sent = asker.bundle(), letter([{"type": "input_text", "text": "a"}])
    sent["internal_chat_message_metadata_passthrough"] = passed
    if place == "receipt":
        b.accepted("m", sent)
    else:
        b.request("i", [sent] if place == "request" else [])
        b.response("i", [sent] if place == "response" else [])
    found = asker.outcome(b)
    assert found.kind in (EQUAL, REFUSED), found


CONTENTS: list[Json] = [
    *({"type": 0, "text": "a"}, {"type": 1, "encrypted_content": "a"}, {"type": 2, "text": "a"}, {}, [], 5),
    *(["input_text", "a"], ["encrypted_content", "a"], [0, "a"], [None], ["x"], ["input_text"], "a", None),
    *(["input_text", "a", 1], ["input_text", 1], ["input_text", 2**64], 2**64, 1.5, True),
    *({"type": "input_text", "text": one} for one in (5, -5, 1.5, 2.0, 1e-7, 1e30, 2**64, -(2**63) - 1)),
    *({"type": "input_text", "text": one} for one in (2**128, None, True, [], {}, [2**64])),
    *({"x": 2**64, "type": "y"}, {"type": "y", "x": 2**64}, {"x": [2**64]}, {"type": {}, "text": "a"}),
    {"type": "input_text", "text": "a", "x": {"y": -(2**64)}},
]


@pytest.mark.parametrize("content", CONTENTS, ids=str)
def test_content_of_an_agent_message(asker: Asker, content: Json) -> None:
    b = asker.bundle()
    b.request("i", [letter([content])])
    found = asker.outcome(b)
    assert not found.is_different, found
    assert found.kind != UNWORDED, found
