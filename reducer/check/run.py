"""A whole bundle, checked in one pass over its log and one over its payloads."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from reducer.check.connections import Connections
from reducer.check.ledger import unknown_manifest_keys
from reducer.check.lifecycles import Lifecycles, recording_words
from reducer.check.log_watch import LogWatch
from reducer.check.payload_files import PayloadFiles
from reducer.check.payload_shards import PayloadShards
from reducer.check.references import FileReferences, NoReferences, RecordReferences
from reducer.check.report import Finding, Report, Tokens, Totals
from reducer.model import RolloutTrace
from reducer.reduce import PROGRESS_EVERY, Progress, without_cyclic_gc
from reducer.replay import Replay
from reducer.schemas import Schema
from reducer.schemas.choice import schema_of
from reducer.storage.bundle import Bundle, open_bundle
from reducer.wire.events import Manifest
from reducer.wire.payload_refs import ShardRef


def check_bundle(bundle: Bundle | Path, *, progress: Progress | None = None) -> Report:
    """Check the integrity of a bundle: its log, its payloads, what began and ended, and its graph.

    Args:
        bundle: an open bundle, or a path for `open_bundle`.
        progress: called while the log is read; whatever it raises ends the check.

    Raises:
        BundleError: there is no bundle, or its log cannot be read.
    """
    if isinstance(bundle, Path):
        bundle = open_bundle(bundle)
    replay = Replay(bundle)
    schema = schema_of(bundle)
    references = _references_of(schema)
    watch = LogWatch(None if schema is None else schema.line, references)
    total = bundle.log_size()
    with without_cyclic_gc():
        for line in bundle.lines():
            problems, events = len(replay.problems), len(replay.provenance.events)
            replay.feed(line)
            watch.see(line, len(replay.provenance.events) > events, replay.problems[problems:])
            if progress is not None and line.number % PROGRESS_EVERY == 0:
                progress(line.offset + len(line.data), total)
        trace = replay.graph()
        if schema is not None:
            replay.verify_payloads()
    found = watch.findings()
    size = 0
    if schema is not None:
        payloads = _payloads(bundle, references, trace)
        found = [
            *_manifest_findings(bundle),
            *found,
            *payloads.findings(),
            *Lifecycles(trace, watch).findings(),
            *Connections(trace, watch).findings(),
        ]
        size = payloads.size
    return Report(
        schema_version=bundle.manifest.schema_version,
        is_schema_known=schema is not None,
        session=_session_words(trace, schema),
        recording=recording_words(trace),
        replay=replay.problems,
        findings=found,
        totals=_totals(bundle, trace, watch, size, replay),
    )


_References = NoReferences | FileReferences | RecordReferences


def _references_of(schema: Schema | None) -> _References:
    """What takes the references of a log."""
    if schema is None:
        return NoReferences()
    return RecordReferences() if schema.ref is ShardRef else FileReferences()


def _payloads(bundle: Bundle, references: _References, trace: RolloutTrace) -> PayloadFiles | PayloadShards:
    """What looks at the payloads that references lead to."""
    if isinstance(references, RecordReferences):
        return PayloadShards(bundle, references, is_completed=trace.is_recorded_whole is True)
    return PayloadFiles(bundle, references.lines if isinstance(references, FileReferences) else {})


def _session_words(trace: RolloutTrace, schema: Schema | None) -> str:
    if schema is None:
        return "not told"
    return "unfinished" if trace.status == "running" else trace.status


def _manifest_findings(bundle: Bundle) -> list[Finding]:
    places = unknown_manifest_keys(bundle.read_manifest(), Manifest)
    words = "keys of the manifest that are not known, and ignored"
    return [Finding("log", "unknown_manifest_key", "note", words, places)] if places else []


def _totals(bundle: Bundle, trace: RolloutTrace, watch: LogWatch, size: int, replay: Replay) -> Totals:
    events = replay.provenance.events
    first, last = watch.first_time, watch.last_time
    return Totals(
        lines=watch.lines,
        log_bytes=bundle.log_size(),
        events=len(events),
        refused_events=watch.refused_count,
        events_by_kind=dict(Counter(event.kind for event in events).most_common()),
        payloads=watch.references.count,
        payload_bytes=size,
        threads=len(trace.threads),
        turns=len(trace.codex_turns),
        inference_calls=len(trace.inference_calls),
        conversation_items=len(trace.conversation_items),
        tool_calls=len(trace.tool_calls),
        code_cells=len(trace.code_cells),
        terminal_sessions=len(trace.terminal_sessions),
        terminal_operations=len(trace.terminal_operations),
        compactions=len(trace.compactions),
        compaction_requests=len(trace.compaction_requests),
        interaction_edges=len(trace.interaction_edges),
        duration_ms=None if first is None or last is None else last - first,
        tokens=_tokens(trace),
    )


def _tokens(trace: RolloutTrace) -> Tokens:
    tokens = Tokens()
    for call in trace.inference_calls.values():
        if call.usage is not None:
            tokens.input += call.usage.input_tokens
            tokens.cached_input += call.usage.cached_input_tokens
            tokens.cache_write_input += call.usage.cache_write_input_tokens
            tokens.output += call.usage.output_tokens
            tokens.reasoning_output += call.usage.reasoning_output_tokens
    return tokens
