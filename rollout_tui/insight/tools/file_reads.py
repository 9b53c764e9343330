"""Which files a tool call reads, as far as its command or its arguments name them."""

from __future__ import annotations

import posixpath
import re
import shlex

from reducer.model import ConversationItem, ExecCommandRequest, ToolCall
from reducer.wire.events import Mcp, OtherTool
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tools.words import argument

_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish"})
_READERS = frozenset({"cat", "nl", "head", "tail", "less", "more", "bat", "sed", "awk", "wc"})
_WITH_A_SCRIPT = frozenset({"sed", "awk"})
"""Programs whose first word that is no option is a script."""

_WITH_A_NUMBER = frozenset({"-n", "-c"})
"""Options of `head` and `tail` behind which a number stands."""

_SETTING = frozenset({"cd", "export", "set", "source", ".", "for", "done", "fi"})
"""Words with which a command begins that only prepares others, or is the frame of a loop."""

_BEFORE_A_COMMAND = frozenset({"do", "then", "else", "if", "while", "until", "!", "{", "(", "time", "env"})
_ENDS = frozenset({"|", "||", "&&", "&", ";"})
_READING_TOOL = re.compile(r"(?:^|_|\b)(?:read|view|open|cat)(?:_|\b|$)", re.IGNORECASE)
_PATHS = ("path", "file_path", "file", "filename")
_LONGEST = 20_000
"""Characters of a command that is looked into; a longer one writes files rather than read some."""


def command_of(index: TraceIndex, call: ToolCall) -> str | None:
    """The command line that a call ran in a shell, or as a list of words; None if it ran none. Evidence."""
    operation = index.trace.terminal_operations.get(call.terminal_operation_id or "")
    if operation is None or not isinstance(operation.request, ExecCommandRequest):
        return None
    command = operation.request.command
    if len(command) == 3 and posixpath.basename(command[0]) in _SHELLS and command[1] in ("-c", "-lc"):
        return command[2]
    return operation.request.display_command or shlex.join(command)


def program_of(command: str) -> str:
    """The program that a command line runs first, beside `cd`: `pytest` of `cd x && pytest -q`."""
    programs = (posixpath.basename(words[0]) for words in _commands(command))
    return next((one for one in programs if one not in _SETTING), "")


def files_read(index: TraceIndex, call: ToolCall) -> list[str]:
    """The files that a tool call reads, as they are named, each once. Evidence.

    A command that reads by other means, such as a script, is not seen through.
    """
    if isinstance(call.kind, Mcp | OtherTool):
        name = call.kind.tool if isinstance(call.kind, Mcp) else call.kind.name
        named = (argument(call, one) for one in _PATHS) if _READING_TOOL.search(name) else ()
        return [path for path in named if path][:1]
    command = command_of(index, call)
    if command is None or len(command) > _LONGEST:
        return []
    found: dict[str, None] = {}
    for words in _commands(command):
        if posixpath.basename(words[0]) in _READERS:
            found.update(dict.fromkeys(_files_of(words)))
    return list(found)


def _commands(command: str) -> list[list[str]]:
    """The commands of a line, each as its words; a line that no shell could read has none."""
    lexer = shlex.shlex(command[:_LONGEST], posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word in _ENDS:
                found.append([])
            elif found[-1] or not (word in _BEFORE_A_COMMAND or re.fullmatch(r"\w+=.*", word, re.DOTALL)):
                found[-1].append(word)
    except ValueError:
        return []
    return [words for words in found if words]


def _files_of(words: list[str]) -> list[str]:
    """What stands as a file behind the name of a program that reads files."""
    program, files = posixpath.basename(words[0]), []
    is_script_due = program in _WITH_A_SCRIPT
    skips = False
    for word in words[1:]:
        if skips:
            skips = False
        elif word.startswith((">", "<", "2>", "&>")):
            break  # what is written, or a text in the line itself
        elif word.startswith("-"):
            skips = program in ("head", "tail") and word in _WITH_A_NUMBER
        elif is_script_due:
            is_script_due = False
        elif not word.isdigit():
            files.append(posixpath.normpath(word))
    return files


def outputs_of(index: TraceIndex, call: ToolCall) -> list[ConversationItem]:
    """The items in which an agent was shown what a tool call gave: of one in a script those of the script."""
    cell = index.cell_around(call)
    if cell is None:
        return index.items(call.model_visible_output_item_ids)
    starter = index.trace.tool_calls.get(index.lookups.exec_of_cell.get(cell.code_cell_id, ""))
    shown = [] if starter is None else starter.model_visible_output_item_ids
    return index.items(dict.fromkeys([*cell.output_item_ids, *shown]))
