"""The payloads folder of an open bundle is replaced by a link: no screen shows what is outside."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import inspecting

SECRET = "stolen by a link"
BUNDLES = ["schema-1", "schema-2"]

Demo = Callable[[str], Path]
Run = Callable[..., subprocess.CompletedProcess[bytes]]


def replace_payloads(bundle: Path, outside: Path) -> None:
    """By files of the same names, whose texts are as long as those of the bundle but not its own."""
    shutil.copytree(bundle / "payloads", outside)
    for path in outside.glob("*.json"):
        path.write_text(f'{{"text":"{SECRET}","input":[{{"type":"message","content":"{SECRET}"}}]}}')
    (bundle / "payloads").rename(bundle.parent / "payloads-kept")
    (bundle / "payloads").symlink_to(outside)


@pytest.mark.quick
@pytest.mark.parametrize("name", BUNDLES)
async def test_an_inspector_that_stays_open_says_that_payloads_cannot_be_read(
    demo_trace: Demo, tmp_path: Path, name: str
) -> None:
    bundle = demo_trace(name)
    async with inspecting(bundle) as at:
        replace_payloads(bundle, tmp_path / "outside")
        said = ""
        for keys in (
            ["2"],
            ["j"],
            ["j"],
            ["right_square_bracket"],
            ["slash", *"stolen", "enter"],
            ["R"],
            ["i"],
        ):
            await at.press(*keys)
            shown = "\n".join(at.screen_text())
            assert SECRET not in shown
            said += shown
    assert "its path le" in said


@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize(
    "command", [["check"], ["reduce", "-o", "-"], ["show", "payload", "1", "--raw"], ["show", "failures"]]
)
def test_no_command_shows_it(
    demo_trace: Demo, tmp_path: Path, run_program: Run, name: str, command: list[str]
) -> None:
    bundle = demo_trace(name)
    replace_payloads(bundle, tmp_path / "outside")
    finished = run_program(command[0], bundle, *command[1:])
    assert finished.stdout or finished.stderr
    assert SECRET.encode() not in finished.stdout + finished.stderr
    assert b"Traceback" not in finished.stderr
