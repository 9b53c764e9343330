"""One bundle in a few facts, from its manifest, the kinds of its events and a handful of small payloads."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from reducer import Bundle, BundleError, UnreadablePayload, open_bundle
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.bundles.log_scan import LogScan, scan_log

Status = Literal["live", "completed", "failed", "aborted", "stopped", "unusable"]
"""`live` is still written, `stopped` ended without saying so, `unusable` has no manifest that can be read."""

MAX_RESPONSES = 256
"""Responses whose tokens are added up. Of more, this many spread over the whole stand for all of them."""

MAX_READ = 8_000_000
"""Bytes of a payload that is read: usual ones have some ten thousand, and a list must not wait for others."""

_MAX_INSTRUCTION = 500
"""Characters of an instruction that are kept."""

_PUT_IN = re.compile(r"\s*(?:<(\w+)[ >].*</\1>\s*\Z|# AGENTS\.md )", re.DOTALL)
"""What Codex itself says in the user's name."""


_IMAGE_TAG = re.compile(r"\s*</?image\b[^>]*>\s*")
"""What stands around an image."""


@dataclass(frozen=True, slots=True)
class BundleSummary:
    """What a bundle is about.

    Attributes:
        path: the bundle directory.
        status: how its recording stands.
        problem: why it is unusable, or what of it could not be read; None if nothing is known to be wrong.
        started_at_unix_ms: when the recording began; when its manifest was written, if that cannot be read.
        written_at_unix_ms: when its log was last written.
        recording_completed: whether the recording was shut down in an orderly way.
        schema_version: version of the trace schema; None for an unusable bundle.
        trace_id: identity of the recording.
        root_thread_id: the thread at the root of its agents.
        session_id: the session it belongs to, by what was recorded; its root thread otherwise.
        forked_from_id: the thread that its root thread was forked from.
        parent_thread_id: the thread, of another bundle, for which its root thread works, as reviewers do.
        role: what its root thread is to its parent, such as `review`; empty for a session of its own.
        agents: how many threads were started.
        turns: how many turns were started.
        calls: how many inference calls were started.
        compactions: how many compactions were installed.
        tokens: input and output tokens of all calls; None if no response tells any.
        tokens_are_estimated: whether they are reckoned from some of the responses.
        bytes: size of all its files.
        instruction: the last thing a user says in its first request; empty if there is none yet.
        model: the model of the root thread.
        cwd: its working directory.
    """

    path: Path
    status: Status
    problem: str | None
    started_at_unix_ms: int
    written_at_unix_ms: int
    recording_completed: bool = False
    schema_version: int | None = None
    trace_id: str = ""
    root_thread_id: str = ""
    session_id: str = ""
    forked_from_id: str | None = None
    parent_thread_id: str | None = None
    role: str = ""
    agents: int = 0
    turns: int = 0
    calls: int = 0
    compactions: int = 0
    tokens: int | None = None
    tokens_are_estimated: bool = False
    bytes: int = 0
    instruction: str = ""
    model: str = ""
    cwd: str = ""


class Summariser:
    """Makes the summary of one bundle, and again when it has grown, at the cost of what is new."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self._path = path
        self._bundle: Bundle | None = None
        self._scan: LogScan | None = None
        self._tokens: dict[str, int] = {}
        self._instruction: str | None = None
        self._about: _About | None = None

    def summary(self) -> BundleSummary:
        """Read what is new. A bundle without an end is `stopped` here: who writes it is not asked."""
        try:
            if self._bundle is None:
                self._bundle = open_bundle(self._path)
        except BundleError as error:
            written = _written(self._path / "manifest.json")
            return BundleSummary(self._path, "unusable", str(error), written, written)
        bundle, manifest = self._bundle, self._bundle.manifest
        problem = None
        try:
            self._scan = scan_log(bundle, self._scan)
        except BundleError as error:
            problem = str(error)
        scan = self._scan if self._scan is not None else LogScan(bundle)
        if self._about is None or not scan.configured:
            self._about = _about(bundle, scan)
        about = self._about
        tokens, estimated = self._tokens_of(scan)
        return BundleSummary(
            path=self._path,
            status=_status(scan.end_status),
            problem=problem,
            started_at_unix_ms=manifest.started_at_unix_ms,
            written_at_unix_ms=_written(bundle.log_path) or manifest.started_at_unix_ms,
            recording_completed=bool(scan.kinds["recording_completed"]),
            schema_version=manifest.schema_version,
            trace_id=manifest.trace_id,
            root_thread_id=manifest.root_thread_id,
            session_id=about.session_id or manifest.root_thread_id,
            forked_from_id=about.forked_from_id,
            parent_thread_id=about.parent_thread_id,
            role=about.role,
            agents=len(scan.thread_ids),
            turns=scan.kinds["codex_turn_started"],
            calls=scan.kinds["inference_started"],
            compactions=scan.kinds["compaction_installed"],
            tokens=tokens,
            tokens_are_estimated=estimated,
            bytes=_size_of(self._path),
            instruction=self._instruction_of(bundle, scan),
            model=about.model,
            cwd=about.cwd,
        )

    def _instruction_of(self, bundle: Bundle, scan: LogScan) -> str:
        if self._instruction is None and scan.first_request is not None:
            self._instruction = _instruction(bundle, scan.first_request)
        return self._instruction or ""

    def _tokens_of(self, scan: LogScan) -> tuple[int | None, bool]:
        """Tokens of all responses, and whether they are estimated."""
        refs: Sequence[PayloadRef] = scan.responses
        total = len(refs)
        if total > MAX_RESPONSES:
            refs = [refs[place * total // MAX_RESPONSES] for place in range(MAX_RESPONSES)]
        bundle = self._bundle
        for ref in refs:
            if ref.place not in self._tokens and bundle is not None:
                self._tokens[ref.place] = _tokens(_payload(bundle, ref))
        added = sum(self._tokens[ref.place] for ref in refs)
        if not added:
            return None, False
        return (added, False) if len(refs) == total else (added * total // len(refs), True)


def _status(end_status: str | None) -> Status:
    for status in ("completed", "failed", "aborted"):
        if end_status == status:
            return status
    return "stopped"


@dataclass(frozen=True, slots=True)
class _About:
    """What the metadata tell of the root thread."""

    session_id: str = ""
    forked_from_id: str | None = None
    parent_thread_id: str | None = None
    role: str = ""
    model: str = ""
    cwd: str = ""


def _about(bundle: Bundle, scan: LogScan) -> _About:
    metadata = _payload(bundle, scan.metadata)
    root = bundle.manifest.root_thread_id
    told = (_payload(bundle, ref) for ref in scan.configured)
    configured = next((one for one in told if one.get("thread_id") == root), {})
    return _About(
        session_id=_text(configured, "session_id"),
        forked_from_id=_text(configured, "forked_from_id") or None,
        parent_thread_id=_text(configured, "parent_thread_id") or None,
        role=_role(metadata.get("session_source")),
        model=_text(metadata, "model") or _text(configured, "model"),
        cwd=_text(metadata, "cwd") or _text(configured, "cwd"),
    )


def _role(source: Any) -> str:
    """What a thread with this source is to another one: `{"subagent": "review"}` is a reviewer."""
    role = source.get("subagent") if isinstance(source, dict) else None
    if isinstance(role, dict):
        role = next(iter(role), "")
    return role if isinstance(role, str) else ""


def _instruction(bundle: Bundle, ref: PayloadRef) -> str:
    items = _payload(bundle, ref).get("input")
    for item in reversed(items if isinstance(items, list) else []):
        if isinstance(item, dict) and item.get("role") == "user":
            said = _said(item.get("content"))
            if said and not _PUT_IN.match(said):
                return said[:_MAX_INSTRUCTION]
    return ""


def _said(content: Any) -> str:
    if isinstance(content, str):
        return content.strip()
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    said = (text for text in texts if isinstance(text, str) and not _IMAGE_TAG.fullmatch(text))
    return "\n".join(said).strip()


def _tokens(response: dict[str, Any]) -> int:
    usage = response.get("token_usage")
    if not isinstance(usage, dict):
        return 0
    counts = (usage.get(name) for name in ("input_tokens", "output_tokens"))
    return sum(one for one in counts if isinstance(one, int) and one > 0)


def _payload(bundle: Bundle, ref: PayloadRef | None) -> dict[str, Any]:
    """A payload that is a JSON object; an empty one where there is none, or one too large to be read here."""
    if ref is None or ref.is_partial or (bundle.payloads.size(ref) or 0) > MAX_READ:
        return {}
    try:
        value = orjson.loads(bundle.read_payload(ref))
    except (UnreadablePayload, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _written(path: Path) -> int:
    """When a file was last written, in milliseconds since 1970; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns // 1_000_000
    except OSError:
        return 0


def _size_of(path: Path) -> int:
    """Bytes of the files of a bundle; links are not followed."""
    total = 0
    for directory in (path, path / "payloads"):
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total
