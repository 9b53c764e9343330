"""The trace schemas, and by name every rule in which they differ.

No other module asks for the number of a schema: a module whose rules differ asks for the rule. Bundles of
schema 1 are reduced as codex 0.164.0 does, those of schema 2 as codex 0.169.0 does.
"""

from __future__ import annotations

from msgspec import Struct

from reducer.model import CALL_KINDS, OUTPUT_KINDS, ItemKind
from reducer.schemas.events_v1 import RawEventV1
from reducer.wire.events import RawEvent


class Schema(Struct, frozen=True, kw_only=True):
    """One trace schema.

    The bundle and its log (`replay.py`, `log.py`):

    Attributes:
        version: its number, in the manifest and in the graph.
        line: what a line of the log is.
        checks_envelopes: an event of another schema or rollout, a number out of order, and anything after the
            end of the recording refuse the bundle; a repeated event is not applied again. Where the schema
            does not ask, all events are applied, and lenient replay only remarks on such things.
        checks_unused_payloads: a payload that no rule interprets must be there and be JSON all the same.
        tells_end_of_recording: the log says when it is complete, and the graph says whether it did.

    Items (`normalize.py`, `conversation.py`, `items.py`):

    Attributes:
        types_passthrough: the metadata that an agent message passes through must be of their declared types.
        identifies_items: items have Responses ids, by which they are told apart and receipts find them.
        identifies_content: content that is not text has a hash, by which it is the same in every payload;
            otherwise it is the same only within one payload.
        empty_content_label: label of the reference that stands for content of which nothing was taken;
            without one, such content has no parts.
        once_per_call: kinds of items of which a call id names one content per thread.
        finds_items_by_text: what is looked up by call id comes in order of item ids as text, in which
            `conversation_item:10` is before `conversation_item:2`; otherwise in order of creation.
        position_repeats: in a full request, an item that stands at its position is the same one even if
            the request has used it before.
        responses_continue: what a response holds is new, is listed at once, and follows the newest snapshot,
            whichever call made that; otherwise a response may repeat items it knows by id, and follows only
            the request that it answers.

    Tools, terminals, cells, agents (`tools.py`, `terminals.py`, `agents.py`, `code_cells.py`):

    Attributes:
        wants_sound_writes: a dispatched `write_stdin` whose arguments tell no write refuses the event;
            otherwise, and for one with a namespace, there is just no operation.
        mcp_reports_agents: what the runtime says at the end of an MCP call is read, too, and may be
            the activity of an agent, which does not fit the call.
        tells_started_cells: a tool call says which code cell it started.
    """

    version: int
    line: type[RawEvent]
    checks_envelopes: bool
    checks_unused_payloads: bool
    tells_end_of_recording: bool
    types_passthrough: bool
    identifies_items: bool
    identifies_content: bool
    empty_content_label: str | None
    once_per_call: frozenset[ItemKind]
    finds_items_by_text: bool
    position_repeats: bool
    responses_continue: bool
    wants_sound_writes: bool
    mcp_reports_agents: bool
    tells_started_cells: bool


SCHEMA_1 = Schema(
    version=1,
    line=RawEventV1,
    checks_envelopes=False,
    checks_unused_payloads=False,
    tells_end_of_recording=False,
    types_passthrough=False,
    identifies_items=False,
    identifies_content=False,
    empty_content_label="empty_content",
    once_per_call=CALL_KINDS | OUTPUT_KINDS,
    finds_items_by_text=True,
    position_repeats=True,
    responses_continue=True,
    wants_sound_writes=True,
    mcp_reports_agents=True,
    tells_started_cells=False,
)

SCHEMA_2 = Schema(
    version=2,
    line=RawEvent,
    checks_envelopes=True,
    checks_unused_payloads=True,
    tells_end_of_recording=True,
    types_passthrough=True,
    identifies_items=True,
    identifies_content=True,
    empty_content_label=None,
    once_per_call=CALL_KINDS,
    finds_items_by_text=False,
    position_repeats=False,
    responses_continue=False,
    wants_sound_writes=False,
    mcp_reports_agents=False,
    tells_started_cells=True,
)

SCHEMAS = {schema.version: schema for schema in (SCHEMA_1, SCHEMA_2)}
NEWEST = SCHEMA_2
"""The schema by whose rules a bundle of an unknown one is read."""
