"""`rollout-tui show`: one thing of a bundle, without the inspector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from reducer import Recording
from rollout_tui.bundles.trace_root import one_bundle
from rollout_tui.commands.output import print_path, report
from rollout_tui.commands.results import STANDARD_OUTPUT, print_result, write_result
from rollout_tui.insight.tokens.prices import Price, read_prices
from rollout_tui.language.asking import AllOf, AnswerTo, OneOf, parse_what
from rollout_tui.language.refused import InputRefused
from rollout_tui.language.vocabulary import usage_of_show
from rollout_tui.outcomes import CLEAN, CommandError, plain_reason
from rollout_tui.safe_text import safe_text
from rollout_tui.session import Session
from rollout_tui.showing.dispatch import raw_result, result_of
from rollout_tui.showing.result import Result, text_result


def show(
    path: Path,
    what: Sequence[str],
    *,
    as_json: bool,
    raw: bool,
    output: str | None = None,
    prices: Path | None = None,
) -> int:
    """Print one thing, or a list of things.

    Args:
        path: a bundle directory or a file in it.
        what: what to show, as `rollout_tui.language.asking` reads it.
        as_json: one JSON document instead of text.
        raw: the bytes of the evidence: of a call its request, of an event its log line, and so on.
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
            links = timelines.links
            result, status = result_of(session, links, wish, as_json=as_json, prices=known_prices, say=report)
    except InputRefused as wrong:
        raise CommandError(str(wrong)) from None
    _put(result, output, session.recording)
    return status


def _prices(path: Path, wish: OneOf | AllOf | AnswerTo) -> Mapping[str, Price]:
    """What tokens cost, as a file tells it.

    Raises:
        InputRefused: it does not, or nothing is asked for that costs anything.
    """
    if not isinstance(wish, AnswerTo) or wish.what != "tokens":
        raise InputRefused("--prices is for tokens: show BUNDLE tokens --prices FILE")
    try:
        return read_prices(path.read_bytes())
    except InputRefused as refused:
        raise InputRefused(f"{path}: {refused}") from None
    except OSError as error:
        raise InputRefused(f"{path}: {plain_reason(error)}") from None


def _put(result: Result, output: str | None, recording: Recording) -> None:
    """Print a result, or write it and print where."""
    if output is None or output in STANDARD_OUTPUT:
        print_result(result)
        return
    write_result(result, Path(output), recording)
    print_path(output)
