"""What happened in one thread, as ids that are only added to, and as the objects of one graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from itertools import islice
from typing import TypeVar, overload

from msgspec import Struct

from reducer.model import CodeCell, InferenceCall, RolloutTrace, ToolCall, Turn

S = TypeVar("S")


class ObjectsById(Sequence[S]):
    """The objects of a graph with some ids, in order. Each is asked for when it is wanted."""

    __slots__ = ("_count", "_ids", "_objects")

    def __init__(self, ids: list[str], objects: Mapping[str, S]) -> None:
        """Take the ids that are there now; more may be added at their end, which are not of these.

        Args:
            ids: the ids.
            objects: of the graph.
        """
        self._ids = ids
        self._count = len(ids)
        self._objects = objects

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[S]:
        return map(self._objects.__getitem__, islice(self._ids, self._count))

    @overload
    def __getitem__(self, place: int) -> S: ...
    @overload
    def __getitem__(self, place: slice) -> list[S]: ...
    def __getitem__(self, place: int | slice) -> S | list[S]:
        found = range(self._count)[place]
        if isinstance(found, int):
            return self._objects[self._ids[found]]
        return [self._objects[self._ids[at]] for at in found]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]


class ThreadContents(Struct):
    """What happened in one thread, each in order of sequence numbers.

    Attributes:
        turns: its turns.
        calls: its inference calls.
        tool_calls: its tool calls.
        cells: its code cells.
        input_tokens: input tokens of all its calls.
        output_tokens: output tokens of all its calls.
    """

    turns: Sequence[Turn] = ()
    calls: Sequence[InferenceCall] = ()
    tool_calls: Sequence[ToolCall] = ()
    cells: Sequence[CodeCell] = ()
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Input and output tokens of all its calls: what `tok` means everywhere."""
        return self.input_tokens + self.output_tokens


class GrowingContents:
    """What happened in one thread as far as it was told. Its ids are only ever added to."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.cells: list[CodeCell] = []
        self.call_ids: list[str] = []
        self.tool_call_ids: list[str] = []
        self._tokens: list[int] = []
        self._sums = [0, 0]

    def copy(self) -> GrowingContents:
        """The same with turns and cells in lists of their own."""
        made = copy(self)
        made.turns, made.cells = [*self.turns], [*self.cells]
        return made

    def count(self, place: int, call: InferenceCall) -> None:
        """Note the tokens of a call, instead of those that it had before."""
        if place * 2 == len(self._tokens):
            self._tokens.extend((0, 0))
        used = (0, 0) if call.usage is None else (call.usage.input_tokens, call.usage.output_tokens)
        for at, tokens in enumerate(used):
            self._sums[at] += tokens - self._tokens[place * 2 + at]
            self._tokens[place * 2 + at] = tokens

    def of(self, trace: RolloutTrace) -> ThreadContents:
        """The same as objects of a graph."""
        calls = ObjectsById(self.call_ids, trace.inference_calls)
        tool_calls = ObjectsById(self.tool_call_ids, trace.tool_calls)
        return ThreadContents(self.turns, calls, tool_calls, self.cells, *self._sums)
