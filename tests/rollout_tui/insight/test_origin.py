"""Where objects came from, link by link."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import recorded

from reducer import ObjectRef
from reducer.model import CodeCellRequester, CompactionProducer
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.contexts.visibility import Sightings
from rollout_tui.insight.index import TraceIndex
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.detail.origin import OriginLink, Origins, origin_facts


def origins(index: TraceIndex) -> Origins:
    return Origins(AgentLinks(Sightings(index)))


def types(chain: list[OriginLink]) -> list[str]:
    return ["end" if link.ref is None else link.ref.type for link in chain]


def first_output_of(index: TraceIndex, tool: str) -> ObjectRef:
    """The first item that shows the output of a terminal command of the model itself."""
    for call in index.trace.tool_calls.values():
        if call.terminal_operation_id is not None and call.model_visible_output_item_ids:
            return ObjectRef("ConversationItem", call.model_visible_output_item_ids[0])
    raise AssertionError(tool)


def test_an_output_comes_from_a_terminal_a_tool_call_and_the_call_that_asked(shared_dir: Path) -> None:
    index = recorded(shared_dir, "shell-tools")
    chain = origins(index).chain(first_output_of(index, "exec_command"))
    main = [one for one in types(chain) if one != "Event"]
    assert main == ["ConversationItem", "TerminalOperation", "ToolCall", "ConversationItem", "InferenceCall"]
    seqs = [link.event.seq for link in chain if link.event is not None and link.ref is not None]
    assert seqs[0] == max(seqs), "what came about last stands first"
    operation = index.trace.terminal_operations[chain[1].ref.id]  # type: ignore[union-attr]
    assert chain[2].ref == ObjectRef("ToolCall", operation.tool_call_id)


def test_a_nested_call_comes_from_the_cell_whose_javascript_asked(shared_dir: Path) -> None:
    index = recorded(shared_dir, "code-mode")
    nested = next(
        call
        for call in index.trace.tool_calls.values()
        if isinstance(call.requester, CodeCellRequester) and call.terminal_operation_id is not None
    )
    ref = ObjectRef("TerminalOperation", nested.terminal_operation_id or "")
    assert types(origins(index).chain(ref))[:5] == [
        "TerminalOperation",
        "ToolCall",
        "CodeCell",
        "ConversationItem",
        "InferenceCall",
    ]


def test_the_output_of_a_cell_comes_from_the_cell(shared_dir: Path) -> None:
    index = recorded(shared_dir, "code-mode")
    cell = next(one for one in index.trace.code_cells.values() if one.output_item_ids)
    chain = origins(index).chain(ObjectRef("ConversationItem", cell.output_item_ids[0]))
    assert [one for one in types(chain) if one != "Event"] == [
        "ConversationItem",
        "CodeCell",
        "ConversationItem",
        "InferenceCall",
    ]
    assert chain[1].ref == ObjectRef("CodeCell", cell.code_cell_id)


def test_a_task_comes_over_the_edge_from_the_other_agent(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    edge = next(one for one in index.trace.interaction_edges.values() if one.kind == "spawn_agent")
    item = index.target_item(edge)
    assert item is not None
    chain = origins(index).chain(ObjectRef("ConversationItem", item.item_id))
    kinds = [one for one in types(chain) if one != "Event"]
    assert kinds == ["ConversationItem", "InteractionEdge", "ToolCall", "ConversationItem", "InferenceCall"]
    call = index.trace.inference_calls[chain[kinds.index("InferenceCall")].ref.id]  # type: ignore[union-attr]
    assert index.thread_path(call.thread_id) == "/root"
    assert index.thread_path(item.thread_id) != "/root"


def test_what_a_compaction_put_in_place_comes_from_its_request(shared_dir: Path) -> None:
    index = recorded(shared_dir, "compaction-remote")
    item = next(
        one
        for one in index.trace.conversation_items.values()
        if any(isinstance(producer, CompactionProducer) for producer in one.produced_by)
    )
    chain = origins(index).chain(ObjectRef("ConversationItem", item.item_id))
    assert [one for one in types(chain) if one != "Event"][:3] == [
        "ConversationItem",
        "Compaction",
        "CompactionRequest",
    ]


def test_an_accepted_item_names_its_receipt(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    item = next(one for one in index.trace.conversation_items.values() if one.accepted_seq is not None)
    chain = origins(index).chain(ObjectRef("ConversationItem", item.item_id))
    receipt = next(link for link in chain if link.why == "accepted")
    assert receipt.event is not None
    assert receipt.event.kind == "history_item_accepted"
    assert receipt.event.seq == item.accepted_seq


def test_what_the_user_said_ends_outside(team: TraceIndex) -> None:
    item = next(
        one
        for one in team.trace.conversation_items.values()
        if one.role == "user" and not one.produced_by and one.agent_message is None
    )
    chain = origins(team).chain(ObjectRef("ConversationItem", item.item_id))
    assert chain[-1].ref is None
    assert "user" in chain[-1].words


@pytest.mark.parametrize("name", ["multi-agent-v2", "code-mode", "compaction-remote", "crash-midstream"])
def test_every_row_of_every_chain_leads_somewhere(shared_dir: Path, name: str) -> None:
    index = recorded(shared_dir, name)
    found = origins(index)
    trace = index.trace
    refs = [ObjectRef("ConversationItem", one) for one in trace.conversation_items]
    refs += [ObjectRef("ToolCall", one) for one in trace.tool_calls]
    refs += [ObjectRef("CodeCell", one) for one in trace.code_cells]
    refs += [ObjectRef("Thread", one) for one in trace.threads]
    refs += [ObjectRef("Compaction", one) for one in trace.compactions]
    refs += [ObjectRef("InteractionEdge", one) for one in trace.interaction_edges]
    for ref in refs:
        chain = found.chain(ref)
        assert chain[0].ref == ref
        linked = [link.ref for link in chain if link.ref is not None]
        assert len(linked) == len(set(linked)), "no link stands twice"
        facts = origin_facts(chain)
        assert all(describe(index, fact.link) is not None for fact in facts if fact.link is not None)
        lines = [f"line {link.event.line}:" for link in chain if link.event is not None]
        logged = [fact.value for fact in facts if fact.name == "  log"]
        assert all(line in words for line, words in zip(lines, logged, strict=True))


def test_what_has_no_origin_has_no_chain(team: TraceIndex) -> None:
    found = origins(team)
    assert found.chain(ObjectRef("Event", "161")) == []
    assert found.chain(ObjectRef("Problem", "0")) == []
    assert found.chain(ObjectRef("ToolCall", "nobody")) == []
