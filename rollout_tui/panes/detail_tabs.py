"""The tabs in which one object is shown. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from rollout_tui import glyphs
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.blobs import without_data_urls
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.output.saw_ran import SawRan, saw_ran
from rollout_tui.insight.problems.line import LinePlace
from rollout_tui.texts.syntax import Language
from rollout_tui.views.detail.facts import Detail, Evidence, Fact
from rollout_tui.views.detail.readable import language_of

OBJECT = "Object"


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of the detail: fields, text sections of one title, saw and ran, a payload, log line, or origin.

    Attributes:
        name: what stands in the line of tabs.
        sections: the texts to show.
        is_exact: whether the texts are to be shown as they are, with the letters of blobs in them.
        evidence: the payload to show.
        log_line: the line of the log to show.
        saw_ran: what is to be compared.
        origin: the chain to show, as rows.
        is_gone: whether the object does not have it any more: then there is only that to be said.
    """

    name: str
    sections: tuple[TextSection, ...] = ()
    is_exact: bool = False
    evidence: Evidence | None = None
    log_line: LinePlace | None = None
    saw_ran: SawRan | None = None
    origin: tuple[Fact, ...] = ()
    is_gone: bool = False

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
    def key(self) -> tuple[object, ...]:
        """What it shows of its object, whatever else becomes of that: a payload is one by its id."""
        if self.evidence is not None:
            return "payload", self.evidence.ref.raw_payload_id
        if self.log_line is not None:
            return "line", self.log_line
        if self.saw_ran is not None:
            return ("saw/ran",)
        if self.origin:
            return ("origin",)
        if self.is_exact:
            return ("value", *((section.title, section.text) for section in self.sections))
        return ("text", self.sections[0].title) if self.sections else ("object",)

    @property
    def content(self) -> tuple[object, ...]:
        """What must be another one for what is shown to be read again."""
        texts = tuple((one.title, one.heading, one.text, one.payload) for one in self.sections)
        ref = None if self.evidence is None else self.evidence.ref
        return self.key, texts, ref, self.saw_ran, self.origin

    @property
    def kind(self) -> str:
        """The sort of tab in which another object is shown that has none of this name."""
        return "raw" if self.key[0] in ("payload", "line") else str(self.key[0])

    @property
    def what(self) -> str:
        """What is missed if it is gone."""
        return self.name if self.evidence is None else f"{self.name}, {self.evidence.ref.raw_payload_id},"


def tabs_of(
    index: TraceIndex | None, detail: Detail | None, origin: list[Fact], opened: Iterable[Tab] = ()
) -> list[Tab]:
    """Fields, texts by title, saw and ran, payloads or else the log line, origin; no two of one name.

    Args:
        index: the graph.
        detail: the object.
        origin: the rows of its origin; without any there is no tab for it.
        opened: tabs that the reader opened beside these.
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
    return _named_apart([*tabs, *opened])


def _named_apart(tabs: Iterable[Tab]) -> list[Tab]:
    """Each of several payloads under one name gets its number; what is there twice is there once."""
    once = list({tab.key: tab for tab in reversed(list(tabs))}.values())[::-1]
    names = Counter(tab.name for tab in once)
    return [
        replace(tab, name=f"{tab.name} {tab.evidence.ref.raw_payload_id.rpartition(':')[2]}")
        if tab.evidence is not None and names[tab.name] > 1
        else tab
        for tab in once
    ]


def same_tab(tabs: Sequence[Tab], before: Tab) -> Tab:
    """The tab that shows what was shown before of the same object; one that says so if that is gone."""
    same = next((tab for tab in tabs if tab.key == before.key), None)
    return replace(before, is_gone=True) if same is None else same


def nearest_tab(tabs: Sequence[Tab], before: Tab) -> Tab:
    """The tab in which to show an object after another one: of the same payload, name or kind, if any."""
    tests: tuple[Callable[[Tab], bool], ...] = (
        lambda tab: tab.key == before.key,
        lambda tab: tab.kind == before.kind and _name(tab) == _name(before),
        lambda tab: tab.kind == before.kind,
    )
    found = (tab for test in tests for tab in tabs if test(tab))
    return next(found, tabs[0])


def _name(tab: Tab) -> str:
    """Its name, without what tells it from others."""
    return tab.name if tab.evidence is None else tab.evidence.name
