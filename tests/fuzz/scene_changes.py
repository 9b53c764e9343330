"""Events that are added: receipts, requests and answers, compactions, waits, resumed threads."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random

from tests.fuzz.pools import Documents, all_items, item_lists
from tests.fuzz.sample import Json, Sample

_RECEIVABLE = ("function_call_output", "custom_tool_call_output", "agent_message")


def envelope(sample: Sample, like: Json, payload: Json) -> Json:
    return {
        **{key: value for key, value in like.items() if key != "payload"},
        "schema_version": sample.schema,
        "payload": payload,
    }


def turn_event(sample: Sample, random: Random) -> tuple[int, Json] | None:
    """Some event that has thread and turn, and where it stands."""
    found = [
        (place, event)
        for place, event in enumerate(sample.events)
        if isinstance(event, dict) and event.get("thread_id") and event.get("codex_turn_id")
    ]
    return random.choice(found) if found else None


def insert(sample: Sample, random: Random, like: tuple[int, Json], payload: Json) -> None:
    place, event = like
    at = place + 1 if random.random() < 0.6 else random.randint(place + 1, len(sample.events))
    sample.events.insert(at, envelope(sample, event, payload))


def _some_items(sample: Sample, random: Random) -> list[Json]:
    """A list of items: one of the bundle with changes, or put together from all there are."""
    lists = [one for _, document in Documents(sample).parsed() for one in item_lists(document)]
    pool = all_items(sample)
    items = copy.deepcopy(random.choice(lists)) if lists and random.random() < 0.7 else []
    for _ in range(random.randint(0, 4)):
        items.insert(random.randint(0, len(items)), copy.deepcopy(random.choice(pool)))
    for item in items:
        if isinstance(item, dict) and random.random() < 0.15:
            _change_id(item, pool, random)
    return items


def _change_id(item: Json, pool: list[Json], random: Random) -> None:
    ids = [one["id"] for one in pool if isinstance(one.get("id"), str)] or ["i1"]
    if random.random() < 0.3:
        item.pop("id", None)
    else:
        item["id"] = random.choice(ids)


def add_receipt(sample: Sample, random: Random) -> None:
    """Accept an item, most often one that other payloads show, too, before or after they do."""
    like = turn_event(sample, random)
    if like is None:
        return
    pool = all_items(sample)
    receivable = [item for item in pool if item.get("type") in _RECEIVABLE]
    item = copy.deepcopy(random.choice(receivable if random.random() < 0.9 else pool))
    if random.random() < 0.6 or "id" not in item:
        _change_id(item, pool, random)
        item.setdefault("id", "i1")
    payload: Json = {
        "type": "history_item_accepted",
        "item_id": item["id"] if random.random() < 0.95 else "i2",
    }
    fields = (
        ["agent_message_payload", "tool_output_payload"] if sample.schema == 3 else ["agent_message_payload"]
    )
    if item["type"] in _RECEIVABLE and random.random() < 0.85:
        payload[random.choice(fields)] = sample.add_payload(item, "protocol_event")
        if random.random() < 0.15:
            payload[random.choice(fields)] = sample.add_payload(random.choice(pool), "protocol_event")
    insert(sample, random, like, payload)


def receive_outputs(sample: Sample, random: Random) -> None:
    """Give outputs in a list ids and accept some of them just before, as the recorder does."""
    documents = Documents(sample)
    pool = all_items(sample)
    users = [
        (place, event, ref)
        for place, event in enumerate(sample.events)
        if isinstance(event, dict) and event.get("thread_id")
        for ref in event["payload"].values()
        if isinstance(ref, dict) and isinstance(ref.get("raw_payload_id"), str)
    ]
    random.shuffle(users)
    for place, event, ref in users:
        document = documents.get(ref["raw_payload_id"])
        items = [item for one in item_lists(document) for item in one if isinstance(item, dict)]
        wanted = [item for item in items if item.get("type") in _RECEIVABLE]
        if not wanted:
            continue
        for item in random.sample(wanted, random.randint(1, min(3, len(wanted)))):
            if not isinstance(item.get("id"), str):
                item["id"] = f"out-{random.randrange(4)}"
            body = copy.deepcopy(item)
            if random.random() < 0.2:
                body = {
                    **copy.deepcopy(random.choice([one for one in pool if one.get("type") in _RECEIVABLE])),
                    "id": item["id"],
                }
            field = "tool_output_payload" if sample.schema == 3 else "agent_message_payload"
            receipt = {
                "type": "history_item_accepted",
                "item_id": item["id"],
                field: sample.add_payload(body, "protocol_event"),
            }
            sample.events.insert(
                random.choice([place, place, random.randint(place // 2, place)]),
                envelope(sample, event, receipt),
            )
        documents.store(ref["raw_payload_id"], document)
        return


def add_request(sample: Sample, random: Random) -> None:
    """Ask the model once more, perhaps continuing a response, and perhaps let it answer."""
    like = turn_event(sample, random)
    if like is None:
        return
    before = [event["payload"] for event in sample.events[: like[0] + 1] if event in sample.bodies()]
    responses = [one["response_id"] for one in before if one.get("response_id")]
    body: Json = {"input": _some_items(sample, random)}
    if responses and random.random() < 0.4:
        body["previous_response_id"] = random.choice(responses)
    call = f"added-{len(sample.events)}"
    payload: Json = {
        "type": "inference_started",
        "inference_call_id": call,
        "thread_id": like[1]["thread_id"],
        "codex_turn_id": like[1]["codex_turn_id"],
        "model": "m",
        "provider_name": "p",
        "request_payload": sample.add_payload(body, "inference_request"),
    }
    if sample.schema == 3:
        _add_evidence(sample, random, payload, body)
    place = like[0]
    insert(sample, random, (place, like[1]), payload)
    if random.random() < 0.6:
        at = next(
            number
            for number, event in enumerate(sample.events)
            if isinstance(event, dict) and event["payload"] is payload
        )
        answer = {"output_items": _some_items(sample, random)[:4], "token_usage": None}
        done = {
            "type": "inference_completed",
            "inference_call_id": call,
            "response_id": f"resp-{call}"
            if random.random() < 0.8 or not responses
            else random.choice(responses),
            "upstream_request_id": None,
            "response_payload": sample.add_payload(answer, "inference_response"),
        }
        insert(sample, random, (at, like[1]), done)


def _add_evidence(sample: Sample, random: Random, payload: Json, body: Json) -> None:
    """What a request of schema 3 has besides."""
    payload["prepared_prompt_payload"] = sample.add_payload({"input": []}, "prepared_prompt")
    if random.random() < 0.15:
        context: Json = {"input": _some_items(sample, random)}
        payload["warmup_context_payload"] = sample.add_payload(context, "warmup_context")
        body = context
    if random.random() < 0.2:
        outputs = [
            number
            for number, item in enumerate(body["input"])
            if isinstance(item, dict) and item.get("type") in _RECEIVABLE[:2]
        ]
        if outputs:
            place = random.choice(outputs)
            given = body["input"][place].pop("id", "i1") if random.random() < 0.9 else "i1"
            key = "warmup_context_payload" if "warmup_context_payload" in payload else "request_payload"
            Documents(sample)
            payload[key] = sample.add_payload(body, payload[key]["kind"]["type"])
            payload["stripped_tool_output_ids"] = [[place, given]]


def strip_output_id(sample: Sample, random: Random) -> None:
    """Take the id of an output out of a request, and let the event tell it."""
    documents = Documents(sample)
    starts = [
        event["payload"] for event in sample.bodies() if event["payload"].get("type") == "inference_started"
    ]
    random.shuffle(starts)
    for start in starts:
        ref = start.get("warmup_context_payload") or start.get("request_payload")
        name = ref.get("raw_payload_id") if isinstance(ref, dict) else None
        if name not in sample.known_refs():
            continue
        document = documents.get(name)
        items = document.get("input") if isinstance(document, dict) else None
        outputs = [
            n
            for n, item in enumerate(items or ())
            if isinstance(item, dict) and item.get("type") in _RECEIVABLE[:2]
        ]
        if not outputs:
            continue
        place = random.choice(outputs)
        given = items[place].pop("id", None) or random.choice(["i1", "i2"])
        start.setdefault("stripped_tool_output_ids", []).append(
            [place if random.random() < 0.95 else place + 1, given]
        )
        documents.store(name, document)
        return


def add_warmup(sample: Sample, random: Random) -> None:
    """Give a request a context that stands for it."""
    starts = [
        event["payload"] for event in sample.bodies() if event["payload"].get("type") == "inference_started"
    ]
    if starts:
        body: Json = {"input": _some_items(sample, random)}
        if random.random() < 0.2:
            body["previous_response_id"] = "resp-1"
        random.choice(starts)["warmup_context_payload"] = sample.add_payload(body, "warmup_context")


def add_compaction(sample: Sample, random: Random) -> None:
    """Install a compaction."""
    like = turn_event(sample, random)
    if like is not None:
        body = {
            "input_history": _some_items(sample, random),
            "replacement_history": _some_items(sample, random),
        }
        payload = {
            "type": "compaction_installed",
            "compaction_id": f"added-{random.randrange(4)}",
            "checkpoint_payload": sample.add_payload(body, "compaction_checkpoint"),
        }
        insert(sample, random, like, payload)


def add_wait(sample: Sample, random: Random) -> None:
    """Tell for which cell a tool call waits."""
    like = turn_event(sample, random)
    bodies = [event["payload"] for event in sample.bodies()]
    tools = [
        (n, event)
        for n, event in enumerate(sample.events)
        if isinstance(event, dict) and event["payload"].get("type") == "tool_call_started"
    ]
    cells = [one["runtime_cell_id"] for one in bodies if isinstance(one.get("runtime_cell_id"), str)] or ["1"]
    if like is not None and tools:
        place, tool = random.choice(tools)
        where = (place, tool) if random.random() < 0.9 else like
        payload = {
            "type": "code_cell_wait_target_resolved",
            "tool_call_id": tool["payload"].get("tool_call_id"),
            "runtime_cell_id": random.choice(cells),
        }
        insert(sample, random, where, payload)


def add_thread_event(sample: Sample, random: Random) -> None:
    """End a turn, or a thread, which may then go on."""
    like = turn_event(sample, random)
    if like is None:
        return
    place, event = like
    status = random.choice(["running", "completed", "failed", "aborted"])
    thread = event["thread_id"]
    ended: Json = {"type": "thread_ended", "thread_id": thread, "status": status}
    resumed: Json = {"type": "thread_resumed", "thread_id": thread}
    turn_ended: Json = {
        "type": "codex_turn_ended",
        "codex_turn_id": event["codex_turn_id"],
        "status": status,
    }
    steps = random.choice([[turn_ended], [ended], [ended, resumed], [ended, resumed], [resumed]])
    for number, step in enumerate(steps, 1):
        sample.events.insert(place + number, envelope(sample, event, step))


def second_thread(sample: Sample, random: Random) -> None:
    """Let everything happen in another thread once more, with ids that are its own."""
    threads = [
        event["payload"]["thread_id"]
        for event in sample.bodies()
        if event["payload"].get("type") == "thread_started"
    ]
    if not threads or not isinstance(threads[0], str):
        return
    old, new = threads[0], "00000000-0000-4000-8000-00000000ffff"
    rename: Callable[[Json], Json] = lambda value: _renamed(value, old, new)  # noqa: E731
    copies = [rename(copy.deepcopy(event)) for event in sample.bodies() if old in str(event)]
    copies = [one for one in copies if one["payload"].get("type") not in ("rollout_started", "rollout_ended")]
    at = random.randint(1, len(sample.events))
    for number, event in enumerate(copies):
        step = number if random.random() < 0.5 else 2 * number
        sample.events.insert(min(at + step, len(sample.events)), event)


def _renamed(value: Json, old: str, new: str) -> Json:
    if isinstance(value, dict):
        if "raw_payload_id" in value:
            return value
        own = (
            "tool_call_id",
            "inference_call_id",
            "codex_turn_id",
            "compaction_id",
            "compaction_request_id",
            "edge_id",
        )
        return {
            key: f"{one}-2" if key in own and isinstance(one, str) else _renamed(one, old, new)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_renamed(one, old, new) for one in value]
    return new if value == old else value
