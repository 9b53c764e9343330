"""What occurs in a bundle, to be put in other places: values by key, items, payloads as documents."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from random import Random

from tests.fuzz.items import OWN_ITEMS
from tests.fuzz.sample import Json, Sample, compact

Holder = tuple[Json, str | int]
"""A value by the object or list that holds it, and its key there."""

LISTS = ("input", "output_items", "input_history", "replacement_history")
"""Keys of the lists of items in payloads."""

ODD_VALUES: list[Json] = [
    None,
    "",
    "x",
    0,
    -1,
    1.5,
    2**64,
    True,
    [],
    {},
    [None],
    {"type": "x"},
    "é\u2028\x00",
    "a" * 300,
]


def holders(value: Json) -> Iterator[Holder]:
    """Every value inside a JSON value."""
    keys: Iterator[str | int]
    if isinstance(value, dict):
        keys = iter([*value])
    elif isinstance(value, list):
        keys = iter(range(len(value)))
    else:
        return
    for key in keys:
        yield value, key
        yield from holders(value[key])


def event_values(sample: Sample) -> list[Holder]:
    """Every value of every event but for types and what stands in references to payloads."""
    found: list[Holder] = []
    for event in sample.bodies():
        found += [(event, key) for key in ("thread_id", "codex_turn_id")]
        stack = [event["payload"]] if isinstance(event.get("payload"), dict) else []
        while stack:
            one = stack.pop()
            for key, value in one.items():
                if isinstance(value, dict):
                    if "raw_payload_id" not in value:
                        stack.append(value)
                elif not (key == "type" and one is event["payload"]):
                    found.append((one, key))
    return found


def similar(holder: Holder, others: list[Holder], random: Random) -> Json:
    """A value that stands under the same key, or one that ends alike, elsewhere."""
    key = str(holder[1])
    ending = key.rpartition("_")[2] if key.endswith("_id") else key
    name = key.removesuffix("_id").rpartition("_")[2]
    values = [one[key] for one, key in others if str(key) == holder[1]]
    if random.random() < 0.3:
        values = [
            one[key] for one, key in others if str(key).endswith(ending if ending != "id" else f"{name}_id")
        ]
    if random.random() < 0.05:
        values = [one[key] for one, key in others if str(key).endswith("id")]
    return copy.deepcopy(random.choice(values)) if values else None


class Documents:
    """The payloads of a bundle as documents; what was changed is stored at the end."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._refs = sample.known_refs()

    def parsed(self) -> Iterator[tuple[str, Json]]:
        """Every payload that is not lost as parsed JSON, with its id; parts only within what has them."""
        parts = {part["raw_payload_id"] for ref in self._refs.values() for part in ref.get("parts") or ()}
        for name, ref in self._refs.items():
            kind = ref.get("kind")
            if name in parts or (isinstance(kind, dict) and kind.get("type") == "prepared_prompt"):
                continue
            document = self.get(name)
            if document is not None:
                yield name, document

    def get(self, name: str) -> Json:
        """One payload, put together; None if it is lost or no JSON."""
        ref = self._refs[name]
        if (ref.get("capture") or {}).get("status", "complete") != "complete":
            return None
        try:
            return json.loads(self._sample.text(ref))
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            return None

    def store(self, name: str, value: Json) -> None:
        """Let a payload be this one, without parts; bytes are stored as they are."""
        ref = self._refs[name]
        place = self._sample.place(ref)
        if place is None:
            return
        self._sample.records[place] = value if isinstance(value, bytes) else compact(value)
        if ref.get("parts"):
            plain = {key: one for key, one in ref.items() if key != "parts"}
            self._sample.replace_ref(name, plain)
            ref.pop("parts", None)


def item_lists(document: Json) -> list[list[Json]]:
    """The lists of items in a payload."""
    if not isinstance(document, dict):
        return []
    return [document[key] for key in LISTS if isinstance(document.get(key), list)]


def all_items(sample: Sample) -> list[Json]:
    """Every item in the bundle, and some of our own."""
    found = [
        item for _, document in Documents(sample).parsed() for one in item_lists(document) for item in one
    ]
    return [*(item for item in found if isinstance(item, dict)), *OWN_ITEMS]
