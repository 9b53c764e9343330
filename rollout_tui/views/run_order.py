"""The list of runs in other orders, and only some of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from rollout_tui.bundles.listing import ListedRun
from rollout_tui.views.filters import Asked, Filter, RowFacts, parse_filter

OF_RUNS: Asked = {
    "kind": ("bundle", "session", "both"),
    "status": ("live", "completed", "failed", "aborted", "stopped", "unknown", "unusable", "reading"),
}
"""What a filter can ask of a run, besides texts."""


class Order(Struct, frozen=True):
    """An order of the list.

    Attributes:
        key: the letter by which it is chosen.
        words: by what it is.
        value: what is compared; of equal ones the newest comes first.
        descends: whether the greatest value comes first.
    """

    key: str
    words: str
    value: Callable[[ListedRun], Any]
    descends: bool = True


NEWEST = Order("t", "time", lambda one: one.summary.started_at_unix_ms)
"""The order of the list by itself, in which the runs of one session stand together."""

ORDERS = (
    NEWEST,
    Order("w", "last written", lambda one: one.summary.written_at_unix_ms),
    Order("f", "failures", lambda one: one.summary.failures_at_least or 0),
    Order("k", "tokens", lambda one: one.summary.tokens or 0),
    Order("c", "calls", lambda one: one.summary.calls or 0),
    Order("a", "agents", lambda one: one.summary.agents or 0),
    Order("z", "size", lambda one: one.summary.bytes),
    Order("d", "directory", lambda one: one.summary.cwd, descends=False),
    Order("m", "model", lambda one: one.summary.model, descends=False),
)
"""What the list can be sorted by."""


def order_with(key: str) -> Order | None:
    """The order that a letter chooses; None if there is none."""
    return next((order for order in ORDERS if order.key == key), None)


def in_order(runs: Iterable[ListedRun], order: Order, *, turned: bool = False) -> list[ListedRun]:
    """The runs in an order.

    Args:
        runs: as the list has them by itself.
        order: the order.
        turned: the other way round.
    """
    if order is NEWEST:
        found = list(runs)
        return found[::-1] if turned else found
    return sorted(runs, key=order.value, reverse=order.descends != turned)


def is_as_listed(order: Order, *, turned: bool) -> bool:
    """Whether the runs of one session stand together in an order, the newest first."""
    return order is NEWEST and not turned


def parse_run_filter(text: str) -> Filter:
    """Read a filter of the list.

    Raises:
        InputRefused: it is none.
    """
    return parse_filter(text, OF_RUNS)


def run_facts(run: ListedRun) -> RowFacts:
    """What a filter can ask of a run: all that is known of it in words, its ids and files among that."""
    summary, session = run.summary, run.session
    said = (
        *(summary.instruction, summary.cwd, summary.model, summary.status, run.evidence, run.relation),
        *(summary.problem or "", summary.root_thread_id, str(summary.path), run.group),
        *(session.files if session is not None else ()),
    )
    return RowFacts("\n".join(said), frozenset({run.evidence}), frozenset({summary.status}))
