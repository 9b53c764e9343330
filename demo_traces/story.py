"""Telling a story as a trace: one session, recorded into one bundle."""

from __future__ import annotations

from pathlib import Path

from demo_traces.agent import Agent
from demo_traces.identities import Clock, Names
from demo_traces.wire import MODEL, WORKSPACE, rollout_path
from reducer.recorder import Ids, Limits, SessionMetadata, SessionTrace, TraceWriter
from reducer.recorder.payload_writers import UNLIMITED
from reducer.recorder.writer import NEWEST_SCHEMA, SchemaNumber


class Story:
    """A session that is recorded into `directory`."""

    def __init__(
        self,
        directory: Path,
        *,
        seed: str,
        start_ms: int,
        tools: str,
        source: str,
        schema: SchemaNumber = NEWEST_SCHEMA,
        limits: Limits = UNLIMITED,
    ) -> None:
        self.clock = Clock(start_ms)
        self.names = Names(seed, self.clock)
        self.tools = tools
        self.installation = self.names.uuid4()
        trace_id = self.names.uuid4()
        thread_id = self.names.uuid7()
        metadata = SessionMetadata(
            thread_id=thread_id,
            session_source=source,
            cwd=WORKSPACE,
            rollout_path=rollout_path(thread_id),
            model=MODEL,
            provider_name="openai",
            approval_policy="never",
            sandbox_policy="WorkspaceWrite",
        )
        writer = TraceWriter(
            directory,
            trace_id=trace_id,
            root_thread_id=metadata.thread_id,
            clock=self.clock,
            schema=schema,
            limits=limits,
        )
        self.trace = SessionTrace(writer, trace_id, metadata, Ids(self.names.uuid4))
        self.agents: list[Agent] = []
        self.root = Agent(self, self.trace.root, parent=None)

    def observe(self, event_type: str, **event: object) -> None:
        """A protocol event; its `type` is older than its name in two cases."""
        older = {"turn_started": "task_started", "turn_complete": "task_complete"}
        self.trace.observe_protocol_event(event_type, {"type": older.get(event_type, event_type), **event})

    def finish(self) -> None:
        """Everybody goes home, the root last."""
        for agent in reversed(self.agents):
            self.observe("shutdown_complete")
            agent.trace.end()
            agent.release_commands()
        self.trace.end()
        self.trace.complete()
