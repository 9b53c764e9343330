"""Tools by which the agents of a story start, address, stop and wait for each other."""

from __future__ import annotations

from typing import Any

from demo_traces.agent import Agent
from demo_traces.tooluse import Command, ToolUse
from demo_traces.wire import MODEL, compact, rollout_path


class AgentTool(ToolUse):
    """A tool that has to do with other agents."""

    namespace = "collaboration"

    def _tell(self, other: Agent, activity: str, **more: Any) -> None:
        event = {
            **more,
            "event_id": self.call_id,
            "occurred_at_ms": self.agent.clock.now,
            "agent_thread_id": other.trace.thread_id,
            "agent_path": other.path,
            "kind": activity,
        }
        self.trace.end_runtime(event)


class Spawn(AgentTool):
    """`spawn_agent`."""

    name = "spawn_agent"

    def __init__(self, agent: Agent, task_name: str, message: str) -> None:
        super().__init__(agent, {"task_name": task_name, "message": message, "fork_turns": "none"})
        self.task_name = task_name
        self.message = message

    def run(self, nickname: str) -> Agent:
        """The child starts on its task."""
        self.started()
        story, parent = self.agent.story, self.agent
        thread_id = story.names.uuid7()
        trace = parent.trace.spawn(
            thread_id, self.task_name, nickname=nickname, rollout_path=rollout_path(thread_id)
        )
        child = Agent(story, trace, parent=parent)
        child.start_turn(parent)
        self._tell(child, "started", model=MODEL, reasoning_effort="medium")
        self.give_back(compact({"task_name": child.path}))
        child.announce_turn(parent)
        child.receive(parent, self.message, "NEW_TASK")
        return child


class SendMessage(AgentTool):
    """`send_message`: read by the other agent when it next looks."""

    name = "send_message"

    def __init__(self, agent: Agent, to: Agent, message: str) -> None:
        super().__init__(agent, {"target": to.path, "message": message})
        self.to = to

    def run(self) -> None:
        self.started()
        self._tell(self.to, "interacted")
        self.give_back("")


class FollowUp(SendMessage):
    """`followup_task`: an agent that was done gets more to do."""

    name = "followup_task"

    def run(self) -> None:
        self.started()
        self._tell(self.to, "interacted")
        self.to.start_turn(self.agent)
        self.give_back("")
        self.to.announce_turn(self.agent)
        assert isinstance(self.arguments, dict)
        self.to.receive(self.agent, self.arguments["message"], "NEW_TASK")


class Interrupt(AgentTool):
    """`interrupt_agent`."""

    name = "interrupt_agent"

    def __init__(self, agent: Agent, other: Agent) -> None:
        super().__init__(agent, {"target": other.path})
        self.other = other

    def run(self, running: Command) -> None:
        """The other agent is stopped while a command of its is running."""
        self.started()
        running.abort()
        self._tell(self.other, "interrupted")
        self.give_back(compact({"previous_status": "running"}))
        self.other.note_abort()


class WaitAgent(AgentTool):
    """`wait_agent`: for whichever agent reports next."""

    name = "wait_agent"

    def __init__(self, agent: Agent, timeout_ms: int) -> None:
        super().__init__(agent, {"timeout_ms": timeout_ms})

    def begin(self) -> None:
        self.started()
        waiter = self.agent.trace.thread_id
        event = {"started_at_ms": self.agent.clock.now, "sender_thread_id": waiter, "receiver_thread_ids": []}
        self.trace.start_runtime({**event, "call_id": self.call_id})

    def finish(self) -> None:
        waiter = self.agent.trace.thread_id
        event = {"sender_thread_id": waiter, "call_id": self.call_id, "completed_at_ms": self.agent.clock.now}
        self.trace.end_runtime({**event, "statuses": {}})
        self.give_back(compact({"message": "Wait completed.", "timed_out": False}))
