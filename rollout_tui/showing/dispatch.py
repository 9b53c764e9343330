"""From what was asked for to what is printed: as text, as JSON, or as the evidence itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from reducer.wire.json_text import is_valid
from rollout_tui.exports import context_bytes, context_text
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.captures import lost_words
from rollout_tui.insight.tokens.prices import Price
from rollout_tui.language.asking import AllOf, AnswerTo, OneOf
from rollout_tui.language.refused import InputRefused
from rollout_tui.outcomes import CLEAN, PROBLEMS
from rollout_tui.session import Session
from rollout_tui.showing.asked_for import object_asked_for
from rollout_tui.showing.document import Document
from rollout_tui.showing.evidence import evidence_of, payload_asked_for
from rollout_tui.showing.failures import failures_document, is_any
from rollout_tui.showing.objects import (
    edge_document,
    list_document,
    object_document,
    prompt_document,
    thread_document,
)
from rollout_tui.showing.result import Form, Result, text_result
from rollout_tui.showing.steppers import cell_document, compaction_document

Wish = OneOf | AllOf | AnswerTo


def raw_result(session: Session, index: TraceIndex, wish: Wish, say: Callable[[str], None]) -> Result:
    """The evidence of what was asked for, byte for byte; the arguments are those of `evidence_of`.

    Raises:
        InputRefused: there is none, or it is that of several things.
        BundleError: it cannot be read.
    """
    if not isinstance(wish, OneOf):
        raise InputRefused("--raw shows the evidence of one thing, not of a list or of the run")
    return Result(evidence_of(session, index, wish, say), Form.RAW)


def result_of(
    session: Session,
    links: AgentLinks,
    wish: Wish,
    *,
    as_json: bool,
    prices: Mapping[str, Price] | None,
    say: Callable[[str], None],
) -> tuple[Result, int]:
    """What was asked for.

    Args:
        session: the bundle.
        links: its graph, with what went between its agents.
        wish: what was asked for.
        as_json: one JSON document instead of text.
        prices: what tokens cost, if that is known.
        say: is told what is to be known of a payload, such as that a limit cut it.

    Returns:
        The result, and the exit status: of `failures` 1 if there are any.

    Raises:
        InputRefused: there is no such thing.
        BundleError: it cannot be read.
    """
    index = links.index
    if isinstance(wish, AnswerTo):
        return told(_answer(session, links, wish, prices), as_json), CLEAN
    if isinstance(wish, AllOf):
        document, status = _all(index, wish)
        return told(document, as_json), status
    if wish.what == "payload":
        data = evidence_of(session, index, wish, say)
        return _as_document(index, wish, data) if as_json else Result(data, Form.RAW), CLEAN
    return _one(session, index, wish, as_json), CLEAN


def _answer(
    session: Session, links: AgentLinks, wish: AnswerTo, prices: Mapping[str, Price] | None
) -> Document:
    # Whoever asks for one object does not wait for what tells of all of them.
    from rollout_tui.showing.answers import answer_document

    return answer_document(session, links, wish, prices)


def _all(index: TraceIndex, wish: AllOf) -> tuple[Document, int]:
    """A list; that of failures says by its status whether there are any."""
    if wish.what != "failures":
        return list_document(index, wish), CLEAN
    document = failures_document(index, wish.agent)
    return document, PROBLEMS if is_any(document) else CLEAN


def _one(session: Session, index: TraceIndex, wish: OneOf, as_json: bool) -> Result:
    if wish.what == "compaction":
        return told(compaction_document(index, wish), as_json)
    ref = object_asked_for(index, wish)
    if wish.what == "call":
        call = index.trace.inference_calls[ref.id]
        if as_json:
            return Result(context_bytes(session, index, call), Form.JSON)
        text = context_text(session, index, call).removesuffix("\n")
        return Result(f"{text}\n".encode("utf-8", "replace"), Form.TEXT)
    if wish.what == "prompt":
        return told(prompt_document(session, index, ref), as_json)
    if wish.what == "cell":
        return told(cell_document(session, index, ref), as_json)
    if wish.what == "edge":
        return told(edge_document(session, index, ref), as_json)
    if wish.what == "thread":
        return told(thread_document(session, index, ref), as_json)
    return told(object_document(session, index, ref), as_json)


def told(document: Document, as_json: bool) -> Result:
    """A document as text, or its values as JSON."""
    if as_json:
        return Result(msgspec.json.format(msgspec.json.encode(document.data), indent=2) + b"\n", Form.JSON)
    return text_result(document.lines())


def _as_document(index: TraceIndex, wish: OneOf, data: bytes) -> Result:
    """A payload as JSON: itself, or if it is none, as what was cut is not, a document that says so."""
    if is_valid(data):
        return Result(data, Form.JSON)
    payload = payload_asked_for(index, wish.name)
    return told(
        Document(
            payload.raw_payload_id,
            data={
                "raw_payload_id": payload.raw_payload_id,
                "problem": lost_words(payload) or "not JSON",
                "text": data.decode("utf-8", "replace"),
            },
        ),
        as_json=True,
    )
