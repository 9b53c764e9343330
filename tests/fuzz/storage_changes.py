"""Changes to how schema 3 stores payloads: captures, parts, shards."""

from __future__ import annotations

import copy
import json
from random import Random

from tests.fuzz.pools import Documents, Holder, holders, item_lists
from tests.fuzz.sample import Json, Layout, Sample, compact

_STRUCTS = (
    "text",
    "image_url",
    "output",
    "arguments",
    "content",
    "id",
    "phase",
    "type",
    "call_id",
    "encrypted_content",
)


def lose_payload(sample: Sample, random: Random) -> None:
    """Cut a payload or leave it out, most often as the recorder would."""
    known = [*sample.known_refs().values()]
    if known:
        lose(sample, random.choice(known), random)


def lose(sample: Sample, ref: Json, random: Random) -> None:
    """Count this payload as cut or left out, wherever it is referred to (seldom in one place only)."""
    place = sample.place(ref)
    data = sample.records.get(place, b"") if place else b""
    new = copy.deepcopy(ref)
    size = len(data) or 10
    if random.random() < 0.5:
        new["capture"] = {"status": "omitted", "original_bytes": size}
        new["shard"] = None
        if random.random() < 0.05:
            new["shard"] = ref.get("shard")
        elif place is not None and not _is_shared(sample, ref):
            sample.records.pop(place, None)
    else:
        kept = random.choice([0, size // 2, size - 1])
        new["capture"] = {"status": "truncated", "original_bytes": size, "retained_bytes": kept}
        if place is not None and random.random() < 0.95:
            sample.records[place] = data[:kept]
        if random.random() < 0.05:
            new["capture"]["original_bytes"] = random.choice([kept, 2**64 - 1, 2**64])
    if random.random() < 0.05:
        ref.clear()
        ref.update(new)
    else:
        name = ref["raw_payload_id"]
        ref.clear()
        ref.update(copy.deepcopy(new))
        sample.replace_ref(name, new)


def _is_shared(sample: Sample, ref: Json) -> bool:
    return (
        sum(
            one.get("shard") == ref.get("shard") and one["raw_payload_id"] == ref["raw_payload_id"]
            for one in sample.refs()
        )
        > 8
    )


def make_parts(sample: Sample, random: Random) -> None:
    """Let values in a payload become parts of it."""
    fold(sample, random)


def make_hole(sample: Sample, random: Random) -> None:
    """Let values in a payload become parts of it, of which some are lost."""
    for part in fold(sample, random):
        if random.random() < 0.7:
            found = sample.known_refs().get(part)
            if found is not None:
                lose(sample, found, random)


def fold(sample: Sample, random: Random) -> list[str]:
    """Let one to three values of a payload become parts; gives the ids of these."""
    documents = Documents(sample)
    parsed = [(name, one) for name, one in documents.parsed() if isinstance(one, (dict, list))]
    if not parsed:
        return []
    with_lists = [one for one in parsed if any(item_lists(one[1]))]
    name, document = random.choice(with_lists if with_lists and random.random() < 0.8 else parsed)
    ref = sample.known_refs()[name]
    place = sample.place(ref)
    if place is None:
        return []
    parts: list[Json] = []
    marks: dict[str, Json] = {}
    for number in range(random.randint(1, 3)):
        found = _foldable(document, random)
        if found is None:
            break
        holder, key = found
        value, mark = holder[key], f"\ue000{number}\ue000"
        is_known = parts and random.random() < 0.1
        part = copy.deepcopy(parts[0]) if is_known else sample.add_payload(value, "model_item", place[0])
        parts.append(part)
        marks[json.dumps(mark, ensure_ascii=False)] = part
        holder[key] = mark
    text = compact(document).decode("utf-8", "surrogatepass")
    order = sorted(marks, key=text.find)
    fragments, rest = [], text
    for mark in order:
        before, found_mark, rest = rest.partition(mark)
        if not found_mark:
            return []
        fragments.append(before)
    sample.records[place] = compact([*fragments, rest])
    sample.replace_ref(
        name,
        {
            **{key: one for key, one in ref.items() if key != "parts"},
            "parts": [marks[mark] for mark in order],
        },
    )
    ref["parts"] = [copy.deepcopy(marks[mark]) for mark in order]
    return [part["raw_payload_id"] for part in parts]


def _foldable(document: Json, random: Random) -> Holder | None:
    """A value that is worth being a part: an item, a text, or anything."""
    lists = item_lists(document)
    choice = random.random()
    if lists and choice < 0.4:
        places: list[Holder] = [(one, number) for one in lists for number in range(len(one))]
    elif choice < 0.85:
        places = [(holder, key) for holder, key in holders(document) if key in _STRUCTS]
    else:
        places = [*holders(document)]
    places = [(holder, key) for holder, key in places if "\ue000" not in str(holder[key])]
    return random.choice(places) if places else None


def join_parts(sample: Sample, random: Random) -> None:
    """Store a payload that has parts as a whole."""
    documents = Documents(sample)
    with_parts = [name for name, ref in sample.known_refs().items() if ref.get("parts")]
    if with_parts:
        name = random.choice(with_parts)
        document = documents.get(name)
        if document is not None:
            documents.store(name, document)


def change_parts(sample: Sample, random: Random) -> None:
    """Leave out a part, repeat one, or let two change places, without a change to the fragments."""
    refs = [ref for ref in sample.known_refs().values() if ref.get("parts")]
    if not refs:
        return
    ref = random.choice(refs)
    new = copy.deepcopy(ref)
    parts = new["parts"]
    place = random.randrange(len(parts))
    choice = random.randrange(4)
    if choice == 0:
        del parts[place]
    elif choice == 1:
        parts.insert(place, copy.deepcopy(parts[place]))
    elif choice == 2:
        parts[place], parts[0] = parts[0], parts[place]
    else:
        parts[place] = copy.deepcopy(random.choice([*sample.known_refs().values()]))
    name = ref["raw_payload_id"]
    ref["parts"] = copy.deepcopy(parts)
    sample.replace_ref(name, new)


def stand_in_as_data(sample: Sample, random: Random) -> None:
    """Put what looks like the stand-in of a lost part into a payload."""
    documents = Documents(sample)
    parsed = [*documents.parsed()]
    names = [*sample.known_refs()]
    if not parsed:
        return
    name, document = random.choice(parsed)
    places = [(holder, key) for holder, key in holders(document) if key in _STRUCTS] or [*holders(document)]
    if places:
        holder, key = random.choice(places)
        stand_in = {"$trace_unavailable": random.choice(names)}
        holder[key] = stand_in if random.random() < 0.8 else {**stand_in, "x": 1}
        documents.store(name, document)


def change_shards(sample: Sample, random: Random) -> None:
    """Write shards otherwise than the recorder: more frames, no end, damaged, records twice or elsewhere."""
    numbers = sorted({number for number, _ in sample.records})
    if not numbers:
        return
    number = numbers[-1] if random.random() < 0.6 else random.choice(numbers)
    layout = sample.layouts.setdefault(number, Layout())
    choice = random.randrange(7)
    if choice == 0:
        layout.frames = random.randint(2, 4)
    elif choice == 1:
        layout.is_open = True
    elif choice == 2:
        layout.cut = random.choice([1, 3, 4, 7, 20])
    elif choice == 3:
        layout.before = random.choice([b"\x50\x2a\x4d\x18\x02\x00\x00\x00ab", b"x"])
    elif choice == 4:
        layout.flipped = random.randrange(10**6)
    elif choice == 5:
        layout.again = [random.choice([name for one, name in sample.records if one == number])]
    else:
        items = [*sample.records.items()]
        random.shuffle(items)
        sample.records = dict(items)


def move_records(sample: Sample, random: Random) -> None:
    """Let records stand in another shard, and most often tell of it."""
    refs = [ref for ref in sample.known_refs().values() if sample.place(ref) in sample.records]
    if not refs:
        return
    number = random.choice([1, 2, 3, 9, 10**6])
    for ref in random.sample(refs, random.randint(1, min(len(refs), 5))):
        place = sample.place(ref)
        assert place is not None
        data = sample.records[place] if random.random() < 0.3 else sample.records.pop(place, b"")
        sample.records[number, place[1]] = data
        if random.random() < 0.95:
            name = ref["raw_payload_id"]
            ref["shard"] = number
            sample.replace_ref(name, ref)


def drop_record(sample: Sample, random: Random) -> None:
    """Forget a record."""
    if sample.records:
        del sample.records[random.choice([*sample.records])]
