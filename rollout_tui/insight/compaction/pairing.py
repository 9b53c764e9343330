"""Which items of two histories are the same, or stand in each other's place. Pure.

Items are paired by the surest sign that there is:

1. the graph holds both as one item;
2. both carry the same Responses id;
3. they say the same, and at least one carries no Responses id that could contradict;
4. they say the same under two Responses ids: a new item with an old text;
5. they are of one sort: instructions, or context that Codex puts in by itself under the same opening tag.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import Literal, NamedTuple

from reducer.model import ConversationItem
from rollout_tui.insight.contexts.item_signs import INSTRUCTION_ROLES, same_text_key, tags

PairBasis = Literal[
    "same item",
    "same id",
    "same text, no id",
    "same id, other text",
    "same text, new id",
    "same sort",
]
"""By what two items were paired."""


class Partner(NamedTuple):
    """The other item of a pair: its place in its history, and by what the two were paired."""

    place: int
    basis: PairBasis


class Pairing:
    """The pairs between two histories, found in time linear in their items.

    Attributes:
        of_before: the partner of an item before, by its place.
        of_after: the partner of an item after, by its place. Several items before may have one partner, of
            which it has the last as its own.
    """

    def __init__(
        self,
        before: Sequence[ConversationItem],
        after: Sequence[ConversationItem],
        *,
        new_texts: Collection[int] = (),
        not_by_text: Collection[int] = (),
    ) -> None:
        """Pair the items.

        Args:
            before: the history before.
            after: the history after.
            new_texts: places in `after` of summaries: under a new Responses id they are new in any words.
            not_by_text: places in `after` of items that only an id can tell to be an item before.
        """
        self.of_before: dict[int, Partner] = {}
        self.of_after: dict[int, Partner] = {}
        self._before = before
        self._after = after
        self._summaries = frozenset(new_texts)
        self._not_by_text = frozenset(not_by_text)
        self._pair_same_items()
        self._pair_by_responses_id()
        self._pair_without_contradiction()
        self._pair_new_ids()
        self._pair_by_sort()

    def _pair(self, before: int, after: int, basis: PairBasis) -> None:
        self.of_before[before] = Partner(after, basis)
        self.of_after[after] = Partner(before, basis)

    def _free_before(self) -> Iterator[tuple[int, ConversationItem]]:
        return ((place, item) for place, item in enumerate(self._before) if place not in self.of_before)

    def _free_after(self) -> Iterator[tuple[int, ConversationItem]]:
        return ((place, item) for place, item in enumerate(self._after) if place not in self.of_after)

    def _pair_same_items(self) -> None:
        waiting: dict[str, deque[int]] = defaultdict(deque)
        for place, item in enumerate(self._before):
            waiting[item.item_id].append(place)
        for place, item in enumerate(self._after):
            if places := waiting.get(item.item_id):
                self._pair(places.popleft(), place, "same item")

    def _pair_by_responses_id(self) -> None:
        waiting: dict[str | None, deque[int]] = defaultdict(deque)
        for place, item in self._free_before():
            if item.responses_item_id is not None:
                waiting[item.responses_item_id].append(place)
        for place, item in self._free_after():
            if places := waiting.get(item.responses_item_id):
                found = places.popleft()
                same = same_text_key(self._before[found]) == same_text_key(item)
                self._pair(found, place, "same id" if same else "same id, other text")

    def _pair_without_contradiction(self) -> None:
        with_id: dict[Hashable, deque[int]] = defaultdict(deque)
        without: dict[Hashable, deque[int]] = defaultdict(deque)
        for place, item in self._free_before():
            (without if item.responses_item_id is None else with_id)[same_text_key(item)].append(place)
        for place, item in self._free_after():
            if place in self._not_by_text:
                continue
            key = same_text_key(item)
            places = without.get(key)
            if not places and item.responses_item_id is None:
                places = with_id.get(key)
            if places:
                self._pair(places.popleft(), place, "same text, no id")

    def _pair_new_ids(self) -> None:
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for place, item in self._free_before():
            waiting[same_text_key(item)].append(place)
        for place, item in self._free_after():
            if place in self._not_by_text or place in self._summaries:
                continue
            if places := waiting.get(same_text_key(item)):
                self._pair(places.popleft(), place, "same text, new id")

    def _pair_by_sort(self) -> None:
        """Pair by a tag that both open with; instructions that open with none among themselves, in order.

        Of several before under one tag the last counts: each took the place of the one before it. So the
        earlier ones have the same partner.
        """
        tagged: dict[Hashable, list[int]] = defaultdict(list)
        untagged: dict[Hashable, deque[int]] = defaultdict(deque)
        for place, item in self._free_before():
            own = list(tags(item))
            for tag in own:
                tagged[item.role, tag].append(place)
            if not own and item.role in INSTRUCTION_ROLES:
                untagged[item.role].append(place)
        for place, item in enumerate(self._after):
            if place in self._summaries:
                continue
            own = list(tags(item))
            for tag in own:
                self._pair_all(tagged.pop((item.role, tag), []), place)
            if place not in self.of_after and not own and untagged[item.role]:
                self._pair(untagged[item.role].popleft(), place, "same sort")

    def _pair_all(self, found: list[int], after: int) -> None:
        for before in reversed(found):
            if before in self.of_before:
                continue
            if after in self.of_after:
                self.of_before[before] = Partner(after, "same sort")
            else:
                self._pair(before, after, "same sort")
