"""A Responses server on 127.0.0.1 that answers from a script.

The real codex (`codex_home.py`) records real bundles this way without a model, an account or the network.
What it is told, and in which order, is fixed by the script; a `Gate` lets a test look at a recording that
stands still.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from patience import STAYS

Item = dict[str, Any]
"""An output item as the wire has it. Its ids are given by the server when it is sent."""

AGENT_NAMESPACE = "collaboration"
"""The namespace of the tools with which agents start and write to each other."""


class Gate:
    """Holds an answer back until the test lets it go.

    Attributes:
        reached: set when codex asked for the answer that is held back.
    """

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._opened = threading.Event()

    def open(self) -> None:
        """Let the answer go, now or as soon as it is asked for."""
        self._opened.set()

    def wait(self) -> None:
        """Wait where the answer would be sent, but not for ever: no thread of the server shall stay."""
        self.reached.set()
        self._opened.wait(STAYS)


@dataclass(frozen=True)
class Answer:
    """What the model says to one request.

    Attributes:
        items: its output items, in order.
        input_tokens: what it reports as read; above its limit codex compacts before the next request.
        output_tokens: what it reports as written.
        cached_tokens: what it reports as read from a cache.
        gate: holds the answer back.
        error: a code and a message with which the response fails after its items.
    """

    items: Sequence[Item]
    input_tokens: int = 1200
    output_tokens: int = 80
    cached_tokens: int = 0
    gate: Gate | None = None
    error: tuple[str, str] | None = None


@dataclass(frozen=True)
class Script:
    """The answers to one thread.

    Attributes:
        marker: a text by which the thread is known at its first request. Of several in one request the last
            decides, so a child that got the whole history of its parent is known by its task.
        answers: one for each request of the thread that is not for a compaction.
    """

    marker: str
    answers: Sequence[Answer]


def message(text: str, phase: str | None = None) -> Item:
    """An assistant message; `phase` is `commentary` or `final_answer`."""
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    return item if phase is None else {**item, "phase": phase}


def reasoning(summary: str, hidden: str = "eHh4eHh4eHh4eHh4") -> Item:
    """Reasoning with a summary to read and the rest encrypted."""
    return {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": summary}],
        "encrypted_content": hidden,
    }


def call(name: str, namespace: str | None = None, **arguments: Any) -> Item:
    """A call of a function tool."""
    item = {"type": "function_call", "name": name, "arguments": json.dumps(arguments)}
    return item if namespace is None else {**item, "namespace": namespace}


def shell(command: str, **arguments: Any) -> Item:
    """A call of `exec_command`."""
    return call("exec_command", cmd=command, **arguments)


def agent(tool: str, **arguments: Any) -> Item:
    """A call of an agent tool: `spawn_agent`, `send_message`, `followup_task`, `wait_agent` and the like."""
    return call(tool, AGENT_NAMESPACE, **arguments)


def cell(source: str) -> Item:
    """A call of `exec` with JavaScript; only in code mode."""
    return {"type": "custom_tool_call", "name": "exec", "input": source}


@dataclass(frozen=True)
class Request:
    """A request as it came.

    Attributes:
        thread: the id of the thread that asks.
        body: the parsed body.
        for_compaction: whether it wants a compaction and no answer.
    """

    thread: str
    body: dict[str, Any]
    for_compaction: bool

    @classmethod
    def of(cls, headers: Mapping[str, str], body: dict[str, Any]) -> Self:
        """What was asked, by its headers and body."""
        items = body.get("input", [])
        thread = headers.get("thread-id") or str(body.get("prompt_cache_key"))
        return cls(thread, body, bool(items) and items[-1].get("type") == "compaction_trigger")


@dataclass
class _Course:
    """How far a thread is in its script."""

    script: Script
    sent: Iterator[Answer] = field(init=False)

    def __post_init__(self) -> None:
        self.sent = iter(self.script.answers)


class ResponsesServer:
    """The server, as a context manager.

    Attributes:
        requests: every request so far, in the order they came.
        complaints: what was asked that no script answers; a test should find it empty.
    """

    def __init__(self, scripts: Sequence[Script]) -> None:
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        self._scripts = scripts
        self._courses: dict[str, _Course] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    @property
    def base_url(self) -> str:
        """Where codex finds it."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for script in self._scripts:
            for answer in script.answers:
                if answer.gate is not None:
                    answer.gate.open()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer_to(self, headers: Mapping[str, str], body: dict[str, Any]) -> Answer | None:
        """The answer of the script; None when there is none, which is noted in `complaints`."""
        asked = Request.of(headers, body)
        with self._lock:
            self.requests.append(asked)
            if asked.for_compaction:
                return Answer([{"type": "compaction", "encrypted_content": "Y2NjY2NjY2NjY2Nj"}])
            course = self._course(asked.thread, json.dumps(body.get("input", [])))
            answer = None if course is None else next(course.sent, None)
            if answer is None:
                known = "no script is for it" if course is None else f"{course.script.marker!r} is over"
                self.complaints.append(f"thread {asked.thread} asks, and {known}")
            return answer

    def _course(self, thread: str, text: str) -> _Course | None:
        if thread not in self._courses:
            script = max(self._scripts, key=lambda script: text.rfind(script.marker))
            if script.marker not in text:
                return None
            self._courses[thread] = _Course(script)
        return self._courses[thread]

    def events(self, answer: Answer) -> Iterator[dict[str, Any]]:
        """The server-sent events of an answer."""
        response = f"resp_{next(self._numbers):05}"
        yield {"type": "response.created", "response": {"id": response}}
        for index, bare in enumerate(answer.items):
            item = self._with_ids(bare)
            if item["type"] == "message":
                yield {
                    "type": "response.output_item.added",
                    "output_index": index,
                    "item": {**item, "content": []},
                }
                yield {
                    "type": "response.output_text.delta",
                    "item_id": item["id"],
                    "output_index": index,
                    "content_index": 0,
                    "delta": item["content"][0]["text"],
                }
            yield {"type": "response.output_item.done", "output_index": index, "item": item}
        if answer.error is not None:
            code, words = answer.error
            failed = {"id": response, "error": {"code": code, "message": words}}
            yield {"type": "response.failed", "response": failed}
            return
        usage = {
            "input_tokens": answer.input_tokens,
            "input_tokens_details": {"cached_tokens": answer.cached_tokens},
            "output_tokens": answer.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": answer.input_tokens + answer.output_tokens,
        }
        yield {"type": "response.completed", "response": {"id": response, "usage": usage}}

    def _with_ids(self, item: Item) -> Item:
        prefixes = {
            "message": "msg",
            "reasoning": "rs",
            "function_call": "fc",
            "custom_tool_call": "ctc",
            "compaction": "cmp",
        }
        ids = {"id": f"{prefixes[item['type']]}_{next(self._numbers):05}"}
        if item["type"] in ("function_call", "custom_tool_call"):
            ids["call_id"] = f"call_{next(self._numbers):05}"
        return {**ids, **item}


def _handler_of(server: ResponsesServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
            answer = server.answer_to(dict(self.headers), body) if self.path.endswith("/responses") else None
            if answer is None:
                self.send_error(404)
                return
            if answer.gate is not None:
                answer.gate.wait()
            self.close_connection = True
            with suppress(ConnectionError):  # who asked may have been killed meanwhile
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                for event in server.events(answer):
                    self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
                    self.wfile.flush()

        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has
            """Nothing goes to the output of the tests."""

    return Handler
