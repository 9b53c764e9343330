"""What a check of a bundle found, section by section."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from reducer.errors import Problem
from reducer.model.objects import RefType

Severity = Literal["problem", "note"]
"""A *problem* means that evidence or graph are not what was recorded, or cannot be relied upon. A *note* is
worth knowing, but also occurs in sound recordings: work that was cancelled, a recording that is not over."""

Section = Literal["log", "payloads", "lifecycles", "graph"]

Recording = Literal["completed", "completed with cut payloads", "unfinished", "not told"]


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a finding is about.

    Attributes:
        text: what it is, and what probably happened, in a few words.
        line: physical line of `trace.jsonl`, from 1; of several, the first.
        seq: sequence number of the event there.
        type: type of the graph object, such as `ToolCall`.
        id: its id, or the id of a payload.
        path: path of a payload, or of the shard that holds it, in the bundle.
        count: how often it was seen.
    """

    text: str
    line: int | None = None
    seq: int | None = None
    type: RefType | None = None
    id: str | None = None
    path: str | None = None
    count: int = 1


class Finding(Struct, frozen=True):
    """What one rule found.

    Attributes:
        section: the section it belongs to.
        rule: name of the rule, such as `unknown_field`; the same in every version.
        severity: whether it is a problem.
        summary: what is the case, in one sentence.
        places: where, in order of the log or of ids.
    """

    section: Section
    rule: str
    severity: Severity
    summary: str
    places: list[Place]

    @property
    def count(self) -> int:
        """How often it was seen."""
        return sum(place.count for place in self.places)


class Tokens(Struct):
    """Tokens of all inference calls together, as the provider told them."""

    input: int = 0
    cached_input: int = 0
    cache_write_input: int = 0
    output: int = 0
    reasoning_output: int = 0


class Totals(Struct, kw_only=True):
    """How much there is. Sizes are in bytes, times in ms.

    Attributes:
        events: events that were applied.
        refused_events: lines that are neither blank nor applied.
        events_by_kind: applied events by their `type`.
        payloads: payloads that events refer to.
        payload_bytes: size of their files, or of the shards, as far as they can be read.
        duration_ms: from the first to the last event by the clock; None without events.
    """

    lines: int = 0
    log_bytes: int = 0
    events: int = 0
    refused_events: int = 0
    events_by_kind: dict[str, int] = field(default_factory=dict)
    payloads: int = 0
    payload_bytes: int = 0
    threads: int = 0
    turns: int = 0
    inference_calls: int = 0
    conversation_items: int = 0
    tool_calls: int = 0
    code_cells: int = 0
    terminal_sessions: int = 0
    terminal_operations: int = 0
    compactions: int = 0
    compaction_requests: int = 0
    interaction_edges: int = 0
    duration_ms: int | None = None
    tokens: Tokens = field(default_factory=Tokens)


class Report(Struct, frozen=True):
    """The integrity of one bundle.

    Attributes:
        schema_version: the trace schema that the manifest names.
        is_schema_known: whether the bundle is read by the rules of any schema; if not, only its lines are
            looked at, and `replay` says that it is not known.
        session: `completed`, `failed` or `aborted` as the log says, or `unfinished`; `not told` of a schema
            that is not known.
        recording: `completed`, `unfinished`, or `not told` by a schema that does not tell.
        replay: what was wrong while the graph was built; the reference refuses bundles for these.
        findings: what the rules of the check found.
        totals: how much there is.
    """

    schema_version: int
    is_schema_known: bool
    session: str
    recording: Recording
    replay: list[Problem]
    findings: list[Finding]
    totals: Totals

    @property
    def is_clean(self) -> bool:
        """Whether there are only notes."""
        return not self.replay and all(finding.severity == "note" for finding in self.findings)

    def section(self, name: Section) -> list[Finding]:
        """The findings of one section, problems first."""
        found = [finding for finding in self.findings if finding.section == name]
        return sorted(found, key=lambda finding: finding.severity == "note")
