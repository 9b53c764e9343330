"""A prepared prompt as text, for the tab of a call and for `show`."""

from __future__ import annotations

import json

from rollout_tui import glyphs
from rollout_tui.insight.prompts import Prompt, PromptItem
from rollout_tui.views.words import plural, size

_NAME = 26
"""Cells of the kind of an item."""


def prompt_text(prompt: Prompt) -> str:
    """What a prompt holds, and how the request differs from it. Not safe for a terminal.

    Args:
        prompt: the prompt.
    """
    if prompt.lost is not None:
        return f"There is no prompt to show: {prompt.lost}. ({prompt.raw_payload_id})"
    return "\n\n".join(
        [_differences(prompt), _items(prompt), _tools(prompt), _settings(prompt), _base(prompt)]
    )


def _headed(heading: str, lines: list[str]) -> str:
    rule = glyphs.active().rule * 2
    return "\n".join([f"{rule} {heading} {rule}", *lines])


def _differences(prompt: Prompt) -> str:
    continues = f" (which continues {prompt.continues})" if prompt.continues is not None else ""
    lines = prompt.differences or ["nothing differs"]
    return _headed(f"prompt against the request that was sent{continues}", lines)


def _items(prompt: Prompt) -> str:
    new = sum(item.is_new for item in prompt.items)
    heading = f"{plural(len(prompt.items), 'item')}, + {new} not in the prompt before"
    return _headed(heading, [*map(_item, prompt.items)])


def _item(item: PromptItem) -> str:
    mark = "+" if item.is_new else " "
    sent = "  not sent" if item.in_request is False else ""
    held = f"  {item.raw_payload_id}" if item.raw_payload_id is not None else ""
    return f"{mark} {item.place:>4}  {item.kind:<{_NAME}} {size(item.bytes):>7}{held}{sent}"


def _tools(prompt: Prompt) -> str:
    whole = sum(bytes_ for _, bytes_ in prompt.tools)
    lines = [f"  {name:<{_NAME + 6}} {size(bytes_):>7}" for name, bytes_ in prompt.tools]
    return _headed(f"{plural(len(prompt.tools), 'tool')}, {size(whole)}", lines)


def _settings(prompt: Prompt) -> str:
    lines = [
        f"  {key:<{_NAME}} {json.dumps(value, ensure_ascii=False, default=str)}"
        for key, value in prompt.settings.items()
    ]
    return _headed("settings", lines)


def _base(prompt: Prompt) -> str:
    if prompt.base_instructions is None:
        return _headed("base instructions", ["none"])
    where = "" if prompt.provenance is None else f", from {prompt.provenance}"
    heading = f"base instructions, {size(len(prompt.base_instructions.encode(errors='replace')))}{where}"
    return _headed(heading, [prompt.base_instructions])
