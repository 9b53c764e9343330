"""Changes to the log: the order of its lines, and what stands in an event."""

from __future__ import annotations

import copy
from random import Random

from tests.fuzz.pools import ODD_VALUES, event_values, holders, similar
from tests.fuzz.sample import Json, Sample, compact


def drop_line(sample: Sample, random: Random) -> None:
    """Leave out an event."""
    del sample.events[random.randrange(len(sample.events))]


def repeat_line(sample: Sample, random: Random) -> None:
    """Let an event happen twice."""
    event = copy.deepcopy(random.choice(sample.events))
    sample.events.insert(random.randrange(len(sample.events) + 1), event)


def swap_lines(sample: Sample, random: Random) -> None:
    """Let two neighbours change places."""
    if len(sample.events) > 2:
        first = random.randrange(1, len(sample.events) - 1)
        sample.events[first : first + 2] = reversed(sample.events[first : first + 2])


def move_line(sample: Sample, random: Random) -> None:
    """Let an event happen at another time, most often a little later or earlier."""
    place = random.randrange(len(sample.events))
    event = sample.events.pop(place)
    far = random.random() < 0.3
    to = random.randrange(len(sample.events) + 1) if far else max(0, place + random.randint(-4, 4))
    sample.events.insert(to, event)


def cut_log(sample: Sample, random: Random) -> None:
    """End the log early."""
    if random.random() < 0.5:
        del sample.events[random.randrange(1, len(sample.events) + 1) :]
    else:
        done = [event for event in sample.bodies() if event["payload"].get("type") == "recording_completed"]
        sample.events[:] = [event for event in sample.events if event not in done]


def exchange_value(sample: Sample, random: Random) -> None:
    """Put a value of an event in the place of one under the same key elsewhere."""
    values = event_values(sample)
    holder, key = random.choice(values)
    holder[key] = similar((holder, key), values, random)


def exchange_reference(sample: Sample, random: Random) -> None:
    """Let an event refer to another payload, most often of the same kind."""
    refs = [*sample.refs()]
    if len(refs) < 2:
        return
    ref = random.choice(refs)
    same = [one for one in refs if one.get("kind") == ref.get("kind")]
    other = copy.deepcopy(random.choice(same if random.random() < 0.8 else refs))
    if random.random() < 0.3:
        other["kind"] = copy.deepcopy(ref.get("kind"))
    ref.clear()
    ref.update(other)


def change_value(sample: Sample, random: Random) -> None:
    """Delete a value of an event, or let it be null or of another type."""
    event = random.choice(sample.bodies() or [{}])
    places = [*holders(event)] if random.random() < 0.3 else [*holders(event.get("payload"))]
    if not places:
        return
    holder, key = random.choice(places)
    if isinstance(holder, dict) and random.random() < 0.4:
        del holder[key]
    else:
        holder[key] = copy.deepcopy(random.choice(ODD_VALUES))


def add_key(sample: Sample, random: Random) -> None:
    """Give an event a key that it does not know, or one of another event."""
    bodies = [event["payload"] for event in sample.bodies() if isinstance(event.get("payload"), dict)]
    if not bodies:
        return
    body = random.choice(bodies)
    key, value = random.choice([*random.choice(bodies).items()])
    if key != "type":
        body.setdefault(key if random.random() < 0.7 else "x", copy.deepcopy(value))


def change_time(sample: Sample, random: Random) -> None:
    """Let an event have another time."""
    event = random.choice(sample.bodies() or [{}])
    event["wall_time_unix_ms"] = random.choice([0, -5, 2**63 - 1, 1750000000000])


def forget_numbers(sample: Sample, random: Random) -> None:
    """Keep the numbers that the events have, so that they no longer fit."""
    sample.renumbers = False


def spell_line_oddly(sample: Sample, random: Random) -> None:
    """Write an event in another way: a repeated key, white space, numbers with fractions, escapes."""
    place = random.randrange(len(sample.events))
    event = sample.events[place]
    if isinstance(event, dict):
        sample.events[place] = odd_spelling(event, random)


def spell_event_oddly(sample: Sample, random: Random) -> None:
    """Write something in an event as an array, by a number, or as an object with one key."""
    event = random.choice(sample.bodies() or [{"payload": {}}])
    for _ in range(random.choice([1, 1, 2, 4])):
        places = [*holders(event["payload"])]
        if random.random() < 0.9:
            places = [(holder, key) for holder, key in places if _is_told_in_more_ways(holder[key], key)]
        if not places or random.random() < 0.1:
            places = [(event, "payload")]
        holder, key = random.choice(places)
        holder[key] = _told_otherwise(holder[key], random)


def _is_told_in_more_ways(value: Json, key: str | int) -> bool:
    return isinstance(value, dict) or (isinstance(value, str) and key == "status")


def _told_otherwise(value: Json, random: Random) -> Json:
    """The same value, most often, in a spelling that is taken in some places."""
    if isinstance(value, str):
        return random.choice([{value: None}, {value: {}}, {value: None}, {value: []}, random.randrange(16)])
    if not isinstance(value, dict):
        return [value]
    values = [*value.values()]
    if len(value) == 1 and random.random() < 0.5:
        return random.choice([[*values, None], {"type": random.randrange(12)}, {"type": 1}])
    tag = next((key for key in ("type", "status") if key in value), None)
    if tag is not None and random.random() < 0.3:
        return {**value, tag: random.randint(-1, 12)}
    return values


def odd_spelling(value: Json, random: Random) -> bytes:
    """A JSON text as no recorder writes it; it may well be wrong."""
    text = compact(value)
    choice = random.randrange(7)
    if choice == 0:
        return text.replace(b":", b" :\t").replace(b",", b"\r, ")
    if choice == 1:
        return text.replace(b'"t', b'"\\u0074').replace(b'"id"', b'"\\u0069d"')
    if choice == 2 and isinstance(value, dict) and value:
        key = random.choice([*value])
        again = compact({key: random.choice([value[key], None, "x", 1])})
        return text[:-1] + b"," + again[1:]
    if choice == 3:
        return b'{"":' + b"[" * 120 + b"]" * 120 + b"," + text[1:] if text.startswith(b"{") else text
    if choice == 4:
        return text.replace(b":1,", b":1.0,").replace(b":0}", b":-0}").replace(b":5", b":5e0")
    if choice == 5:
        cut = random.randrange(len(text) + 1)
        return text[:cut] + random.choice([b"\xff", b"\\ud800", b"\x00", b"]", b" "]) + text[cut:]
    return text[: random.randrange(len(text) + 1)]
