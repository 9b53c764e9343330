from __future__ import annotations

import pytest

from reducer.rules.agent_events import is_agent_path, read_written_message


@pytest.mark.parametrize(
    ("path", "sound"),
    [
        ("/root", True),
        ("/morpheus", True),
        ("/root/a_1/b", True),
        ("/root/rooted/1_", True),
        ("/root/root", False),
        ("/root/a/root/b", False),
        ("/root/", False),
        ("/root//a", False),
        ("/root/A", False),
        ("/root/a-b", False),
        ("/root/é", False),
        ("/root/..", False),
        ("/morpheus/a", False),
        ("/roots", False),
        ("root", False),
        ("/root\n", False),
        ("/root/a\n", False),
        ("", False),
    ],
)
def test_agent_paths(path: str, sound: bool) -> None:
    assert is_agent_path(path) is sound


def test_a_text_that_is_no_letter() -> None:
    assert read_written_message("") is None
    assert read_written_message("{") is None
    assert read_written_message('{"a":"\ud800"}') is None
