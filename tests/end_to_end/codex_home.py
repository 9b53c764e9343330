"""The real codex, set up to record what it does while it asks a scripted server."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from patience import PATIENCE
from responses_server import ResponsesServer


class RefusedByCodex(AssertionError):  # noqa: N818 - a finding of a test
    """Codex does not reduce a bundle; what it says."""


_CONFIG = """\
model = "gpt-5.5"
model_provider = "mock"
check_for_update_on_startup = false
approval_policy = "never"
sandbox_mode = "danger-full-access"
{compaction}
[analytics]
enabled = false
[features]
apps = false
plugins = false
remote_plugin = false
tool_suggest = false
shell_snapshot = false
enable_request_compression = false
code_mode = {code_mode}
multi_agent_v2 = {{ enabled = true, max_concurrent_threads_per_session = 8, min_wait_timeout_ms = 1000 }}
[model_providers.mock]
# The name decides how history is compacted: remotely for this one, locally for any other.
name = "OpenAI"
base_url = "{base_url}"
wire_api = "responses"
supports_websockets = false
request_max_retries = 0
stream_max_retries = 0
[projects."{workspace}"]
trust_level = "trusted"
"""

_UNWANTED = re.compile(r"OPENAI_|CODEX_|.*_proxy\Z", re.IGNORECASE)


class CodexHome:
    """The real codex, in a home of its own, asking a scripted server.

    Attributes:
        home: its own directory, in which its sessions are.
        workspace: where its commands run.
        trace_root: where its bundles appear, if `environment` is used as it is.
    """

    def __init__(
        self,
        directory: Path,
        codex: Path,
        server: ResponsesServer,
        *,
        compact_above: int | None = None,
        code_mode: bool = False,
        is_traced: bool = True,
    ) -> None:
        """Set it up.

        Args:
            directory: an empty directory.
            codex: the program.
            server: who answers.
            compact_above: reported input tokens above which it compacts; None for its own limit.
            code_mode: whether it also has the tool `exec`, for code cells. They run in
                `codex-code-mode-host`, which must lie beside the program.
            is_traced: whether it records bundles; sessions it keeps either way.
        """
        self._is_traced = is_traced
        self._codex = codex
        self.home = directory / "home"
        self.workspace = directory / "workspace"
        self.trace_root = directory / "traces"
        for created in (self.home, self.workspace, self.trace_root):
            created.mkdir(parents=True)
        limit = "" if compact_above is None else f"model_auto_compact_token_limit = {compact_above}"
        config = _CONFIG.format(
            base_url=server.base_url,
            workspace=self.workspace,
            compaction=limit,
            code_mode=str(code_mode).lower(),
        )
        (self.home / "config.toml").write_text(config)

    @property
    def changes(self) -> dict[str, str | None]:
        """What its environment has that is not in ours; None for what is removed."""
        removed: dict[str, str | None] = {name: None for name in os.environ if _UNWANTED.match(name)}
        home = str(self.home)
        traced = {"CODEX_ROLLOUT_TRACE_ROOT": str(self.trace_root)} if self._is_traced else {}
        return {**removed, "HOME": home, "CODEX_HOME": home, **traced}

    @property
    def environment(self) -> dict[str, str]:
        """Its whole environment."""
        merged = {**os.environ, **self.changes}
        return {name: value for name, value in merged.items() if value is not None}

    def command(self, prompt: str, *options: str) -> list[str]:
        """One turn: `codex exec`, whose options can be continued by `resume ID` and the like."""
        return [
            str(self._codex),
            "exec",
            "--skip-git-repo-check",
            "--dangerously-bypass-approvals-and-sandbox",
            "-C",
            str(self.workspace),
            *options,
            prompt,
        ]

    def run(
        self, prompt: str, *options: str, seconds: float = PATIENCE
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one turn to its end."""
        with self.started(prompt, *options, output=subprocess.PIPE) as running:
            out, err = running.communicate(timeout=seconds)
            return subprocess.CompletedProcess(running.args, running.returncode, out, err)

    @contextmanager
    def started(
        self, prompt: str, *options: str, output: int = subprocess.DEVNULL
    ) -> Iterator[subprocess.Popen[bytes]]:
        """One turn that runs meanwhile; what still runs in the end is killed, with all that it started."""
        running = subprocess.Popen(
            self.command(prompt, *options),
            env=self.environment,
            cwd=self.workspace,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        with running:
            try:
                yield running
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL)

    def reduced(self, bundle: Path, seconds: float = PATIENCE) -> bytes:
        """The `state.json` that it writes itself for a bundle.

        Raises:
            RefusedByCodex: it does not reduce it.
        """
        with tempfile.TemporaryDirectory() as directory:
            state = Path(directory) / "state.json"
            ran = subprocess.run(
                [self._codex, "debug", "trace-reduce", bundle, "-o", state],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
            )
            if ran.returncode != 0:
                raise RefusedByCodex(ran.stderr.decode(errors="replace"))
            return state.read_bytes()

    def sessions(self) -> list[Path]:
        """The session files that it has kept so far, in order of their names."""
        return sorted((self.home / "sessions").rglob("rollout-*.jsonl"))

    def bundles(self) -> list[Path]:
        """The bundles recorded so far, oldest first."""
        found = [path for path in self.trace_root.iterdir() if (path / "manifest.json").exists()]
        return sorted(found, key=lambda path: (path / "manifest.json").stat().st_mtime_ns)
