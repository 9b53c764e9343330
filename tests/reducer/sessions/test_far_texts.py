"""Long texts stay in their files, and nobody notices."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import zstandard
from graph_values import item_values
from session_builder import SessionWriter
from session_values import contexts, responses

from reducer import reduce_bundle
from reducer.model import EncodedPart, TextPart
from reducer.sessions import far_texts, read_session, session_state_json
from reducer.sessions.convert import convert_session
from reducer.sessions.far_texts import FarEncodedPart, FarTextPart
from reducer.sessions.items import LONG as LONG_SIZE

LONG = "long " * LONG_SIZE
SEALED = "x" * LONG_SIZE


@pytest.fixture(autouse=True)
def _all_is_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far_texts, "HELD", 0)


def session_with_long_texts(home: Path) -> SessionWriter:
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn()
    writer.user(LONG)
    writer.sees()
    writer.item({"type": "reasoning", "summary": [], "encrypted_content": SEALED})
    writer.call("call_1", cmd="ls")
    writer.usage()
    item = {
        "type": "CommandExecution",
        "id": "call_1",
        "command": ["ls"],
        "aggregated_output": LONG,
        "exit_code": 0,
    }
    writer.event("item_completed", turn_id=writer.turn, item=item)
    writer.output("call_1", f"Output:\n{LONG}")
    return writer


def test_a_long_text_is_read_when_it_is_asked_for(home: Path) -> None:
    session = read_session(session_with_long_texts(home).path)
    items = [*session.trace.conversation_items.values()]
    [said], [sealed] = items[0].body.parts, items[1].body.parts
    assert isinstance(said, FarTextPart)
    assert isinstance(said, TextPart)
    assert said.text == LONG
    assert isinstance(sealed, FarEncodedPart)
    assert isinstance(sealed, EncodedPart)
    assert sealed.value == SEALED
    [operation] = session.trace.terminal_operations.values()
    assert operation.result is not None
    assert operation.result.stdout == LONG
    assert operation.result.formatted_output == f"Output:\n{LONG}"


def test_the_same_text_is_equal_wherever_it_is(home: Path) -> None:
    writer = session_with_long_texts(home)
    writer.user(LONG)
    session = read_session(writer.path)
    users = [one for one in session.trace.conversation_items.values() if one.role == "user"]
    assert users[0].body == users[1].body
    assert hash(users[0].body.parts[0]) == hash(users[1].body.parts[0])
    writer.user(LONG + "!")
    changed = [*read_session(writer.path).trace.conversation_items.values()][-1]
    assert changed.body != users[0].body


def test_a_compaction_finds_what_it_keeps(home: Path) -> None:
    writer = session_with_long_texts(home)
    kept = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": LONG}]}
    writer.line("compacted", {"message": "", "replacement_history": [kept]})
    session = read_session(writer.path)
    [compaction] = session.trace.compactions.values()
    assert compaction.replacement_item_ids == compaction.input_item_ids[:1]


def test_a_compaction_finds_what_was_held(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = session_with_long_texts(home)
    monkeypatch.setattr(far_texts, "HELD", writer.path.stat().st_size)
    kept = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": LONG}]}
    writer.line("compacted", {"message": "", "replacement_history": [kept]})
    writer.user(LONG)
    graph = read_session(writer.path).trace
    [compaction] = graph.compactions.values()
    assert compaction.replacement_item_ids == compaction.input_item_ids[:1]
    last = [*graph.conversation_items.values()][-1].body.parts[0]
    assert isinstance(last, FarTextPart)


def test_the_graph_is_written_with_all_texts(home: Path) -> None:
    writer = session_with_long_texts(home)
    far = json.loads(session_state_json(read_session(writer.path)))
    packed = writer.path.with_name(writer.path.name + ".zst")
    packed.write_bytes(zstandard.ZstdCompressor().compress(writer.path.read_bytes()))
    writer.path.unlink()
    held = read_session(packed)  # of compressed files all is held
    assert not isinstance(next(iter(held.trace.conversation_items.values())).body.parts[0], FarTextPart)
    near = json.loads(session_state_json(held))
    for graph in (far, near):
        for ref in graph["raw_payloads"].values():
            ref.pop("file")
    assert far == near


def test_a_bundle_has_all_texts(home: Path) -> None:
    session = read_session(session_with_long_texts(home).path)
    convert_session(session, home / "bundle")
    graph = reduce_bundle(home / "bundle", strict=True).trace
    [call] = graph.inference_calls.values()
    assert [item_values(graph.conversation_items[one]) for one in call.request_item_ids] == [
        item_values(item) for item in [*session.trace.conversation_items.values()][:1]
    ]
    [operation] = graph.terminal_operations.values()
    assert operation.result is not None
    assert operation.result.stdout == LONG


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_text_that_cannot_be_read_any_more(home: Path, how: str) -> None:
    writer = session_with_long_texts(home)
    session = read_session(writer.path)
    if how == "gone":
        writer.path.unlink()
    else:
        writer.path.write_bytes(b"something else\n" * 100)
    seen = contexts(session)
    assert seen == [["(this text cannot be read any more: its file is gone or has changed)"]]
    assert responses(session)
