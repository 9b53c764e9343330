"""Location strings, the way back, marks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reducer import ObjectRef
from rollout_tui.language.locations import LineNumber, Location, format_location, parse_at, parse_location
from rollout_tui.language.refused import InputRefused
from rollout_tui.views.places import History, Marks, PaneName, Place


def nothing(_path: str) -> bool:
    return False


def place(seq: int, pane: PaneName = "timeline") -> Place:
    return Place("thread", ObjectRef("InferenceCall", str(seq)), seq, pane)


# --- location strings


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("runs/a#812", Location(Path("runs/a"), 812)),
        ("/runs/a#0", Location(Path("/runs/a"), 0)),
        ("a.jsonl#L12", Location(Path("a.jsonl"), LineNumber(12))),
        ("a.jsonl#Lx", Location(Path("a.jsonl#Lx"))),
        ("runs/a", Location(Path("runs/a"))),
        ("runs/a#b", Location(Path("runs/a#b"))),
        ("runs/a#b#12", Location(Path("runs/a#b"), 12)),
        ("runs/a#12#13", Location(Path("runs/a#12"), 13)),
        ("runs/a#", Location(Path("runs/a#"))),
        ("#812", Location(Path("#812"))),
        ("runs/a#99999999999999999999999", Location(Path("runs/a#99999999999999999999999"))),
        ("runs/a#-1", Location(Path("runs/a#-1"))),
        ("runs/a #12", Location(Path("runs/a "), 12)),
        ("runs/a\nb#12", Location(Path("runs/a\nb"), 12)),
    ],
)
def test_a_location(text: str, location: Location) -> None:
    assert parse_location(text, exists=nothing) == location
    assert parse_location(Path(text), exists=nothing) == location


def test_what_exists_under_the_whole_name_is_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "run#12").mkdir()
    assert parse_location(tmp_path / "run#12") == Location(tmp_path / "run#12")
    assert parse_location(f"{tmp_path}/run#12#40") == Location(tmp_path / "run#12", 40)
    assert parse_location(f"{tmp_path}/run#13") == Location(tmp_path / "run", 13)


def test_a_location_does_not_depend_on_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bundle").mkdir()
    monkeypatch.chdir(tmp_path)
    text = format_location(Path("bundle"), 7)
    assert text == f"{tmp_path}/bundle#7"
    monkeypatch.chdir("/")
    assert parse_location(text) == Location(tmp_path / "bundle", 7)
    assert format_location(tmp_path / "bundle") == f"{tmp_path}/bundle"


@given(st.text("ab#/. 1", min_size=1, max_size=20), st.one_of(st.none(), st.integers(0, 2**63 - 1)))
def test_what_is_written_is_read_back(name: str, seq: int | None) -> None:
    text = format_location(Path("/" + name), seq)
    bundle = format_location(Path("/" + name))
    assert parse_location(text, exists=lambda path: path == bundle) == Location(Path(bundle), seq)


@pytest.mark.parametrize(("text", "seq"), [("812", 812), ("#812", 812), (" # 812 ", 812), ("0", 0)])
def test_a_sequence_number_by_itself(text: str, seq: int) -> None:
    assert parse_at(text) == seq


@pytest.mark.parametrize("text", ["", "#", "a", "1.5", "-1", "12#13", "9" * 19, "9" * 40, "1 2"])
def test_what_is_no_sequence_number_is_refused(text: str) -> None:
    with pytest.raises(InputRefused, match="no sequence number"):
        parse_at(text)


# --- the way back


def test_back_and_forward_through_places() -> None:
    history = History()
    assert history.back(place(1)) is None
    history.leave(place(1))
    history.leave(place(2))
    # The reader is at 3 now, and moves on to 4 with the arrow keys before going back.
    assert history.back(place(4)) == place(2)
    assert history.back(place(2)) == place(1)
    assert history.back(place(1)) is None
    assert history.forward(place(1)) == place(2)
    assert history.can_go_forward
    assert history.forward(place(2)) == place(4)
    assert history.forward(place(4)) is None


def test_a_jump_forgets_what_was_ahead() -> None:
    history = History()
    history.leave(place(1))
    history.leave(place(2))
    assert history.back(place(3)) == place(2)
    history.leave(place(2))
    assert not history.can_go_forward
    assert history.back(place(9)) == place(2)
    assert history.back(place(2)) == place(1)


def test_a_place_is_not_returned_to_from_itself() -> None:
    history = History()
    history.leave(place(1))
    history.leave(place(1))
    history.leave(place(2))
    assert history.back(place(2)) == place(1)
    assert history.back(place(1)) is None
    assert not history.can_go_back


def test_the_way_back_is_bounded() -> None:
    history = History(length=3)
    for seq in range(10):
        history.leave(place(seq))
    here, seqs = place(99), []
    while (before := history.back(here)) is not None:
        seqs.append(before.seq)
        here = before
    assert seqs == [9, 8, 7]


@given(st.lists(st.sampled_from(["jump", "back", "forward"]), max_size=40))
def test_back_undoes_forward(moves: list[str]) -> None:
    history = History()
    here = place(0)
    for number, move in enumerate(moves, 1):
        if move == "jump":
            history.leave(here)
            here = place(number)
        elif move == "back" and (before := history.back(here)) is not None:
            assert history.forward(before) == here
            assert history.back(here) == before
            here = before
        elif move == "forward" and (after := history.forward(here)) is not None:
            here = after


# --- marks


def test_a_mark_is_come_back_to() -> None:
    marks = Marks()
    assert marks.set("a", place(12)) == "mark a is at seq 12; ' a comes back"
    marks.set("A", place(13, "detail"))
    assert marks.get("a") == place(12)
    assert marks.get("A") == place(13, "detail")
    marks.set("a", place(20))
    assert marks.get("a") == place(20)
    assert marks.all() == [("A", place(13, "detail")), ("a", place(20))]


def test_a_mark_that_is_not_there() -> None:
    with pytest.raises(InputRefused) as refusal:
        Marks().get("b")
    assert str(refusal.value) == "There is no mark b; m b sets it."


@pytest.mark.parametrize("key", ["1", "escape", "", "é", "'", "\x1b"])
def test_only_letters_are_marks(key: str) -> None:
    with pytest.raises(InputRefused, match="letter"):
        Marks().set(key, place(1))
    with pytest.raises(InputRefused, match="letter"):
        Marks().get(key)
