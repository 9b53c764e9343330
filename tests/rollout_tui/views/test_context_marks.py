"""The context, the delta and the compaction stepper say the same of every item behind a compaction."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from recorded import call_at, recorded

from reducer.model import InferenceCall
from rollout_tui.insight.compaction.steps import StepView, compaction_steps
from rollout_tui.insight.compaction.verdicts import Verdict
from rollout_tui.insight.contexts.delta import context_delta
from rollout_tui.insight.index import TraceIndex
from rollout_tui.views.contexts.context_rows import context_of

MARK_OF: dict[Verdict, str] = {"carried over": "kept", "re-inserted": "restored", "new": "new"}
COMPACTED = ("compaction-remote", "compaction-local", "everything-ws", "long-200")


def in_the_context(index: TraceIndex, call: InferenceCall) -> list[tuple[str, str | None]]:
    seen = context_of(index, call).seen
    items = [one for one in seen if one.ref is not None and one.ref.type == "ConversationItem"]
    return [(one.ref.id, one.mark) for one in items if one.ref is not None and one.mark is not None]


def in_the_delta(index: TraceIndex, call: InferenceCall) -> list[tuple[str, str | None]]:
    lines = context_delta(index, call).seen
    items = [line for line in lines if line.kind == "item" and line.mark != "dropped"]
    return [(line.ref.id, line.mark) for line in items if line.ref is not None]


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPACTED)
def test_context_and_delta_agree_on_every_call(shared_dir: Path, name: str) -> None:
    index = recorded(shared_dir, name)
    for contents in index.contents.values():
        for call in contents.calls:
            marked = in_the_context(index, call)
            assert [item_id for item_id, _mark in marked] == call.request_item_ids
            assert in_the_delta(index, call) == marked


@pytest.mark.parametrize(("name", "compactions"), [("compaction-remote", 9), ("compaction-local", 9)])
def test_the_stepper_agrees_on_every_call_after_a_compaction(
    shared_dir: Path, name: str, compactions: int
) -> None:
    index = recorded(shared_dir, name)
    looked_at = 0
    for step in compaction_steps(index):
        if step.first_after is None:
            continue
        found = StepView(index, step).aftermath
        assert found is not None
        said = [(one.item_id, MARK_OF[one.verdict]) for one in found.after]
        assert said == in_the_context(index, step.first_after) == in_the_delta(index, step.first_after)
        looked_at += 1
    assert looked_at == compactions


def test_what_an_earlier_compaction_left_out_of_sight_is_not_new(shared_dir: Path) -> None:
    """Between two compactions without a call the stepper counts what is gone, but nothing seen is new."""
    index = recorded(shared_dir, "everything-ws")
    step = next(one for one in compaction_steps(index) if one.earlier_seq is not None)
    assert step.first_after is not None
    view = StepView(index, step)
    found = view.aftermath
    assert found is not None
    said = [(one.item_id, MARK_OF[one.verdict]) for one in found.after]
    assert said == in_the_context(index, step.first_after) == in_the_delta(index, step.first_after)
    assert [one.item_id for one in found.before] == [item.item_id for item in view.before]
    assert Counter(mark for _item, mark in said) == {"restored": 5, "kept": 4, "new": 2}


def test_an_item_that_is_the_same_in_both_payloads_is_kept(shared_dir: Path) -> None:
    """Straight from the raw requests: what both hold under one id with one text is kept, at any place."""
    bundle = shared_dir / "bundles/compaction-remote/bundle"
    index = recorded(shared_dir, "compaction-remote")
    compared = 0
    for step in compaction_steps(index):
        base, call = step.last_before, step.first_after
        assert base is not None
        assert call is not None
        before, now = raw_input(bundle, index, base), raw_input(bundle, index, call)
        known = {one["id"]: one for one in before if "id" in one}
        for raw, (item_id, mark) in zip(now, in_the_context(index, call), strict=True):
            if known.get(raw.get("id")) == raw:
                assert mark == "kept", (item_id, call.raw_request_payload_id)
                compared += 1
    assert compared >= 9


def raw_input(bundle: Path, index: TraceIndex, call: InferenceCall) -> list[dict[str, Any]]:
    path = bundle / index.trace.raw_payloads[call.raw_request_payload_id].path
    found: list[dict[str, Any]] = json.loads(path.read_bytes())["input"]
    return found


def test_the_instructions_of_the_call_before_are_kept(shared_dir: Path) -> None:
    index = recorded(shared_dir, "compaction-remote")
    marked = in_the_context(index, call_at(index, "/root", 4))
    assert [mark for _item, mark in marked] == ["kept", "kept", "restored", "restored", "kept", "new"]
