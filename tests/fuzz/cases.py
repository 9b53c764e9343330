"""Cases: which bundle is changed, and how."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.fuzz import log_changes, payload_changes, scene_changes, storage_changes, tool_changes
from tests.fuzz.sample import Sample, load

Change = Callable[[Sample, Random], None]

_ANY_SCHEMA: dict[Change, int] = {
    log_changes.drop_line: 3,
    log_changes.repeat_line: 2,
    log_changes.swap_lines: 6,
    log_changes.move_line: 6,
    log_changes.cut_log: 3,
    log_changes.exchange_value: 6,
    log_changes.exchange_reference: 4,
    log_changes.change_value: 2,
    log_changes.add_key: 1,
    log_changes.change_time: 1,
    log_changes.forget_numbers: 1,
    log_changes.spell_line_oddly: 1,
    log_changes.spell_event_oddly: 3,
    payload_changes.change_items: 16,
    payload_changes.change_document: 4,
    payload_changes.spell_payload_oddly: 1,
    payload_changes.change_bytes: 1,
    payload_changes.exchange_records: 2,
    scene_changes.add_receipt: 10,
    scene_changes.receive_outputs: 10,
    scene_changes.add_request: 14,
    scene_changes.add_compaction: 4,
    scene_changes.add_thread_event: 3,
    scene_changes.second_thread: 3,
    tool_changes.add_tool: 6,
    tool_changes.add_cell: 4,
    tool_changes.add_stdin_target: 2,
    tool_changes.add_result: 2,
}
_SCHEMA_3: dict[Change, int] = {
    scene_changes.strip_output_id: 3,
    scene_changes.add_warmup: 2,
    scene_changes.add_wait: 4,
    storage_changes.lose_payload: 6,
    storage_changes.make_parts: 4,
    storage_changes.make_hole: 12,
    storage_changes.join_parts: 1,
    storage_changes.change_parts: 1,
    storage_changes.stand_in_as_data: 2,
    storage_changes.change_shards: 3,
    storage_changes.move_records: 2,
    storage_changes.drop_record: 1,
}
_COUNTS = (1, 1, 2, 2, 2, 3, 3, 4, 5, 6)
_LARGE = 400_000
"""Bytes of a bundle that is too large to be changed often."""


class Origins:
    """The bundles that are changed.

    Attributes:
        accepted: those that the reference reduces, small ones.
        long: of these, those in which more happens.
        refused: those that it refuses, or damaged ones.
    """

    def __init__(self, shared: Path, schema: int) -> None:
        """Find the bundles of a schema.

        Raises:
            FileNotFoundError: there are none.
        """
        ending = {1: "-v1", 2: "", 3: "-v3"}[schema]
        self.schema = schema
        self.accepted: list[Path] = []
        self.long: list[Path] = []
        self.refused: list[Path] = []
        for folder in ("vectors", "bundles", "damaged"):
            for path in sorted((shared / f"{folder}{ending}").glob("*/bundle")):
                self._sort_in(path, folder)
        if not self.accepted:
            raise FileNotFoundError(f"no bundles of schema {schema} in {shared}")

    def _sort_in(self, path: Path, folder: str) -> None:
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        if size > _LARGE:
            return
        if folder == "damaged" or not (path.parent / "state.json").exists():
            self.refused.append(path)
        else:
            (self.long if size > 6000 else self.accepted).append(path)

    def case(self, seed: int, number: int) -> tuple[Path, Sample]:
        """The bundle of a case with its changes, and which one it was."""
        random = Random(f"{seed}:{number}")
        while True:
            lists = random.choices((self.accepted, self.long, self.refused), (5, 5, 1))[0]
            if not lists:
                continue
            path = random.choice(lists)
            found = load(path)
            if found is not None and found.schema == self.schema:
                break
        sample = copy.deepcopy(found)
        change(sample, random)
        return path, sample


def change(sample: Sample, random: Random) -> None:
    """Make one to six changes."""
    changes = _ANY_SCHEMA | _SCHEMA_3 if sample.schema == 3 else _ANY_SCHEMA
    for one in random.choices([*changes], [*changes.values()], k=random.choice(_COUNTS)):
        if not sample.events:
            return
        try:
            one(sample, random)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError):
            continue  # an earlier change left nothing that this one could be made to
        sample.done.append(one.__name__)
