"""One agent of a story: its turns, and the conversation that it carries from request to request."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from demo_traces import wire
from demo_traces.identities import Clock, Names
from demo_traces.outputs import Output, say
from demo_traces.sending import Http, Transport
from demo_traces.wire import MODEL, WORKSPACE, Item
from reducer.recorder import InferenceTrace, ThreadTrace, TokenUsage, TurnTrace
from reducer.wire.events import ExecutionStatus

if TYPE_CHECKING:
    from demo_traces.story import Story

CONTEXT_WINDOW = 258_400

TURN_ABORTED = (
    "<turn_aborted>\nThe user stopped the turn before this one. Commands that were running may still be "
    "running, or may have been carried out only in part.\n</turn_aborted>"
)


class LeftRunning(Protocol):
    """A command that outlives the call that ran it."""

    def killed(self) -> None:
        """The session took the command with it."""


class Agent:
    """One thread of the story, with the conversation as the next request will carry it.

    Attributes:
        story: the session.
        trace: the recorder's handle of the thread.
        parent: who spawned it.
        history: items of the conversation, as they go over the wire.
        transport: how they go; a story may choose another one before the first request.
        turn: the turn it is in; asking for it outside of one is a mistake in the story.
        left_running: calls whose command outlives them, see `release_commands`.
    """

    def __init__(self, story: Story, trace: ThreadTrace, *, parent: Agent | None) -> None:
        self.story = story
        self.trace = trace
        self.parent = parent
        self.history: list[Item] = []
        self.transport: Transport = Http()
        self.left_running: list[LeftRunning] = []
        self._turn: TurnTrace | None = None
        self._turn_started_ms = 0
        self._root_turn_id = ""
        self._instructions_id = f"msg_{story.names.uuid5()}"
        self._window = 0
        self._cached_tokens = 0
        self._cells = 0
        self._is_new = True
        story.agents.append(self)
        story.observe(
            "session_configured",
            session_id=story.trace.root.thread_id,
            thread_id=trace.thread_id,
            **({"parent_thread_id": parent.trace.thread_id} if parent else {}),
            thread_source="subagent" if parent else "user",
            model=MODEL,
            model_provider_id="openai",
            approval_policy="never",
            approvals_reviewer="user",
            cwd=WORKSPACE,
            reasoning_effort="medium",
        )

    @property
    def names(self) -> Names:
        return self.story.names

    @property
    def clock(self) -> Clock:
        return self.story.clock

    @property
    def path(self) -> str:
        return self.trace.agent_path

    @property
    def turn(self) -> TurnTrace:
        assert self._turn is not None, f"{self.path} is between turns"
        return self._turn

    def next_cell(self) -> str:
        """Number of the next code cell; agents other than the root have a prefix, as their runtimes do."""
        self._cells += 1
        position = self.story.agents.index(self)
        return str(self._cells) if position == 0 else f"g{position + 1}:{self._cells}"

    # Turns

    def start_turn(self, initiator: Agent | None = None) -> None:
        """A turn begins; `initiator` is the agent that set it off, if any."""
        self._turn = self.trace.start_turn(self.names.uuid7())
        self._turn_started_ms = self.clock.now
        self._root_turn_id = initiator._root_turn_id if initiator else self.turn.codex_turn_id

    def announce_turn(self, initiator: Agent | None = None) -> None:
        """What the protocol tells of the turn, and for the first one what the agent is told to begin with."""
        self.story.observe(
            "turn_started",
            turn_attribution={
                "turn_id": self.turn.codex_turn_id,
                "turn_trigger": "user" if initiator is None else "agent",
                "parent_turn_id": initiator.turn.codex_turn_id if initiator else None,
                "initiating_agent_path": initiator.path if initiator else None,
                "root_turn_id": self._root_turn_id,
            },
            turn_id=self.turn.codex_turn_id,
            root_turn_id=self._root_turn_id,
            started_at=self._turn_started_ms // 1000,
            model_context_window=CONTEXT_WINDOW,
            collaboration_mode_kind="default",
        )
        if self._is_new:
            self._is_new = False
            for item in self._context_items():
                self.accept(item)

    def user(self, text: str, *images: str, first: Callable[[], None] | None = None) -> None:
        """A turn begins, and after `first` come the words of the user, perhaps with images (data URLs)."""
        self.start_turn()
        self.announce_turn()
        if first is not None:
            first()
        self.accept(self.user_message(text, *images))

    def user_message(self, text: str, *images: str) -> Item:
        content: list[Item] = []
        for number, image in enumerate(images, 1):
            content += wire.text_parts(f"<image name=[Image #{number}]>")
            content.append({"type": "input_image", "image_url": image, "detail": "high"})
            content += wire.text_parts("</image>")
        item = wire.message(self._new_id("msg"), "user", content + wire.text_parts(text))
        return self.stamped(item, "user.text")

    def answer(self, text: str, *before: Output, seconds: float = 6.0) -> str:
        """The last words of a turn. A child's go to its parent, who has to `receive` what this gives."""
        self.ask(*before, say(text, "final_answer"), seconds=seconds)
        return self.end_turn("completed", last_agent_message=text)

    def end_turn(self, status: ExecutionStatus, **told: object) -> str:
        """A turn is over, for whatever reason."""
        turn = self.turn
        turn.end(status)
        completed = self.clock.now
        self.story.observe(
            "turn_aborted" if status == "cancelled" else "turn_complete",
            root_turn_id=self._root_turn_id,
            turn_id=turn.codex_turn_id,
            **told,
            started_at=self._turn_started_ms // 1000,
            completed_at=completed // 1000,
            duration_ms=completed - self._turn_started_ms,
        )
        self._turn = None
        if self.parent is None or status == "cancelled":
            return ""
        return self._hand_over(turn, told)

    def _hand_over(self, turn: TurnTrace, told: dict[str, Any]) -> str:
        assert self.parent is not None
        error = told.get("error")
        text = f"Agent errored: {error['message']}" if error else told["last_agent_message"]
        report = _letter("FINAL_ANSWER", to=self.parent, author=self) + text
        status = {"errored": error["message"]} if error else {"completed": text}
        turn.hand_over_result(
            self.parent.trace.thread_id, child_agent_path=self.path, message=report, status=status
        )
        return report

    def release_commands(self) -> None:
        """At the end of a session whatever still runs is killed."""
        for call in self.left_running:
            call.killed()
        self.left_running.clear()

    # Conversation

    def accept(self, item: Item) -> None:
        """An item enters the history."""
        self.turn.accept_item(item)
        self.history.append(item)

    def receive(self, author: Agent, text: str, kind: str = "FINAL_ANSWER") -> None:
        """A message of another agent reaches this one."""
        content = wire.text_parts(text)
        if kind != "FINAL_ANSWER":
            head = wire.text_parts(_letter(kind, to=self, author=author))
            content = [*head, {"type": "encrypted_content", "encrypted_content": text}]
        item = {
            "type": "agent_message",
            "id": self._new_id("amsg"),
            "author": author.path,
            "recipient": self.path,
            "content": content,
        }
        self.accept(self.stamped(item))

    def ask(self, *outputs: Output, seconds: float = 4.0) -> None:
        """One inference call. Calls among the outputs still have to be carried out, unless they are early."""
        request = self._request()
        call = self._send(request)
        self.clock.sleep(seconds)
        items = [output.item(self.names) for output in outputs]
        early = [pair for pair in zip(outputs, items, strict=True) if pair[0].early]
        for output, item in early:
            self.turn.accept_item(item)
            output.start()
        usage = self._usage(request, items)
        response_id = self.names.provider_id("resp")
        self.transport.answered(response_id, len(items))
        call.complete(
            items,
            response_id=response_id,
            upstream_request_id=self.names.request_id(),
            token_usage=usage,
        )
        for output, item in zip(outputs, items, strict=True):
            if not output.early:
                self.turn.accept_item(item)
            self.history.append(self._sent_back(item))

    def ask_in_vain(self, error: str, *, seconds: float = 20.0) -> None:
        """An inference call that fails, and the turn with it."""
        call = self._send(self._request())
        self.clock.sleep(seconds)
        call.fail(error, upstream_request_id=self.names.request_id())
        self.story.observe("error", message=error, codex_error_info="other")

    def ask_until_interrupted(self, *outputs: Output, seconds: float = 20.0) -> None:
        """An answer that the user cuts short, after these items of it."""
        call = self._send(self._request())
        self.clock.sleep(seconds)
        items = [output.item(self.names) for output in outputs]
        call.cancel(
            "response stream dropped before provider terminal event",
            upstream_request_id=self.names.request_id(),
            output_items=items,
        )
        self.note_abort()

    def note_abort(self) -> None:
        """The agent will be told that its turn was stopped; the turn ends as cancelled."""
        item = wire.message(self._new_id("msg"), "user", wire.text_parts(TURN_ABORTED))
        self.accept(self.stamped(item, "harness.turn_aborted"))
        self.end_turn("cancelled", reason="interrupted")

    # Compaction

    def compact(self, *, summary: str | None = None, failing_first: str | None = None) -> None:
        """The history gives way to what matters of it: sealed, or in plain words if `summary` has some."""
        compaction = self.turn.start_compaction(self.names.uuid7())
        body = {
            "model": MODEL,
            "instructions": wire.INSTRUCTIONS,
            "input": [*self.history, {"type": "compaction_trigger"}],
            "parallel_tool_calls": True,
        }
        started: dict[str, Any] = {"model": MODEL, "provider_name": wire.PROVIDER, "request": body}
        if failing_first is not None:
            failing = compaction.start_request(**started)
            self.clock.sleep(9.0)
            failing.fail(failing_first)
        request = compaction.start_request(**started)
        self.clock.sleep(14.0)
        kept = [item for item in self.history if self._is_from_user(item)]
        if summary is None:
            sealed = self.names.sealed(420)
            essence = {"type": "compaction", "id": self._new_id("cmp"), "encrypted_content": sealed}
            request.complete([essence])
        else:
            said = say(summary).item(self.names)
            request.complete([said])
            essence = wire.message(
                self._new_id("msg"), "user", wire.text_parts(f"Summary so far:\n{summary}")
            )
        replacement = [*kept[:-1], *self._context_items(), *kept[-1:], self.stamped(essence)]
        compaction.install(list(self.history), replacement)
        self.history = replacement
        self._window += 1
        self._cached_tokens = _tokens(self.story.tools) + _tokens(wire.INSTRUCTIONS)

    @staticmethod
    def _is_from_user(item: Item) -> bool:
        stamp = item.get("internal_chat_message_metadata_passthrough", {})
        return "user.text" in stamp.get("content_item_kinds", [])

    # Wire

    def stamped(self, item: Item, kind: str | None = None) -> Item:
        """An item of the host's own, with the note that it keeps about where it came from."""
        note: Item = {"turn_id": self.turn.codex_turn_id, "create_time": self.clock.now / 1000}
        if kind is not None:
            note["content_item_kinds"] = [kind] * len(item["content"])
        return {**item, "internal_chat_message_metadata_passthrough": note}

    def _sent_back(self, item: Item) -> Item:
        return {**item, "internal_chat_message_metadata_passthrough": {"turn_id": self.turn.codex_turn_id}}

    def _new_id(self, prefix: str) -> str:
        return f"{prefix}_{self.names.uuid7()}"

    def _context_items(self) -> list[Item]:
        texts = [wire.PERMISSIONS]
        if self.story.tools == wire.TEAM_TOOLS:
            texts.append(wire.TEAM_OF_CHILD if self.parent else wire.TEAM_OF_ROOT)
        date = datetime.fromtimestamp(self.clock.now / 1000, UTC).date().isoformat()
        permissions = wire.message(self._new_id("msg"), "developer", wire.text_parts(*texts))
        environment = wire.message(
            self._new_id("msg"), "user", wire.text_parts(wire.environment(WORKSPACE, date))
        )
        return [
            self.stamped(permissions, "permissions.instructions"),
            self.stamped(environment, "environments.environment_context"),
        ]

    def _request(self) -> dict[str, Any]:
        session_id = self.story.trace.root.thread_id
        identity = {
            "session_id": session_id,
            "thread_id": self.trace.thread_id,
            "turn_id": self.turn.codex_turn_id,
            "root_turn_id": self._root_turn_id,
        }
        window = f"{self.trace.thread_id}:{self._window}"
        turn_metadata: dict[str, Any] = {
            "installation_id": self.story.installation,
            **identity,
            "agent_name": self.path,
            "window_id": window,
            "window_number": self._window,
            "request_kind": "turn",
            "turn_started_at_unix_ms": self._turn_started_ms,
            "model": MODEL,
        }
        client = {
            "x-codex-installation-id": self.story.installation,
            **identity,
            "x-codex-window-id": window,
            "x-codex-turn-metadata": wire.compact(turn_metadata),
        }
        if self.parent is not None:
            client["x-codex-parent-thread-id"] = self.parent.trace.thread_id
            client["x-openai-subagent"] = "collab_spawn"
        instructions = wire.message(self._instructions_id, "developer", wire.text_parts(wire.INSTRUCTIONS))
        return wire.request_body([instructions, *self.history], self.story.tools, session_id, client)

    def _send(self, request: dict[str, Any]) -> InferenceTrace:
        sent = self.transport.send(request)
        return self.turn.start_inference(
            model=MODEL,
            provider_name=wire.PROVIDER,
            request=sent.body,
            warmup_context=sent.warmup_context,
            stripped_tool_output_ids=sent.stripped_tool_output_ids,
        )

    def _usage(self, request: dict[str, Any], items: Sequence[Item]) -> TokenUsage:
        """Tokens as a provider might count them: what it has seen of the request before is cached."""
        sent = _tokens(self.story.tools) + _tokens(json.dumps(request["input"]))
        cached = min(self._cached_tokens, sent) // 128 * 128
        thoughts = [item for item in items if item["type"] == "reasoning"]
        reasoning = sum(3 * _tokens(thought["summary"][0]["text"]) for thought in thoughts)
        spoken = sum(_tokens(json.dumps(item)) for item in items if item["type"] != "reasoning")
        self._cached_tokens = sent
        return TokenUsage(
            input_tokens=sent,
            cached_input_tokens=cached,
            output_tokens=spoken + reasoning,
            reasoning_output_tokens=reasoning,
            total_tokens=sent + spoken + reasoning,
        )


def _letter(kind: str, *, to: Agent, author: Agent) -> str:
    return f"Message Type: {kind}\nTask name: {to.path}\nSender: {author.path}\nPayload:\n"


def _tokens(text: str) -> int:
    return (len(text) + 3) // 4
