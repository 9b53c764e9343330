"""What is told of a run as a whole: each answer as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.language.asking import AnswerTo
from rollout_tui.language.refused import InputRefused
from rollout_tui.session import Session
from rollout_tui.showing.document import Document
from rollout_tui.views.figures import NOT_TOLD
from rollout_tui.views.overview import unknown_schema_words

if TYPE_CHECKING:
    from rollout_tui.insight.tokens.prices import Prices

SESSION = "a session of codex: what calls were shown is rebuilt, and when they began is not recorded"
"""Said of what is told of a session, which codex keeps by itself."""


def answer_document(
    session: Session, links: AgentLinks, wish: AnswerTo, prices: Prices | None = None
) -> Document:
    """The answer that was asked for.

    Args:
        session: reads payloads, as far as an answer needs any.
        links: the graph, with what went between its agents.
        wish: what was asked for.
        prices: what tokens cost, by model; None for no prices.

    Raises:
        InputRefused: what it is to be about is not there, or the schema of the bundle is not known.
    """
    if not links.index.is_schema_known:
        raise InputRefused(f"{unknown_schema_words(links.index)}: seq 1 and payload 1 show what there is")
    document = _answer(session, links, wish, prices)
    if any(one.has_cell(NOT_TOLD) for one in document.sections):
        document.facts.append((NOT_TOLD, "not recorded"))
    if links.index.reduction.rebuilt_from is not None:
        document.facts.append(("rests on", SESSION))
    document.data["rebuilt_from"] = links.index.reduction.rebuilt_from
    return document


def _answer(session: Session, links: AgentLinks, wish: AnswerTo, prices: Prices | None) -> Document:
    # Each is imported when it is asked for: whoever asks for one does not wait for the others.
    match wish.what:
        case "summary":
            from rollout_tui.showing.summary import summary_document

            return summary_document(session, links)
        case "tokens":
            from rollout_tui.showing.tokens import tokens_document

            return tokens_document(session, links, wish.by, wish.agent, prices)
        case "seen":
            from rollout_tui.showing.seen import seen_document

            return seen_document(session, links, wish.text)
    from rollout_tui.showing.timing import path_document, time_document, waits_document

    match wish.what:
        case "time":
            return time_document(links.index, wish.agent)
        case "waits":
            return waits_document(links.index, wish.agent)
        case "path":
            return path_document(links)
