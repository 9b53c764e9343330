"""A log that grows piece by piece, and all that views tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reducer import ObjectRef, open_bundle
from reducer.growing import GrowingReduction
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.following.follower import Follower
from rollout_tui.lines.spans import spans_text
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.view_maker import ViewMaker


class Pieces:
    """One way through a log with the views on it."""

    def __init__(self, path: Path) -> None:
        self.reading = GrowingReduction(open_bundle(path))
        self.maker = ViewMaker()

    def read_to(self, line_number: int) -> tuple[Timelines, Follower]:
        """The view after so many lines."""
        if self.reading.lines < line_number:
            self.reading.read_on(lambda: self.reading.lines >= line_number, is_whole=True)
        reduction, events = self.reading.reduction(), self.reading.new_events()
        return self.maker.view(reduction, self.reading.changed(), events)


def told(timelines: Timelines, follower: Follower) -> Iterator[Any]:
    """All that a view says of timelines, calls, items and edges."""
    index = timelines.index
    for thread_id in (None, *(thread.thread_id for thread in index.threads)):
        tree, rows = timelines.tree(thread_id), timelines.rows(thread_id)
        steps = timelines.stepping(thread_id)
        for place, entry in enumerate(tree.values):
            row = rows.row(place)
            yield thread_id, entry, tree.depth(place), row.fold, spans_text(row.spans), spans_text(row.tail)
            yield tree.find(entry.ref), tree.parent(place), tree.end(place)
            yield steps.next_failure(entry, 1), steps.next_failure(entry, -1)
            if thread_id is None:
                yield timelines.thread_of(entry.ref), follower.forward(entry.ref), follower.back(entry.ref)
    yield timelines.failed_of, [failure_of(index, entry.ref) for entry in timelines.failed_entries()]
    for thread in index.threads:
        yield thread.thread_id, index.depth[thread.thread_id], index.contents[thread.thread_id]
        yield index.installs_of(thread.thread_id), index.requests_of(thread.thread_id)
    for call in index.trace.inference_calls.values():
        yield index.place_of_call(call), index.previous_call(call), follower.sightings.first_seen_by(call)
    for item in index.trace.conversation_items.values():
        yield item.item_id, follower.sightings.runs(item.item_id), index.tool_of_item(item)
        yield follower.forward(ObjectRef("ConversationItem", item.item_id))
    for turn in index.trace.codex_turns.values():
        yield index.turn_number(turn.codex_turn_id), follower.links.calls_of_turn(turn.codex_turn_id)
        yield follower.links.last_said(turn), follower.links.report_of(turn), follower.links.result_of(turn)
    for cell in index.trace.code_cells.values():
        yield index.entry_of_cell(cell), *map(index.cell_of_wait, cell.wait_tool_call_ids)
    for event in index.reduction.provenance.events[: len(index.trace.inference_calls)]:
        yield index.event_at(event.seq)
    yield timelines.entries.rewrites
