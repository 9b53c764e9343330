"""Records `demo_traces/both`: one run of the real codex, as a bundle and as the session files that it keeps.

    python tests/end_to_end/record_demo.py CODEX [DIR]

The run is played in `/srv/tide-tables`, which must not be there and is removed in the end: what is recorded
tells of no other place. It is another recording each time: the goldens of the demo are renewed with it.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent), str(REPOSITORY)]

from codex_home import CodexHome  # noqa: E402
from demo_session import AGENT_HINT, COMPACT_ABOVE, INSTRUCTIONS, PROMPT, scripts, write_workspace  # noqa: E402
from responses_server import Answer, Request, ResponsesServer  # noqa: E402

PLACE = Path("/srv/tide-tables")
"""Where the run is played."""

BYTES_PER_TOKEN = 4
TOKENS_PER_SECOND = 60
CACHED_IN_STEPS_OF = 128

_LEFT_OUT = ("include_permissions_instructions", "include_collaboration_mode_instructions", "features.goals")
"""What codex would tell or offer the model besides; it is no part of this story."""

_HINTED = ("root_agent", "subagent")


class PacedServer(ResponsesServer):
    """Answers no faster than a model would, and counts tokens by what was sent."""

    def __init__(self) -> None:
        super().__init__(scripts())
        self._read: dict[str, int] = {}

    def answer_to(self, headers: Mapping[str, str], body: dict[str, Any]) -> Answer | None:
        """The answer of the script, with figures that fit the request."""
        answer = super().answer_to(headers, body)
        if answer is None:
            return None
        asked, read = Request.of(headers, body), len(json.dumps(body)) // BYTES_PER_TOKEN
        cached = min(self._read.get(asked.thread, 0), read) // CACHED_IN_STEPS_OF * CACHED_IN_STEPS_OF
        self._read[asked.thread] = 0 if asked.for_compaction else read
        written = 20 + len(json.dumps(list(answer.items))) // BYTES_PER_TOKEN
        return replace(answer, input_tokens=read, cached_tokens=cached, output_tokens=written)

    def events(self, answer: Answer) -> Iterator[dict[str, Any]]:
        """The events of an answer, one after another."""
        pause = answer.output_tokens / TOKENS_PER_SECOND / (len(answer.items) + 1)
        for event in super().events(answer):
            if event["type"] in ("response.output_item.done", "response.completed"):
                time.sleep(pause)
            yield event


def main(codex: Path, directory: Path) -> None:
    """Record the demo into a directory, in place of what was there of it.

    Args:
        codex: the program, with its host of code cells beside it.
        directory: gets `bundle` and `sessions`.
    """
    with PacedServer() as server:
        home = CodexHome(PLACE, codex, server, compact_above=COMPACT_ABOVE, code_mode=True)
        try:
            write_workspace(home.workspace)
            instructions = home.home / "instructions.md"
            instructions.write_text(INSTRUCTIONS)
            options = [f"{name}=false" for name in (*_LEFT_OUT, "skills.bundled.enabled")]
            options += [f'features.multi_agent_v2.{one}_usage_hint_text="{AGENT_HINT}"' for one in _HINTED]
            options.append(f'model_instructions_file="{instructions}"')
            ran = home.run(PROMPT, *(word for one in options for word in ("-c", one)))
            [bundle] = home.bundles()
            if ran.returncode or server.complaints:
                raise SystemExit(f"{ran.stderr.decode()}\n{server.complaints}")
            shutil.rmtree(directory, ignore_errors=True)
            shutil.copytree(bundle, directory / "bundle")
            shutil.copytree(home.home / "sessions", directory / "sessions")
        finally:
            shutil.rmtree(PLACE)
    print(directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else REPOSITORY / "demo_traces" / "both")
