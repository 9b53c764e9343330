"""Every action of the inspector: its keys, its words, where it works.

This table is the only place that names a key. From it come the Textual bindings, the footer, the help screen
and the command palette, so none of them can disagree. An action of a screen is what the screen has under its
name in `actions`; one of a list, a tree or a text, such as `wrap`, is the method `action_wrap` of the widget
that took the bindings of its scope; one that calls `app.help` is the app's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from textual.binding import Binding

from rollout_tui import glyphs
from rollout_tui.safe_text import SafeText, clip, safe_text


class Scope(StrEnum):
    """Where an action works. Who implements its methods takes `bindings` of it."""

    EVERYWHERE = "everywhere"
    APP = "with the bundle"
    RUN = "about the run"
    LINES = "in every list, tree and text"
    PANES = "in every pane"
    FIND = "searching in it"
    TEXT = "text"
    COMPACTION = "stepping through compactions"
    EXEC = "stepping through code cells"
    HITS = "search over everything"
    HISTORY = "the line to type on"
    PROMPT = "completing"
    FORM = "writing"
    SCRUBBER = "moving along the log"
    RUNS = "with the list of runs"
    TOKENS = "where the tokens went"
    TIME = "where the time went"


class Counts(StrEnum):
    """What a number typed before a key means for its action."""

    TIMES = "so many times"
    ROW = "to that row"


class Focus(StrEnum):
    """What can have the focus. The value is its name in headings."""

    THREADS = "Threads"
    TIMELINE = "Timeline"
    CONTEXT = "Context"
    DETAIL = "Detail"
    TREE = "Detail: raw"
    TEXT = "Detail: text"
    COMPACTION = "Compaction"
    EXEC = "Exec"
    DIALOG = "this list"
    HITS = "Search"
    PROMPT = "this line"
    FORM = "Write"
    PICKER = "the list of runs"
    SCRUBBER = "the past"
    TOKENS = "Tokens"
    TIME = "Time"
    OVERVIEW = "Overview"


_IN_PANES = (Scope.PANES, Scope.FIND, Scope.LINES, Scope.APP, Scope.RUN, Scope.EVERYWHERE)

_IN_ANSWERS = (Scope.FIND, Scope.LINES, Scope.RUN, Scope.EVERYWHERE)

SCOPES: dict[Focus, tuple[Scope, ...]] = {
    Focus.THREADS: _IN_PANES,
    Focus.TIMELINE: _IN_PANES,
    Focus.CONTEXT: _IN_PANES,
    Focus.DETAIL: _IN_PANES,
    Focus.TREE: _IN_PANES,
    Focus.TEXT: (Scope.TEXT, *_IN_PANES),
    Focus.COMPACTION: (Scope.COMPACTION, Scope.FIND, Scope.LINES, Scope.EVERYWHERE),
    Focus.EXEC: (Scope.EXEC, Scope.TEXT, Scope.FIND, Scope.LINES, Scope.EVERYWHERE),
    Focus.DIALOG: (Scope.FIND, Scope.LINES, Scope.EVERYWHERE),
    Focus.HITS: (Scope.HITS, Scope.FIND, Scope.LINES, Scope.EVERYWHERE),
    Focus.PROMPT: (Scope.PROMPT, Scope.HISTORY, Scope.EVERYWHERE),
    Focus.FORM: (Scope.FORM, Scope.EVERYWHERE),
    Focus.SCRUBBER: (Scope.SCRUBBER, Scope.EVERYWHERE),
    Focus.TOKENS: (Scope.TOKENS, *_IN_ANSWERS),
    Focus.TIME: (Scope.TIME, *_IN_ANSWERS),
    Focus.OVERVIEW: _IN_ANSWERS,
    Focus.PICKER: (Scope.RUNS, Scope.FIND, Scope.LINES, Scope.EVERYWHERE),
}
"""The scopes that hold while something has the focus, nearest first. No key has two meanings among them."""

IN_INSPECTOR = (Focus.THREADS, Focus.TIMELINE, Focus.CONTEXT, Focus.DETAIL, Focus.TREE, Focus.TEXT)
"""What has the focus on the main screen."""

_STEPPERS = (Focus.COMPACTION, Focus.EXEC)

TYPING = frozenset({Focus.PROMPT, Focus.FORM})
"""Where a character is text, so that no key that has one means anything else."""


_DONE_BY_WIDGETS = frozenset({Scope.LINES, Scope.TEXT, Scope.HISTORY})
"""Where the widget with the keys does it. Everywhere else a screen does, or a group of actions of it."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a key does."""

    name: str
    """An identifier, unique in the table."""
    keys: tuple[str, ...]
    """Keys as Textual names them; a printable character stands for itself."""
    label: str
    """One or two words, for the footer and the palette."""
    help: str
    """One line, for the help screen."""
    scope: Scope
    call: str = ""
    """The Textual action, if it is not the name itself."""
    rank: int | None = None
    """Place in the footer, lowest first; `None` keeps it out."""
    footer_keys: str = ""
    """What the footer shows instead of the first key: for two actions under one label."""
    priority: bool = False
    """Works even while an input field has the focus."""

    @property
    def action(self) -> str:
        """The action as Textual runs it."""
        return self.call or (self.name if self.scope in _DONE_BY_WIDGETS else f"do({self.name!r})")


_APP, _LINES, _PANES = Scope.APP, Scope.LINES, Scope.PANES
_COMPACTION, _EXEC, _ALL = Scope.COMPACTION, Scope.EXEC, Scope.EVERYWHERE
_SCRUBBER, _RUNS = Scope.SCRUBBER, Scope.RUNS
_RUN, _TOKENS, _TIME = Scope.RUN, Scope.TOKENS, Scope.TIME
_BACK, _LEAVE, _SUSPEND = "screen.back", "screen.leave", "app.suspend_process"
_HITS, _PROMPT, _HISTORY = Scope.HITS, Scope.PROMPT, Scope.HISTORY

ACTIONS: tuple[Action, ...] = (
    Action("cursor_down", ("j", "down"), "move", "down one row", _LINES, rank=1, footer_keys="j/k"),
    Action("cursor_up", ("k", "up"), "up", "up one row", _LINES),
    Action("half_page_down", ("ctrl+d",), "half page down", "down half a page", _LINES),
    Action("half_page_up", ("ctrl+u",), "half page up", "up half a page", _LINES),
    Action("page_down", ("pagedown",), "page down", "down one page", _LINES),
    Action("page_up", ("pageup",), "page up", "up one page", _LINES),
    Action("top", ("g", "home"), "top", "to the first row", _LINES),
    Action("bottom", ("G", "end"), "bottom", "to the last row", _LINES),
    Action("go_left", ("h", "left"), "left", "fold; to the parent; left in text; tab before; back", _LINES),
    Action("go_right", ("l", "right"), "right", "unfold; to the child; right in text; next tab; on", _LINES),
    Action("open", ("enter",), "open", "open what the cursor is on", _LINES, rank=2),
    Action("find", ("/",), "find", "look for a text in this pane", Scope.FIND, rank=9),
    Action("find_next", ("n",), "next hit", "to the next hit", Scope.FIND),
    Action("find_previous", ("N",), "hit before", "to the hit before", Scope.FIND),
    Action("wrap", ("W",), "wrap", "wrap long lines, or cut them at the edge", Scope.TEXT, rank=3),
    Action("next_same", ("J",), "next of kind", "to the next entry of the same kind", _PANES),
    Action("previous_same", ("K",), "previous of kind", "to the previous entry of the same kind", _PANES),
    Action("next_turn", ("}",), "next turn", "to the next turn", _PANES),
    Action("previous_turn", ("{",), "previous turn", "to the previous turn", _PANES),
    Action("next_call", (")",), "next call", "to the next inference call", _PANES),
    Action("previous_call", ("(",), "previous call", "to the previous inference call", _PANES),
    Action("next_failure", ("e",), "next failure", "to the next failure, in any agent", _PANES),
    Action("previous_failure", ("E",), "previous failure", "to the previous failure, in any agent", _PANES),
    Action("go_back", ("[",), "go back", "to the place before the last jump", _PANES, rank=4),
    Action("go_forward", ("]",), "go forward", "to the place that was left by going back", _PANES),
    Action("follow", ("f",), "follow", "follow the edge that leads from here", _PANES, rank=7),
    Action("follow_source", ("F",), "to source", "to where the edge that leads here came from", _PANES),
    Action("compactions", ("c",), "compaction", "step through the nearest compaction", _PANES, rank=5),
    Action("cells", ("x",), "exec", "step through the code cell here, or the nearest", _PANES, rank=6),
    Action("compactions_before", ("C",), "compaction before", "step through the one before", _PANES),
    Action("cells_before", ("X",), "last exec", "step through the code cell before this", _PANES),
    Action("search_everything", ("ctrl+f",), "search", "search items, tools, payloads, ids", _PANES, rank=8),
    Action("filter", ("&",), "filter", "show only some rows of the timeline", _PANES),
    Action("command", (":",), "command", "go to seq 812, call 3, an agent; 50%, now; write; quit", _PANES),
    Action("set_mark", ("m",), "mark", "set a mark here: then a letter", _PANES),
    Action("go_to_mark", ("'",), "to mark", "go to a mark: then its letter, ' for the last place", _PANES),
    Action("copy", ("y",), "copy", "then y value, i id, p path, q jq filter, c context", _PANES, rank=16),
    Action("copy_location", ("Y",), "copy place", "copy where you are, as rollout-tui opens it", _PANES),
    Action("page", ("p",), "pager", "show what the detail shows in $PAGER", _PANES),
    Action("delta", ("d",), "delta", "the context against the call before, or one you pick", _PANES),
    Action("visibility", ("v",), "seen by", "who saw the item; what became of an agent's tasks", _PANES),
    Action("all_agents", ("a",), "all agents", "all agents interleaved, or this agent only", _PANES, rank=10),
    Action("pane_threads", ("1",), "threads", "go to the threads", _PANES),
    Action("pane_timeline", ("2",), "timeline", "go to the timeline", _PANES),
    Action("pane_context", ("3",), "context", "go to the context", _PANES),
    Action("pane_detail", ("4",), "detail", "go to the detail", _PANES),
    Action("next_pane", ("tab",), "next pane", "go to the next pane", _PANES, rank=11),
    Action("previous_pane", ("shift+tab",), "previous pane", "go to the pane before", _PANES),
    Action("zoom", ("z",), "zoom", "give the whole screen to the pane, and back", _PANES, rank=12),
    Action("step_forth", ("s",), "state", "to the next state", _COMPACTION, rank=20, footer_keys="s/S"),
    Action("step_back", ("S",), "state before", "to the state before", _COMPACTION),
    Action("next_compaction", ("c",), "next", "to the next one", _COMPACTION, rank=21, footer_keys="c/C"),
    Action("previous_compaction", ("C",), "compaction before", "to the one before", _COMPACTION),
    Action("other_column", ("tab", "shift+tab"), "column", "to the other column", _COMPACTION, rank=22),
    Action("seen_compacted", ("v",), "seen by", "which calls saw the item", _COMPACTION),
    Action("state_1", ("1",), "last call", "the last call before", _COMPACTION),
    Action("state_2", ("2",), "request", "the compaction request", _COMPACTION),
    Action("state_3", ("3",), "checkpoint", "before and after", _COMPACTION),
    Action("state_4", ("4",), "first call", "the first call after", _COMPACTION),
    Action("next_step", ("s",), "step", "to the next step", _EXEC, rank=23, footer_keys="s/S"),
    Action("previous_step", ("S",), "step before", "to the step before", _EXEC),
    Action("next_cell", ("x",), "cell", "to the next code cell", _EXEC, rank=24, footer_keys="x/X"),
    Action("previous_cell", ("X",), "cell before", "to the code cell before", _EXEC),
    Action("next_part", ("tab",), "part", "to the next part of the screen", _EXEC, rank=25),
    Action("previous_part", ("shift+tab",), "part before", "to the part before", _EXEC),
    Action("seen_line", ("v",), "seen by", "which calls saw the line, the item, what the call gave", _EXEC),
    Action("part_1", ("1",), "script", "to the script", _EXEC),
    Action("part_2", ("2",), "steps", "to the steps", _EXEC),
    Action("part_3", ("3",), "content", "to what the step brought", _EXEC),
    Action("part_4", ("4",), "seen", "to what the model saw", _EXEC),
    Action("other_part", ("tab", "shift+tab"), "line or hits", "to the hits, or to the line", _HITS, rank=26),
    Action("seen_hit", ("v",), "seen by", "which calls saw what was found", _HITS),
    Action("earlier_input", ("up",), "earlier", "what was typed before", _HISTORY, call="earlier", rank=27),
    Action("later_input", ("down",), "later", "what was typed after that", _HISTORY, call="later"),
    Action("complete", ("tab",), "complete", "complete it as far as there is one way", _PROMPT, rank=28),
    Action("next_choice", ("down", "tab"), "what", "the next thing to write", Scope.FORM, rank=29),
    Action("previous_choice", ("up", "shift+tab"), "what before", "the thing to write before", Scope.FORM),
    Action("open_session", ("o",), "session", "open the session, also of what has a bundle", _RUNS, rank=36),
    Action("sort_runs", ("s",), "sort", "sort by time, failures, tokens...: then a letter", _RUNS, rank=37),
    Action("filter_runs", ("&",), "filter", "show only some: a word, kind:session", _RUNS, rank=38),
    Action("next_view", ("tab",), "by", "by agent, turn, call, tool, item, what repeats", _TOKENS, rank=3),
    Action("previous_view", ("shift+tab",), "by before", "the same the other way round", _TOKENS),
    Action("sort_tokens", ("s",), "sort", "sort by the next column", _TOKENS, rank=4),
    Action("turn_order", ("S",), "turned", "turn the order round", _TOKENS),
    Action("with_children", ("c",), "children", "agents with their children, or alone", _TOKENS, rank=5),
    Action("one_agent", ("a",), "one agent", "only the agent of this row, or all", _TOKENS, rank=6),
    Action("zoom_in", ("+",), "zoom", "half as much time, round the spot", _TIME, rank=3, footer_keys="+/-"),
    Action("zoom_out", ("-",), "zoom out", "twice as much time, round the spot", _TIME),
    Action("turn_whole", ("z",), "whole", "the whole run, or what is at the spot", _TIME, rank=4),
    Action("pan_back", ("<",), "pan", "a tenth of it back; h one column", _TIME, rank=7, footer_keys="</>"),
    Action("pan_on", (">",), "tenth on", "a tenth of it on; l one column", _TIME),
    Action("next_stretch", ("s",), "step", "to what the agent did next", _TIME, rank=5, footer_keys="s/S"),
    Action("previous_stretch", ("S",), "step before", "to what the agent did before", _TIME),
    Action("next_of_kind", ("J",), "next of kind", "to where the agent did the same again", _TIME),
    Action("previous_of_kind", ("K",), "kind before", "to where the agent did the same before", _TIME),
    Action("failure_on", ("e",), "failure", "to the next failure of all", _TIME, rank=6, footer_keys="e/E"),
    Action("failure_back", ("E",), "failure before", "to the failure before, of any agent", _TIME),
    Action("compaction_on", ("c",), "compaction", "to the next compaction of any agent", _TIME),
    Action("compaction_back", ("C",), "before that", "to the compaction before, of any agent", _TIME),
    Action("back", ("escape",), "back", "back one level; close; end a search", _ALL, _BACK, rank=30),
    Action("overview", ("o",), "overview", "the run at a glance: outcome, failures, agents", _RUN, rank=15),
    Action("tokens", ("$",), "tokens", "where the tokens went: contexts, what fills them", _RUN, rank=20),
    Action("time", ("L",), "time", "where the time went: lanes, critical path, waits", _RUN, rank=21),
    Action("problems", ("i",), "problems", "problems of the recording, failures of the run", _APP, rank=13),
    Action("write", ("w",), "write", "write state.json, this payload, this context", _APP, rank=17),
    Action("follow_log", ("t",), "follow log", "show what is added to the log, or stop", _RUN, rank=18),
    Action("pause", ("=",), "pause", "hold a followed log still and count what comes, or go on", _RUN),
    Action("scrub", ("T",), "the past", "move along the log: everything as of an event", _RUN, rank=19),
    Action("earlier", ("h", "left"), "event", "one event back", _SCRUBBER, rank=31, footer_keys="h/l"),
    Action("later", ("l", "right"), "event on", "one event on", _SCRUBBER),
    Action("much_earlier", ("k", "up"), "1%", "a hundredth back", _SCRUBBER, rank=32, footer_keys="j/k"),
    Action("much_later", ("j", "down"), "1% on", "a hundredth on", _SCRUBBER),
    Action("far_earlier", ("ctrl+u", "pageup"), "10%", "a tenth of the log back", _SCRUBBER, rank=33),
    Action("far_later", ("ctrl+d", "pagedown"), "10% on", "a tenth of the log on", _SCRUBBER, rank=34),
    Action("first_event", ("g", "home"), "first", "to the first event", _SCRUBBER),
    Action("last_event", ("G", "end"), "last", "to the last event", _SCRUBBER),
    Action("stay", ("enter",), "look around", "look around then; esc goes back to now", _SCRUBBER, rank=35),
    Action("reload", ("R",), "read again", "read the bundle again", _RUN, rank=14),
    Action("help", ("?", "f1"), "help", "what the keys do in this pane", _ALL, call="app.help", rank=0),
    Action("leave", ("q",), "back or quit", "back one level; at the root, quit", _ALL, _LEAVE, rank=50),
    Action("quit", ("Q",), "quit", "quit", _ALL, call="app.quit"),
    Action("suspend", ("ctrl+z",), "suspend", "to the shell; fg returns", _ALL, _SUSPEND, priority=True),
    Action("interrupt", ("ctrl+c",), "quit", "quit, from anywhere", _ALL, call="app.quit", priority=True),
)  # fmt: skip
"""The table, in the order in which help shows it."""

AWAITED_BACK = next(action.keys for action in ACTIONS if action.name == "back")
"""What calls off a question for a single key."""

_LINES_AWAY = ("cursor_down", "cursor_up", "half_page_down", "half_page_up", "page_down", "page_up")

COUNTED: dict[str, Counts] = {
    "top": Counts.ROW,
    "bottom": Counts.ROW,
    **dict.fromkeys((*_LINES_AWAY, "go_left", "go_right"), Counts.TIMES),
    **{
        f"{way}_{what}": Counts.TIMES
        for way in ("next", "previous")
        for what in ("same", "turn", "call", "failure")
    },
}
"""The actions that take a number before their key."""

HELD_KEYS = frozenset(key for action in ACTIONS if action.name in _LINES_AWAY for key in action.keys)
"""Keys that are held down, and lead nowhere else by it than one press after the other does."""

_HELP_ACTION = "help"
"""The action the footer always has room for."""

_KEY_NAMES = {
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "escape": "esc",
    "home": "Home",
    "end": "End",
    "f1": "F1",
}


def actions_in(*scopes: Scope) -> list[Action]:
    """The actions of some scopes, those of the first scope first, in the order of the table."""
    return [action for scope in scopes for action in ACTIONS if action.scope is scope]


def bindings(*scopes: Scope) -> list[Binding]:
    """Textual bindings for who carries out the actions of `scopes`."""
    return [
        Binding(
            ",".join(_textual_key(key) for key in action.keys),
            action.action,
            action.label,
            show=False,
            priority=action.priority,
            id=action.name,
        )
        for action in actions_in(*scopes)
    ]


def counted(key: str) -> Action | None:
    """The action of a key that takes a number before it; None if the key takes none."""
    return next((action for action in ACTIONS if action.name in COUNTED and key in action.keys), None)


def key_name(key: str) -> SafeText:
    """How a key is written for people, in the active glyph set."""
    marks = glyphs.active()
    arrows = {"up": marks.up, "down": marks.down, "left": marks.left, "right": marks.right}
    if not marks.ascii_only and key in arrows:
        return safe_text(arrows[key])
    return safe_text(_KEY_NAMES.get(key, key))


@dataclass(frozen=True, slots=True)
class HelpRow:
    """A line of the help screen."""

    keys: SafeText
    text: SafeText
    scope: Scope


_FIRST_MOVE = next(action for action in ACTIONS if action.name in COUNTED)

_COUNTED_ROW = HelpRow(
    safe_text("5j  20G"),
    safe_text("a number before a movement: down five rows, to row 20 (012G: to row 12)"),
    _FIRST_MOVE.scope,
)


def help_rows(focus: Focus) -> list[HelpRow]:
    """What every key does while `focus` has the focus; what is special to the pane comes first."""
    rows: list[HelpRow] = []
    for action in actions_in(*SCOPES[focus]):
        if action is _FIRST_MOVE:
            rows.append(_COUNTED_ROW)
        if held := _keys_in(focus, action):
            words = safe_text(" ".join(map(key_name, held)))
            rows.append(HelpRow(words, safe_text(action.help), action.scope))
    return rows


def _keys_in(focus: Focus, action: Action) -> list[str]:
    """The keys of an action that mean it in a pane."""
    return [key for key in action.keys if focus not in TYPING or len(key) > 1]


def footer_text(focus: Focus, width: int) -> SafeText:
    """The keys that matter most while `focus` has the focus, as many as fit; help always does.

    In a stepper its own keys come first.

    Args:
        focus: What has the focus.
        width: Cells there are.

    Returns:
        At most `width` cells.
    """
    gap, nearest = "  ", SCOPES[focus][0]
    ranked = sorted(
        (action for action in actions_in(*SCOPES[focus]) if action.rank is not None),
        key=lambda action: (focus in _STEPPERS and action.scope is not nearest, action.rank or 0),
    )
    entries = {
        action.name: _footer_entry(action, held[0]) for action in ranked if (held := _keys_in(focus, action))
    }
    last = entries.pop(_HELP_ACTION)
    room = width - len(last)
    shown = []
    for entry in entries.values():
        room -= len(entry) + len(gap)
        if room < 0:
            break
        shown.append(entry)
    return clip(safe_text(gap.join([*shown, last])), width)


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """An action as the command palette offers it."""

    title: SafeText
    help: SafeText
    action: str
    """The action as Textual runs it."""


def palette_entries(foci: Iterable[Focus] = tuple(Focus)) -> list[PaletteEntry]:
    """Every action worth calling by name while one of `foci` has the focus, with its first key in the title.

    Plain movement is left out: it would only be noise there.
    """
    scopes = {scope for focus in foci for scope in SCOPES[focus]} - {Scope.LINES}
    by_action = {action.action: action for action in reversed(ACTIONS) if action.scope in scopes}
    return [
        PaletteEntry(
            safe_text(f"{action.label}  ({key_name(action.keys[0])})"), safe_text(action.help), action.action
        )
        for action in reversed(by_action.values())
    ]


def _footer_entry(action: Action, key: str) -> str:
    """An action's key and label."""
    return f"{action.footer_keys or key_name(key)} {action.label}"


def _textual_key(key: str) -> str:
    """The key in the form `Binding` takes: a comma there would separate two keys."""
    return "comma" if key == "," else key
