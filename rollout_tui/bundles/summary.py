"""One bundle in a few facts, from its manifest, the kinds of its events and a handful of small payloads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

import orjson
from msgspec import Struct
from msgspec.structs import replace

from reducer import Bundle, BundleError, UnreadablePayload, open_bundle
from reducer.model.session import RecordingStatus
from reducer.schemas import Schema
from reducer.schemas.choice import schema_of
from reducer.storage.bundle import PAYLOADS
from reducer.storage.payload_store import read_payload
from reducer.storage.stored_payloads import StoredPayloads
from reducer.wire.payload_refs import PayloadRef, ShardRef
from rollout_tui.bundles.instructions import last_asked
from rollout_tui.bundles.log_scan import LogScan, scan_log

T = TypeVar("T")

Status = Literal["live", "completed", "failed", "aborted", "stopped", "unknown", "unusable", "reading"]
"""`live` is still written, `stopped` ended without saying so, `unknown` is of a schema that is not known,
`unusable` has no manifest that can be read, or is no session file that can; `reading` is not read yet."""

MAX_RESPONSES = 256
"""Responses whose tokens are added up. Of more, this many spread over the whole stand for all of them."""

MAX_SHARDS = 16
"""Shards that are decoded for the tokens of responses, about 10 ms each; of more, as many spread over all."""

MAX_READ = 8_000_000
"""Bytes of a payload that is read: usual ones have some ten thousand, and a list must not wait for others."""


class RunSummary(Struct, frozen=True):
    """What a run is about, as a bundle or its session files tell.

    Attributes:
        path: the bundle directory; of a session its first file.
        status: how its recording stands.
        problem: why it is unusable, or what of it could not be read; None if nothing is known to be wrong.
        started_at_unix_ms: when the recording began; when it was written, if that cannot be read.
        written_at_unix_ms: when its log was last written.
        root_thread_id: the thread at the root of its agents.
        session_id: the session it belongs to, by what was recorded; its root thread otherwise.
        forked_from_id: the thread that its root thread was forked from.
        parent_thread_id: the thread, of another run, for which its root thread works, as reviewers do.
        role: what its root thread is to its parent, such as `review`; empty for a session of its own.
        agents: how many threads were started; None where that is not known.
        turns: how many turns were started; likewise.
        calls: how many inference calls were started, in a session how many gave a response; likewise.
        compactions: how many compactions were installed; likewise.
        failures_at_least: how many failures events tell by themselves: of some others, such as a wait whose
            time was over, and what never ended, only the graph knows. None where nothing is counted.
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
    root_thread_id: str = ""
    session_id: str = ""
    forked_from_id: str | None = None
    parent_thread_id: str | None = None
    role: str = ""
    agents: int | None = 0
    turns: int | None = 0
    calls: int | None = 0
    compactions: int | None = 0
    failures_at_least: int | None = 0
    tokens: int | None = None
    tokens_are_estimated: bool = False
    bytes: int = 0
    instruction: str = ""
    model: str = ""
    cwd: str = ""


UNCOUNTED: dict[str, Any] = dict.fromkeys(("agents", "turns", "calls", "compactions", "failures_at_least"))
"""The numbers of a summary, where they are not known."""


class BundleSummary(RunSummary, frozen=True):
    """What a bundle is about.

    Attributes:
        recording_completed: whether the recording was shut down in an orderly way.
        recording_status: the same as the graph says it where a schema tells more: also whether payloads were
            cut; None for other schemas.
        schema_version: version of the trace schema; None for an unusable bundle.
        is_schema_known: whether this program knows the schema; if not, nothing is counted.
        trace_id: identity of the recording.
    """

    recording_completed: bool = False
    recording_status: RecordingStatus | None = None
    schema_version: int | None = None
    is_schema_known: bool = True
    trace_id: str = ""


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
        self._schema: Schema | None = None
        self._is_told = False

    def outline(self) -> BundleSummary:
        """What the manifest tells; nothing is counted."""
        try:
            if self._bundle is None:
                self._bundle = open_bundle(self._path)
        except BundleError as error:
            written = _written(self._path / "manifest.json")
            return BundleSummary(self._path, "unusable", str(error), written, written)
        bundle, manifest = self._bundle, self._bundle.manifest
        return BundleSummary(
            path=self._path,
            status="reading",
            problem=None,
            started_at_unix_ms=manifest.started_at_unix_ms,
            written_at_unix_ms=bundle.log_written_at_unix_ms() or manifest.started_at_unix_ms,
            schema_version=manifest.schema_version,
            trace_id=manifest.trace_id,
            root_thread_id=manifest.root_thread_id,
            session_id=manifest.root_thread_id,
            **UNCOUNTED,
        )

    def summary(self) -> BundleSummary:
        """Read what is new. A bundle without an end is `stopped` here: who writes it is not asked."""
        outline, bundle = self.outline(), self._bundle
        if bundle is None:
            return outline
        problem = None
        try:
            self._scan = scan_log(bundle, self._scan)
        except BundleError as error:
            problem = str(error)
        scan = self._scan if self._scan is not None else LogScan(bundle)
        found = replace(outline, status="unknown", problem=problem, bytes=_size_of(bundle))
        # A log that is not there yet may come; one that cannot be read is no recording of 0 calls.
        if problem is not None and os.path.lexists(bundle.log_path):
            return replace(found, status="unusable")
        schema = self._schema_of(bundle, scan)
        if schema is None:
            return replace(found, is_schema_known=False)
        return self._told_by(found, bundle, scan, schema)

    def _schema_of(self, bundle: Bundle, scan: LogScan) -> Schema | None:
        """The schema; where the manifest does not tell it, the first events decide for good."""
        if not self._is_told:
            self._schema = schema_of(bundle)
            self._is_told = scan.offset > 0
        return self._schema

    def _told_by(self, found: BundleSummary, bundle: Bundle, scan: LogScan, schema: Schema) -> BundleSummary:
        # What it decodes is not kept: a list has very many bundles.
        store = bundle.open_payloads(strict=False)
        if self._about is None or not scan.configured:
            self._about = _about(store, scan, bundle.manifest.root_thread_id)
        about = self._about
        tokens, estimated = self._tokens_of(scan, store)
        return replace(
            found,
            status=_status(scan.end_status),
            recording_completed=bool(scan.kinds["recording_completed"]),
            recording_status=_recording_status(scan) if schema.tells_recording == "status" else None,
            session_id=about.session_id or found.root_thread_id,
            forked_from_id=about.forked_from_id,
            parent_thread_id=about.parent_thread_id,
            role=about.role,
            agents=len(scan.thread_ids),
            turns=scan.kinds["codex_turn_started"],
            calls=scan.kinds["inference_started"],
            compactions=scan.kinds["compaction_installed"],
            failures_at_least=len(scan.failures),
            tokens=tokens,
            tokens_are_estimated=estimated,
            instruction=self._instruction_of(scan, store),
            model=about.model,
            cwd=about.cwd,
        )

    def _instruction_of(self, scan: LogScan, store: StoredPayloads) -> str:
        if self._instruction is None and scan.first_request is not None:
            self._instruction = _instruction(store, scan.first_request)
        return self._instruction or ""

    def _tokens_of(self, scan: LogScan, store: StoredPayloads) -> tuple[int | None, bool]:
        """Tokens of all responses, and whether they are estimated."""
        total = len(scan.responses)
        refs = _spread(_of_few_shards(scan.responses), MAX_RESPONSES)
        for ref in refs:
            if ref.place not in self._tokens:
                self._tokens[ref.place] = _tokens(_payload(store, ref))
        added = sum(self._tokens[ref.place] for ref in refs)
        if not added:
            return None, False
        return (added, False) if len(refs) == total else (added * total // len(refs), True)


def _spread(values: Sequence[T], limit: int) -> Sequence[T]:
    """At most so many of some values, spread over all of them."""
    total = len(values)
    return values if total <= limit else [values[place * total // limit] for place in range(limit)]


def _of_few_shards(refs: Sequence[PayloadRef]) -> Sequence[PayloadRef]:
    """Those of some payloads for which no more than `MAX_SHARDS` have to be decoded."""
    shards = list(dict.fromkeys(ref.shard for ref in refs if isinstance(ref, ShardRef)))
    if len(shards) <= MAX_SHARDS:
        return refs
    chosen = frozenset(_spread(shards, MAX_SHARDS))
    return [ref for ref in refs if not isinstance(ref, ShardRef) or ref.shard in chosen]


def _recording_status(scan: LogScan) -> RecordingStatus:
    if not scan.kinds["recording_completed"]:
        return "unclosed"
    return "closed_with_partial_payloads" if scan.has_lost_payloads else "complete"


def _status(end_status: str | None) -> Status:
    for status in ("completed", "failed", "aborted"):
        if end_status == status:
            return status
    return "stopped"


class _About(Struct, frozen=True):
    """What the metadata tell of the root thread."""

    session_id: str = ""
    forked_from_id: str | None = None
    parent_thread_id: str | None = None
    role: str = ""
    model: str = ""
    cwd: str = ""


def _about(store: StoredPayloads, scan: LogScan, root: str) -> _About:
    metadata = _payload(store, scan.metadata)
    told = (_payload(store, ref) for ref in scan.configured)
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


def _instruction(store: StoredPayloads, ref: PayloadRef) -> str:
    items = _payload(store, ref).get("input")
    return last_asked(reversed(items if isinstance(items, list) else []))


def _tokens(response: dict[str, Any]) -> int:
    usage = response.get("token_usage")
    if not isinstance(usage, dict):
        return 0
    counts = (usage.get(name) for name in ("input_tokens", "output_tokens"))
    return sum(one for one in counts if isinstance(one, int) and one > 0)


def _payload(store: StoredPayloads, ref: PayloadRef | None) -> dict[str, Any]:
    """A payload that is a JSON object; an empty one where there is none, or one too large to be read here."""
    if ref is None or ref.is_lost or (store.size(ref) or 0) > MAX_READ:
        return {}
    try:
        value = orjson.loads(read_payload(store, ref))
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


def _size_of(bundle: Bundle) -> int:
    """Bytes of the files of a bundle; links are not followed."""
    total = 0
    for folder in (".", PAYLOADS):
        with suppress(OSError):
            total += bundle.folder.size_of_files(folder)
    return total
