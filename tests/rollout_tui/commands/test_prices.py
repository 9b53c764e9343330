"""`--prices FILE`: the inspector and `show` take it alike, and refuse what tells no prices."""

from __future__ import annotations

from pathlib import Path

import pytest
from places import REPOSITORY

from rollout_tui.cli import main
from rollout_tui.commands.prices import prices_in
from rollout_tui.insight.tokens.prices import Price
from rollout_tui.language.refused import InputRefused

TEAM = str(REPOSITORY / "demo_traces" / "team")


def test_prices_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text('{"m": {"in": 2, "cached": 0.5, "out": 10}}')
    assert prices_in(file) == {"m": Price(2.0, 0.5, 10.0)}


@pytest.mark.parametrize("text", [None, "", "[]", '{"m": 1}'])
@pytest.mark.parametrize("command", [[TEAM], ["open", TEAM], ["show", TEAM, "tokens"]])
def test_what_tells_no_prices_is_refused_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], text: str | None
) -> None:
    file = tmp_path / "prices.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputRefused):
        prices_in(file)
    assert main([*command, "--prices", str(file)]) == 2
    assert f"{file}: " in capsys.readouterr().err
