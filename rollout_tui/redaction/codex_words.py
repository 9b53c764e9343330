"""What codex itself says around texts: how a process ended, where an output was cut, which context begins.

Lines and marks of these forms stay: they hold no words but codex's own, and numbers.
"""

from __future__ import annotations

import re

_NUMBER = r"-?\d{1,8}(?:\.\d{1,6})?"

KEPT_LINE = re.compile(
    rf"Chunk ID: [0-9a-f]{{6}}|Wall time:? {_NUMBER} (?:s|seconds|milliseconds)|Exit code: {_NUMBER}"
    rf"|Process exited with code {_NUMBER}|Process running with session ID {_NUMBER}"
    rf"|Original token count: {_NUMBER}|Total output lines: {_NUMBER}"
    rf"|Warning: truncated output \(original token count: {_NUMBER}\)|\.\.\. {_NUMBER} bytes omitted \.\.\."
    r"|Script (?:completed|failed|terminated|running with cell ID \d{1,6})|Script error:|Output:|Payload:"
    r"|Message Type: (?:NEW_TASK|MESSAGE|FINAL_ANSWER)"
    r"|\*\*\* (?:Begin|End) Patch|\*\*\* End of File|@@"
)
"""A line that stays as a whole."""

_TAGS = (
    "environment_context|user_instructions|permissions instructions|skills_instructions|collaboration_mode"
    "|turn_aborted|user_shell_command|subagent_notification|user_action|skill|hook_prompt|goal_context"
    "|memory_context|apps_instructions|plugins_instructions|INSTRUCTIONS|tools|cwd|shell|image|multi_agent_mode"
)

MARKS = re.compile(
    rf"(…\s?{_NUMBER} (?:tokens|chars|characters|bytes|lines) truncated\s?…|</?(?:{_TAGS})>"
    r"|(?<!\S)(?:status(?: code)?:? [1-5]\d\d|exec_main\.mjs:\d{1,9}:\d{1,9})(?!\S)"
    r"|^\*\*\* (?:Add|Update|Delete) File: |^\*\*\* Move to: |^# AGENTS\.md instructions(?: for )?"
    r"|^Another language model started to solve this problem and produced a summary"
    r"|^(?:Task name|Sender|Recipient|Author): )"
)
"""What stays within a line: told apart also from placeholders that stand directly before and behind it."""

KEPT_TEXTS = frozenset(
    {"bash", "/bin/bash", "/usr/bin/bash", "sh", "/bin/sh", "zsh", "/bin/zsh", "-c", "-lc", "-l", "aborted"}
)
"""Whole texts that stay: the shell around a command, and what codex answers for a call that was cut off."""

PUNCTUATION = re.compile(r"[{}\[\]();,]{1,3}")
"""What stays of a line that has nothing else: the brackets of code."""

DATA_URL = re.compile(
    r"data:(?:image/(?:png|jpeg|gif|webp)|audio/(?:wav|mpeg)|application/(?:octet-stream|pdf)|text/plain)"
    r";base64,"
)
"""How the text of a picture or another file begins."""
