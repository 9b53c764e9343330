"""`schema-1` and `schema-2`: a session as older releases of codex recorded it. The nightly docs are stale.

What there is to see: the older trace schemas, with a file for each payload. The first of them tells neither
what entered a history nor the end of the recording; a picture looks new in every request, and only payloads
tell of calls to a build server. In both there are an answer in parts, a child that is told something, a cell
that yields, a terminal that is typed into, and a compaction.
"""

from __future__ import annotations

from pathlib import Path

from demo_traces import team_texts, wire
from demo_traces.agent import Agent
from demo_traces.cells import Cell, WaitForCell
from demo_traces.outputs import say, think
from demo_traces.story import Story
from demo_traces.teamwork import SendMessage, Spawn, WaitAgent
from demo_traces.tooluse import CiCall, Command, Hunk, Patch, Write
from reducer.recorder.writer import SchemaNumber

START_MS: dict[SchemaNumber, int] = {1: 1_787_556_412_640, 2: 1_791_273_630_415}
"""24 August and 6 October 2026, in the morning."""

FAILURES = {
    "job": "nightly-docs",
    "runs": [
        {"run": 3301, "ref": "7d20c4e", "step": "publish", "error": "nothing to publish"},
        {"run": 3296, "ref": "7d20c4e", "step": "publish", "error": "nothing to publish"},
    ],
}

MAKEFILE = """\
docs: docs/api.md
\tpython -m quaycache.tools.site docs build/site

docs/api.md:
\tpython -m quaycache.tools.apidoc > $@
"""

BUILD = """\
make: Nothing to be done for 'docs/api.md'.
python -m quaycache.tools.site docs build/site
site: 14 pages, 0 changed
"""

REBUILD = """\
python -m quaycache.tools.apidoc > docs/api.md
python -m quaycache.tools.site docs build/site
site: 14 pages, 1 changed
"""


def tell(directory: Path, schema: SchemaNumber) -> None:
    """Record the story as a bundle of trace schema 1 or 2."""
    story = Story(
        directory,
        seed=f"schema-{schema}",
        start_ms=START_MS[schema],
        tools=wire.TEAM_TOOLS,
        source="cli",
        schema=schema,
    )
    _why(story)
    story.clock.sleep(93.0)
    _fix(story)
    story.clock.sleep(21.0)
    story.finish()


def _why(story: Story) -> None:
    root = story.root
    root.user(
        "The published docs still describe 0.3.0, see the picture. The nightly job says it has nothing to "
        "publish. Why?",
        team_texts.FAILURE_CHART,
    )
    failures = CiCall(root, "list_failures", {"job": "nightly-docs", "days": 7})
    root.ask(
        think("What the job says", "It fails in the step that publishes; its words first.", story.names),
        failures,
        seconds=4.6,
    )
    failures.answer(FAILURES, seconds=1.9)
    spawn = Spawn(
        root,
        "pages",
        "Find out which page of the docs is generated, and from what. Do not change anything.",
    )
    root.ask(say("An agent looks at the pages, I look at the build.", "commentary"), spawn, seconds=5.0)
    pages = spawn.run("Hopper")
    _build_in_a_cell(root)
    hint = SendMessage(root, pages, "docs/api.md looks generated. By what, and when does make redo it?")
    wait = WaitAgent(root, 300_000)
    root.ask(hint, wait, seconds=2.8)
    hint.run()
    wait.begin()
    report = _child_reads(root, pages)
    wait.finish()
    root.receive(pages, report)
    root.ask(say("The page that should change is never made again.", "partial_answer"), seconds=3.0)
    root.answer(
        "`docs/api.md` has no prerequisites in the Makefile. Since it exists, make takes it for up to date, "
        "and the site has nothing new. Not changed yet.",
        seconds=4.1,
    )


def _build_in_a_cell(root: Agent) -> None:
    cell = Cell(
        root,
        """
const make = tools.exec_command({cmd: "make docs"});
text("building");
yield_control();
text((await make).output);
""",
    )
    root.ask(cell, seconds=3.7)
    cell.start()
    make = Command(root, "make docs", cell=cell).begin()
    cell.yield_control("building")
    wait = WaitForCell(root, cell, 20_000)
    root.ask(wait, seconds=1.5)
    wait.started()
    make.run(BUILD, seconds=6.2)
    cell.complete_later(wait, BUILD)


def _child_reads(root: Agent, pages: Agent) -> str:
    read = Command(pages, "head -n 5 Makefile")
    pages.ask(read, seconds=2.4)
    read.run(MAKEFILE, seconds=0.05)
    pages.receive(root, "docs/api.md looks generated. By what, and when does make redo it?", "MESSAGE")
    return pages.answer(
        "`docs/api.md` comes from `quaycache.tools.apidoc`. Its rule has no prerequisites: make runs it only "
        "when the file is missing.",
        seconds=5.5,
    )


def _fix(story: Story) -> None:
    root = story.root
    root.user("Make it depend on the package, then. And check it.", first=root.compact)
    patch = Patch(
        root,
        Hunk(
            "Makefile",
            4,
            """
-docs/api.md:
+docs/api.md: $(wildcard quaycache/*.py)
 \tpython -m quaycache.tools.apidoc > $@
""",
        ),
    )
    root.ask(patch, seconds=3.9)
    patch.apply()
    shell = Command(root, "bash", tty=True, yield_time_ms=1_000)
    root.ask(say("Now the same build by hand, twice."), shell, seconds=2.6)
    shell.open("$ ", seconds=1.0)
    first = Write(root, shell, "touch quaycache/ttl.py; make docs\n")
    root.ask(first, seconds=2.0)
    first.run(f"touch quaycache/ttl.py; make docs\r\n{REBUILD}$ ", seconds=5.4)
    second = Write(root, shell, "make docs; exit\n")
    root.ask(second, seconds=1.8)
    second.run(f"make docs; exit\r\n{BUILD}", seconds=3.3, exit_code=0)
    root.ask_until_interrupted(say("`docs/api.md` is made again when the package"), seconds=2.2)
