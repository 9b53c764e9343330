"""`rollout-tui show`: one thing of a bundle, without the inspector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reducer import Recording
from rollout_tui.bundles.trace_root import one_bundle
from rollout_tui.commands.output import print_path, report
from rollout_tui.commands.prices import prices_in
from rollout_tui.commands.results import STANDARD_OUTPUT, print_result, write_result
from rollout_tui.language.asking import AnswerTo, Wish, parse_what
from rollout_tui.language.refused import InputRefused
from rollout_tui.language.show_options import Asked
from rollout_tui.language.vocabulary import usage_of_show
from rollout_tui.outcomes import CLEAN, CommandError
from rollout_tui.safe_text import safe_text
from rollout_tui.session import Session
from rollout_tui.showing.dispatch import Telling, raw_result, result_of
from rollout_tui.showing.pages import JSON_LIMIT, Page
from rollout_tui.showing.result import Form, Result, text_result

if TYPE_CHECKING:
    from rollout_tui.insight.tokens.prices import Price


def show_asked(asked: Asked) -> int:
    """Do what a command line of `show` asks for; the rest is that of `show`."""
    if asked.schema:
        return _schema(asked.words)
    return show(
        Path(asked.words[0]),
        asked.words[1:],
        as_json=asked.as_json,
        raw=asked.raw,
        content=asked.content,
        limit=asked.limit,
        after=asked.after,
        output=asked.output,
        prices=None if asked.prices is None else Path(asked.prices),
    )


def show(
    path: Path,
    what: Sequence[str],
    *,
    as_json: bool,
    raw: bool,
    content: bool = False,
    limit: int | None = None,
    after: str | None = None,
    output: str | None = None,
    prices: Path | None = None,
) -> int:
    """Print one thing, or a list of things.

    Args:
        path: a bundle directory or a file in it.
        what: what to show, as `rollout_tui.language.asking` reads it.
        as_json: one JSON document instead of text.
        raw: the bytes of the evidence: of a call its request, of an event its log line, and so on.
        content: in JSON, with the texts of the recording.
        limit: elements of a list at most; 0 for all, None for all in text and `JSON_LIMIT` in JSON.
        after: a cursor, an id or a place after which lists begin.
        output: a file to write it into, byte for byte; None or `-` is standard output.
        prices: a file of what tokens cost; only `tokens` tells that.

    Returns:
        The exit status; of `failures` 1 if there are any.

    Raises:
        BundleError: there is no bundle, or its log cannot be read.
        CommandError: there is no such thing in it, or it could not be written.
    """
    try:
        if as_json and raw:
            raise InputRefused("--json and --raw are two forms of it: name one")
        if raw and (limit is not None or after is not None):
            raise InputRefused("--raw has no pages: --limit and --after are for lists")
        if content and not as_json:
            raise InputRefused("--content is for --json: text has it anyway")
        directory = one_bundle(path)
        if not what and not as_json and not raw:
            print_result(text_result(map(safe_text, usage_of_show())))
            return CLEAN
        wish = parse_what(what)
        known_prices = None if prices is None else _prices(prices, wish)
        session = Session(directory)
        timelines = session.load(lambda _done, _total: None)
        if raw:
            result, status = raw_result(session, timelines.index, wish, report), CLEAN
        else:
            usual = JSON_LIMIT if as_json else None
            is_asked = limit is not None or after is not None
            page = Page(usual if limit is None else limit or None, after, is_asked)
            telling = Telling(as_json, content, page)
            links = timelines.links
            result, status = result_of(session, links, wish, telling=telling, prices=known_prices, say=report)
    except InputRefused as wrong:
        raise CommandError(str(wrong)) from None
    _put(result, output, session.recording)
    return status


def _schema(words: Sequence[str]) -> int:
    """Print the JSON Schema of a document, or of all.

    Raises:
        CommandError: there is no such document.
    """
    from rollout_tui.showing.schema import schema_of
    from rollout_tui.texts.written_json import formatted_json

    try:
        if len(words) > 1:
            raise InputRefused("--schema takes one word: show --schema calls")
        schema = schema_of(words[0] if words else None)
    except InputRefused as wrong:
        raise CommandError(str(wrong)) from None
    print_result(Result(formatted_json(schema), Form.JSON))
    return CLEAN


def _prices(path: Path, wish: Wish) -> Mapping[str, Price]:
    """What tokens cost, as a file tells it.

    Raises:
        InputRefused: it does not, or nothing is asked for that costs anything.
    """
    if not isinstance(wish, AnswerTo) or wish.what != "tokens":
        raise InputRefused("--prices is for tokens: show BUNDLE tokens --prices FILE")
    return prices_in(path)


def _put(result: Result, output: str | None, recording: Recording) -> None:
    """Print a result, or write it and print where."""
    if output is None or output in STANDARD_OUTPUT:
        print_result(result)
        return
    write_result(result, Path(output), recording)
    print_path(output)
