"""From what was asked for to what is printed: as text, as JSON, or as the evidence itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from reducer.model import InferenceCall
from reducer.wire.json_text import is_valid
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.captures import lost_words
from rollout_tui.language.asking import AllOf, AnswerTo, OneOf, Wish
from rollout_tui.language.refused import InputRefused
from rollout_tui.outcomes import CLEAN, PROBLEMS
from rollout_tui.session import Session
from rollout_tui.showing.asked_for import object_asked_for
from rollout_tui.showing.content import without_content
from rollout_tui.showing.document import Document
from rollout_tui.showing.pages import Page, data_page, text_page
from rollout_tui.showing.result import Form, Result, text_result
from rollout_tui.texts.written_json import formatted_json, plain_values

if TYPE_CHECKING:
    from rollout_tui.insight.tokens.prices import Price

# Whoever asks for one thing does not wait for what tells of all the others: each is imported when asked for.


def raw_result(session: Session, index: TraceIndex, wish: Wish, say: Callable[[str], None]) -> Result:
    """The evidence of what was asked for, byte for byte; the arguments are those of `evidence_of`.

    Raises:
        InputRefused: there is none, or it is that of several things.
        BundleError: it cannot be read.
    """
    if not isinstance(wish, OneOf):
        raise InputRefused("--raw shows the evidence of one thing, not of a list or of the run")
    from rollout_tui.showing.evidence import evidence_of

    return Result(evidence_of(session, index, wish, say), Form.RAW)


class Telling(NamedTuple):
    """How it is to be told.

    Attributes:
        as_json: one JSON document instead of text.
        content: with what a user, a model or a tool wrote; text for people always has it.
        page: which part of its lists is wanted.
    """

    as_json: bool = False
    content: bool = False
    page: Page = Page()


def result_of(
    session: Session,
    links: AgentLinks,
    wish: Wish,
    *,
    telling: Telling,
    prices: Mapping[str, Price] | None,
    say: Callable[[str], None],
) -> tuple[Result, int]:
    """What was asked for.

    Args:
        session: the bundle.
        links: its graph, with what went between its agents.
        wish: what was asked for.
        telling: in what form, and how much of it.
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
        return told(_answer(session, links, wish, prices), telling), CLEAN
    if isinstance(wish, AllOf):
        document, status = _all(index, wish)
        return told(document, telling), status
    if wish.what == "payload":
        from rollout_tui.showing.evidence import evidence_of

        data = evidence_of(session, index, wish, say)
        if not telling.as_json:
            _refuse_page(telling, "a payload")
            return Result(data, Form.RAW), CLEAN
        return _payload(index, wish, data, telling), CLEAN
    return _one(session, index, wish, telling), CLEAN


def _answer(
    session: Session, links: AgentLinks, wish: AnswerTo, prices: Mapping[str, Price] | None
) -> Document:
    from rollout_tui.showing.answers import answer_document

    return answer_document(session, links, wish, prices)


def _all(index: TraceIndex, wish: AllOf) -> tuple[Document, int]:
    """A list; that of failures says by its status whether there are any."""
    if wish.what != "failures":
        from rollout_tui.showing.lists import list_document

        return list_document(index, wish), CLEAN
    from rollout_tui.showing.failures import failures_document, is_any

    document = failures_document(index, wish.agent)
    return document, PROBLEMS if is_any(document) else CLEAN


def _one(session: Session, index: TraceIndex, wish: OneOf, telling: Telling) -> Result:
    if wish.what == "compaction":
        from rollout_tui.showing.steppers import compaction_document

        return told(compaction_document(index, wish), telling)
    from rollout_tui.showing.objects import edge_document, object_document, prompt_document, thread_document

    ref = object_asked_for(index, wish)
    if wish.what == "call":
        return _context(session, index, index.trace.inference_calls[ref.id], telling)
    if wish.what == "prompt":
        return told(prompt_document(session, index, ref), telling, frozenset({"tools"}))
    if wish.what == "cell":
        from rollout_tui.showing.steppers import cell_document

        return told(cell_document(session, index, ref), telling)
    if wish.what == "edge":
        return told(edge_document(session, index, ref), telling)
    if wish.what == "thread":
        return told(thread_document(session, index, ref), telling)
    return told(object_document(session, index, ref), telling)


def told(document: Document, telling: Telling, evidence: frozenset[str] = frozenset()) -> Result:
    """A document as text, or its values as JSON.

    Args:
        document: what was found.
        telling: in what form, and how much of it.
        evidence: keys of its values of which nothing is told without content.

    Raises:
        InputRefused: the page that was asked for is none of it.
    """
    if not telling.as_json:
        is_cut = telling.page.is_asked and any(one.few is not None for one in document.sections)
        if telling.page.is_whole and not is_cut:
            return text_result(document.lines())
        return text_result(text_page(document, plain_values(document.data), telling.page).lines())
    data = data_page(plain_values(document.data), telling.page)
    return Result(formatted_json(data if telling.content else without_content(data, evidence)), Form.JSON)


def _context(session: Session, index: TraceIndex, call: InferenceCall, telling: Telling) -> Result:
    from rollout_tui.exports import context_text, context_values

    if telling.as_json:
        document = Document("", data=context_values(session, index, call))
        return told(document, telling, frozenset({"tools"}))
    _refuse_page(telling, "a context")
    text = context_text(session, index, call).removesuffix("\n")
    return Result(f"{text}\n".encode("utf-8", "replace"), Form.TEXT)


def _payload(index: TraceIndex, wish: OneOf, data: bytes, telling: Telling) -> Result:
    """A payload as JSON: itself if content was asked for, and it is JSON, which what was cut is not.

    Otherwise a document that says what it is.
    """
    if telling.content and is_valid(data):
        _refuse_page(telling, "a payload")
        return Result(data, Form.JSON)
    from rollout_tui.showing.evidence import payload_asked_for

    payload = payload_asked_for(index, wish.name)
    facts = {"raw_payload_id": payload.raw_payload_id, "problem": lost_words(payload)}
    if telling.content:
        facts["problem"] = facts["problem"] or "not JSON"
        facts["text"] = data.decode("utf-8", "replace")
        return told(Document("", data=facts), telling)
    what = {"kind": payload.kind.type, "path": payload.place, "bytes": len(data)}
    return told(Document("", data={**facts, **what, "sha256": hashlib.sha256(data).hexdigest()}), telling)


def _refuse_page(telling: Telling, what: str) -> None:
    if not telling.page.is_whole and telling.page.is_asked:
        raise InputRefused(f"{what} is no list: --limit and --after are for lists, and for --json")
