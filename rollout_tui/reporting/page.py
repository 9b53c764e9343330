"""A report as one HTML page: no script, nothing that is loaded, for light and dark and for paper."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby

from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.timing.lanes import KINDS, Kind
from rollout_tui.reporting.build import report_of
from rollout_tui.reporting.markup import Html, element, joined, text
from rollout_tui.reporting.parts import Chapter, DrawnLane, Fold, Report
from rollout_tui.session import Session
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.tables import Table

_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;--soft:#f6f8fa;
--model:#2f6fde;--tool:#2c8a4b;--waittool:#c98a00;--waitperson:#b0489b;--waitagent:#8a63d2;--between:#9aa4af;
--idle:#e4e8ec;--bad:#cf222e}
@media(prefers-color-scheme:dark){:root{--bg:#0e1116;--fg:#e6edf3;--dim:#9199a1;--line:#30363d;--soft:#161b22;
--idle:#272d35;--bad:#ff6b63}}
body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:75rem;
padding:1rem}
h1{font-size:1.3rem;overflow-wrap:anywhere}h2{border-top:1px solid var(--line);padding-top:1rem}
h3{font-size:1rem;margin:1rem 0 .3rem}h4{color:var(--dim);font-size:.85rem;margin:.8rem 0 .2rem}
h3,h4,dd,summary,p{overflow-wrap:anywhere}
p,li{color:var(--dim)}nav a{margin-right:1rem}a{color:inherit}
dl{display:grid;gap:.1rem .8rem;grid-template-columns:minmax(6rem,max-content) 1fr;margin:.3rem 0}
dt{color:var(--dim)}dd{margin:0;min-width:0;white-space:pre-wrap}
.wide{overflow-x:auto}
table{border-collapse:collapse;font:.8rem ui-monospace,monospace}td,th{border-bottom:1px solid var(--line);
padding:.15rem .6rem;text-align:left;vertical-align:top;white-space:pre}
th{color:var(--dim);font-weight:normal}
.n{text-align:right}
pre{background:var(--soft);font-size:.8rem;margin:0;overflow-x:auto;padding:.5rem}
details{border:1px solid var(--line);border-radius:4px;margin:.3rem 0;padding:.3rem .6rem}
summary{cursor:pointer}summary b{margin-right:.7rem}
svg{display:block;height:1.1rem;width:100%}figure{margin:.5rem 0}figcaption{color:var(--dim);font-size:.85rem}
.lane{display:grid;gap:0 .6rem;grid-template-columns:minmax(5rem,11rem) 1fr;margin:.15rem 0}
.lane span{font-size:.85rem;overflow-wrap:anywhere}
.model{fill:var(--model);color:var(--model)}.tool{fill:var(--tool);color:var(--tool)}
.wait-for-tool{fill:var(--waittool);color:var(--waittool)}
.wait-for-person{fill:var(--waitperson);color:var(--waitperson)}
.wait-for-agent{fill:var(--waitagent);color:var(--waitagent)}.between{fill:var(--between);color:var(--between)}
.idle{fill:var(--idle)}.failure{fill:var(--bad);color:var(--bad)}.compaction{fill:var(--fg)}
.key{margin-right:.9rem;white-space:nowrap}
@media print{body{font-size:10pt;max-width:none;padding:0}details{break-inside:avoid}td{white-space:pre-wrap}
pre{overflow:visible;white-space:pre-wrap}.wide{overflow:visible}nav{display:none}
*{print-color-adjust:exact}}
"""


def _policy() -> str:
    """What a browser may do with the page: nothing but apply the one style that is in it."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def html_pieces(report: Report) -> Iterator[bytes]:
    """The page, piece by piece."""
    yield _head(report).encode()
    for chapter in report.chapters:
        yield f"{_chapter(chapter)}\n".encode()
    yield b"</body>\n</html>\n"


def report_page(session: Session, links: AgentLinks) -> bytes:
    """The report of a run as a whole page; the arguments and errors are those of `report_of`."""
    return b"".join(html_pieces(report_of(session, links)))


def _head(report: Report) -> str:
    names = [chapter.name for chapter in report.chapters]
    links = joined((element("a", text(name), href=f"#{name}") for name in names), " ")
    reading = joined(element("li", text(words)) for words in report.reading)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{text(_policy())}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(report.source)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"{element('h1', text(f'Report of {report.source}'))}\n"
        f"{element('nav', links)}\n{element('ul', reading)}\n"
    )


def _chapter(chapter: Chapter) -> Html:
    pieces = [element("h2", text(chapter.name.capitalize()))]
    if chapter.lanes:
        pieces.append(_picture(chapter.lanes))
    pieces += [_document(one) for one in chapter.documents]
    if chapter.left_out:
        pieces.append(element("p", text(chapter.left_out)))
    pieces += [_fold(one) for one in chapter.folds]
    return element("section", *pieces, id=chapter.name)


def _fold(fold: Fold) -> Html:
    summary = element("summary", element("b", text(fold.place)), text(fold.words))
    return element("details", summary, _document(fold.document))


def _document(document: Document) -> Html:
    pieces = [element("h3", text(document.title))] if document.title else []
    if document.facts:
        facts = (
            Html(element("dt", text(name)) + element("dd", text(value))) for name, value in document.facts
        )
        pieces.append(element("dl", *facts))
    pieces += [_section(one) for one in document.sections]
    return joined(pieces, "\n")


def _section(section: Section) -> Html:
    heading = element("h4", text(section.heading))
    if isinstance(section.lines, Table):
        return joined((heading, element("div", _table(section.lines), class_="wide")))
    lines = joined((text(line) for line in section.lines), "\n")
    return joined((heading, element("pre", lines)))


def _table(table: Table) -> Html:
    head = element("tr", *(_cell("th", cell, at, table) for at, cell in enumerate(table.heading)))
    rows = [
        element("tr", *(_cell("td", cell, at, table) for at, cell in enumerate(row))) for row in table.rows
    ]
    return element("table", *([head] if table.heading else []), *rows)


def _cell(name: str, cell: str, at: int, table: Table) -> Html:
    return element(name, text(cell), class_="n") if at in table.right else element(name, text(cell))


# The picture


def _class_of(kind: Kind) -> str:
    return kind.replace(" ", "-")


def _picture(lanes: Sequence[DrawnLane]) -> Html:
    keys = [element("span", text(f"■ {kind}"), class_=f"key {_class_of(kind)}") for kind in KINDS[:-1]]
    keys.append(element("span", text("■ failure"), class_="key failure"))
    keys.append(element("span", text("❘ compaction"), class_="key"))
    rows = [element("div", element("span", text(one.label)), _lane(one), class_="lane") for one in lanes]
    return element("figure", *rows, element("figcaption", *keys))


def _lane(lane: DrawnLane) -> Html:
    """A lane: stretches of one kind as bars, marks of failures below and of compactions across."""
    shapes, at = [], 0
    for kind, group in groupby(column.kind for column in lane.columns):
        width = sum(1 for _ in group)
        if kind is not None:
            shapes.append(element("rect", x=at, y=1, width=width, height=8, class_=_class_of(kind)))
        at += width
    for place, column in enumerate(lane.columns):
        if column.compactions:
            shapes.append(element("rect", x=place, y=0, width=1, height=10, class_="compaction"))
        if column.failures:
            shapes.append(element("rect", x=place, y=7, width=2, height=5, class_="failure"))
    box = f"0 0 {max(1, at)} 12"
    return element("svg", *shapes, viewBox=box, preserveAspectRatio="none", role="img")
