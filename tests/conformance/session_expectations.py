"""What a corpus case says a session holds, beside what the reader makes of its files."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from graph_values import item_values, kind_name, short

from reducer.model import (
    CodeCellRequester,
    ConversationItem,
    ItemAnchor,
    SpawnedOrigin,
    ThreadAnchor,
    ToolCall,
    ToolCallAnchor,
)
from reducer.sessions import SessionReduction, read_session

METRICS = (
    "threads",
    "turn status",
    "completed calls",
    "other calls",
    "visible list",
    "response",
    "tokens",
    "response id",
    "rebuilt marks",
    "direct tools",
    "tool status",
    "exit code",
    "output as run",
    "nested tools",
    "nested status",
    "cells",
    "compactions",
    "edges",
)
"""What is counted, in the order of the table."""


def runs_of(case: Path) -> list[SessionReduction]:
    """Every run of a case, each read once."""
    files = sorted(path for path in case.rglob("rollout-*") if path.is_file())
    read: list[SessionReduction] = []
    seen: set[str] = set()
    for file in files:
        name = str(file.relative_to(case))
        if name not in seen:
            read.append(read_session(file))
            seen |= set(read[-1].recording.files)
    return read


class Comparison:
    """Compares one case.

    Attributes:
        met: how often each metric was met.
        stated: how often the case states it.
        differences: what is not as stated, in words.
    """

    def __init__(self, case: Path) -> None:
        self.expected: dict[str, Any] = json.loads((case / "expected.json").read_text())
        self.runs = runs_of(case)
        self.met: Counter[str] = Counter()
        self.stated: Counter[str] = Counter()
        self.differences: list[str] = []
        self._threads()
        self._turns()
        self._calls()
        self._tools()
        self._cells()
        self._compactions()
        self._edges()
        self._problems()
        self._not_in_session()

    def check(self, metric: str, what: str, found: object, stated: object) -> bool:
        """Count one value of a metric; say whether it is as stated."""
        self.stated[metric] += 1
        if found == stated:
            self.met[metric] += 1
            return True
        self.differences.append(f"{metric} of {what}: {_brief(found)} instead of {_brief(stated)}")
        return False

    def _all(self, name: str) -> dict[str, Any]:
        return {key: one for run in self.runs for key, one in getattr(run.trace, name).items()}

    def _threads(self) -> None:
        threads = self._all("threads")
        headers = {key: one for run in self.runs for key, one in run.headers.items()}
        for thread_id, stated in self.expected["threads"].items():
            thread = threads.get(thread_id)
            if thread is None:
                self.check("threads", thread_id, None, stated)
                continue
            parent = headers[thread_id].parent_id
            found = {
                "parent": parent,
                "agent_path": thread.agent_path,
                "nickname": thread.nickname,
                "kind": headers[thread_id].kind,
            }
            if "forked_from" in stated:
                found["forked_from"] = headers[thread_id].forked_from_id
            self.check("threads", thread_id, found, stated)
            if isinstance(thread.origin, SpawnedOrigin) != (parent is not None):
                self.differences.append(f"origin of {thread_id}: {thread.origin}")
        known = {*self.expected["threads"], *self.expected.get("threads_without_truth", ())}
        self.differences += [f"thread {one} is not stated" for one in threads.keys() - known]

    def _turns(self) -> None:
        turns = self._all("codex_turns")
        for stated in self.expected["turns"]:
            turn = turns.get(stated["id"])
            found = None if turn is None else (turn.thread_id, turn.execution.status)
            self.check("turn status", stated["id"], found, (stated["thread"], stated["status"]))

    def _calls(self) -> None:
        stated_by_thread: dict[str, list[dict[str, Any]]] = {}
        for stated in self.expected["calls"]:
            stated_by_thread.setdefault(stated["thread"], []).append(stated)
        found_by_thread: dict[str, list[tuple[SessionReduction, Any]]] = {}
        for run in self.runs:
            for call in run.trace.inference_calls.values():
                found_by_thread.setdefault(call.thread_id, []).append((run, call))
        for thread_id, calls in stated_by_thread.items():
            found = sorted(found_by_thread.pop(thread_id, []), key=lambda one: one[1].execution.started_seq)
            for position in range(max(len(calls), len(found))):
                what = f"call {position + 1} of {thread_id}"
                if position >= len(found):
                    self._call(what, None, None, calls[position])
                elif position >= len(calls):
                    self.differences.append(f"{what} is not stated: {_brief(found[position][1])}")
                else:
                    self._call(what, *found[position], calls[position])
        ignored = set(self.expected.get("threads_without_truth", ()))
        for thread_id, rest in found_by_thread.items():
            if thread_id not in ignored:
                self.differences.append(f"{len(rest)} calls of {thread_id} are not stated")

    def _call(self, what: str, run: SessionReduction | None, call: Any, stated: dict[str, Any]) -> None:
        metric = "completed calls" if stated["status"] == "completed" else "other calls"
        status = {"unfinished": "running"}.get(stated["status"], stated["status"])
        told = (stated["turn"], status, stated["model"])
        if run is None:
            self.check(metric, what, None, told)
            return
        self.check(metric, what, (call.codex_turn_id, call.execution.status, call.model), told)
        items = run.trace.conversation_items
        seen = [items[item_id] for item_id in call.request_item_ids]
        if "visible" in stated:
            self.check("visible list", what, self._pooled(seen), self._from_pool(stated["visible"]))
        else:
            self._incomplete(what, run, call, self._pooled(seen), self._from_pool(stated["visible_true"]))
        self._marks(what, run, call, stated)
        given = [items[item_id] for item_id in call.response_item_ids]
        self.check("response", what, self._pooled(given), self._from_pool(stated["response"]))
        if "tokens" in stated:
            usage = (
                {} if call.usage is None else {name: getattr(call.usage, name) for name in stated["tokens"]}
            )
            self.check("tokens", what, usage, stated["tokens"])
        if "response_id" in stated:
            self.check("response id", what, call.response_id, stated["response_id"])

    def _incomplete(
        self, what: str, run: SessionReduction, call: Any, seen: list[Any], truth: list[Any]
    ) -> None:
        """Where the beginning of a history is missing, a list must say so, and be the end of the true one."""
        base = 1 if seen[:1] == truth[:1] else 0
        rest = seen[base:]
        marked = any("missing" in one for one in run.certainty.of(call.inference_call_id).rebuilt)
        if not marked or len(seen) >= len(truth) or rest != truth[len(truth) - len(rest) :]:
            self.differences.append(f"incomplete list of {what}: {_brief(seen)} of {_brief(truth)}")

    def _marks(self, what: str, run: SessionReduction, call: Any, stated: dict[str, Any]) -> None:
        """What is said to be rebuilt must be marked so, nothing else, and so must how the call was found."""
        found = {
            str(at): "aborted"
            if run.trace.conversation_items[item_id].role == "tool"
            else "base_instructions"
            for at, item_id in enumerate(call.request_item_ids)
            if any(
                "base instructions" in one or "adds to a call" in one
                for one in run.certainty.of(item_id).rebuilt
            )
        }
        told = {} if "visible_incomplete" in stated else stated.get("reconstructed", {})
        found = found if "visible" in stated else {}
        certainty = run.certainty.of(call.inference_call_id)
        evidence = "inferred" if certainty.inferred else "position"
        by_order = any(one == "request_item_ids" for one in certainty.rebuilt)
        if not certainty.inferred and not by_order:
            evidence = "exact"
        self.check("rebuilt marks", what, (found, evidence), (told, stated["evidence"]))

    def _tools(self) -> None:
        tools = self._all("tool_calls")
        operations = self._all("terminal_operations")
        cells = self._all("code_cells")
        for stated in self.expected["tools"]:
            nested = "cell" in stated
            metric = "nested tools" if nested else "direct tools"
            tool = tools.get(stated["id"])
            told = (stated["thread"], stated["turn"], stated["kind"], stated.get("cell"))
            if tool is None:
                self.check(metric, stated["id"], None, told)
                continue
            found = (tool.thread_id, tool.started_by_codex_turn_id, kind_name(tool), _cell_of(tool, cells))
            self.check(metric, stated["id"], found, told)
            status = "nested status" if nested else "tool status"
            self.check(status, stated["id"], tool.execution.status, stated["status"])
            operation = operations.get(tool.terminal_operation_id or "")
            result = None if operation is None else operation.result
            if "exit_code" in stated:
                code = None if result is None else result.exit_code
                self.check("exit code", stated["id"], code, stated["exit_code"])
            if "stdout" in stated:
                said = None if result is None else short(result.stdout)
                self.check("output as run", stated["id"], said, stated["stdout"])

    def _cells(self) -> None:
        cells = {(one.thread_id, one.model_visible_call_id): one for one in self._all("code_cells").values()}
        for stated in self.expected["cells"]:
            cell = cells.get((stated["thread"], stated["call_id"]))
            found = cell and {
                "status": cell.runtime_status,
                "yielded": cell.yielded_at_unix_ms is not None,
                "waits": cell.wait_tool_call_ids,
                "runtime_id": cell.runtime_cell_id,
            }
            told = {
                name: stated[name] for name in ("status", "yielded", "waits", "runtime_id") if name in stated
            }
            if found is not None:
                found = {name: found[name] for name in told}
            self.check("cells", stated["call_id"], found, told)
        stated_cells = {(one["thread"], one["call_id"]) for one in self.expected["cells"]}
        self.differences += [f"cell {one} is not stated" for one in cells.keys() - stated_cells]

    def _compactions(self) -> None:
        found: dict[str, list[tuple[SessionReduction, Any]]] = {}
        for run in self.runs:
            for compaction in run.trace.compactions.values():
                found.setdefault(compaction.codex_turn_id, []).append((run, compaction))
        only_here = Counter(one["turn"] for one in self.expected.get("compactions_only_in_session", ()))
        for stated in self.expected["compactions"]:
            what = f"compaction of {stated['turn']}"
            ours = found.get(stated["turn"])
            if not ours:
                self.check("compactions", what, None, stated["turn"])
                continue
            run, compaction = ours.pop(0)
            items = run.trace.conversation_items
            values = [
                compaction.thread_id,
                self._pooled([items[one] for one in compaction.input_item_ids]),
                self._pooled([items[one] for one in compaction.replacement_item_ids]),
                run.compaction_calls[compaction.compaction_id].response_id
                if "response_id" in stated
                else None,
            ]
            told = [
                stated["thread"],
                self._from_pool(stated["input"]),
                self._from_pool(stated["replacement"]),
                stated.get("response_id"),
            ]
            self.check("compactions", what, values, told)
        rest = Counter({turn: len(ours) for turn, ours in found.items() if ours})
        if rest != only_here:
            self.differences.append(f"compactions only in the session: {rest} instead of {only_here}")
        told_ids = Counter(
            one.get("response_id") for one in self.expected.get("compactions_only_in_session", ())
        )
        found_ids = Counter(
            run.compaction_calls[one.compaction_id].response_id
            for ours in found.values()
            for run, one in ours
        )
        if found_ids != told_ids:
            self.differences.append(f"their responses: {found_ids} instead of {told_ids}")

    def _edges(self) -> None:
        edges = self._all("interaction_edges")
        for stated in self.expected["edges"]:
            edge = edges.get(stated["id"])
            found = None if edge is None else self._edge_values(edge)
            told = {
                name: stated[name] for name in ("kind", "to_thread", "tool", "from_thread") if name in stated
            }
            if found is not None:
                found = {name: found[name] for name in told}
            self.check("edges", stated["id"], found, told)
        known = {one["id"] for one in self.expected["edges"]}
        known |= {one["id"] for one in self.expected.get("edges_only_in_session", ())}
        self.differences += [f"edge {one} is not stated" for one in edges.keys() - known]

    def _edge_values(self, edge: Any) -> dict[str, Any]:
        source = edge.source
        return {
            "kind": edge.kind,
            "to_thread": self._thread_at(edge.target),
            "tool": source.tool_call_id if isinstance(source, ToolCallAnchor) else None,
            "from_thread": self._thread_at(source),
        }

    def _thread_at(self, anchor: Any) -> str | None:
        if isinstance(anchor, ThreadAnchor):
            return anchor.thread_id
        if isinstance(anchor, ItemAnchor):
            return next(
                run.trace.conversation_items[anchor.item_id].thread_id
                for run in self.runs
                if anchor.item_id in run.trace.conversation_items
            )
        return next(
            run.trace.tool_calls[anchor.tool_call_id].thread_id
            for run in self.runs
            if anchor.tool_call_id in run.trace.tool_calls
        )

    def _problems(self) -> None:
        found = [problem for run in self.runs for problem in run.problems]
        texts = [problem.reason for problem in found]
        for stated in self.expected.get("problems", ()):
            words = {"not JSON": "not JSON", "not an object": "not an object", "no payload": "no payload"}
            hit = [one for one in found if words[stated["what"]] in one.reason]
            if not hit or stated.get("line", hit[0].line) != hit[0].line:
                self.differences.append(f"no problem that says {stated}: {texts}")
        if "damage" not in self.expected and found:
            self.differences.append(f"problems where there is no damage: {texts}")
        for thread_id in self.expected.get("missing_threads", ()):
            if not any(thread_id in text for text in texts):
                self.differences.append(f"no problem names the missing thread {thread_id}: {texts}")

    def _not_in_session(self) -> None:
        """What the bundle has and no session has is counted as there, but cannot be met."""
        lost = self.expected["not_in_session"]
        self.stated["threads"] += len(lost.get("threads", ()))
        self.stated["turn status"] += len(lost.get("turns", ()))
        for call in lost.get("calls", ()):
            self.stated["completed calls" if call["status"] == "completed" else "other calls"] += 1
        for tool in lost.get("tools", ()):
            self.stated["nested tools" if tool.get("nested") else "direct tools"] += 1
        self.stated["exit code"] += len(lost.get("exit_code", ()))
        self.stated["output as run"] += len(lost.get("stdout", ()))

    def _pooled(self, items: list[ConversationItem]) -> list[list[Any]]:
        return [item_values(item) for item in items]

    def _from_pool(self, indexes: list[int]) -> list[list[Any]]:
        return [self.expected["items"][index] for index in indexes]


def _cell_of(tool: ToolCall, cells: dict[str, Any]) -> str | None:
    if isinstance(tool.requester, CodeCellRequester):
        return str(cells[tool.requester.code_cell_id].model_visible_call_id)
    return None


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) < 300 else text[:300] + "..."
