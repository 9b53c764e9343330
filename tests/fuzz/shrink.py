"""Makes a bundle smaller for as long as the same is wrong with it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

from tests.fuzz.pools import Documents, item_lists
from tests.fuzz.sample import Json, Sample

Try = Callable[[Sample], bool]


def shrink(sample: Sample, is_same: Try) -> Sample:
    """Leave out events and items, one at a time or many, where the outcome stays what it is."""
    while True:
        smaller = _without_events(sample, is_same)
        smaller = _without_items(smaller, is_same)
        if _size(smaller) == _size(sample):
            return smaller
        sample = smaller


def _size(sample: Sample) -> int:
    return len(sample.events) + sum(map(len, sample.records.values()))


def _without_events(sample: Sample, is_same: Try) -> Sample:
    step = max(len(sample.events) // 2, 1)
    while True:
        end = len(sample.events)
        while end > 0:
            less = copy.deepcopy(sample)
            del less.events[max(end - step, 0) : end]
            if is_same(less):
                sample = less
            end -= step
        if step == 1:
            return sample
        step //= 2


def _without_items(sample: Sample, is_same: Try) -> Sample:
    for name in [*sample.known_refs()]:
        position = 0
        while (less := _without_item(sample, name, position)) is not None:
            if is_same(less):
                sample = less
            else:
                position += 1
    return sample


def _without_item(sample: Sample, name: str, position: int) -> Sample | None:
    """The bundle without one item of a payload; None if it has no such item."""
    less = copy.deepcopy(sample)
    documents = Documents(less)
    document = documents.get(name) if name in less.known_refs() else None
    places = [*_places(document)]
    if position >= len(places):
        return None
    items, at = places[position]
    del items[at]
    documents.store(name, document)
    return less


def _places(document: Json) -> Iterator[tuple[list[Json], int]]:
    for items in item_lists(document):
        for at in range(len(items)):
            yield items, at
