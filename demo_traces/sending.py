"""How the conversation of an agent goes to the provider: all of it, without some ids, or only the news."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from demo_traces.identities import Names
from demo_traces.wire import Item

_OUTPUTS = ("function_call_output", "custom_tool_call_output")


class Sent(NamedTuple):
    """A request as it goes out.

    Attributes:
        body: the request.
        warmup_context: all items that the model is shown, if the body continues what nobody recorded.
        stripped_tool_output_ids: ids that outputs in the body lack, with their positions.
    """

    body: Item
    warmup_context: list[Item] | None = None
    stripped_tool_output_ids: tuple[tuple[int, str], ...] = ()


class Transport(Protocol):
    """Brings requests into the form in which they go out."""

    def send(self, body: Item) -> Sent:
        """A request with the whole conversation, in the form of this transport."""

    def answered(self, response_id: str, items: int) -> None:
        """The answer came, with so many items."""


class Http:
    """Requests that stand for themselves."""

    def send(self, body: Item) -> Sent:
        """The request as it is."""
        return Sent(body)

    def answered(self, response_id: str, items: int) -> None:
        """Nothing refers to an answer."""


class HttpWithoutOutputIds(Http):
    """As `Http`, for a provider that takes no ids of tool outputs."""

    def send(self, body: Item) -> Sent:
        """The request without these ids, which are told separately."""
        outputs = [(at, item["id"]) for at, item in enumerate(body["input"]) if item["type"] in _OUTPUTS]
        items = [_without_id(item) if item["type"] in _OUTPUTS else item for item in body["input"]]
        return Sent({**body, "input": items}, stripped_tool_output_ids=tuple(outputs))


class WebSocket:
    """A connection on which each request says only what is new since the answer before.

    It was warmed up with all but the newest item of the first request, which nobody recorded.
    """

    def __init__(self, names: Names) -> None:
        self._answer = names.provider_id("resp")
        self._known: int | None = None
        self._sent = 0

    def send(self, body: Item) -> Sent:
        """The request with the new items; the first one with its context."""
        items = body["input"]
        self._sent = len(items)
        start = len(items) - 1 if self._known is None else self._known
        told: dict[str, Any] = {"previous_response_id": self._answer, "input": items[start:]}
        return Sent({**body, **told}, warmup_context=items if self._known is None else None)

    def answered(self, response_id: str, items: int) -> None:
        """The next request continues this answer."""
        self._answer = response_id
        self._known = self._sent + items


def _without_id(item: Item) -> Item:
    return {key: value for key, value in item.items() if key != "id"}
