"""Trace schema 3, of codex 0.171 and later, which 0.171.0 reduces: what differs from schema 2."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UnsetType
from msgspec.structs import replace

from reducer.schemas.schema import Ref, events_of
from reducer.schemas.v1 import InferenceStarted
from reducer.schemas.v2 import SCHEMA_2, HistoryItemAccepted
from reducer.wire.events import Event
from reducer.wire.payload_refs import U64, ShardRef


class HistoryItemAcceptedV3(
    HistoryItemAccepted[Ref], frozen=True, omit_defaults=True, tag="history_item_accepted"
):
    """The item with this Responses id entered the history; outputs of tools come with it, too."""

    tool_output_payload: Ref | None = None

    @property
    def announced_payload(self) -> Ref | None:
        """The item itself, where the receipt brings it along."""
        return self.agent_message_payload or self.tool_output_payload


class InferenceStartedV3(InferenceStarted[Ref], frozen=True, omit_defaults=True, tag="inference_started"):
    """A request goes to the model.

    Attributes:
        prepared_prompt_payload: what codex made the request from; the graph does not need it.
        warmup_context_payload: the whole context, where the request continues one that was not recorded.
        stripped_tool_output_ids: ids that the request does not show, with their positions in its input.
    """

    prepared_prompt_payload: Ref
    warmup_context_payload: Ref | None = None
    stripped_tool_output_ids: tuple[tuple[U64, str], ...] = ()

    @property
    def visible_payload(self) -> Ref:
        """The payload that says what the model saw."""
        return self.warmup_context_payload or self.request_payload

    @property
    def prompt_payload_id(self) -> str | UnsetType:
        """Id of the payload from which the request was made."""
        return self.prepared_prompt_payload.raw_payload_id

    @property
    def mislabels(self) -> bool:
        """Whether one of its payloads is not of the kind that its field says."""
        labels = [
            (self.request_payload, "inference_request"),
            (self.prepared_prompt_payload, "prepared_prompt"),
        ]
        if self.warmup_context_payload is not None:
            labels.append((self.warmup_context_payload, "warmup_context"))
        return any(ref.kind.type != kind for ref, kind in labels)

    @property
    def output_ids(self) -> Sequence[tuple[int, str]]:
        """Ids of tool outputs that the request lacks, each with its position in the input."""
        return self.stripped_tool_output_ids


class CodeCellWaitTargetResolved(Event, frozen=True, tag="code_cell_wait_target_resolved"):
    """A call of `wait` turned out to wait for this cell of its thread's runtime."""

    tool_call_id: str
    runtime_cell_id: str


SCHEMA_3 = replace(
    SCHEMA_2,
    version=3,
    events={**SCHEMA_2.events, **events_of(__name__)},
    ref=ShardRef,
    refuses_manifest=(
        "unsupported manifest schema {} (expected 3). "
        "Run the exact Codex executable that recorded this bundle"
    ),
    refuses_event=(
        "unsupported trace event schema {} at line {} (expected 3). "
        "Run the exact Codex executable that recorded this bundle"
    ),
    refuses_conflicting_refs=True,
    may_lose_payloads=True,
    tells_recording="status",
    routes_first=True,
    dropped_types=SCHEMA_2.dropped_types | {"configuration_update"},
    accepts_outputs=True,
    reads_waits=False,
    reads_mail_in_json=False,
    cells_name_their_thread=True,
)
