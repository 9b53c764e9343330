"""`rollout-tui show`: one thing of a bundle, without the inspector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from reducer import Bundle, BundleError, UnreadablePayload
from reducer.model import InferenceCall
from reducer.wire.json_text import is_valid
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.commands.output import CLEAN, PROBLEMS, CommandError, print_path, report
from rollout_tui.commands.results import (
    STANDARD_OUTPUT,
    Form,
    Result,
    print_result,
    text_result,
    write_result,
)
from rollout_tui.exports import context_bytes, context_text
from rollout_tui.insight.captures import lost_words
from rollout_tui.safe_text import safe_text
from rollout_tui.session import Session
from rollout_tui.showing.asking import AllOf, OneOf, parse_what
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
from rollout_tui.trace_root import one_bundle
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.language import InputRefused, usage_of_show


def show(path: Path, what: Sequence[str], *, as_json: bool, raw: bool, output: str | None = None) -> int:
    """Print one thing, or a list of things.

    Args:
        path: a bundle directory or a file in it.
        what: what to show, as `rollout_tui.showing.asking` reads it.
        as_json: one JSON document instead of text.
        raw: the bytes of the evidence: of a call its request, of an event its log line, and so on.
        output: a file to write it into, byte for byte; None or `-` is standard output.

    Returns:
        The exit status; of `failures` 1 if there are any.

    Raises:
        BundleError: there is no bundle, or its log cannot be read.
        CommandError: there is no such thing in it, or it could not be written.
    """
    try:
        if as_json and raw:
            raise InputRefused("--json and --raw are two forms of it: name one")
        directory = one_bundle(path)
        if not what and not as_json and not raw:
            print_result(text_result(map(safe_text, usage_of_show())))
            return CLEAN
        wish = parse_what(what)
        session = Session(directory)
        index = session.load(lambda _done, _total: None).index
        if isinstance(wish, AllOf):
            if raw:
                raise InputRefused("--raw shows the evidence of one thing, not of a list")
            document, status = _all(index, wish)
            result = _told(document, as_json)
        elif wish.what == "payload" or raw:
            data = _evidence(session, index, wish)
            result = _as_document(index, wish, data) if as_json else Result(data, Form.RAW)
            status = CLEAN
        else:
            result, status = _one(session, index, wish, as_json), CLEAN
    except InputRefused as wrong:
        raise CommandError(str(wrong)) from None
    _put(result, output, session.bundle)
    return status


def _put(result: Result, output: str | None, bundle: Bundle) -> None:
    """Print a result, or write it and print where."""
    if output is None or output in STANDARD_OUTPUT:
        print_result(result)
        return
    write_result(result, Path(output), bundle)
    print_path(output)


def _all(index: TraceIndex, wish: AllOf) -> tuple[Document, int]:
    """A list; that of failures says by its status whether there are any."""
    if wish.what != "failures":
        return list_document(index, wish), CLEAN
    document = failures_document(index, wish.agent)
    return document, PROBLEMS if is_any(document) else CLEAN


def _one(session: Session, index: TraceIndex, wish: OneOf, as_json: bool) -> Result:
    if wish.what == "compaction":
        return _told(compaction_document(index, wish), as_json)
    ref = object_asked_for(index, wish)
    if wish.what == "call":
        call = index.trace.inference_calls[ref.id]
        if as_json:
            return Result(context_bytes(session, index, call), Form.JSON)
        text = context_text(session, index, call).removesuffix("\n")
        return Result(f"{text}\n".encode("utf-8", "replace"), Form.TEXT)
    if wish.what == "prompt":
        return _told(prompt_document(session, index, ref), as_json)
    if wish.what == "cell":
        return _told(cell_document(session, index, ref), as_json)
    if wish.what == "edge":
        return _told(edge_document(session, index, ref), as_json)
    if wish.what == "thread":
        return _told(thread_document(session, index, ref), as_json)
    return _told(object_document(session, index, ref), as_json)


def _told(document: Document, as_json: bool) -> Result:
    if as_json:
        return Result(msgspec.json.format(msgspec.json.encode(document.data), indent=2) + b"\n", Form.JSON)
    return text_result(document.lines())


def _evidence(session: Session, index: TraceIndex, wish: OneOf) -> bytes:
    """The raw bytes behind what was asked for.

    Raises:
        InputRefused: there are none.
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
        raise InputRefused(
            "a compaction has several payloads: show it without --raw, then the payload by number"
        )
    ref = object_asked_for(index, wish)
    detail = describe(index, ref)
    if detail is None:
        raise InputRefused(f"there is no evidence of {wish.what} {wish.name[:60]}")
    if wish.what not in ("seq", "line") and detail.payloads:
        return _payload(session, detail.payloads[0].ref)
    if detail.log_line is None:
        raise InputRefused(f"there is no evidence of {wish.what} {wish.name[:60]}")
    return session.log_line(detail.log_line) + b"\n"


def _as_document(index: TraceIndex, wish: OneOf, data: bytes) -> Result:
    """A payload as JSON: itself, or if it is none, as what was cut is not, a document that says so."""
    if is_valid(data):
        return Result(data, Form.JSON)
    payload = _payload_asked_for(index, wish.name)
    return _told(
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


def _prompt_id(call: InferenceCall) -> str:
    if not isinstance(call.prepared_prompt_payload_id, str):
        raise InputRefused("no prompt was recorded for this call: that came with trace schema 3")
    return call.prepared_prompt_payload_id


def _payload_asked_for(index: TraceIndex, name: str) -> PayloadRef:
    payloads = index.trace.raw_payloads
    number = name.removeprefix("raw_payload:").lstrip("#")
    found = payloads.get(f"raw_payload:{number}")
    if found is None:
        raise InputRefused(f"there is no payload {name[:60]}: there are {len(payloads)}")
    return found


def _payload(session: Session, ref: PayloadRef) -> bytes:
    try:
        return session.payload(ref)
    except UnreadablePayload as error:
        raise BundleError(f"{session.bundle.path}: {ref.place}: {error}") from None
