"""JSON payloads: the index over their bytes, values and paths, folding, and the widget that shows them."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Iterable, Iterator
from threading import Event
from time import sleep
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import LOOK_SECONDS, until
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from rollout_tui import glyphs
from rollout_tui.lines.json_paint import size_text, value_row
from rollout_tui.lines.json_view import BLOCK, JsonView
from rollout_tui.lines.spans import spans_text, spans_width
from rollout_tui.safe_text import safe_text
from rollout_tui.texts import json_index
from rollout_tui.texts.json_index import MAX_DEPTH, UNKNOWN, JsonIndex
from rollout_tui.texts.json_value import JsonValues, decode_string
from rollout_tui.texts.view_search import Looked
from rollout_tui.widgets.json_tree import INLINE_BYTES, JsonTree

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=30,
)
STYLES = st.sampled_from(
    [
        {"separators": (",", ":")},
        {"indent": 2},
        {"indent": "\t", "ensure_ascii": False},
        {"separators": (" ,\r\n", "\n: ")},
    ]
)


def index_of(text: str | bytes) -> JsonIndex:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return JsonIndex(data).build_all()


def in_order(value: Any) -> list[Any]:
    """A value and all values inside, as a text lists them."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value, *(found for child in inside for found in in_order(child))]


def follow(value: Any, path: str) -> Any:
    """What a jq path of the simple kind gives."""
    position = 0
    if path == ".":
        return value
    while position < len(path):
        if path[position] == ".":
            position += 1
            if position < len(path) and path[position] == "[":
                continue
            end = position
            while end < len(path) and path[end] not in ".[":
                end += 1
            value, position = value[path[position:end]], end
        else:
            step, length = json.JSONDecoder().raw_decode(path[position + 1 :])
            value, position = value[step], position + 1 + length + 1
    return value


# --- the index


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(JSON_VALUES, STYLES)
def test_every_value_is_found_with_its_bytes_and_its_path(value: Any, style: dict[str, Any]) -> None:
    index = index_of(json.dumps(value, **style))
    assert (index.problem, index.notice, index.complete) == ("", "", True)
    values = JsonValues(index)
    expected = in_order(value)
    assert len(index) == len(expected)
    for node, wanted in enumerate(expected):
        assert json.loads(values.value_bytes(node)) == wanted
        assert follow(value, values.path(node)) == wanted
        if isinstance(wanted, dict | list):
            assert index.child_count(node) == len(wanted)
        if isinstance(wanted, str):
            assert values.text(node) == wanted


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(JSON_VALUES, STYLES, st.data())
def test_accepts_what_json_accepts_and_refuses_the_rest(
    value: Any, style: dict[str, Any], data: st.DataObject
) -> None:
    text = bytearray(json.dumps(value, **style).encode())
    if data.draw(st.booleans()):
        del text[data.draw(st.integers(0, len(text))) :]
    for _change in range(data.draw(st.integers(0, 2))):
        if text:
            at = data.draw(st.integers(0, len(text) - 1))
            text[at] = data.draw(st.sampled_from(b'{}[],:"\\0-1e.nt \n\x00'))
    try:
        json.loads(bytes(text).decode("utf-8", "replace"))
        is_json = True
    except (ValueError, RecursionError):
        is_json = False
    assert (not index_of(bytes(text)).problem) is is_json


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    index = index_of(data)
    assert index.complete
    assert index.problem.isprintable()
    if not index.problem:
        values = JsonValues(index)
        view = JsonView(index, 1)
        for node in range(len(index)):
            values.path(node)
            values.text(node)
            assert spans_text(value_row(view, node, 40)).isprintable()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "the text is empty"),
        (b" \n", "the text is empty"),
        (b'{"a": 1, "b": [tru', "cut short: the text ends at depth 2"),
        (b'{"a": 1,', "cut short: the text ends at depth 1"),
        (b'{"a": "abc', "cut short: the text ends inside a string that begins at byte 6"),
        (b'{"a": "abc\\', "cut short: the text ends inside a string that begins at byte 6"),
        (b'{"a": "x\ny"}', "a control character in a string, at byte 8"),
        (b"[1, 2,]", "no JSON value at byte 4"),
        (b"[01]", "no JSON value at byte 1"),
        (b"[1}", "the bracket at byte 2 closes nothing"),
        (b'["\\x"]', "an escape that JSON does not have, at byte 2"),
        (b'["\\u12', "cut short: the text ends inside a string that begins at byte 1"),
        (b'[{"a": 1]', "the bracket at byte 8 closes nothing"),
        (b'{"a": 1, 2}', "a key is missing at byte 9"),
        (b'["a": 1]', "a key in an array at byte 1"),
        (b'{"a": 1} {"b": 2}', "more text after the value, at byte 8"),
        (b"[1]]", "more text after the value, at byte 3"),
        (b"hello", "no JSON value at byte 0"),
    ],
)
def test_what_is_no_json_is_named_with_its_place(text: bytes, problem: str) -> None:
    assert index_of(text).problem == problem


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        (b'[1, NaN, {"x": -Infinity}]', "NaN or Infinity, no JSON number, at byte 4"),
        (b"Infinity", "Infinity is not a JSON number"),
        (b'["\xff\xfe"]', "not all of it is UTF-8: other bytes are shown as \\xNN"),
        (b'["\\ud83d"]', "half a UTF-16 surrogate pair at byte 2"),
        (b'["\\ud83d\\ude00", "\\\\ud83d", "\\ude00"]', "half a UTF-16 surrogate pair at byte 29"),
        (b'["\\ud83d\\ude00", "\\\\ud83d"]', ""),
        (b'["1e400", 1e400, 123456789012345678901234567890]', ""),
    ],
)
def test_what_a_strict_parser_refuses_is_shown_with_a_notice(text: bytes, notice: str) -> None:
    index = index_of(text)
    assert (index.problem, index.notice) == ("", notice)


def test_depth_is_bounded() -> None:
    assert index_of(b"[" * (MAX_DEPTH - 1) + b"[1]" + b"]" * (MAX_DEPTH - 1)).problem == ""
    assert "nested deeper than 1024" in index_of(b"[" * 2_000_000).problem
    deep = index_of(b'{"a":' * 1000 + b"1" + b"}" * 1000)
    assert JsonValues(deep).path(1000) == ".a" * 1000


def test_hostile_strings_take_linear_time_and_no_memory() -> None:
    texts = (b'{"a":"' + b"\\" * 2_000_000, b'{"a":"' + b"x" * 2_000_000, b'["' + b'\\"' * 1_000_000 + b'"]')
    tracemalloc.start()
    for text in texts:
        index_of(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_numbers_and_repeated_keys_keep_their_spelling() -> None:
    index = index_of(b'{"n": 1.10, "n": 123456789012345678901234567890, "e": -0.0E+5}')
    values = JsonValues(index)
    assert [values.value_bytes(node) for node in (1, 2, 3)] == [
        b"1.10",
        b"123456789012345678901234567890",
        b"-0.0E+5",
    ]


def test_an_index_under_construction_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_index, "STEP_NODES", 3)
    value = {"a": [1, {"b": ["x", "y"]}, []], "c": {"d": "}]", "e": {}}}
    data = json.dumps(value, indent=1).encode()
    whole = JsonValues(index_of(data))
    index = JsonIndex(data)
    values = JsonValues(index)
    steps = 0
    for _pause in index.build():
        steps += 1
        for node in range(len(index)):
            assert values.path(node) == whole.path(node)
            if index.lasts[node] != UNKNOWN:
                assert values.value_bytes(node) == whole.value_bytes(node)
            else:
                assert index.child_count(node) is None
                assert whole.value_bytes(node).startswith(values.value_bytes(node)[:1])
    assert steps > 3


# --- values


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        (["input", 12, "content", 0, "text"], ".input[12].content[0].text"),
        (["odd key", "a-b", "é"], '.["odd key"]["a-b"]["é"]'),
        ([0, 1], ".[0][1]"),
        (['qu"ote', ""], '.["qu\\"ote"][""]'),
        (["_x", "x1", "1x"], '._x.x1["1x"]'),
    ],
)
def test_paths_are_jq_filters(keys: list[str | int], path: str) -> None:
    value: Any = "here"
    for step in reversed(keys):
        value = {step: value} if isinstance(step, str) else [None] * step + [value]
    values = JsonValues(index_of(json.dumps(value)))
    node = values.find_path(keys)
    assert node is not None
    assert values.path(node) == path
    assert values.text(node) == "here"
    assert values.find_path([*keys, "no"]) is None


def found(looked: Iterable[Looked]) -> list[int]:
    return [one.position for one in looked if one.is_hit]


def test_search_finds_keys_and_values_in_all_spellings() -> None:
    data = b'{"Alpha": "caf\\u00e9 \\"x\\"\\nline", "b": ["caf\xc3\xa9", 42, {"alpha": null}], "c": true}'
    values = JsonValues(index_of(data))
    assert found(values.hits("café")) == [1, 3]
    assert found(values.hits('"x"\nline')) == [1]
    assert found(values.hits("alpha")) == [1, 6]
    assert found(values.hits("Alpha")) == [1]
    assert found(values.hits("42")) == [4]
    assert found(values.hits("nowhere")) == []
    assert found(values.hits("")) == []


def test_search_looks_across_the_pieces_it_searches_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollout_tui.texts.json_value._SEARCH_BYTES", 7)
    data = json.dumps([f"needle {number}" for number in range(50)]).encode()
    values = JsonValues(index_of(data))
    assert found(values.hits("needle")) == list(range(1, 51))
    assert found(values.hits("needle", 48)) == [48, 49, 50, *range(1, 48)]


def test_strings_decode_whatever_is_in_them() -> None:
    assert decode_string(b'"a\\n\\u00e9\\ud83d\\ude00"') == "a\né😀"
    assert decode_string(b'"\\ud83d"') == "\ud83d"
    assert decode_string(b'"\xff"').encode("utf-8", "surrogateescape") == b"\xff"


# --- folding


def rows_by_hand(view: JsonView) -> list[tuple[JsonView, int]]:
    rows: list[tuple[JsonView, int]] = []
    hidden_to = -1
    for node in range(view.known):
        if node <= hidden_to:
            continue
        rows.append((view, node))
        if view.is_folded(node):
            hidden_to = max(hidden_to, view.index.lasts[node])
        inside = view.nested(node)
        if inside is not None:
            rows += rows_by_hand(inside)
    return rows


def some_document(chance: random.Random, depth: int) -> Any:
    kind = chance.random()
    if depth == 0 or kind < 0.3:
        return chance.choice([1, 'x"}', True, None, [], {}, 1.5e3])
    inside = [some_document(chance, depth - 1) for _ in range(chance.randint(1, 5))]
    return inside if kind < 0.65 else {f"k{place}": child for place, child in enumerate(inside)}


@pytest.mark.parametrize("seed", range(60))
def test_rows_are_right_after_any_folding_and_nesting(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollout_tui.lines.json_view.BLOCK", 4)
    chance = random.Random(seed)
    view = JsonView(index_of(json.dumps(some_document(chance, 6))), chance.choice([None, 1, 2, 3]))
    nested: list[JsonView] = []
    for _step in range(25):
        target = chance.choice([view, *nested])
        node = chance.randrange(len(target.index))
        match chance.randrange(5):
            case 0 | 1:
                target.fold(node)
            case 2:
                target.unfold(node)
            case 3 if target is view and view.nested(node) is None:
                inner = index_of(json.dumps(some_document(chance, 3)))
                nested.append(view.open_nested(node, inner, chance.choice([None, 1])))
            case _:
                target.reveal(node)
                assert (target, node) in rows_by_hand(target)
        rows = rows_by_hand(view)
        assert view.row_count == len(rows)
        for row, (owner, shown) in enumerate(rows):
            assert view.spot(row) == (owner, shown)
            assert owner.row_of(shown) == row
    for inside in nested:
        assert inside.parent is not None
        view.close_nested(inside.parent.node)
    assert view.row_count == len(rows_by_hand(view))


def test_a_hidden_value_has_the_row_of_what_hides_it() -> None:
    view = JsonView(index_of(b'{"a": {"b": {"c": 1}}, "d": 2}'))
    view.fold(1)
    assert view.row_of(3) == view.row_of(1) == 1
    view.fold(0)
    assert view.row_of(3) == 0
    view.reveal(3)
    assert [view.spot(row).node for row in range(view.row_count)] == [0, 1, 2, 3, 4]


def test_what_starts_folded_stays_closed_until_its_end_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_index, "STEP_NODES", 1)
    data = json.dumps({"input": [{"a": [1, 2]}, {"b": 3}], "x": 1}).encode()
    index = JsonIndex(data)
    view = JsonView(index, 2)
    most = 0
    for _pause in index.build():
        view.extend()
        assert view.row_count >= most
        most = view.row_count
    assert [view.spot(row).node for row in range(view.row_count)] == [0, 1, 2, 6, 8]


@pytest.mark.slow
def test_folding_costs_little_however_much_is_inside() -> None:
    index = index_of(json.dumps([{"n": 1, "m": [2]}] * 60_000))
    view = JsonView(index, 1)
    assert view.row_count == 60_001
    counted: list[int] = []
    count = view._rows_in
    view._rows_in = lambda first, end: (counted.append(first), count(first, end))[1]  # type: ignore[method-assign]
    view.fold(30_001)
    view.unfold(4 * 100 + 1)
    assert len(counted) <= 4
    counted.clear()
    view.spot(30_000)
    view.row_of(100_000)
    assert len(counted) <= 2
    view.fold(0)
    counted.clear()
    view.unfold(0)
    assert len(counted) <= 2 + len(index) // BLOCK // 100
    assert view.row_count == 60_004


# --- how rows look


def looks(text: str | bytes, width: int = 60, fold: tuple[int, ...] = ()) -> list[str]:
    view = JsonView(index_of(text))
    for node in fold:
        view.fold(node)
    rows = [value_row(view, view.spot(row).node, width) for row in range(view.row_count)]
    assert all(spans_width(row) <= width for row in rows if width >= 60)
    return [spans_text(row).rstrip() for row in rows]


def test_rows_show_keys_positions_counts_and_source_text() -> None:
    assert looks('{"model": "x", "a b": [1.50, null], "t": {"n": -1e5}, "e": [{}, []]}') == [
        "▾ {4 keys}",
        '    model: "x"',
        '  ▾ "a b": [2 items]',
        "      0: 1.50",
        "      1: null",
        "  ▾ t: {1 key}",
        "      n: -1e5",
        "  ▾ e: [2 items]",
        "      0: {}",
        "      1: []",
    ]


def test_a_folded_row_says_what_is_inside() -> None:
    text = '[{"type": "message", "id": "msg_1", "content": [1], "role": "user"}, [1, "two"]]'
    assert looks(text, 70, fold=(1, 7)) == [
        "▾ [2 items]",
        '  ▸ 0: {4 keys}  type: "message"  role: "user"',
        '  ▸ 1: [2 items]  1  "two"',
    ]


def test_escapes_controls_and_bad_bytes_stay_visible() -> None:
    assert looks(b'{"\x7f": "\\u001b[31m \xc2\x9b \xff \xe2\x80\xae"}') == [
        "▾ {1 key}",
        '    "␡": "\\u001b[31m <U+009B> \\xff <U+202E>"',
    ]


def test_a_long_string_is_cut_and_says_how_long_it_is() -> None:
    row = looks(json.dumps({"text": "word " * 4000}), 60)[1]
    assert row.startswith('    text: "word word')
    assert row.endswith("… 20.0 kB")
    wide = looks(json.dumps({"text": "中" * 4000}, ensure_ascii=False), 61)[1]
    assert wide.endswith("… 12.0 kB")


def test_a_string_that_is_json_has_a_fold_mark() -> None:
    rows = looks(json.dumps({"a": '{"x": 1}', "b": " [1]", "c": "{not", "d": "[1] x"}))
    assert [row[2] for row in rows[1:]] == ["▸", "▸", " ", " "]


def test_rows_in_ascii() -> None:
    glyphs.use(glyphs.ASCII)
    try:
        rows = looks('{"é": ["\\u00e9", "中' + "x" * 100 + '"]}', 60)
    finally:
        glyphs.use(glyphs.UNICODE)
    assert all(row.isascii() for row in rows)
    assert rows[1] == '  v "\\xe9": [2 items]'
    assert rows[3].endswith("~ 105 B")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB")],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


# --- the widget


class TreeApp(App[None]):
    def __init__(self) -> None:
        super().__init__(ansi_color=True)
        self.tree_view = JsonTree(empty="No payload.")
        self.heard: list[Message] = []
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        yield self.tree_view

    def on_mount(self) -> None:
        self.tree_view.focus()

    def on_json_tree_cursor_moved(self, message: JsonTree.CursorMoved) -> None:
        self.heard.append(message)

    def on_json_tree_value_opened(self, message: JsonTree.ValueOpened) -> None:
        self.heard.append(message)

    def on_json_tree_progress(self, message: JsonTree.Progress) -> None:
        self.heard.append(message)


def shown(tree: JsonTree) -> list[str]:
    return [tree.render_line(y).text.rstrip() for y in range(min(tree.size.height, tree.line_count))]


async def settle(pilot: Pilot[None]) -> None:
    await until(lambda: not any(worker.is_running for worker in pilot.app.workers))
    await pilot.pause()


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Set, it lets indexing go on, which stands still after its first step however fast the machine is."""
    event, build = Event(), JsonIndex.build

    def held(index: JsonIndex) -> Iterator[None]:
        for pause in build(index):
            yield pause
            while not event.is_set():
                sleep(LOOK_SECONDS)
                yield

    monkeypatch.setattr(JsonIndex, "build", held)
    return event


async def test_keys_fold_walk_and_tell_the_path() -> None:
    app = TreeApp()
    async with app.run_test(size=(70, 20)) as pilot:
        tree = app.tree_view
        tree.show(b'{"a": {"b": [1, {"c": null}]}, "d": "text"}')
        await pilot.press("j", "l", "l", "j")
        assert tree.path == ".a.b[1]"
        await pilot.press("h")
        assert shown(tree)[4] == "      ▸ 1: {1 key}  c: null"
        await pilot.press("h")
        assert tree.path == ".a.b"
        await pilot.press("enter")
        assert shown(tree) == ["▾ {2 keys}", "  ▾ a: {1 key}", "    ▸ b: [2 items]  1", '    d: "text"']
        await pilot.press("g", "enter")
        assert shown(tree) == ['▸ {2 keys}  d: "text"']
        assert tree.path == "."
        await pilot.press("l", "G")
        assert tree.path == ".d"
        assert tree.value_text() == "text"
        moved = [message.path for message in app.heard if isinstance(message, JsonTree.CursorMoved)]
        assert moved[-1] == ".d"
        assert ".a.b[1]" in moved


async def test_a_string_that_is_json_opens_in_place_and_closes() -> None:
    app = TreeApp()
    async with app.run_test(size=(70, 20)) as pilot:
        tree = app.tree_view
        inner = json.dumps({"cmd": "ls", "deep": json.dumps([1, "x"])})
        tree.show(json.dumps({"arguments": inner, "after": 1}).encode())
        await pilot.press("j", "enter")
        await settle(pilot)
        assert shown(tree)[2:] == [
            "  ┊ ▾ {2 keys}",
            '  ┊     cmd: "ls"',
            '  ┊   ▸ deep: "[1, \\"x\\"]"',
            "    after: 1",
        ]
        await pilot.press("j", "j", "j", "l")
        await settle(pilot)
        await pilot.press("j", "j", "j")
        assert tree.path == ".arguments | fromjson | .deep | fromjson | .[1]"
        assert tree.value_text() == "x"
        await pilot.press("h")
        assert tree.path == ".arguments | fromjson | .deep | fromjson"
        await pilot.press("h", "h")
        assert tree.path == ".arguments | fromjson | .deep"
        await pilot.press("h")
        assert shown(tree)[4] == '  ┊   ▸ deep: "[1, \\"x\\"]"'
        await pilot.press("h", "h", "h", "h", "h")
        assert tree.path == "."


async def test_enter_on_any_other_value_asks_to_show_it_whole() -> None:
    app = TreeApp()
    async with app.run_test(size=(40, 20)) as pilot:
        tree = app.tree_view
        text = "first\nsecond " + "x" * 10_000
        tree.show(json.dumps({"a": text, "b": 1.50, "c": "{not json"}).encode())
        await pilot.press("j", "enter", "j", "enter", "j", "enter")
        await settle(pilot)
        opened = [(m.path, m.text) for m in app.heard if isinstance(m, JsonTree.ValueOpened)]
        assert opened == [(".a", text), (".b", "1.5"), (".c", "{not json")]
        tree.show(b'{"a": "{\\"b\\": 1}", "n": 1.50}')
        await pilot.press("j", "j", "enter")
        await settle(pilot)
        opened = [(m.path, m.text) for m in app.heard if isinstance(m, JsonTree.ValueOpened)]
        assert opened[-1] == (".n", "1.50")


@pytest.mark.slow
async def test_a_large_payload_is_on_screen_while_it_is_indexed_and_the_cursor_stays(go_on: Event) -> None:
    items = [{"type": "message", "text": f"item {number}"} for number in range(20_000)]
    data = json.dumps({"model": "m", "input": items, "last": True}).encode()
    assert len(data) > INLINE_BYTES
    app = TreeApp()
    async with app.run_test(size=(70, 20)) as pilot:
        tree = app.tree_view
        tree.show(data)
        await until(lambda: tree.line_count >= 10, pause=pilot.pause)
        assert not tree._index.complete
        assert shown(tree)[1] == '    model: "m"'
        await pilot.press("j", "j", "j", "j")
        path = tree.path
        go_on.set()
        await settle(pilot)
        assert tree.path == path == ".input[1]"
        assert shown(tree)[0] == "▾ {3 keys}"
        assert shown(tree)[2] == "  ▾ input: [20,000 items]"
        assert shown(tree)[4] == '    ▸ 1: {2 keys}  type: "message"  text: "item 1"'
        assert tree.line_count == 20_004
        await pilot.press("G")
        assert tree.path == ".last"
        progress = [m for m in app.heard if isinstance(m, JsonTree.Progress)]
        assert progress[-1].is_done
        assert progress[-1].fraction == 1.0
        assert [m.fraction for m in progress] == sorted(m.fraction for m in progress)


@pytest.mark.slow
async def test_indexing_can_be_stopped_and_keeps_what_it_has(go_on: Event) -> None:
    data = json.dumps([{"n": number} for number in range(200_000)]).encode()
    app = TreeApp()
    async with app.run_test(size=(70, 20)) as pilot:
        tree = app.tree_view
        tree.show(data)
        await until(lambda: tree.line_count >= 10, pause=pilot.pause)
        assert tree.stop()
        go_on.set()
        await pilot.pause()
        assert tree.reason.startswith("stopped: only the first ")
        rows = tree.line_count
        await pilot.pause(0.2)
        assert tree.line_count == rows
        assert not tree.stop()
        await pilot.press("j", "j", "l")
        assert tree.path.startswith(".[")


async def test_a_newer_payload_replaces_one_that_is_still_indexed() -> None:
    app = TreeApp()
    async with app.run_test(size=(70, 20)) as pilot:
        tree = app.tree_view
        tree.show(json.dumps([{"n": number} for number in range(100_000)]).encode())
        tree.show(b'{"new": 1}')
        await settle(pilot)
        assert shown(tree) == ["▾ {1 key}", "    new: 1"]
        tree.clear("Gone.")
        await settle(pilot)
        assert tree.line_count == 0
        assert tree.render_line(0).text.rstrip() == "Gone."
        await pilot.press("j", "l", "h", "enter")


async def test_found_values_are_unfolded_and_reached() -> None:
    items = [{"role": "user", "content": [{"text": f"number {number}"}]} for number in range(500)]
    app = TreeApp()
    async with app.run_test(size=(70, 20)) as pilot:
        tree = app.tree_view
        tree.show(json.dumps({"input": items}).encode())
        hits = found(tree.find_hits("number 321", 0))
        tree.show_hit(hits[0])
        tree.highlight("number 321")
        await pilot.pause()
        assert tree.path == ".input[321].content[0].text"
        line = tree.cursor - tree.scroll_offset.y
        assert 3 <= line <= 16
        matched = [part.text for part in tree.render_line(line) if part.style and part.style.bold]
        assert matched == ["number 321"]
        assert found(tree.find_hits("nowhere", 0)) == []


async def test_the_cursor_tells_its_json_path_also_inside_strings() -> None:
    app = TreeApp()
    async with app.run_test(size=(70, 20)) as pilot:
        tree = app.tree_view
        tree.show(json.dumps({"a b": [{"x": '{"in": [1, 2]}'}]}).encode(), path=("a b", 0, "x"))
        await settle(pilot)
        assert tree.json_path == '$["a b"][0].x'
        await pilot.press("l", "l", "l", "l")
        await settle(pilot)
        assert tree.json_path == '$["a b"][0].x | fromjson | $.in[0]'
        assert tree.path == '.["a b"][0].x | fromjson | .in[0]'
        assert tree.find_start() == tree._tree.values.find_path(["a b", 0, "x"])  # type: ignore[union-attr]


def test_keys_that_a_terminal_would_obey_are_escaped_in_paths() -> None:
    odd = ["\x1b[31m", "\x7f", "\u202e", "\n", 'q"', "\\(1)"]
    values = JsonValues(index_of(json.dumps({key: place for place, key in enumerate(odd)}).encode()))
    for place, key in enumerate(odd):
        node = values.find_path([key])
        assert node is not None
        jq_filter = values.path(node)
        assert safe_text(jq_filter) == jq_filter
        assert json.loads(jq_filter.removeprefix(".[").removesuffix("]")) == key
        assert values.text(node) == str(place)


async def test_a_wanted_value_is_reached_as_soon_as_it_is_found() -> None:
    app = TreeApp()
    async with app.run_test(size=(70, 20)) as pilot:
        tree = app.tree_view
        data = json.dumps(
            {"input": [{"n": number} for number in range(30_000)], "tools": [{"name": "x"}]}
        ).encode()
        tree.show(data, path=("tools", 0, "name"))
        await settle(pilot)
        assert tree.path == ".tools[0].name"
        tree.show(b'{"a": 1}', path=("none",))
        await pilot.pause()
        assert tree.path == "."


async def test_what_is_no_json_is_shown_as_text_with_the_reason() -> None:
    app = TreeApp()
    async with app.run_test(size=(40, 20)) as pilot:
        tree = app.tree_view
        tree.show(b'{"a": [1,\n\xff\x1b[2J ' + b"y" * 60)
        await settle(pilot)
        assert tree.is_text
        assert shown(tree) == [
            "not JSON: no JSON value at byte 10",
            '{"a": [1,',
            "\\xff␛[2J " + "y" * 30,
            "y" * 30,
        ]
        assert tree.path == ""
        hits = found(tree.find_hits("yyy", 0))
        tree.show_hit(hits[-1])
        assert tree.cursor == 3
        await pilot.resize_terminal(20, 20)
        await pilot.pause()
        assert len(shown(tree)) == 6
        assert all(len(line) <= tree.line_width for line in shown(tree))


async def test_a_large_text_that_is_no_json_is_shown_at_once_and_whole() -> None:
    data = b"[" + b"not json\n" * 100_000
    app = TreeApp()
    async with app.run_test(size=(40, 20)) as pilot:
        tree = app.tree_view
        tree.show(data)
        await settle(pilot)
        assert tree.line_count == 100_001
        await pilot.press("G")
        assert shown(tree)[-1] == "not json"


async def test_a_notice_stands_above_the_tree_and_does_not_move_the_cursor(go_on: Event) -> None:
    data = json.dumps(list(range(60_000))).encode()[:-1] + b', "\\ud800"]'
    app = TreeApp()
    async with app.run_test(size=(60, 20)) as pilot:
        tree = app.tree_view
        tree.show(data)
        await until(lambda: tree.line_count >= 30, pause=pilot.pause)
        await pilot.press("j", "j", "j")
        assert tree.path == ".[2]"
        go_on.set()
        await settle(pilot)
        assert not tree.is_text
        assert tree.reason.startswith("half a UTF-16 surrogate pair")
        assert shown(tree)[0] == tree.reason
        assert tree.path == ".[2]"
        await pilot.press("g")
        assert tree.path == ""
        await pilot.press("l", "h", "enter")


async def test_an_error_of_a_job_is_shown_and_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_index: JsonIndex) -> Any:
        raise RuntimeError("evidence in a message")
        yield

    monkeypatch.setattr(JsonIndex, "build", fail)
    app = TreeApp()
    async with app.run_test(size=(90, 20)) as pilot:
        app.tree_view.show(b"[" + b"1," * INLINE_BYTES + b"1]")
        await until(lambda: app.tree_view.reason, pause=pilot.pause)
        assert app.tree_view.reason == "an error of this program ended the index early: RuntimeError"


@pytest.mark.slow
async def test_memory_for_a_large_payload_is_a_few_bytes_per_value() -> None:
    data = json.dumps([{"id": n, "content": [{"text": "hello"}]} for n in range(50_000)]).encode()
    tracemalloc.start()
    view = JsonView(index_of(data), 2)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    nodes = len(view.index)
    assert nodes == 250_001
    assert used < nodes * 22 * 1.2 + 50_000 * 3 * 45
