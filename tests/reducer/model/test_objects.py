"""The table of the types of objects, against the graph that it describes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args, get_type_hints

from reducer import ObjectRef, open_bundle, reduce_bundle
from reducer.model import RolloutTrace
from reducer.model.objects import (
    OBJECTS,
    GraphType,
    OtherType,
    graph_type,
    is_graph_type,
    is_object,
    objects_of,
    ref_of,
    word_of,
)


def test_every_map_of_the_graph_is_in_the_table() -> None:
    hints = get_type_hints(RolloutTrace)
    maps = {name: get_args(hint)[1] for name, hint in hints.items() if get_args(hint)[:1] == (str,)}
    payloads = {"raw_payloads": maps["raw_payloads"]}
    assert {kind.map: kind.type for kind in OBJECTS.values()} | payloads == maps


def test_the_table_has_every_type_by_the_name_of_its_class() -> None:
    assert list(OBJECTS) == list(get_args(GraphType))
    assert [kind.type.__name__ for kind in OBJECTS.values()] == list(OBJECTS)
    assert len({kind.word for kind in OBJECTS.values()}) == len(OBJECTS)


def test_what_is_no_object_is_told_apart() -> None:
    assert not set(get_args(GraphType)) & set(get_args(OtherType))
    for type_ in (*get_args(GraphType), *get_args(OtherType)):
        assert is_graph_type(type_) is (type_ in OBJECTS)


def test_objects_are_named_by_their_ids(demo_trace: Callable[[str], Path]) -> None:
    found = dict.fromkeys(OBJECTS, 0)
    for name in ("team", "quickstart"):
        trace = reduce_bundle(open_bundle(demo_trace(name))).trace
        for type_, kind in OBJECTS.items():
            for key, target in objects_of(trace, type_).items():
                assert ref_of(target) == ObjectRef(type_, key)
                assert is_object(target)
                assert graph_type(type(target)) == type_
                assert word_of(type(target)) == kind.word
                found[type_] += 1
    assert all(found.values()), found


def test_a_part_of_an_object_is_no_object(demo_trace: Callable[[str], Path]) -> None:
    trace = reduce_bundle(open_bundle(demo_trace("team"))).trace
    assert not any(is_object(thread.execution) for thread in trace.threads.values())
