"""Changes to what payloads hold: lists of items, and any value in a document."""

from __future__ import annotations

import copy
from random import Random

from tests.fuzz.log_changes import odd_spelling
from tests.fuzz.pools import ODD_VALUES, Documents, all_items, holders, item_lists
from tests.fuzz.sample import Json, Sample

ITEM_KEYS = ("id", "call_id", "type", "role", "phase", "content", "name", "input", "output", "summary")
MORE_KEYS = ("arguments", "encrypted_content", "author", "recipient", "image_url", "text", "status")
PASSED_ON: tuple[Json, ...] = (
    {"turn_id": "t", "create_time": 1.50},
    {"turn_id": "t", "create_time": None, "content_item_kinds": [2**64]},
    {"turn_id": 1},
    {"create_time": "x"},
    [],
    ["t", 1, {}],
    ["t", "x"],
    5,
)
PHASES = ("commentary", "final_answer", "partial_answer", "unknown", None, 1)


def change_items(sample: Sample, random: Random) -> None:
    """Change the lists of items of one payload, and perhaps those of the ones after it in the same way."""
    documents = Documents(sample)
    with_lists = [(name, one) for name, one in documents.parsed() if any(item_lists(one))]
    if not with_lists:
        return
    start = random.randrange(len(with_lists))
    count = 1 if random.random() < 0.6 else len(with_lists) - start
    pool = all_items(sample)
    state = random.getstate()
    for name, document in with_lists[start : start + count]:
        random.setstate(state)  # the same change in each
        for one in item_lists(document):
            if one and random.random() < 0.8:
                change_list(one, pool, random)
        documents.store(name, document)


def change_list(items: list[Json], pool: list[Json], random: Random) -> None:
    """Leave out, repeat, move, bring in or change one item."""
    place = random.randrange(len(items))
    choice = random.randrange(8)
    if choice == 0:
        del items[place]
    elif choice == 1:
        items.insert(random.randrange(len(items) + 1), copy.deepcopy(items[place]))
    elif choice == 2:
        items.insert(random.randrange(len(items) + 1), items.pop(place))
    elif choice <= 4:
        items.insert(random.randrange(len(items) + 1), copy.deepcopy(random.choice(pool)))
    elif isinstance(items[place], dict):
        change_item(items[place], pool, random)


def change_item(item: Json, pool: list[Json], random: Random) -> None:
    """Change one key of an item to what another item has there, to something odd, or to nothing."""
    choice = random.randrange(12)
    key = random.choice([*item] if item and random.random() < 0.6 else [*ITEM_KEYS, *MORE_KEYS])
    if choice <= 3:
        ids = [one.get("id") for one in pool if isinstance(one.get("id"), str)]
        item["id"] = random.choice(ids or ["i1"])
    elif choice == 4:
        item.pop("id", None)
    elif choice == 5:
        calls = [one["call_id"] for one in pool if isinstance(one.get("call_id"), str)]
        item["call_id"] = random.choice(calls or ["k1"])
    elif choice <= 7:
        others = [one[key] for one in pool if key in one]
        if others:
            item[key] = copy.deepcopy(random.choice(others))
    elif choice == 8:
        item.pop(key, None)
    elif choice == 9:
        item["phase"] = random.choice(PHASES)
    elif choice == 10:
        item["internal_chat_message_metadata_passthrough"] = copy.deepcopy(random.choice(PASSED_ON))
    else:
        inner = [*holders(item)]
        holder, at = random.choice(inner) if inner else (item, "x")
        holder[at] = copy.deepcopy(random.choice(ODD_VALUES))


def change_document(sample: Sample, random: Random) -> None:
    """Delete or replace any value in any payload."""
    documents = Documents(sample)
    parsed = [*documents.parsed()]
    if not parsed:
        return
    name, document = random.choice(parsed)
    places = [*holders(document)]
    if not places:
        return
    holder, key = random.choice(places)
    others = [
        one[at] for _, other in parsed for one, at in holders(other) if at == key and isinstance(key, str)
    ]
    choice = random.random()
    if choice < 0.2 and isinstance(holder, dict):
        del holder[key]
    elif choice < 0.7 and others:
        holder[key] = copy.deepcopy(random.choice(others))
    else:
        holder[key] = copy.deepcopy(random.choice(ODD_VALUES))
    documents.store(name, document)


def spell_payload_oddly(sample: Sample, random: Random) -> None:
    """Write a payload as no recorder does."""
    documents = Documents(sample)
    parsed = [*documents.parsed()]
    if parsed:
        name, document = random.choice(parsed)
        documents.store(name, odd_spelling(document, random))


def change_bytes(sample: Sample, random: Random) -> None:
    """Cut or change a record, whatever it holds."""
    if not sample.records:
        return
    place = random.choice([*sample.records])
    data = sample.records[place]
    cut = random.randrange(len(data) + 1)
    sample.records[place] = random.choice(
        [data[:cut], data[:cut] + b"\xff" + data[cut:], b"", data + b" ", data + b"1"]
    )


def exchange_records(sample: Sample, random: Random) -> None:
    """Let two payloads of one kind change their contents."""
    refs = [*sample.known_refs().values()]
    if len(refs) < 2:
        return
    one = random.choice(refs)
    same = [
        ref for ref in refs if ref.get("kind") == one.get("kind") and ref.get("parts") == one.get("parts")
    ]
    first, second = sample.place(one), sample.place(random.choice(same))
    if first in sample.records and second in sample.records and first and second:
        records = sample.records
        records[first], records[second] = records[second], records[first]
