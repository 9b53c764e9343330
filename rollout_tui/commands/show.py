"""`rollout-tui show`: one thing of a bundle, without the inspector."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from reducer import BundleError, UnreadablePayload
from reducer.model import InferenceCall
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.commands.output import CLEAN, PROBLEMS, CommandError, report, write_bytes, write_line
from rollout_tui.exports import context_bytes, context_text
from rollout_tui.insight.captures import lost_words
from rollout_tui.session import Session
from rollout_tui.showing.asking import AllOf, AskedWrongly, OneOf, parse_what
from rollout_tui.showing.document import Document
from rollout_tui.showing.failures import failures_document, is_any
from rollout_tui.showing.finding import object_asked_for
from rollout_tui.showing.objects import (
    edge_document,
    list_document,
    object_document,
    prompt_document,
    thread_document,
)
from rollout_tui.showing.steppers import cell_document, compaction_document
from rollout_tui.trace_root import bundle_directory
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.index import TraceIndex


def show(path: Path, what: Sequence[str], *, as_json: bool, raw: bool) -> int:
    """Print one thing, or a list of things.

    Args:
        path: a bundle directory or a file in it.
        what: what to show, as `rollout_tui.showing.asking` reads it.
        as_json: one JSON document instead of text.
        raw: the bytes of the evidence: of a call its request, of an event its log line, and so on.

    Returns:
        The exit status; of `failures` 1 if there are any.

    Raises:
        BundleError: there is no bundle, or its log cannot be read.
        CommandError: there is no such thing in it.
    """
    try:
        wish = parse_what(what)
        session = Session(bundle_directory(path))
        index = session.load(lambda _done, _total: None).index
        if isinstance(wish, AllOf):
            if raw:
                raise AskedWrongly("--raw shows the evidence of one thing, not of a list")
            return _show_all(index, wish, as_json)
        if wish.what == "payload" or raw:
            write_bytes(_evidence(session, index, wish))
        else:
            _show_one(session, index, wish, as_json)
    except AskedWrongly as wrong:
        raise CommandError(str(wrong)) from None
    return CLEAN


def _show_all(index: TraceIndex, wish: AllOf, as_json: bool) -> int:
    """Print a list; that of failures says by its status whether there are any."""
    if wish.what != "failures":
        _print(list_document(index, wish), as_json)
        return CLEAN
    document = failures_document(index, wish.agent)
    _print(document, as_json)
    return PROBLEMS if is_any(document) else CLEAN


def _show_one(session: Session, index: TraceIndex, wish: OneOf, as_json: bool) -> None:
    if wish.what == "compaction":
        _print(compaction_document(index, wish), as_json)
        return
    ref = object_asked_for(index, wish)
    if wish.what == "call":
        call = index.trace.inference_calls[ref.id]
        if as_json:
            write_bytes(context_bytes(session, index, call))
        else:
            _print_text(context_text(session, index, call))
    elif wish.what == "prompt":
        _print(prompt_document(session, index, ref), as_json)
    elif wish.what == "cell":
        _print(cell_document(session, index, ref), as_json)
    elif wish.what == "edge":
        _print(edge_document(session, index, ref), as_json)
    elif wish.what == "thread":
        _print(thread_document(session, index, ref), as_json)
    else:
        _print(object_document(session, index, ref), as_json)


def _print(document: Document, as_json: bool) -> None:
    if as_json:
        write_bytes(msgspec.json.format(msgspec.json.encode(document.data), indent=2) + b"\n")
    else:
        for line in document.lines():
            write_line(sys.stdout, line.rstrip())


def _print_text(text: str) -> None:
    """A text whose lines are safe already."""
    for line in text.removesuffix("\n").split("\n"):
        write_line(sys.stdout, line)


def _evidence(session: Session, index: TraceIndex, wish: OneOf) -> bytes:
    """The raw bytes behind what was asked for.

    Raises:
        AskedWrongly: there are none.
    """
    if wish.what == "payload":
        payload = _payload_asked_for(index, wish.name)
        cut = lost_words(payload)
        if cut is not None:
            report(f"{payload.raw_payload_id}: {cut}")
        return _payload(session, payload)
    if wish.what == "prompt":
        call = index.trace.inference_calls[object_asked_for(index, wish).id]
        return _payload(session, _payload_asked_for(index, _prompt_id(call)))
    if wish.what == "compaction":
        raise AskedWrongly(
            "a compaction has several payloads: show it without --raw, then the payload by number"
        )
    ref = object_asked_for(index, wish)
    detail = describe(index, ref)
    if detail is None:
        raise AskedWrongly(f"there is no evidence of {wish.what} {wish.name[:60]}")
    if wish.what not in ("seq", "line") and detail.payloads:
        return _payload(session, detail.payloads[0].ref)
    if detail.log_line is None:
        raise AskedWrongly(f"there is no evidence of {wish.what} {wish.name[:60]}")
    return session.log_line(detail.log_line) + b"\n"


def _prompt_id(call: InferenceCall) -> str:
    if not isinstance(call.prepared_prompt_payload_id, str):
        raise AskedWrongly("no prompt was recorded for this call: that came with trace schema 3")
    return call.prepared_prompt_payload_id


def _payload_asked_for(index: TraceIndex, name: str) -> PayloadRef:
    payloads = index.trace.raw_payloads
    number = name.removeprefix("raw_payload:").lstrip("#")
    found = payloads.get(f"raw_payload:{number}")
    if found is None:
        raise AskedWrongly(f"there is no payload {name[:60]}: there are {len(payloads)}")
    return found


def _payload(session: Session, ref: PayloadRef) -> bytes:
    try:
        return session.payload(ref)
    except UnreadablePayload as error:
        raise BundleError(f"{session.bundle.path}: {ref.place}: {error}") from None
