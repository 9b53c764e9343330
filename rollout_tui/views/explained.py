"""What the columns and marks of a screen mean, for its help."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollout_tui import glyphs
from rollout_tui.views.figures import NOT_TOLD
from rollout_tui.views.time_lanes import BOTH, KINDS_EXPLAINED, LETTERS, compaction_mark
from rollout_tui.views.token_curve import look

Term = Callable[[], str]
"""A column or a mark as it looks with the marks that are in use."""


def _column(name: str) -> Term:
    return lambda: name


TOKENS: Sequence[tuple[Term, str]] = (
    (_column("in, context"), "tokens that went in, those that the provider had cached included; exact"),
    (_column("cached, new"), "those of them that the provider had cached, in percent, and those it had not"),
    (_column("out"), "tokens that came out, those of reasoning included; exact"),
    (
        _column("share"),
        "the part of all that went in, of these agents; its bar is beside that of the largest",
    ),
    (_column("cost"), "by the prices of --prices FILE; empty where the price of a model is not in it"),
    (_column("now, most"), "the context of an agent's last call, and its largest"),
    (
        _column("calls"),
        "inference calls; failed ones and those that a limit cut have no figures, and add 0",
    ),
    (_column("reasoning"), "tokens of reasoning among those that came out"),
    (_column("lost"), "tokens that the call before had sent and that were not cached: what a break cost"),
    (_column("items"), "items of a context; of a group, how many it has"),
    (_column("seq"), "the event of the log with which it began"),
    (_column("tokens"), "how many it is: its share of what is counted of each request that carried it"),
    (_column("carried"), "how many calls had it in their context"),
    (_column("paid for"), "tokens times the calls that carried it; all of them add up to what went in"),
    (_column("tool calls"), "how many tool calls the items of a group are of"),
    (_column("times"), "tool calls with the same arguments, or reads of a file that was compacted away"),
    (_column("agents"), "how many agents did that"),
    (_column("result"), "whether they gave the same; ? where the recording does not tell"),
    (
        lambda: f"{look().cached} {look().new} {look().answer}",
        "of a bar: cached, new, answer, by what is most in a cell",
    ),
    (lambda: look().compaction, "the context was compacted before this call"),
    (lambda: look().cache_break, "less was cached than the call before had sent, and what differs first"),
    (lambda: look().here, "the call under the cursor; a column of several calls is as high as the tallest"),
    (lambda: glyphs.active().about, "an estimate; calls, turns and agents have the provider's own figures"),
    (_column("~"), "rebuilt from a session file"),
    (_column(NOT_TOLD), "not recorded: no call told what it took, or the recording has no such figure"),
    (
        lambda: f"{glyphs.active().down} {glyphs.active().up}",
        "rows are sorted by this column, or turned round",
    ),
)

TIME: Sequence[tuple[Term, str]] = (
    *((_column(LETTERS[kind]), words) for kind, words in KINDS_EXPLAINED.items()),
    (lambda: glyphs.active().failed, "a failure, at its last moment; what never ended has it at its first"),
    (compaction_mark, "a compaction: a new history took the place of the old one"),
    (_column(BOTH), "both in one column; enter and the line above tell the failure first"),
    (_column(""), "a column has the letter of what took most of it; a blank: no agent yet, or no more"),
    (_column("|5m"), "time since the first event; the column that stands out is the spot"),
    (_column("seq"), "the events with which something began and ended"),
    (_column("14%"), "the part of the critical path, which is as long as the run"),
    (_column("short link"), "links under 1% of the path, told together"),
    (_column("active"), "model, tools and between of an agent, as in show BUNDLE time"),
    (_column("waiting"), "for a tool, an agent or a person, in a turn"),
    (_column("span"), "from its start to its end: active, waiting and idle"),
)
