"""What requests share is read once; the graph is the same as if every request were read whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, exec_item, letter, message
from hypothesis import given, settings
from hypothesis import strategies as st
from places import REPOSITORY
from scenes import begin, call, end, output

from reducer import open_bundle, reduce_bundle, state_json
from reducer.reduce import Reduction
from reducer.rules.request_sharing import RequestSharing, input_elements

Json = Any


def without_sharing(path: Path) -> Reduction:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RequestSharing, "read", lambda self, thread, ref, base: self.read_whole(ref))
        return reduce_bundle(path)


def assert_the_same(path: Path) -> None:
    shared, whole = reduce_bundle(path), without_sharing(path)
    assert shared.problems == whole.problems
    assert state_json(shared.trace) == state_json(whole.trace)


def how_often_shared(path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many requests of a bundle were not read whole."""
    shared = []
    read = RequestSharing.read

    def counting(self: RequestSharing, *arguments: Any) -> Any:
        request = read(self, *arguments)
        shared.append(bool(request.known.item_ids))
        return request

    monkeypatch.setattr(RequestSharing, "read", counting)
    reduce_bundle(path)
    return sum(shared)


# Spellings of the same JSON


def spelled(value: Json, style: int) -> bytes:
    """The same JSON in one of several spellings."""
    if style == 0:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    if style == 1:
        return json.dumps(value, indent=2).encode()
    if style == 2:
        return json.dumps(value, indent="\t", separators=(" ,", " : ")).encode() + b"\n"
    return msgspec.json.format(json.dumps({key: value[key] for key in sorted(value)}).encode(), indent=3)


STYLES = st.integers(0, 3)

TEXTS = st.sampled_from(["a", "b", 'say "é"], {'])
CALLS = st.sampled_from(["c0", "c1"])
IDS = st.sampled_from([None, None, "x1", "x2"])


def with_id(item: Json, item_id: str | None) -> Json:
    return item if item_id is None else {**item, "id": item_id}


def thought(text: str, sealed: str | None) -> Json:
    more = {} if sealed is None else {"encrypted_content": sealed}
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}] if text else [], **more}


PICTURE = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "data:,"}]}

ITEMS: st.SearchStrategy[Json] = st.one_of(
    st.builds(with_id, st.builds(message, TEXTS, st.sampled_from(["user", "assistant"])), IDS),
    st.builds(
        with_id, st.builds(thought, st.sampled_from(["", "s", "t"]), st.sampled_from(["e1", "e2"])), IDS
    ),
    st.builds(thought, st.just("s"), st.none()),
    st.builds(call, CALLS),
    st.just(call("c8", arguments='{"n":1.50}')),
    st.builds(output, CALLS, st.sampled_from(["ok", ["x"], {"n": 1.50}])),
    st.builds(exec_item, CALLS),
    st.builds(lambda c: {"type": "custom_tool_call_output", "call_id": c, "output": "o"}, CALLS),
    st.builds(with_id, st.builds(letter, TEXTS, st.just("/root/a"), st.just("/root")), IDS),
    st.sampled_from(
        [
            PICTURE,
            {"type": "message", "role": "user", "content": None},
            {"type": "function_call", "name": "n"},
            {"type": "additional_tools", "tools": []},
            {"type": "compaction", "encrypted_content": "z"},
        ]
    ),
)


class Recording:
    """A bundle that grows by steps; each step is one thing that may happen to a session."""

    def __init__(self, path: Path, schema: int = 2) -> None:
        self.b = BundleBuilder(path, schema)
        self.b.thread()
        self.b.thread(CHILD, "/root/a")
        self.b.turn("turn")
        self.b.turn("turn-a", CHILD)
        self.history: dict[str, list[Json]] = {ROOT: [], CHILD: []}
        self.calls: list[str] = []
        self.count = 0

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def request(self, thread: str, style: int, head: bool, continues: bool) -> None:
        first = {"model": "m"} if head else {}
        more = {"previous_response_id": "r"} if continues else {}
        body = {**first, "input": self.history[thread], "tools": [1.50], **more}
        self.calls.append(self.name("i"))
        ref = self.b.payload(spelled(body, style), "inference_request")
        self.b.event(
            "inference_started",
            thread,
            self.b.turns[thread],
            inference_call_id=self.calls[-1],
            thread_id=thread,
            codex_turn_id=self.b.turns[thread],
            model="m",
            provider_name="p",
            request_payload=ref,
        )

    def grow(self, thread: str, items: list[Json], style: int) -> None:
        """What happens most: the next request repeats the last one and adds to it."""
        self.history[thread].extend(items)
        self.request(thread, style, True, False)

    def fail(self, thread: str, item: Json) -> None:
        """A request that cannot be applied, between others that can."""
        self.history[thread].append(item)
        self.request(thread, 0, True, False)
        self.history[thread].pop()

    def response(self, items: list[Json], keeps: bool) -> None:
        if self.calls:
            self.b.response(self.calls[-1], items, "r")
            if keeps:
                self.history[ROOT].extend(items)

    def tool(self, call_id: str, kind: str) -> None:
        name = self.name("t")
        self.b.tool(name, kind, call_id=call_id)
        if kind == "exec_command":
            self.b.runtime_started(name, kind, begin(None))
            self.b.runtime_ended(name, end(None))

    def compacted(self, keep: int) -> None:
        before = self.history[ROOT]
        after = [*before[:keep], {"type": "compaction", "encrypted_content": "z"}]
        self.b.installed(self.name("k"), before, after)
        self.history[ROOT] = after


def edited(position: int, item: Json, thread: str, how: str) -> Callable[[Recording], None]:
    def step(recording: Recording) -> None:
        history = recording.history[thread]
        at = position % (len(history) + 1)
        if how == "insert":
            history.insert(at, item)
        elif how == "cut":
            del history[at:]
        elif how == "replace" and at < len(history):
            history[at] = item
        else:
            history.append(item)

    return step


THREADS = st.sampled_from([ROOT, CHILD])
HOW = st.sampled_from(["append", "append", "append", "insert", "cut", "replace"])
RARELY = st.sampled_from([False, False, False, False, True])

STEPS: st.SearchStrategy[Callable[[Recording], None]] = st.one_of(
    st.builds(edited, st.integers(0, 9), ITEMS, THREADS, HOW),
    st.builds(lambda t, s, h, c: lambda r: r.request(t, s, h, c), THREADS, STYLES, st.booleans(), RARELY),
    st.builds(lambda t, i: lambda r: r.grow(t, i, 0), THREADS, st.lists(ITEMS, max_size=3)),
    st.builds(lambda t, i: lambda r: r.grow(t, i, 0), THREADS, st.lists(ITEMS, max_size=3)),
    st.builds(lambda t, i: lambda r: r.grow(t, i, 1), THREADS, st.lists(ITEMS, max_size=3)),
    st.builds(lambda t, i: lambda r: r.fail(t, i), THREADS, st.sampled_from([{"type": "message"}, 1])),
    st.builds(lambda i, k: lambda r: r.response(i, k), st.lists(ITEMS, max_size=2), st.booleans()),
    st.builds(lambda c, k: lambda r: r.tool(c, k), CALLS, st.sampled_from(["web", "exec_command"])),
    st.builds(lambda c, n: lambda r: r.b.cell(c, str(n)), CALLS, st.integers(0, 2)),
    st.builds(lambda n: lambda r: r.compacted(n), st.integers(0, 3)),
    st.builds(lambda i: lambda r: r.b.accepted(i), st.sampled_from(["x1", "x2"])),
    st.builds(
        lambda i: lambda r: r.b.accepted(i, letter("a", "/root/a", "/root", id=i)),
        st.sampled_from(["x1", "x2"]),
    ),
)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.lists(STEPS, min_size=8, max_size=40), st.sampled_from([2, 2, 1]))
def test_whatever_is_shared_the_graph_is_the_same(
    steps: list[Callable[[Recording], None]], schema: int
) -> None:
    with TemporaryDirectory() as directory:
        recording = Recording(Path(directory) / "bundle", schema)
        for step in steps:
            step(recording)
        assert_the_same(recording.b.write())


def test_a_growing_history_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(tmp_path / "bundle")
    for number in range(10):
        recording.history[ROOT].append(message(f"text {number}"))
        recording.request(ROOT, 1, True, False)
    path = recording.b.write()
    assert how_often_shared(path, monkeypatch) == 9
    assert_the_same(path)


RECORDED = [
    *(f"bundles/{name}" for name in ("compaction-remote", "multi-agent-v2", "code-mode", "shell-tools")),
    *(f"bundles-v1/codex-0.164.0-{name}" for name in ("compaction-remote", "code-mode", "shell-tools")),
]


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_bundles_share(shared_dir: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared_dir / name / "bundle"
    assert how_often_shared(path, monkeypatch) >= 2
    assert_the_same(path)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", ["schema-2", "schema-1"])
def test_the_spelling_of_payloads_does_not_matter(name: str, data: st.DataObject) -> None:
    """Any payload may be written in any way: the graph is the same."""
    source = REPOSITORY / "demo_traces" / name
    expected = state_json(reduce_bundle(source).trace)
    with TemporaryDirectory() as directory:
        copy = Path(directory)
        for file in ("manifest.json", "trace.jsonl"):
            (copy / file).write_bytes((source / file).read_bytes())
        (copy / "payloads").mkdir()
        always = data.draw(st.none() | STYLES)
        for file in sorted((source / "payloads").iterdir()):
            value = json.loads(file.read_bytes())
            style = data.draw(STYLES) if always is None else always
            plain = isinstance(value, dict) and "type" not in value and "output_items" not in value
            (copy / "payloads" / file.name).write_bytes(spelled(value, style if plain else style % 3))
        assert state_json(reduce_bundle(open_bundle(copy)).trace) == expected


# Finding the elements of the input


@pytest.mark.parametrize("style", range(4))
def test_the_elements_of_the_input_are_found(style: int) -> None:
    items = [message('a "quoted", [text]'), {"input": [1, 2]}, 5, [], "x", message("é")]
    data = spelled({"model": "input", "other": {"input": [1]}, "input": items, "tools": []}, style)
    found = input_elements(data)
    assert found is not None
    start, ends = found
    assert json.loads(b"[" + data[start : ends[-1]] + b"]") == items
    assert json.loads(b"[" + data[start : ends[1]] + b"]") == items[:2]


def test_an_empty_input_has_no_elements() -> None:
    assert input_elements(b'{"input": [ ] }') == (11, [])


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b'"input"',
        b"{}",
        b'{"input":1}',
        b'{"output":[1]}',
        b'{"input":[1],"input":[1]}',
        b'{"input":[1],"input":[2]}',
        b'{"a":1,"input":[1],"a":2}',
    ],
)
def test_what_is_not_plain_is_left_alone(data: bytes) -> None:
    assert input_elements(data) is None


def test_a_key_may_be_escaped() -> None:
    assert input_elements(b'{"\\u0069nput":[1,2]}') == (15, [16, 18])


@pytest.mark.parametrize("tail", [b"", b'],"tools":[1.5]}'])
@pytest.mark.parametrize(
    "new",
    [
        *(
            b"",
            b"]",
            b",]}",
            b", ]}",
            b',{"type":"message"}}',
            b'],"input":[]}',
            b'],"input":[%s]}',
            b' "x"]}',
        ),
        *(
            b"}]}",
            b",%s]}",
            b" , %s ]}",
            b',%s],"input":[]}',
            b',%s],"model":[1]}',
            b',%s],"more":[]}',
            b" ]}",
        ),
        *(
            b",",
            b",%s",
            b" ",
            b'],"more":["x"',
            b'],"input":[%s',
            b',%s],"input":[%s',
            b',%s],"more":[',
            b",%s,",
        ),
        *(b',%s],"previous_response_id":"r","more":[', b'],"previous_response_id":"r","tools":[', b",%s]}"),
    ],
)
def test_a_broken_or_odd_end_is_seen(tmp_path: Path, new: bytes, tail: bytes) -> None:
    """What follows the shared part decides as it would in a request that is read whole."""
    recording = Recording(tmp_path / "bundle")
    recording.history[ROOT] = [message("a"), message("b")]
    recording.request(ROOT, 0, True, False)
    one = spelled(message("c"), 0)
    head = spelled({"model": "m", "input": recording.history[ROOT]}, 0)[:-2]
    recording.history[ROOT] = []
    recording.request(ROOT, 0, True, False)
    last = recording.b.path / "payloads" / f"{recording.b._payloads}.json"
    last.write_bytes(head + new.replace(b"%s", one) + tail)
    recording.history[ROOT] = [message("a"), message("b"), message("c")]
    recording.request(ROOT, 0, True, False)
    assert_the_same(recording.b.write())


@pytest.mark.parametrize("around", [{}, {"temperature": 1}])
def test_what_stands_around_the_input_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, around: Json
) -> None:
    b = BundleBuilder(tmp_path / "bundle")
    b.thread()
    b.turn()
    tools = [{"type": "function", "name": "f" * 5000}]
    history = []
    for number in range(4):
        history.append(message(f"text {number}"))
        b.request(f"i{number}", history, tools=tools, **(around if number == 2 else {}))
    read, once = [], RequestSharing.read

    def noting(self: RequestSharing, *arguments: Any) -> Any:
        request = once(self, *arguments)
        read.append("tools" in request.document.value)
        return request

    monkeypatch.setattr(RequestSharing, "read", noting)
    path = b.write()
    reduce_bundle(path)
    assert read == [True, False, bool(around), bool(around)]
    assert_the_same(path)


def test_items_that_are_never_the_same_are_not_shared(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "bundle")
    recording.history[ROOT] = [
        message("a"),
        {"type": "message", "role": "user", "content": None},
        message("b"),
    ]
    for _ in range(3):
        recording.request(ROOT, 0, True, False)
    path = recording.b.write()
    assert len(reduce_bundle(path).trace.conversation_items) == 5
    assert_the_same(path)


def test_an_item_that_differs_from_its_receipt_is_new_in_every_request(tmp_path: Path) -> None:
    """A list takes what a receipt announced once; the next one that says the same finds no such item."""
    recording = Recording(tmp_path / "bundle")
    recording.b.accepted("x1", letter("a", "/root/a", "/root", id="x1"))
    recording.history[ROOT] = [letter("a", "/root/other", "/root", id="x1")]
    for _ in range(2):
        recording.request(ROOT, 0, True, False)
    path = recording.b.write()
    assert len(reduce_bundle(path).trace.conversation_items) == 2
    assert_the_same(path)
