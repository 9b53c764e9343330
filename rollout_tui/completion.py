"""What a shell offers for the word at the cursor, and the scripts by which it asks.

A shell sets `VARIABLE` and runs the program with the words of the line. The answer is a line that says if
file names are meant as well, and a line for each word. Shells take these lines as data: no name is ever
evaluated by one. Nothing of typer or the reducer is imported, since somebody waits after pressing a key.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from rollout_tui.default_root import bundles_called, short_name, threads_called
from rollout_tui.language.asking import By
from rollout_tui.language.show_options import OPTIONS as SHOW_OPTIONS
from rollout_tui.language.vocabulary import words_of

VARIABLE = "_ROLLOUT_TUI_COMPLETE"
"""Holds the place of the word at the cursor; 1 is the first after the program."""

OPTIONS: dict[str, tuple[str, ...]] = {
    "": ("--help", "--version", "--install-completion"),
    "open": ("--ascii", "--no-color", "--at", "--mouse", "--panes", "--prices", "--help"),
    "reduce": ("--output", "--strict", "--json", "--help"),
    "ls": ("--json", "--help"),
    "check": ("--json", "--help"),
    "record": ("--root", "--no-tui", "--ascii", "--no-color", "--mouse", "--help"),
    "show": (*(option.names[0] for option in SHOW_OPTIONS.values()), "--help"),
    "convert": ("--output", "--help"),
    "report": ("--output", "--redact", "--bundle", "--help"),
    "grep": ("--limit", "--json", "--help"),
}
"""The long options of the commands, and of the program itself."""

_OF_A_BUNDLE = frozenset({"open", "reduce", "check", "show", "ls", "report"})
_WITH_VALUE = frozenset({"--at", "--output", "-o", "--root", "--prices", "--limit", "--after", "--bundle"})

_MIN_ID = 2
"""Characters after which threads of codex are offered: it keeps very many, and all begin with the time."""

_BASH = f"""\
_rollout_tui() {{
    local line kind=
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ -z $kind ]]; then kind=$line; else COMPREPLY+=("$line"); fi
    done < <({VARIABLE}=$COMP_CWORD "$1" "${{COMP_WORDS[@]:1}}" 2>/dev/null)
    if [[ $kind == files && ${{#COMPREPLY[@]}} -gt 0 ]]; then
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$2")
        compopt -o filenames 2>/dev/null
    elif [[ $kind != files ]]; then
        compopt +o default +o bashdefault 2>/dev/null
    fi
}}
complete -o bashdefault -o default -F _rollout_tui rollout-tui
"""

_ZSH = f"""\
(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit }}
_rollout_tui() {{
    local -a lines
    lines=("${{(@f)$({VARIABLE}=$((CURRENT - 1)) rollout-tui "${{(@Q)words[2,-1]}}" 2>/dev/null)}}")
    (( $#lines > 1 )) && compadd -- "${{(@)lines[2,-1]}}"
    [[ $lines[1] == files ]] && _files
}}
compdef _rollout_tui rollout-tui
"""

_FISH = f"""\
function __rollout_tui_complete
    set -l words (commandline -opc) (commandline -ct)
    set -lx {VARIABLE} (math (count $words) - 1)
    set -l lines (rollout-tui $words[2..-1] 2>/dev/null)
    string join \\n -- $lines[2..-1]
    if test "$lines[1]" = files
        __fish_complete_path (commandline -ct)
    end
end
complete -c rollout-tui -f -a '(__rollout_tui_complete)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
"""By the shell: what it is to run."""


def answer(words: Sequence[str], place: str, environ: Mapping[str, str]) -> list[str]:
    """The lines of an answer to a shell.

    Args:
        words: of the command line, after the program.
        place: of the word at the cursor among them, from 1.
        environ: the environment.
    """
    at = int(place) if place.isdecimal() else len(words)
    before, word = list(words[: max(0, at - 1)]), words[at - 1] if 0 < at <= len(words) else ""
    wants_files, offered = _offered(before, word, environ)
    fitting = [one for one in offered if one.startswith(word) and one.isprintable()]
    return ["files" if wants_files else "words", *dict.fromkeys(fitting)]


def _offered(before: list[str], word: str, environ: Mapping[str, str]) -> tuple[bool, list[str]]:
    """Whether file names are meant, and what else may stand at the place of a word."""
    commands = [name for name in OPTIONS if name]
    command = before[0] if before and before[0] in commands else "open"
    if command == "record" and "--" in before:
        return True, []
    if word.startswith("-"):
        return False, [*OPTIONS[command], *([] if before else OPTIONS[""])]
    if before and before[-1] == "--install-completion":
        return False, list(SCRIPTS)
    if before and before[-1] in _WITH_VALUE:
        return before[-1] != "--at", []
    given = [one for one in before if not one.startswith("-")][before[:1] == [command] :]
    if command in _OF_A_BUNDLE and not given:
        names = [short_name(path.name) for path in bundles_called(word, environ)]
        threads = threads_called(word, environ) if len(word) >= _MIN_ID else []
        return True, [*([] if before else commands), *names, *threads]
    if command == "show":
        return False, _what(given[1:])
    return command == "record", []


def _what(words: list[str]) -> list[str]:
    """What may follow some words of WHAT; numbers are not offered, they would need the whole graph."""
    if not words:
        return [word.name for word in words_of("shown")]
    if words[0] == "tokens":
        return [*get_args(By)] if words[-1] == "by" else ["by", "of"] if len(words) == 1 else []
    takes_agent = any(word.name == words[0] and word.argument == "[of AGENT]" for word in words_of("shown"))
    return ["of"] if len(words) == 2 or (takes_agent and len(words) == 1) else []


def install(shell: str, environ: Mapping[str, str]) -> list[Path]:
    """Write the script for a shell where it finds it.

    Bash and zsh are led to it by a line in the file that they read when they start.

    Args:
        shell: a key of `SCRIPTS`.
        environ: the environment.

    Returns:
        The files that were written.

    Raises:
        OSError: one cannot be written.
    """
    home = Path.home()
    if shell == "fish":
        script = _base(environ, "XDG_CONFIG_HOME", home / ".config") / "fish/completions/rollout-tui.fish"
    else:
        script = _base(environ, "XDG_DATA_HOME", home / ".local/share") / f"rollout-tui/completion.{shell}"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(SCRIPTS[shell])
    if shell == "fish":
        return [script]
    start = home / ".bashrc" if shell == "bash" else Path(environ.get("ZDOTDIR") or home) / ".zshrc"
    quoted = "'" + os.fspath(script).replace("'", "'\\''") + "'"
    line = f"source {quoted}"
    text = os.fsdecode(start.read_bytes()) if start.exists() else ""
    if line in text.splitlines():
        return [script]
    with open(start, "ab") as file:
        file.write(os.fsencode(("" if not text or text.endswith("\n") else "\n") + line + "\n"))
    return [script, start]


def _base(environ: Mapping[str, str], name: str, otherwise: Path) -> Path:
    named = environ.get(name)
    return Path(named) if named and os.path.isabs(named) else otherwise


def this_shell(environ: Mapping[str, str]) -> str:
    """The shell that started the program, or else the one that `$SHELL` names; may be none of `SCRIPTS`."""
    try:
        parent = Path(f"/proc/{os.getppid()}/comm").read_text().strip()
    except OSError:
        parent = ""
    return parent if parent in SCRIPTS else os.path.basename(environ.get("SHELL", ""))


def complete() -> int:
    """Answer the shell that set `VARIABLE`; the exit status. It never says a word of what goes wrong."""
    try:
        lines = answer(sys.argv[1:], os.environ[VARIABLE], os.environ)
        os.write(1, os.fsencode("".join(f"{line}\n" for line in lines)))
    except Exception:  # whatever it is, a traceback in the middle of a command line helps nobody
        return 1
    return 0
