"""The tabs in which one object is shown. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rollout_tui import glyphs
from rollout_tui.views.detail.blobs import without_data_urls
from rollout_tui.views.detail.facts import Detail, Evidence, Fact, TextSection
from rollout_tui.views.detail.readable import language_of
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.output.saw_ran import SawRan, saw_ran
from rollout_tui.widgets.text_colour import Language

OBJECT = "Object"


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of the detail: fields, text sections of one title, saw and ran, a payload, log line, or origin.

    Attributes:
        name: what stands in the line of tabs.
        sections: the texts to show.
        is_exact: whether the texts are to be shown as they are, with the letters of blobs in them.
        evidence: the payload to show.
        log_line: byte offset of the line of the log to show.
        saw_ran: what is to be compared.
        origin: the chain to show, as rows.
    """

    name: str
    sections: tuple[TextSection, ...] = ()
    is_exact: bool = False
    evidence: Evidence | None = None
    log_line: int | None = None
    saw_ran: SawRan | None = None
    origin: tuple[Fact, ...] = ()

    def text(self, read: Callable[[TextSection], str]) -> tuple[str, Language]:
        """All its texts, each under its heading if there are several, and how to colour them.

        Args:
            read: gives the text of a section; it may read files.
        """
        rule = glyphs.active().rule * 2
        texts = []
        for section in self.sections:
            text = read(section)
            has_heading = section.heading and len(self.sections) > 1
            heading = f"{rule} {section.heading} {rule}\n" if has_heading else ""
            texts.append(heading + (text if self.is_exact else without_data_urls(text)))
        whole = "\n\n".join(texts)
        languages = {section.language for section in self.sections}
        return whole, language_of(whole, languages.pop() if len(languages) == 1 else "text")

    @property
    def kind(self) -> str:
        """What another object must have for the reader to find it in the same kind of tab."""
        if self.evidence is not None or self.log_line is not None:
            return "raw"
        if self.saw_ran is not None:
            return "saw/ran"
        if self.origin:
            return "origin"
        return "text" if self.sections else "object"


def tabs_of(index: TraceIndex | None, detail: Detail | None, origin: list[Fact]) -> list[Tab]:
    """Fields, texts by title, saw and ran, payloads or else the log line, origin.

    Args:
        index: the graph.
        detail: the object.
        origin: the rows of its origin; without any there is no tab for it.
    """
    tabs = [Tab(OBJECT)]
    if detail is None or index is None:
        return tabs
    by_title: dict[str, list[TextSection]] = {}
    for section in detail.texts:
        by_title.setdefault(section.title, []).append(section)
    tabs += [Tab(title, tuple(sections)) for title, sections in by_title.items()]
    call = index.trace.tool_calls.get(detail.ref.id) if detail.ref.type == "ToolCall" else None
    compared = None if call is None else saw_ran(index, call)
    if compared is not None:
        tabs.append(Tab("saw/ran", saw_ran=compared))
    # Of a schema that is not known the line is all there is to an event; its payloads come second.
    line_comes_first = detail.log_line is not None and (
        detail.ref.type == "Problem" or not index.is_schema_known
    )
    if line_comes_first:
        tabs.append(Tab("log line", log_line=detail.log_line))
    tabs += [Tab(evidence.name, evidence=evidence) for evidence in detail.payloads]
    if not detail.payloads and not line_comes_first and detail.log_line is not None:
        tabs.append(Tab("log line", log_line=detail.log_line))
    if origin:
        tabs.append(Tab("origin", origin=tuple(origin)))
    return tabs
