"""What a trace schema is: its events, and by name every rule in which it differs from another one.

No other module asks for the number of a schema: a module whose rules differ asks for the rule.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Union, cast

from msgspec import Struct, defstruct

from reducer.model import ItemKind
from reducer.wire.events import Event, RawEvent
from reducer.wire.payload_refs import PayloadRef

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Ref = TypeVar("Ref", bound=PayloadRef, default=PayloadRef)
else:
    from typing import TypeVar

    Ref = TypeVar("Ref", bound=PayloadRef)
"""How an event refers to payloads, in the schema that has it."""


class Schema(Struct, frozen=True, kw_only=True, dict=True):
    """One trace schema.

    The bundle and its log (`replay.py`, `log.py`):

    Attributes:
        version: its number, in the manifest and in the graph.
        events: the events that it has, by their `type`.
        ref: how its events refer to payloads.
        refuses_manifest: what its reference says of a manifest with another number; None if it compares none.
        refuses_event: what its reference says of an event with another number, at a line. Where the reference
            compares numbers, an event of another schema or rollout, a number out of order, and anything after
            the end of the recording refuse the bundle, and a repeated event is not applied again. Where it
            does not, all events are applied, and lenient replay only remarks on such things.
        checks_unused_payloads: a payload that no rule interprets must be there and be JSON all the same.
        refuses_conflicting_refs: all references with one id must be equal; otherwise the last one counts.
        may_lose_payloads: limits of the recorder may have cut payloads or left them out, and the rules work
            around that; so lenient replay does without payloads that it cannot read.
        tells_recording: what the graph says of the recording: whether the log was completed, or whether it
            was and all payloads are whole; None if nothing.

    Items (`normalize.py`, `conversation.py`, `items.py`):

    Attributes:
        routes_first: of an agent message, author and recipient are looked at before anything else, an id
            that is no text is none, and the metadata that it passes through are not looked at.
        dropped_types: types of items that are left out of lists.
        identifies_items: items have Responses ids, by which they are told apart and receipts find them.
        identifies_content: content that is not text has a hash, by which it is the same in every payload;
            otherwise it is the same only within one payload.
        accepts_outputs: a receipt may bring the output of a tool along, before which new items of a list
            move; receipts and their items are found among outputs and agent messages only.
        empty_content_label: label of the reference that stands for content of which nothing was taken;
            without one, such content has no parts.
        once_per_call: kinds of items of which a call id names one content per thread.
        finds_items_by_text: what is looked up by call id comes in order of item ids as text, in which
            `conversation_item:10` is before `conversation_item:2`; otherwise in the order of the thread.
        position_repeats: in a full request, an item that stands at its position is the same one even if
            the request has used it before.
        responses_continue: what a response holds is new, is listed at once, and follows the newest snapshot,
            whichever call made that; otherwise a response may repeat items it knows by id, and follows only
            the request that it answers.

    Tools, terminals, cells, agents (`tools.py`, `terminals.py`, `agents.py`, `code_cells.py`):

    Attributes:
        wants_sound_writes: a dispatched `write_stdin` whose arguments tell no write refuses the event;
            otherwise, and for one with a namespace, there is just no operation.
        reads_waits: which cell a `wait` waits for stands in its arguments; otherwise an event tells it.
        mcp_reports_agents: what the runtime says at the end of an MCP call is read, too, and may be
            the activity of an agent, which does not fit the call.
        reads_mail_in_json: an assistant message whose text is a message in JSON is one between agents.
        cells_name_their_thread: the events of a cell must name the thread; otherwise the turn's will do.
        tells_started_cells: a tool call says which code cell it started.
    """

    version: int
    events: Mapping[str, type[Event]]
    ref: type[PayloadRef]
    refuses_manifest: str | None
    refuses_event: str | None
    checks_unused_payloads: bool
    refuses_conflicting_refs: bool
    may_lose_payloads: bool
    tells_recording: Literal["completion", "status"] | None
    routes_first: bool
    dropped_types: frozenset[str]
    identifies_items: bool
    identifies_content: bool
    accepts_outputs: bool
    empty_content_label: str | None
    once_per_call: frozenset[ItemKind]
    finds_items_by_text: bool
    position_repeats: bool
    responses_continue: bool
    wants_sound_writes: bool
    reads_waits: bool
    mcp_reports_agents: bool
    reads_mail_in_json: bool
    cells_name_their_thread: bool
    tells_started_cells: bool

    @property
    def checks_envelopes(self) -> bool:
        """Whether its reference compares numbers, rollouts and order."""
        return self.refuses_event is not None

    @cached_property
    def line(self) -> type[RawEvent]:
        """What a line of its log is."""
        if not self.events:
            return RawEvent
        kinds = tuple(_with_refs(kind, self.ref) for kind in self.events.values())
        line = defstruct(
            f"RawEventOfSchema{self.version}",
            [("payload", Union[kinds])],  # noqa: UP007 - made of a tuple
            bases=(RawEvent,),
            module=__name__,
            frozen=True,
            kw_only=True,
        )
        return cast("type[RawEvent]", line)

    def form_of(self, event: Event) -> Event | None:
        """An event of any schema as this one has it; None if it has no such event.

        What an event of this schema needs, the given one must have.
        """
        form = self.events.get(event.name_of_type)
        if form is None or isinstance(event, form):
            return None if form is None else event
        return form(**{name: getattr(event, name) for name in form.__struct_fields__})


def _with_refs(kind: type[Event], ref: type[PayloadRef]) -> Any:
    return kind[ref] if getattr(kind, "__parameters__", ()) else kind  # type: ignore[index]


def events_of(module: str) -> dict[str, type[Event]]:
    """The events that a module declares, by their `type`, in their order."""
    declared = vars(sys.modules[module]).values()
    return {
        str(one.__struct_config__.tag): one
        for one in declared
        if isinstance(one, type) and issubclass(one, Event) and one.__module__ == module
    }
