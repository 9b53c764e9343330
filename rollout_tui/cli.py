"""The command line of `rollout-tui`.

Nothing of Textual is imported here, and each command's own modules only when it runs. Annotations are not put
off (`from __future__ import annotations`): typer reads them all at every start, and would have to parse them.
A process may have switched off the search for garbage (`__main__`); the commands that last switch it on.
"""

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from rollout_tui.commands.ended import status_of
from rollout_tui.commands.output import complain, write_line
from rollout_tui.language.show_options import OPTIONS, Asked
from rollout_tui.outcomes import CLEAN, READER_GONE, CommandError
from rollout_tui.safe_text import safe_text

PROGRAM = "rollout-tui"

COMMANDS = ("open", "reduce", "ls", "check", "record", "show", "convert", "grep", "report")

_GLOBAL_OPTIONS = ("--help", "--version", "--install-completion")

# Paths are not checked by typer (`readable=False`): what is wrong with one is said in one line of our own.
app = typer.Typer(
    name=PROGRAM,
    add_completion=False,
    no_args_is_help=False,
    # Help and errors are plain text: they need no import of rich, and quote arguments safely.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    options_metavar="",
    subcommand_metavar="[BUNDLE | COMMAND] [OPTIONS]",
)


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version(PROGRAM)
    except PackageNotFoundError:
        number = "(not installed)"
    write_line(sys.stdout, f"{PROGRAM} {number}")
    raise typer.Exit


def _install_completion(shell: str | None) -> None:
    if shell is None:
        return
    from rollout_tui.completion import SCRIPTS, install, this_shell

    wanted = this_shell(os.environ) if shell == "-" else shell
    if wanted not in SCRIPTS:
        raise CommandError(f"name the shell to complete for: --install-completion {' | '.join(SCRIPTS)}")
    for path in install(wanted, os.environ):
        write_line(sys.stdout, safe_text(f"written: {path}"))
    write_line(sys.stdout, f"the next {wanted} that starts completes the words of {PROGRAM}")
    raise typer.Exit


BundlePath = Annotated[
    Path,
    typer.Argument(
        metavar="BUNDLE",
        show_default=False,
        readable=False,
        help="A bundle directory, any file in it, or a session file of codex.",
    ),
]
"""The bundle of a command that wants one."""


@app.callback(
    epilog="A first argument that is not a command is a bundle to open. Exit status: 0 clean; 1 done, but "
    "problems were found, or refused with --strict; 2 no bundle, unreadable, or wrong usage.",
)
def program(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit."),
    ] = False,
    install_completion: Annotated[
        str | None,
        typer.Option(
            "--install-completion",
            metavar="[SHELL]",
            show_default=False,
            is_eager=True,
            callback=_install_completion,
            help="Let bash, zsh or fish complete commands, bundles and what `show` can print, and exit.",
        ),
    ] = None,
) -> None:
    """A terminal inspector for Codex rollout traces."""


@app.command(name="open", options_metavar="[OPTIONS]")
def open_command(
    bundle: Annotated[
        Path | None,
        typer.Argument(
            metavar="BUNDLE",
            show_default=False,
            readable=False,
            help="A bundle directory, any file in it, a session file, the beginning of an id, or a "
            "directory to pick one from; BUNDLE#812 begins at a sequence number. By default you pick one "
            "of the bundles that `record` writes and the sessions of codex.",
        ),
    ] = None,
    ascii_wanted: Annotated[bool, typer.Option("--ascii", help="Draw with ASCII characters only.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Draw without colours.")] = False,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="SEQ", show_default=False, help="Begin at a sequence number."),
    ] = None,
    mouse: Annotated[
        bool,
        typer.Option("--mouse", help="Take the mouse; the terminal's own selection then needs shift."),
    ] = False,
    panes: Annotated[
        bool, typer.Option("--panes", help="Begin with the panes, and not with the overview.")
    ] = False,
    prices: Annotated[
        Path | None,
        typer.Option(
            "--prices",
            metavar="FILE",
            show_default=False,
            readable=False,
            help="What a million tokens cost by model, as JSON; "
            '{"MODEL": {"in": 1.25, "cached": 0.125, "out": 10}}.',
        ),
    ] = None,
) -> None:
    """Open the inspector. The word `open` may be left out."""
    from rollout_tui.commands import inspector

    gc.enable()
    color = not no_color
    raise typer.Exit(
        inspector.run(
            bundle, ascii_wanted=ascii_wanted, color=color, mouse=mouse, at=at, panes=panes, prices=prices
        )
    )


@app.command(name="reduce", options_metavar="[OPTIONS]")
def reduce_command(
    bundle: BundlePath,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            show_default=False,
            help="Where to write, - for standard output. By default BUNDLE/state.json.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse at the first problem.")] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Report the path and every problem as one JSON object."),
    ] = False,
) -> None:
    """Write the reduced graph of a bundle, and print where it was written.

    Problems are listed on standard error. With -o - the --json report goes there too.
    """
    from rollout_tui.commands.reduce import reduce_to_file

    raise typer.Exit(reduce_to_file(bundle, output, strict=strict, as_json=as_json))


@app.command(name="convert", options_metavar="[OPTIONS]")
def convert_command(
    session: Annotated[
        Path,
        typer.Argument(
            metavar="SESSION",
            show_default=False,
            readable=False,
            help="A session file of codex: rollout-*.jsonl.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="BUNDLE", show_default=False, help="The directory to make."),
    ],
) -> None:
    """Write a session that codex keeps by itself as a trace bundle, and print where it was written.

    Children, forks and reviewers of the run are found beside it. Its manifest says that it was rebuilt: what
    a session does not keep, such as requests as they were sent, is not in it.
    """
    from rollout_tui.commands.reduce import list_problems
    from rollout_tui.commands.sessions import convert

    status, found = convert(session, output)
    list_problems(found.problems)
    raise typer.Exit(status)


@app.command(name="ls", options_metavar="[OPTIONS]")
def ls_command(
    root: Annotated[
        Path | None,
        typer.Argument(
            metavar="ROOT",
            show_default=False,
            readable=False,
            help="A directory of bundles, or of sessions of codex. By default the bundles that `record` "
            "writes, and the sessions in $CODEX_HOME.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as one JSON document.")] = False,
) -> None:
    """List runs by their bundles and sessions, newest first, those of one session together."""
    from rollout_tui.commands.ls import list_runs

    raise typer.Exit(list_runs(root, as_json=as_json))


@app.command(name="report", options_metavar="[OPTIONS]")
def report_command(
    bundle: BundlePath,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            show_default=False,
            help="FILE.html or FILE.md. By default, and with -, Markdown on standard output.",
        ),
    ] = None,
    redact: Annotated[
        bool, typer.Option("--redact", help="Replace all texts: what gives the run its shape stays.")
    ] = False,
    copy: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="DIR",
            show_default=False,
            help="Write a redacted copy of the bundle, too; a report of it only with -o.",
        ),
    ] = None,
) -> None:
    """Write a run as one file to hand over: what happened, what failed, tokens, time, with the evidence.

    Nothing in it is loaded from elsewhere, and no text of the recording is markup in it. It quotes the
    recording, secrets too, unless --redact replaces its texts by numbered placeholders. What was
    replaced is counted, and what was written is searched for the originals: if one is left, nothing is there.
    """
    from rollout_tui.commands.report import report_run

    raise typer.Exit(report_run(bundle, output, redact=redact, bundle=copy))


@app.command(name="grep", options_metavar="[OPTIONS]")
def grep_command(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", show_default=False, help="What to look for: capitals count if there are any."
        ),
    ],
    root: Annotated[
        Path | None,
        typer.Argument(
            metavar="ROOT",
            show_default=False,
            readable=False,
            help="A directory of bundles or sessions, or one of these. By default all there are.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Places of a run at most.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as one JSON document.")] = False,
) -> None:
    """Look for a text in all runs, newest first; BUNDLE#812 or SESSION#L12 opens such a place.

    Bytes are searched, and nothing is reduced. The status is 1 if it is nowhere.
    """
    from rollout_tui.commands.grep import grep

    raise typer.Exit(grep(text, root, limit=limit, as_json=as_json))


@app.command(name="check", options_metavar="[OPTIONS]")
def check_command(
    bundle: BundlePath,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole report as one JSON object; lists are not cut.")
    ] = False,
) -> None:
    """Check whether a bundle is whole: its log, payloads, lifecycles and graph.

    A problem (exit status 1) is an event that could not be applied, a line or payload that is missing or
    cannot be read, an unknown kind of event, or something that ended without having started. Unknown fields,
    work that still ran when the recording stopped or was cancelled with its turn, and things that nobody saw
    are notes (exit status 0).
    """
    from rollout_tui.commands.check import check

    raise typer.Exit(check(bundle, as_json=as_json))


def _of_show(field: str, **more: Any) -> Any:
    """An option of `show`, as it is declared."""
    option = OPTIONS[field]
    return typer.Option(
        *option.names, metavar=option.metavar or None, help=option.help, show_default=False, **more
    )


@app.command(name="show", options_metavar="[OPTIONS]")
def show_command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="BUNDLE WHAT",
            show_default=False,
            help="A bundle directory, any file in it, or a session file of codex; and such as `call 3`, "
            "`call 3 of /root/alpha` or `failures`. Without WHAT, all that it can be is listed.",
        ),
    ] = None,
    as_json: Annotated[bool, _of_show("as_json")] = False,
    content: Annotated[bool, _of_show("content")] = False,
    limit: Annotated[int | None, _of_show("limit", min=0)] = None,
    after: Annotated[str | None, _of_show("after")] = None,
    schema: Annotated[bool, _of_show("schema")] = False,
    raw: Annotated[bool, _of_show("raw")] = False,
    output: Annotated[str | None, _of_show("output")] = None,
    prices: Annotated[str | None, _of_show("prices")] = None,
) -> None:
    """Print an answer or one thing of a bundle: summary, tokens, waits; a call, a compaction, an edge."""
    from rollout_tui.commands.show import show_asked

    asked = Asked(tuple(words or ()), as_json, content, limit, after, schema, raw, output, prices)
    if not asked.words and not schema:
        raise typer.BadParameter("Missing argument 'BUNDLE'.")
    raise typer.Exit(show_asked(asked))


@app.command(
    name="record",
    options_metavar="[OPTIONS] --",
    # What follows the command belongs to the command.
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True},
)
def record_command(
    command: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND...", show_default=False, help="The command and its arguments."),
    ],
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            metavar="ROOT",
            show_default=False,
            help="Where bundles go. By default $CODEX_ROLLOUT_TRACE_ROOT, or else rollout-tui/traces in "
            "$XDG_STATE_HOME.",
        ),
    ] = None,
    no_tui: Annotated[
        bool, typer.Option("--no-tui", help="Only record; the command has the terminal.")
    ] = False,
    ascii_wanted: Annotated[bool, typer.Option("--ascii", help="Draw with ASCII characters only.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Draw without colours.")] = False,
    mouse: Annotated[bool, typer.Option("--mouse", help="Take the mouse.")] = False,
) -> None:
    """Run a command with tracing on, and open the inspector on the bundle it writes.

    The exit status is that of the command.
    """
    from rollout_tui.commands.record import Drawing, record

    gc.enable()
    drawing = Drawing(ascii_wanted=ascii_wanted, color=not no_color, mouse=mouse)
    raise typer.Exit(record(command, root, with_tui=not no_tui, drawing=drawing))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: The command line without the program's name; by default that of the process.

    Returns:
        The exit status, as `status_of` has it.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    return status_of(lambda: _run(given))


def _refuse_misspelled(words: list[str]) -> None:
    """Refuse a bundle that is none, but nearly a command.

    Raises:
        CommandError: that is so.
    """
    word = words[0] if words else "-"
    if word.startswith("-") or os.sep in word or os.path.lexists(word):
        return
    from difflib import get_close_matches

    from rollout_tui.default_root import bundles_called

    near = get_close_matches(word, COMMANDS, 1, 0.6)
    if near and not bundles_called(word, os.environ):
        raise CommandError(f"{word}: no such file or directory, and no command; did you mean {near[0]}?")


def _run(given: list[str]) -> int:
    """Run the command that a command line means."""
    meant = with_command(given)
    if meant[:1] != given[:1]:
        _refuse_misspelled(meant[1:])
    try:
        status = typer.main.get_command(app).main(meant, prog_name=PROGRAM, standalone_mode=False)
    except typer.Exit as ended:
        return ended.exit_code
    except SystemExit:
        # How typer ends when its own output, such as the help, has lost its reader.
        return READER_GONE
    except typer.TyperException as error:
        complain(error.format_message())
        raise CommandError(f"`{PROGRAM} --help` says how it is used") from None
    return status if isinstance(status, int) else CLEAN


def with_command(given: Sequence[str]) -> list[str]:
    """The command line with the `open` that may be left out.

    A bundle whose directory is called as a command is opened as `./reduce`.
    """
    if list(given) == ["--install-completion"]:
        return [*given, "-"]  # the shell that is running
    if given and (given[0] in COMMANDS or given[0].partition("=")[0] in _GLOBAL_OPTIONS):
        return list(given)
    return ["open", *given]
