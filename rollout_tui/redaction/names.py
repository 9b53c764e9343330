"""Names in the place of names: of fields, tools, models, agents and files, each of a form that will do."""

from __future__ import annotations

import re

from reducer.rules.agent_events import is_agent_path
from rollout_tui.redaction.ids import Ids, is_uuid
from rollout_tui.redaction.placeholders import Placeholders
from rollout_tui.redaction.vocabulary import FIELDS, NAMES, is_plain_model

KEPT_SEGMENT = re.compile(r"\.{0,2}|~|payloads|\d{1,9}\.json|\d{6,20}\.zst|manifest\.json|trace\.jsonl")
"""What stays of a path: the names that a bundle has."""
OWN_AGENTS = ("", "root", "morpheus")
"""What stays of the path of an agent: what codex calls those that it starts itself."""

_AGENT_NAME = re.compile(r"[a-z0-9_]+")
_ORDINAL_KEY = re.compile(r"\d{1,4}")


class Names:
    """Maps names one to one."""

    def __init__(self, placeholders: Placeholders, ids: Ids) -> None:
        """Nothing was named yet.

        Args:
            placeholders: of the recording.
            ids: of the recording.
        """
        self._placeholders = placeholders
        self._ids = ids

    def key(self, key: str) -> str:
        """The name of a field: itself if it is known, or else an id, a path or a number."""
        if key in FIELDS or _ORDINAL_KEY.fullmatch(key) is not None or not key:
            return key
        if is_uuid(key):
            return self._ids.mapped(key)
        if is_agent_path(key):
            return self.agent_path(key)
        return self.path(key) if key.startswith("/") else self._placeholders.word("key-", key)

    def path(self, path: str) -> str:
        """A path, segment by segment."""
        return "/".join(map(self._segment, path.split("/")))

    def _segment(self, segment: str) -> str:
        if KEPT_SEGMENT.fullmatch(segment) is not None:
            return segment
        return self._placeholders.word("part_", segment)

    def agent(self, text: str) -> str | None:
        """The path or the name of an agent, which is the last part of its path; None for what is neither."""
        if is_agent_path(text):
            return self.agent_path(text)
        is_name = _AGENT_NAME.fullmatch(text) is not None and not is_uuid(text)
        return self._agent_name(text) if is_name else None

    def agent_path(self, path: str) -> str:
        """The path of an agent."""
        return "/".join(map(self._agent_name, path.split("/")))

    def _agent_name(self, name: str) -> str:
        return name if name in OWN_AGENTS else self._placeholders.word("agent_", name)

    def tool(self, name: str) -> str:
        """The name of a tool, a server or a provider; what codex calls its own stays, also before a dot."""
        parts = name.split(".")
        return ".".join(
            one if one in NAMES or not one else self._placeholders.word("name_", one) for one in parts
        )

    def model(self, name: str) -> str:
        """The name of a model."""
        return name if is_plain_model(name) else self._placeholders.word("model-", name)
