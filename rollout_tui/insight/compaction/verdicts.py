"""What became of every item of a history when another was put in its place. Pure.

The items of both histories are paired first. An item that is the same in both is *kept* and *carried over*:
the graph holds it as one item, it carries the same Responses id, or it says the same and no id contradicts.
Any other pair is an item *replaced* by one *re-inserted*: an old text as a new item, or another text of the
same sort. What has no partner is gone: an earlier summary is replaced by the new one, instructions and
context that Codex put in are *dropped*, and all else is *summarised*: the summary stands for it. Without a
summary it is dropped. What has no partner before is *new*.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from reducer.model import ConversationItem
from rollout_tui.insight.compaction.pairing import PairBasis, Pairing
from rollout_tui.insight.contexts.item_signs import (
    SummarySign,
    is_put_in,
    may_sum_up,
    summaries_of,
    summary_sign,
    tags,
)

Verdict = Literal["kept", "dropped", "summarised", "replaced", "carried over", "re-inserted", "new"]

Basis = (
    PairBasis
    | Literal[
        "into the summary",
        "earlier summary",
        "put in",
        "no summary",
        "not compacted",
        "nothing like it",
    ]
)
"""Why a verdict is what it is."""

_KEEPING = frozenset({"same item", "same id", "same text, no id"})


class Judged(Struct, frozen=True):
    """One item of a history, and what became of it or where it comes from.

    Attributes:
        place: where it stands in its history, from 0; an item may stand in one twice.
        item_id: which item.
        verdict: what became of it, or where it comes from.
        basis: why.
        is_judged: whether the verdict rests on likeness and not on what was recorded.
        partner: the place in the other history of the item that it is or that stands for it.
        summary: what the item was taken for a summary by; None for one that is no summary.
    """

    place: int
    item_id: str
    verdict: Verdict
    basis: Basis
    is_judged: bool = False
    partner: int | None = None
    summary: SummarySign | None = None


class Comparison(Struct, frozen=True):
    """Two histories with a verdict on each of their items."""

    before: list[Judged]
    after: list[Judged]

    @property
    def gone(self) -> list[Judged]:
        """The items before of which nothing came back: the model never sees them again."""
        return [judged for judged in self.before if judged.verdict in ("summarised", "dropped")]

    @property
    def summary(self) -> Judged | None:
        """The summary that was made: the last one after that was not there before."""
        return next((one for one in reversed(self.after) if one.summary and one.verdict == "new"), None)


def compare_checkpoint(before: Sequence[ConversationItem], after: Sequence[ConversationItem]) -> Comparison:
    """Compare the two histories of a checkpoint, which holds nothing but what the compaction made.

    If nothing in it is marked as a summary, a new message at its end is taken for one.

    Args:
        before: the history that was compacted.
        after: the history that took its place.
    """
    summaries = summaries_of(after)
    pairing = Pairing(before, after, new_texts=summaries)
    last = len(after) - 1
    if not summaries and last >= 0 and last not in pairing.of_after and may_sum_up(after[last]):
        summaries[last] = "place"
    return _verdicts(before, after, pairing, summaries, None)


def compare_contexts(
    before: Sequence[ConversationItem],
    after: Sequence[ConversationItem],
    judged_summaries: Collection[str] = (),
    compacted: Collection[str] | None = None,
) -> Comparison:
    """Compare the context of a call with that of an earlier one, with a compaction between them.

    The later one may hold what came after the compaction: a user's message behind the summary is new,
    whatever it says.

    Args:
        before: what the model had seen and said.
        after: what it saw then.
        judged_summaries: ids of items in `after` that were taken for a summary by something else than
            what they are.
        compacted: ids of the items that were in the history when it was compacted, if that was recorded: for
            no other can the summary stand.
    """
    summaries = summaries_of(after)
    for place, item in enumerate(after):
        if item.item_id in judged_summaries:
            summaries.setdefault(place, "place")
    behind = max(summaries, default=len(after)) + 1
    said_later = [
        place
        for place in range(behind, len(after))
        if after[place].role == "user" and not any(tags(after[place]))
    ]
    pairing = Pairing(before, after, new_texts=summaries, not_by_text=said_later)
    return _verdicts(before, after, pairing, summaries, compacted)


def _verdicts(
    before: Sequence[ConversationItem],
    after: Sequence[ConversationItem],
    pairing: Pairing,
    summaries: dict[int, SummarySign],
    compacted: Collection[str] | None,
) -> Comparison:
    new = [place for place in summaries if place not in pairing.of_after]
    new_summary = max(new, default=None)
    judged_before = []
    for place, item in enumerate(before):
        judged = _paired_before(place, item, after, pairing)
        if judged is None:
            judged = _gone(place, item, new_summary, compacted)
        judged_before.append(judged)
    return Comparison(
        judged_before,
        [_judge_after(place, item, pairing, summaries.get(place)) for place, item in enumerate(after)],
    )


def _judge_after(place: int, item: ConversationItem, pairing: Pairing, sign: SummarySign | None) -> Judged:
    partner = pairing.of_after.get(place)
    if partner is None:
        doubt = sign is not None and sign != "channel"
        return Judged(place, item.item_id, "new", "nothing like it", doubt, summary=sign)
    verdict: Verdict = "carried over" if partner.basis in _KEEPING else "re-inserted"
    doubt = _rests_on_likeness(item, partner.basis)
    return Judged(place, item.item_id, verdict, partner.basis, doubt, partner.place, sign)


def _paired_before(
    place: int, item: ConversationItem, after: Sequence[ConversationItem], pairing: Pairing
) -> Judged | None:
    partner = pairing.of_before.get(place)
    if partner is None:
        return None
    verdict: Verdict = "kept" if partner.basis in _KEEPING else "replaced"
    doubt = _rests_on_likeness(after[partner.place], partner.basis)
    return Judged(place, item.item_id, verdict, partner.basis, doubt, partner.place, summary_sign(item))


def _gone(
    place: int, item: ConversationItem, new_summary: int | None, compacted: Collection[str] | None
) -> Judged:
    gone = Judged(place, item.item_id, "dropped", "no summary", summary=summary_sign(item))
    if compacted is not None and item.item_id not in compacted:
        return replace(gone, basis="not compacted")
    if new_summary is None:
        return gone
    if gone.summary is not None:
        return replace(gone, verdict="replaced", basis="earlier summary", partner=new_summary)
    if is_put_in(item):
        return replace(gone, basis="put in", is_judged=True)
    return replace(gone, verdict="summarised", basis="into the summary", partner=new_summary)


def _rests_on_likeness(item: ConversationItem, basis: Basis) -> bool:
    """Whether a pair was told by what the items say.

    The graph makes one item of two without Responses ids by what they say, so that is likeness as well.
    """
    if basis == "same item":
        return item.responses_item_id is None
    return basis not in ("same id", "same id, other text")
