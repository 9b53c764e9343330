"""What compactions took out of the contexts of agents, and which files they read again afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from reducer import ObjectRef
from reducer.model import ToolCall
from rollout_tui.insight.compaction.rewrites import rewrite_at
from rollout_tui.insight.contexts.visibility import Run, Sightings
from rollout_tui.insight.tools.file_reads import command_of, files_read, outputs_of


class ReadAgain(Struct, frozen=True):
    """A file that an agent read again after a compaction took away what it had read.

    Attributes:
        path: as the command names it. Evidence.
        first: the tool call that read it before.
        again: the tool call that read it again.
    """

    path: str
    first: ObjectRef
    again: ObjectRef


class Forgotten(Struct):
    """What one compaction took out of the contexts of an agent: no later call saw it any more.

    Attributes:
        ref: the compaction; the call that shows it where no event tells of it.
        thread_id: the agent.
        seq: when the compaction was installed.
        files: files that the agent had read, with the tool call that read each. Evidence.
        commands: other commands of which the output is gone.
        messages: items that came from other agents.
        again: the files that the agent read again afterwards.
    """

    ref: ObjectRef
    thread_id: str
    seq: int
    files: dict[str, ObjectRef] = field(default_factory=dict)
    commands: list[ObjectRef] = field(default_factory=list)
    messages: list[ObjectRef] = field(default_factory=list)
    again: list[ReadAgain] = field(default_factory=list)


def forgotten(sightings: Sightings) -> list[Forgotten]:
    """What each compaction took away, agent by agent and in order; one that took nothing is not there."""
    found = []
    for thread in sightings.index.threads:
        found += _OfAgent(sightings, thread.thread_id).found()
    return found


class _OfAgent:
    """Goes through what one agent did, once."""

    def __init__(self, sightings: Sightings, thread_id: str) -> None:
        self._sightings, self._index = sightings, sightings.index
        self._thread_id = thread_id
        self._taken: dict[int, Forgotten | None] = {}

    def found(self) -> list[Forgotten]:
        index = self._index
        read: dict[str, ToolCall] = {}
        for call in index.contents[self._thread_id].tool_calls:
            paths = files_read(index, call)
            gone = self._gone(call)
            for path in paths:
                if path in read:
                    self._note_again(path, read[path], call)
                read[path] = call
                if gone is not None:
                    gone.files[path] = ObjectRef("ToolCall", call.tool_call_id)
            if gone is not None and not paths and command_of(index, call) is not None:
                gone.commands.append(ObjectRef("ToolCall", call.tool_call_id))
        for item_id in index.trace.threads[self._thread_id].conversation_item_ids:
            item = index.trace.conversation_items[item_id]
            if item.agent_message is not None:
                gone = self._last_taken(self._sightings.runs(item_id))
                if gone is not None:
                    gone.messages.append(ObjectRef("ConversationItem", item_id))
        return [one for _, one in sorted(self._taken.items()) if one is not None and _is_any(one)]

    def _gone(self, call: ToolCall) -> Forgotten | None:
        """What took away the last of what an agent was shown of a tool call."""
        return next(filter(None, (self._last_taken(runs) for runs in self._runs(call))), None)

    def _runs(self, call: ToolCall) -> Iterator[list[Run]]:
        for item in outputs_of(self._index, call):
            if item.thread_id == self._thread_id:
                yield self._sightings.runs(item.item_id)

    def _last_taken(self, runs: list[Run]) -> Forgotten | None:
        return self._taken_after(runs[-1].last) if runs else None

    def _taken_after(self, place: int) -> Forgotten | None:
        """The compaction between a call and the next one, or behind the last one."""
        if place not in self._taken:
            self._taken[place] = self._find(place)
        return self._taken[place]

    def _find(self, place: int) -> Forgotten | None:
        calls = self._index.contents[self._thread_id].calls
        after = calls[place + 1] if place + 1 < len(calls) else None
        until = None if after is None else after.execution.started_seq
        began = calls[place].execution.started_seq
        installed = self._sightings.compactions_between(self._thread_id, began, until)
        if installed:
            ref = ObjectRef("Compaction", installed[0].compaction_id)
            return Forgotten(ref, self._thread_id, self._index.first_seq(ref) or began)
        rewrite = None if after is None else rewrite_at(self._index, self._thread_id, place + 1)
        if rewrite is None or rewrite.kind != "compacted":
            return None
        ref = ObjectRef("InferenceCall", rewrite.after.inference_call_id)
        return Forgotten(ref, self._thread_id, rewrite.after.execution.started_seq)

    def _note_again(self, path: str, first: ToolCall, again: ToolCall) -> None:
        """Note a file that is read again, if what was read before had been taken away by then."""
        calls = self._index.contents[self._thread_id].calls
        for runs in self._runs(first):
            before = [
                run for run in runs if calls[run.first].execution.started_seq < again.execution.started_seq
            ]
            gone = self._last_taken(before)
            if gone is not None and gone.seq < again.execution.started_seq:
                refs = (ObjectRef("ToolCall", one.tool_call_id) for one in (first, again))
                gone.again.append(ReadAgain(path, *refs))
                return


def _is_any(one: Forgotten) -> bool:
    return bool(one.files or one.commands or one.messages or one.again)
