"""A prepared prompt as text, for the tab of a call and for `show`."""

from __future__ import annotations

import json

from rollout_tui import glyphs
from rollout_tui.insight.items.prompts import Prompt, PromptItem
from rollout_tui.texts.short_forms import plural, size

_NAME = 26
"""Cells of the kind of an item."""


def prompt_text(prompt: Prompt) -> str:
    """What a prompt holds, and how the request differs from it. Not safe for a terminal.

    Args:
        prompt: the prompt.
    """
    rule = glyphs.active().rule * 2
    sections = prompt_sections(prompt)
    texts = (
        f"{rule} {heading} {rule}\n{text}".rstrip("\n") if heading else text for heading, text in sections
    )
    return "\n\n".join(texts)


def prompt_sections(prompt: Prompt) -> list[tuple[str, str]]:
    """The same as headings, each with what stands below it; a sentence without one if there is no prompt."""
    if prompt.lost is not None:
        return [("", f"There is no prompt to show: {prompt.lost}. ({prompt.raw_payload_id})")]
    parts = (_differences(prompt), _items(prompt), _tools(prompt), _settings(prompt), _base(prompt))
    return [(heading, "\n".join(lines)) for heading, lines in parts]


Part = tuple[str, list[str]]
"""A heading, and the lines below it."""


def _differences(prompt: Prompt) -> Part:
    continues = f" (which continues {prompt.continues})" if prompt.continues is not None else ""
    lines = prompt.differences or ["nothing differs"]
    return f"prompt against the request that was sent{continues}", lines


def _items(prompt: Prompt) -> Part:
    new = sum(item.is_new for item in prompt.items)
    heading = f"{plural(len(prompt.items), 'item')}, + {new} not in the prompt before"
    return heading, [*map(_item, prompt.items)]


def _item(item: PromptItem) -> str:
    mark = "+" if item.is_new else " "
    sent = "  not sent" if item.in_request is False else ""
    held = f"  {item.raw_payload_id}" if item.raw_payload_id is not None else ""
    return f"{mark} {item.place:>4}  {item.kind:<{_NAME}} {size(item.bytes):>7}{held}{sent}"


def _tools(prompt: Prompt) -> Part:
    whole = sum(bytes_ for _, bytes_ in prompt.tools)
    lines = [f"  {name:<{_NAME + 6}} {size(bytes_):>7}" for name, bytes_ in prompt.tools]
    return f"{plural(len(prompt.tools), 'tool')}, {size(whole)}", lines


def _settings(prompt: Prompt) -> Part:
    lines = [
        f"  {key:<{_NAME}} {json.dumps(value, ensure_ascii=False, default=str)}"
        for key, value in prompt.settings.items()
    ]
    return "settings", lines


def _base(prompt: Prompt) -> Part:
    if prompt.base_instructions is None:
        return "base instructions", ["none"]
    where = "" if prompt.provenance is None else f", from {prompt.provenance}"
    heading = f"base instructions, {size(len(prompt.base_instructions.encode(errors='replace')))}{where}"
    return heading, [prompt.base_instructions]
