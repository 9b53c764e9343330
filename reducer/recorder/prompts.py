"""Prepared prompts: what a model is asked, before that is brought into the form of a provider's request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def prepared_prompt(
    items: Sequence[Any],
    *,
    tools: object = (),
    parallel_tool_calls: bool = True,
    base_instructions: str = "",
    provenance: object | None = None,
    output_schema: object | None = None,
    output_schema_strict: bool = True,
    prompt_cache_ttl: object | None = None,
    cyber_access_program: object | None = None,
) -> dict[str, Any]:
    """Contents of a `prepared_prompt` payload, keys in codex's order.

    Args:
        items: Responses items, without one that only carries the base instructions.
        tools: what the model may call.
        parallel_tool_calls: whether it may make several calls at once.
        base_instructions: what the model is told before all items.
        provenance: where they come from, such as `{"type": "model", "model": "gpt-5.5"}`; None if unknown.
        output_schema: JSON schema of the answer.
        output_schema_strict: whether the answer must follow it to the letter.
        prompt_cache_ttl: how long the provider is to keep the prompt.
        cyber_access_program: which access program the request falls under.
    """
    instructions: dict[str, Any] = {"text": base_instructions}
    if provenance is not None:
        instructions["provenance"] = provenance
    return {
        "input": items,
        "tools": tools,
        "parallel_tool_calls": parallel_tool_calls,
        "base_instructions": instructions,
        "output_schema": output_schema,
        "output_schema_strict": output_schema_strict,
        "prompt_cache_ttl": prompt_cache_ttl,
        "cyber_access_program": cyber_access_program,
    }


def prompt_of_request(request: object) -> dict[str, Any]:
    """The prompt that a request was made from, as far as the request tells.

    The base instructions are its `instructions`, or else the one text of a developer message that is the
    first item, as codex 0.171 sends them.
    """
    body = request if isinstance(request, dict) else {}
    items = body.get("input")
    items = list(items) if isinstance(items, (list, tuple)) else []
    instructions = body.get("instructions")
    if not isinstance(instructions, str):
        instructions = _only_text(items[0]) if items else None
        items = items if instructions is None else items[1:]
    text = body.get("text")
    answer = text.get("format") if isinstance(text, dict) else None
    answer = answer if isinstance(answer, dict) else {}
    return prepared_prompt(
        items,
        tools=body.get("tools", ()),
        parallel_tool_calls=body.get("parallel_tool_calls", True),
        base_instructions=instructions or "",
        output_schema=answer.get("schema"),
        output_schema_strict=answer.get("strict", True),
    )


def _only_text(item: object) -> str | None:
    """The text of a developer message that consists of one."""
    match item:
        case {"type": "message", "role": "developer", "content": [{"text": str() as text}]}:
            return text
    return None
