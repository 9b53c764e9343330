"""Reports: the figures of `show`, and no evidence that is anything but text."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from inspecting import inspecting
from markdown_it import MarkdownIt
from places import REPOSITORY

from rollout_tui.language.asking import AnswerTo
from rollout_tui.reporting import bounds
from rollout_tui.reporting.build import AS_RECORDED, READING, report_of
from rollout_tui.reporting.markdown import fenced, markdown_pieces
from rollout_tui.reporting.markup import text
from rollout_tui.reporting.page import html_pieces
from rollout_tui.reporting.parts import Report
from rollout_tui.safe_text import flowing_text
from rollout_tui.screens.write_form import WriteForm, write_export
from rollout_tui.session import Session
from rollout_tui.showing.answers import SESSION, answer_document
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.tables import table

DEMOS = ("team", "quickstart", "capped", "schema-1", "schema-2", "hostile", "hostile-2")
BY_DEMO = pytest.mark.parametrize("demo", DEMOS)

VOID = {"meta"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h4", "nav", "a", "ul", "li", "p",
    "section", "dl", "dt", "dd", "div", "table", "tr", "td", "th", "pre", "details", "summary", "b",
    "figure", "figcaption", "span", "svg", "rect",
}  # fmt: skip
ATTRIBUTES = {
    "html": {"lang"}, "meta": {"charset", "http-equiv", "name", "content"}, "a": {"href"}, "section": {"id"},
    "div": {"class"}, "span": {"class"}, "td": {"class"}, "th": {"class"},
    "svg": {"viewbox", "preserveaspectratio", "role"}, "rect": {"x", "y", "width", "height", "class"},
}  # fmt: skip

ATTACKS = (
    "</pre></details><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "[x](javascript:alert(1)) <https://evil.example> www.evil.example",
    "```\n</details>\n# heading\n~~~",
    "`````` @someone #12",
    "\x1b]8;;https://evil.example\x07link\x1b[31m",
    "\u202egnp.exe\u2066 &lt;script&gt; &#60;",
    "<!-- ]]> -->",
)


def loaded(demo: str) -> Session:
    session = Session(REPOSITORY / "demo_traces" / demo)
    session.load(lambda _done, _total: None)
    return session


def made(session: Session) -> Report:
    assert session.timelines is not None
    return report_of(session, session.timelines.links)


class Reading(HTMLParser):
    """What a browser would make of a page: elements, their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.others: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)


@pytest.mark.slow
@BY_DEMO
def test_a_page_has_only_what_this_program_writes(demo: str) -> None:
    page = b"".join(html_pieces(made(loaded(demo)))).decode()
    read = Reading(page)
    assert read.open == []
    assert read.others == []
    assert [tag for tag, _ in read.elements if tag in ("style", "title", "body")] == [
        "title",
        "style",
        "body",
    ]
    for tag, attributes in read.elements:
        assert tag in TAGS
        assert attributes.keys() <= ATTRIBUTES.get(tag, set()), (tag, attributes)
        assert re.fullmatch(r"#[a-z]+", attributes.get("href") or "#a")
        assert re.fullmatch(r"[a-z -]+", attributes.get("class") or "a")
        assert re.fullmatch(r"[a-z]+", attributes.get("id") or "a")
    policy = next(one for _, one in read.elements if one.get("http-equiv") == "Content-Security-Policy")
    assert (policy["content"] or "").startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", page)


@pytest.mark.slow
@BY_DEMO
def test_markdown_outside_of_fences_is_of_this_program(demo: str) -> None:
    source = b"".join(markdown_pieces(made(loaded(demo)))).decode()
    tokens = MarkdownIt("commonmark").parse(source)
    assert {one.type for one in tokens} <= {
        "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "fence",
        "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "html_block",
    }  # fmt: skip
    chapters = {"Overview", "Failures", "Agents", "Tokens", "Time", "Compactions"}
    own = {"Report of a run", *chapters, *READING, AS_RECORDED}
    for one in tokens:
        if one.type == "html_block":
            shown = r"<details><summary>(seq \d+|tokens by [a-z]+|no place in the log)</summary>\n"
            assert re.fullmatch(rf"{shown}|</details>\n", one.content), one.content
        if one.type == "inline":
            assert one.content in own, one.content
        if one.type == "fence":
            assert one.info == ""


@given(st.text())
@example(ATTACKS[0])
@example(ATTACKS[1])
@example(ATTACKS[2])
@example(ATTACKS[7])
@example(ATTACKS[8])
def test_any_text_in_html_stays_text(words: str) -> None:
    as_text, as_value = Reading(f"<p>{text(words)}</p>"), Reading(f'<p title="{text(words)}"></p>')
    assert [tag for tag, _ in as_text.elements] == ["p"]
    assert "".join(as_text.texts) == flowing_text(words)
    assert as_text.others == []
    assert as_value.elements == [("p", {"title": flowing_text(words)})]


@given(st.lists(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("`~<>#[]()-\n ")))))
@example([ATTACKS[3], ATTACKS[4], ATTACKS[5], ATTACKS[6]])
@example(["```", "````", "   `````", "</details>"])
def test_any_text_in_a_fence_stays_in_it(lines: list[str]) -> None:
    tokens = MarkdownIt("commonmark").parse("\n".join(fenced(lines)))
    assert [one.type for one in tokens] == ["fence"]
    assert tokens[0].content == "".join(f"{flowing_text(line)}\n" for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("demo", ["team", "capped", "schema-1"])
@pytest.mark.parametrize("what", ["summary", "tokens", "time", "path", "waits"])
def test_a_report_says_what_show_prints(demo: str, what: str) -> None:
    session = loaded(demo)
    assert session.timelines is not None
    report = made(session)
    shown = answer_document(session, session.timelines.links, AnswerTo(what))  # type: ignore[arg-type]
    told = next(one for chapter in report.chapters for one in chapter.documents if one.title == shown.title)
    assert told.data == shown.data
    lines = b"".join(markdown_pieces(report)).decode().splitlines()
    for line in shown.lines():
        if len(line) < bounds.MAX_LINE:
            assert line.rstrip() in lines
    texts = Reading(b"".join(html_pieces(report)).decode()).texts
    assert {flowing_text(value) for _, value in shown.facts} <= set(texts)


def test_each_failure_has_its_place_and_its_texts() -> None:
    chapter = next(one for one in made(loaded("team")).chapters if one.name == "failures")
    assert [one.place for one in chapter.folds] == [
        f"seq {seq}" for seq in (340, 331, 324, 313, 235, 228, 223, 159, 98, 90)
    ]
    patch = next(one for one in chapter.folds if one.place == "seq 228")
    assert "apply_patch verification failed" in "\n".join(patch.document.lines())


def test_the_report_of_a_session_says_what_it_rests_on() -> None:
    folder = REPOSITORY / "demo_traces" / "both" / "sessions"
    session = Session(sorted(folder.rglob("rollout-*.jsonl"))[0])
    session.load(lambda _done, _total: None)
    report = made(session)
    texts = Reading(b"".join(html_pieces(report)).decode()).texts
    told = {"overview": 1, "tokens": 1, "time": 3}
    for chapter in report.chapters:
        facts = [value for one in chapter.documents for name, value in one.facts if name == "rests on"]
        assert facts == [SESSION] * told.get(chapter.name, 0)
    assert texts.count(SESSION) >= sum(told.values())


def test_what_is_left_out_is_announced() -> None:
    document = Document("many")
    document.add_text("output", "\n".join(str(number) for number in range(1, 1001)))
    document.add_text("long", "x" * 5000)
    document.sections.append(Section("rows", table([[str(number)] for number in range(1000)])))
    lines = list(bounds.fitting(document, "tool 7").lines())
    assert "[900 lines left out: show tool 7 prints them]" in lines
    assert lines[lines.index("60") + 2] == "961"  # type: ignore[arg-type]
    assert any(line.endswith(" [4,000 characters left out]") for line in lines)
    assert any("rows; 300 of 1,000 rows, show tool 7 prints the rest" in line for line in lines)
    assert len(lines) < 420


@pytest.mark.slow
def test_a_full_report_says_where_the_rest_is(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sum(map(len, html_pieces(made(loaded("team")))))
    monkeypatch.setattr(bounds, "MAX_FOLDED", 5000)
    page = b"".join(html_pieces(made(loaded("team"))))
    assert len(page) < whole * 0.7
    assert b"left out, the report is full: show compaction 2 prints it" in page


def test_the_name_of_the_file_says_the_form(
    call_program: Callable[..., subprocess.CompletedProcess[bytes]],
    demo_trace: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    bundle = demo_trace("team")
    page, source = tmp_path / "r.HTML", tmp_path / "r.md"
    for target in (page, source):
        assert call_program("report", bundle, "-o", target).returncode == 0
    printed = call_program("report", bundle)
    assert printed.stdout == source.read_bytes()
    assert page.read_bytes().startswith(b"<!DOCTYPE html>")
    refused = call_program("report", bundle, "-o", tmp_path / "r.pdf")
    assert refused.returncode == 2
    assert b"a report is a FILE.html or a FILE.md" in refused.stderr
    assert not (tmp_path / "r.pdf").exists()
    evidence = bundle / "payloads" / "r.html"
    assert call_program("report", bundle, "-o", evidence).returncode == 2
    assert not evidence.exists()


async def test_the_report_is_among_what_can_be_written(tmp_path: Path) -> None:
    async with inspecting(REPOSITORY / "demo_traces" / "team") as at:
        await at.press("w")
        form = at.app.screen
        assert isinstance(form, WriteForm)
        while form.export.kind != "report":
            await at.press("down")
        assert form.export.path.name == "team.report.html"
        target = tmp_path / "team.html"
        sentence, is_written = write_export(form.export, target, lambda _done, _total: None)
        assert is_written, sentence
    assert target.read_bytes() == b"".join(html_pieces(made(loaded("team"))))


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
@pytest.mark.parametrize("width", [1280, 400])
def test_a_browser_has_nothing_to_complain_of(tmp_path: Path, width: int) -> None:
    def complaints(page: bytes) -> list[str]:
        (tmp_path / "page.html").write_bytes(page)
        picture = tmp_path / "page.png"
        finished = subprocess.run(
            [
                str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
                f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},1000",
                f"--screenshot={picture}", (tmp_path / "page.html").as_uri(),
            ],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        assert picture.read_bytes().startswith(b"\x89PNG")
        return [line for line in finished.stderr.splitlines() if "CONSOLE" in line]

    page = b"".join(html_pieces(made(loaded("hostile"))))
    assert complaints(page) == []
    assert complaints(page.replace(b"</body>", b"<script>1</script></body>")) != []
