"""What a thread is: contents of the `session_metadata` payload of its start, keys in codex's order."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

ROOT_AGENT_PATH = "/root"


class ThreadSpawn(Struct, frozen=True, kw_only=True):
    """Where a spawned thread comes from. `depth` counts from 1 for children of the root thread."""

    parent_thread_id: str
    depth: int
    agent_path: str
    agent_nickname: str | None = None
    agent_role: str | None = None


class Subagent(Struct, frozen=True):
    """Wrapper that the format wants around `ThreadSpawn`."""

    thread_spawn: ThreadSpawn


class SubagentSource(Struct, frozen=True):
    """Session source of a spawned thread."""

    subagent: Subagent


class SessionMetadata(Struct, frozen=True, kw_only=True):
    """A thread and the settings it runs under.

    Attributes:
        thread_id: id of the thread.
        agent_path: `/root`, or `/root/` and the task names down to the thread.
        task_name: last segment of a spawned thread's path.
        nickname: a name for people.
        agent_role: role of a spawned thread.
        session_source: what started the session (`exec`, `cli`, ...), or who spawned the thread.
        cwd: working directory.
        rollout_path: where the host keeps its own record of the session.
        model: default model.
        provider_name: id of the model provider.
        approval_policy: such as `never`.
        sandbox_policy: such as `DangerFullAccess`.
    """

    thread_id: str
    agent_path: str = ROOT_AGENT_PATH
    task_name: str | None = None
    nickname: str | None = None
    agent_role: str | None = None
    session_source: str | SubagentSource | None = None
    cwd: str | None = None
    rollout_path: str | None = None
    model: str | None = None
    provider_name: str | None = None
    approval_policy: str | None = None
    sandbox_policy: str | None = None

    def spawned(
        self,
        thread_id: str,
        task_name: str,
        *,
        nickname: str | None = None,
        agent_role: str | None = None,
        rollout_path: str | None = None,
    ) -> SessionMetadata:
        """Metadata of a thread that this one spawns: settings are inherited, the path grows by its name."""
        agent_path = f"{self.agent_path}/{task_name}"
        source = SubagentSource(
            Subagent(
                ThreadSpawn(
                    parent_thread_id=self.thread_id,
                    depth=self.depth + 1,
                    agent_path=agent_path,
                    agent_nickname=nickname,
                    agent_role=agent_role,
                )
            )
        )
        return replace(
            self,
            thread_id=thread_id,
            agent_path=agent_path,
            task_name=task_name,
            nickname=nickname,
            agent_role=agent_role,
            session_source=source,
            rollout_path=rollout_path,
        )

    @property
    def depth(self) -> int:
        """How many spawns lie between the root thread and this one."""
        if isinstance(self.session_source, SubagentSource):
            return self.session_source.subagent.thread_spawn.depth
        return 0
