"""`hostile` and `hostile-2`: bundles by somebody who knows that they will be looked at in a terminal.

Every text field holds what a terminal, a toolkit or a template might obey. Most events are sound, so there is
something in every view. The end of the log, and some of the payloads, are what no recorder would write: JSON
that is none or that overwhelms its reader, kinds of event that nobody knows, and lines that are no events.

In `hostile`, of schema 3, there are shards that are links, damaged, or would fill the memory, and references
that lie. In `hostile-2`, which is short, there are references to files outside of the bundle, and links that
lead there.

Codex itself follows references and links out of a bundle; do not let it reduce these.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from demo_traces import forged_files, forged_shards
from demo_traces.attacks import Attacker
from demo_traces.forgery import Body, append_what_no_recorder_writes
from demo_traces.identities import Clock, Names
from reducer.recorder import (
    Ids,
    SessionMetadata,
    SessionTrace,
    ThreadTrace,
    TokenUsage,
    ToolInvocation,
    TraceWriter,
    TurnTrace,
    code_mode_response,
    direct_response,
    error_response,
)
from reducer.recorder.writer import SchemaNumber
from reducer.wire.events import (
    AgentSummary,
    GenericSummary,
    Mcp,
    OtherTool,
)

START_MS = 1_795_480_000_000
LONG_LINE = 760_000
"""Characters of one line of output, which make about a megabyte of JSON."""


class Hostile:
    """Tells a session in which every text is an attack."""

    def __init__(self, directory: Path, schema: SchemaNumber) -> None:
        self.directory = directory
        self.schema = schema
        self.clock = Clock(START_MS)
        self.names = Names("hostile" if schema == 3 else f"hostile-{schema}", self.clock)
        self.evil = Attacker()
        self.context: list[Any] = []
        evil = self.evil
        trace_id = evil.text("trace id")
        self.rollout_id = evil.text("root thread id")
        self.turn_id = evil.text("turn id")
        metadata = SessionMetadata(
            thread_id=self.rollout_id,
            agent_path=f"/root/{evil.text('agent path')}",
            nickname=evil.text("nickname"),
            agent_role=evil.text("role"),
            session_source=evil.text("source"),
            cwd=evil.text("cwd"),
            rollout_path=evil.text("rollout path"),
            model=evil.text("model"),
            provider_name=evil.text("provider"),
            approval_policy=evil.text("approval"),
            sandbox_policy=evil.text("sandbox"),
        )
        writer = TraceWriter(
            directory, trace_id=trace_id, root_thread_id=self.rollout_id, clock=self.clock, schema=schema
        )
        self.session = SessionTrace(writer, trace_id, metadata, Ids(self.names.uuid4))
        self.close = writer.close

    def tell(self) -> None:
        """The sound part of the bundle."""
        evil = self.evil
        self.session.observe_protocol_event(evil.text("event type"), {"type": evil.all("event")})
        turn = self.session.root.start_turn(self.turn_id)
        self._question(turn)
        self._terminal(turn)
        self._tools(turn)
        self._cell(turn)
        child = self._child(turn)
        self._compaction(turn)
        self._last_words(turn)
        child.end("failed")
        child.resume()
        child.end("failed")
        self.session.root.end("aborted")
        self.session.end("failed")
        self.close()

    def tell_little(self) -> None:
        """As `tell`, but without tools."""
        turn = self.session.root.start_turn(self.turn_id)
        self._question(turn)
        child = self._child(turn)
        child.end("failed")
        child.resume()
        self._compaction(turn)
        self._last_words(turn)
        self.session.root.end("aborted")
        self.session.end("failed")
        self.close()

    def forge(self, bodies: Iterable[Body]) -> None:
        """Let the log go on with what no recorder writes."""
        append_what_no_recorder_writes(
            self.directory / "trace.jsonl",
            bodies,
            self.evil,
            schema=self.schema,
            thread_id=self.rollout_id,
            codex_turn_id=self.turn_id,
            clock=self.clock,
        )

    def _ask(self, turn: TurnTrace, *items: dict[str, Any]) -> None:
        evil = self.evil
        call = turn.start_inference(
            model=evil.text("model"),
            provider_name=evil.text("provider"),
            request={
                "model": evil.text("model"),
                "input": self.context,
                "tools": [{"type": "function", "name": evil.text("tool"), "description": evil.text("tells")}],
                evil.text("key"): {evil.text("key"): evil.text("value")},
            },
            inference_call_id=evil.text("inference id"),
        )
        self.clock.sleep(2.5)
        usage = TokenUsage(
            input_tokens=2**53,
            cached_input_tokens=-5,
            output_tokens=0,
            reasoning_output_tokens=7,
            total_tokens=2**53,
        )
        call.complete(
            items,
            response_id=evil.text("response id"),
            upstream_request_id=evil.text("upstream id"),
            token_usage=usage,
        )
        for item in items:
            turn.accept_item(item)
        self.context.extend(items)

    def _accept(self, turn: TurnTrace, item: dict[str, Any]) -> dict[str, Any]:
        turn.accept_item(item)
        self.context.append(item)
        return item

    def _message(self, role: str, *texts: str) -> dict[str, Any]:
        part = "output_text" if role == "assistant" else "input_text"
        content = [{"type": part, "text": text} for text in texts]
        return {"type": "message", "id": self.evil.text("item id"), "role": role, "content": content}

    def _call(self, name: str, arguments: object, namespace: str | None = None) -> dict[str, Any]:
        item = {
            "type": "function_call",
            "id": self.evil.text("item id"),
            "name": name,
            "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
            "call_id": self.evil.text("call id"),
        }
        return item if namespace is None else {**item, "namespace": namespace}

    def _output(self, turn: TurnTrace, call: dict[str, Any], output: object) -> dict[str, Any]:
        return self._accept(
            turn,
            {
                "type": f"{call['type']}_output",
                "id": self.evil.text("item id"),
                "call_id": call["call_id"],
                "output": output,
            },
        )

    def _question(self, turn: TurnTrace) -> None:
        evil = self.evil
        self._accept(turn, self._message("developer", evil.all("instructions")))
        asked = self._message("user", evil.all("question"))
        asked["content"].append({"type": evil.text("part type"), "image_url": evil.text("url")})
        picture = f"data:{evil.text('media type')}"
        asked["content"].append({"type": "input_image", "image_url": picture, "detail": evil.text("detail")})
        self._accept(turn, asked)
        thought = {
            "type": "reasoning",
            "id": evil.text("item id"),
            "summary": [{"type": "summary_text", "text": evil.all("summary")}],
            "content": [{"type": "reasoning_text", "text": evil.text("thought")}],
            "encrypted_content": evil.text("sealed"),
        }
        self._ask(turn, thought, self._message("assistant", evil.all("answer")))

    def _terminal(self, turn: TurnTrace) -> None:
        evil = self.evil
        command = evil.text("command")
        asked = self._call("exec_command", {"cmd": command})
        self._ask(turn, asked)
        call = turn.start_tool_call(
            asked["call_id"], ToolInvocation.function("exec_command", asked["arguments"])
        )
        process = evil.text("process")
        event = {
            "call_id": asked["call_id"],
            "process_id": process,
            "turn_id": turn.codex_turn_id,
            "command": [evil.text("shell"), "-lc", command],
            "cwd": evil.text("cwd"),
        }
        call.start_runtime(event)
        printed = evil.all("printed") + "\n"
        line = "".join(f"{evil.text('line', 2)} " for _ in range(40))
        flood = (line * (LONG_LINE // len(line) + 1))[:LONG_LINE]
        call.end_runtime(
            {**event, "aggregated_output": printed + flood, "exit_code": -(2**31)}, status="failed"
        )
        call.end(direct_response(self._output(turn, asked, printed)))
        keys = self._call("write_stdin", {"session_id": process, "chars": evil.all("keys")})
        self._ask(turn, keys)
        write = turn.start_tool_call(
            keys["call_id"], ToolInvocation.function("write_stdin", keys["arguments"])
        )
        write.resolve_stdin(call)
        write.end(direct_response(self._output(turn, keys, evil.all("echo"))))

    def _tools(self, turn: TurnTrace) -> None:
        evil = self.evil
        name, namespace = evil.text("tool"), evil.text("namespace")
        asked = self._call(name, evil.text("no JSON"), namespace)
        self._ask(turn, asked)
        invocation = ToolInvocation.function(name, asked["arguments"], namespace=namespace)
        summary = GenericSummary(evil.text("label"), evil.text("input"), evil.text("output"))
        call = turn.start_tool_call(asked["call_id"], invocation, summary=summary)
        server, tool = evil.text("server"), evil.text("tool")
        call.start_runtime({"invocation": {"server": server, "tool": tool}}, kind=Mcp(server, tool))
        call.assign_mcp_call()
        call.end_runtime({"result": {"Err": evil.all("error")}})
        call.end(error_response(evil.all("error")), status="failed")
        self._output(turn, asked, evil.text("error"))
        patch = {
            "type": "custom_tool_call",
            "id": evil.text("item id"),
            "call_id": evil.text("call id"),
            "name": "apply_patch",
            "input": f"*** Begin Patch\n*** Add File: {evil.text('file')}\n+{evil.text('line')}",
        }
        self._ask(turn, patch)
        call = turn.start_tool_call(patch["call_id"], ToolInvocation.custom("apply_patch", patch["input"]))
        changes = {evil.text("path"): {"type": "add", "content": evil.all("file")}}
        call.start_runtime({"changes": changes}, kind=OtherTool(evil.text("kind")))
        call.end(direct_response(self._output(turn, patch, evil.text("patched"))))

    def _cell(self, turn: TurnTrace) -> None:
        evil = self.evil
        source = f"// {evil.all('source')}\n" + "text('x');".ljust(20_000, " ") + "\n"
        asked = {
            "type": "custom_tool_call",
            "id": evil.text("item id"),
            "call_id": evil.text("call id"),
            "name": "exec",
            "input": source,
        }
        self._ask(turn, asked)
        call = turn.start_tool_call(asked["call_id"], ToolInvocation.custom("exec", source))
        cell_id = evil.text("cell id")
        cell = turn.start_code_cell(cell_id, model_visible_call_id=asked["call_id"], source_js=source)
        nested = cell.start_tool_call(
            ToolInvocation.function(evil.text("nested tool"), evil.text("arguments")),
            tool_call_id=evil.text("nested call id"),
        )
        nested.end(code_mode_response({evil.text("key"): evil.all("value")}))
        shown = [{"type": "input_text", "text": evil.all("shown")}]
        cell.respond("yielded", {"Yielded": {"cell_id": cell_id, "content_items": shown}})
        call.end(direct_response(self._output(turn, asked, shown)))
        wait = self._call("wait", {"cell_id": cell_id})
        self._ask(turn, wait)
        waiting = turn.start_tool_call(wait["call_id"], ToolInvocation.function("wait", wait["arguments"]))
        error = {"cell_id": cell_id, "content_items": shown, "error_text": evil.all("thrown")}
        cell.end("failed", {"Result": error})
        waiting.resolve_wait(cell_id)
        waiting.end(direct_response(self._output(turn, wait, shown)))

    def _child(self, turn: TurnTrace) -> ThreadTrace:
        evil = self.evil
        task = evil.all("task")
        asked = self._call(
            "spawn_agent", {"task_name": evil.text("task name"), "message": task}, "collaboration"
        )
        self._ask(turn, asked)
        call = turn.start_tool_call(
            asked["call_id"],
            ToolInvocation.function("spawn_agent", asked["arguments"], namespace="collaboration"),
            summary=AgentSummary(
                target_agent_path=evil.text("target"),
                task_name=evil.text("task name"),
                message_preview=evil.text("preview"),
            ),
        )
        child = self.session.root.spawn(
            self.names.uuid7(),
            evil.text("task name"),
            nickname=evil.text("nickname"),
            agent_role=evil.text("role"),
        )
        call.end_runtime(
            {
                "event_id": asked["call_id"],
                "agent_thread_id": child.thread_id,
                "agent_path": "/root/helper",
                "kind": "started",
            }
        )
        call.end(direct_response(self._output(turn, asked, evil.text("spawned"))))
        child_turn = child.start_turn(evil.text("turn id"))
        letter = {
            "type": "agent_message",
            "id": evil.text("item id"),
            "author": self.session.root.agent_path,
            "recipient": child.agent_path,
            "content": [{"type": "input_text", "text": task}],
        }
        child_turn.accept_item(letter)
        started: dict[str, Any] = {"model": evil.text("model"), "provider_name": evil.text("provider")}
        request = child_turn.start_inference(**started, request={"input": [letter]})
        self.clock.sleep(4.0)
        request.fail(evil.all("error"), upstream_request_id=evil.text("upstream id"))
        child_turn.end("failed")
        report = evil.all("report")
        child_turn.hand_over_result(
            self.rollout_id, child_agent_path=child.agent_path, message=report, status={"errored": report}
        )
        answer = {**letter, "id": evil.text("item id"), "author": child.agent_path}
        answer |= {
            "recipient": self.session.root.agent_path,
            "content": [{"type": "input_text", "text": report}],
        }
        self._accept(turn, answer)
        return child

    def _compaction(self, turn: TurnTrace) -> None:
        evil = self.evil
        compaction = turn.start_compaction(evil.text("compaction id"))
        started: dict[str, Any] = {"model": evil.text("model"), "provider_name": evil.text("provider")}
        failing = compaction.start_request(**started, request={"input": self.context})
        self.clock.sleep(1.0)
        failing.fail(evil.all("error"))
        request = compaction.start_request(**started, request={"input": self.context})
        self.clock.sleep(8.0)
        sealed = {"type": "compaction", "id": evil.text("item id"), "encrypted_content": evil.all("sealed")}
        request.complete([sealed])
        replacement = [self._message("user", evil.all("kept")), sealed]
        compaction.install(self.context, replacement)
        self.context = replacement

    def _last_words(self, turn: TurnTrace) -> None:
        evil = self.evil
        self._ask(turn, self._message("assistant", evil.all("goodbye")))
        cut = turn.start_inference(
            model=evil.text("model"), provider_name=evil.text("provider"), request={"input": self.context}
        )
        cut.cancel(evil.all("reason"), output_items=[self._message("assistant", evil.text("cut"))])
        turn.end("cancelled")


def tell(directory: Path) -> None:
    """Write the bundle of schema 3."""
    hostile = Hostile(directory, 3)
    hostile.tell()
    forger = forged_shards.Forger(hostile.evil)
    place = {"thread_id": hostile.rollout_id, "codex_turn_id": hostile.turn_id}
    hostile.forge(forged_shards.forged_bodies(forger, hostile.evil, **place))
    forged_shards.plant_shards(directory / "payloads", forger.shards)


def tell_of_files(directory: Path) -> None:
    """Write the short bundle of schema 2."""
    hostile = Hostile(directory, 2)
    hostile.tell_little()
    place = {"thread_id": hostile.rollout_id, "codex_turn_id": hostile.turn_id}
    hostile.forge(forged_files.forged_bodies(hostile.evil, **place))
    forged_files.plant_payloads(directory / "payloads")
