"""Items that are put into lists besides those of the bundle: few ids and texts, so that they meet."""

from __future__ import annotations

from tests.fuzz.sample import Json


def _text(kind: str, text: str) -> Json:
    return {"type": kind, "text": text}


def _message(role: str, text: str, **more: Json) -> Json:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [_text(kind, text)], **more}


def _picture(**more: Json) -> Json:
    content = [{"type": "input_image", "image_url": "data:,x"}]
    return {"type": "message", "role": "user", "content": content, **more}


def _letter(item_id: str, author: str, recipient: str, content: Json) -> Json:
    route = {"author": author, "recipient": recipient}
    return {"type": "agent_message", "id": item_id, **route, "content": [content]}


def _call(**more: Json) -> Json:
    return {"type": "function_call", "call_id": "k1", "name": "tool", "arguments": '{"a":1}', **more}


def _output(call_id: str, output: Json, kind: str = "function_call_output", **more: Json) -> Json:
    return {"type": kind, "call_id": call_id, "output": output, **more}


def _reasoning(**more: Json) -> Json:
    return {"type": "reasoning", "summary": [], "encrypted_content": "e", **more}


_CUSTOM = "custom_tool_call_output"

OWN_ITEMS: list[Json] = [
    _message("user", "t"),
    _message("user", "t", id="i1"),
    _message("assistant", "t", id="i1"),
    _message("assistant", "u", phase="final_answer"),
    _picture(),
    _picture(id="i2"),
    _letter("i1", "/root", "/root/a", _text("input_text", "t")),
    _letter("i2", "/root/a", "/root", {"type": "encrypted_content", "encrypted_content": "s"}),
    _call(id="i3"),
    _call(),
    _output("k1", "done"),
    _output("k1", "done", id="i1"),
    _output("k2", [_text("input_text", "t")], id="i2"),
    _output("k1", [{"type": "input_image", "image_url": "data:,x"}], id="i1"),
    {"type": "custom_tool_call", "id": "i4", "call_id": "k2", "name": "exec", "input": "1"},
    _output("k2", "done", _CUSTOM),
    _output("k2", {"b": 1e5}, _CUSTOM, id="i2"),
    _reasoning(id="i5", summary=[_text("summary_text", "s")]),
    _reasoning(content=[_text("reasoning_text", "r")]),
    {"type": "compaction", "id": "i6", "encrypted_content": "c"},
    {"type": "web_search_call", "id": "i7", "status": "completed", "action": {"type": "search"}},
    {"type": "configuration_update", "id": "i1"},
    {"type": "additional_tools", "tools": []},
]
