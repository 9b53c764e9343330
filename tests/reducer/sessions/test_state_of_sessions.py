"""The graph of a session as `state.json`."""

from __future__ import annotations

import json
from pathlib import Path

from session_builder import plain_session

from reducer import state_json
from reducer.sessions import read_session, session_state_json


def test_the_form_of_schema_3_and_two_keys_more(home: Path) -> None:
    session = read_session(plain_session(home).path)
    written = session_state_json(session)
    told = json.loads(written)
    plain = json.loads(state_json(session.trace))
    assert told.pop("rebuilt_from") == "session"
    certainty = told.pop("certainty")
    assert told == plain
    assert told["schema_version"] == 3
    assert told["recording_status"] == "unclosed"
    assert written.startswith(b'{\n  "schema_version": 3')
    assert [*certainty] == sorted(certainty)
    for object_id, one in certainty.items():
        assert one == session.certainty.of(object_id).values()
    [first, _] = session.trace.inference_calls
    assert certainty[first]["certainty"] == "rebuilt"
    assert any("request" in one for one in certainty[first]["not_recorded"])
    lines = written.decode().splitlines()
    assert lines[-1] == "}"
    assert f'    "{first}": {{' in lines  # indented like all other maps
    for ref in told["raw_payloads"].values():
        assert ref["shard"] is None
        assert (home / ref["file"]).is_file()


def test_a_session_without_anything(home: Path) -> None:
    file = home / "empty.jsonl"
    file.write_bytes(b"")
    told = json.loads(session_state_json(read_session(file)))
    assert told["certainty"] == {}
    assert told["threads"] == {}
