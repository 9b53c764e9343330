"""Where in a script a nested call stands: told when it is certain, and only then."""

from __future__ import annotations

from contextlib import suppress

import pytest
from work_ratio import assert_grows_linearly

from rollout_tui.insight.cells.js_calls import (
    CallSite,
    IssuedCall,
    call_sites,
    match_calls,
    thrown_at,
    uncalled_sites,
)
from rollout_tui.insight.cells.js_tokens import MAX_SOURCE, Unclear


def calls(*names: str, numbered: bool = True, at_once: bool = False) -> list[IssuedCall]:
    """Calls of these tools in this order, one after the other unless `at_once`."""
    made = []
    for place, name in enumerate(names):
        began = 10 + 2 * place
        returned = 1000 if at_once else began + 1
        made.append(IssuedCall(frozenset({name}), place + 1 if numbered else None, began, returned))
    return made


def places(source: str, *names: str, numbered: bool = True, at_once: bool = False) -> list[str | None]:
    """What follows each call's site up to the closing parenthesis; None where the site is not told."""
    matches = match_calls(source, calls(*names, numbered=numbered, at_once=at_once))
    return [
        source[match.end : match.closed + 1] if isinstance(match, CallSite) else None for match in matches
    ]


def test_one_site_is_the_place_of_every_call_even_in_a_loop() -> None:
    source = "for (const f of files) {\n  await tools.exec_command({cmd: f});\n}"
    assert places(source, *["exec_command"] * 3) == ["({cmd: f})"] * 3


def test_as_many_calls_as_sites_go_together_in_order() -> None:
    source = "await Promise.all([tools.a(1), tools.b(2), tools.a(3)]);"
    assert places(source, "a", "b", "a", at_once=True) == ["(1)", "(2)", "(3)"]


def test_a_branch_that_was_taken_by_all_does_no_harm() -> None:
    source = "if (x) { tools.a(1); } else { tools.b(2); }\ntry { tools.a(3); } catch (e) { }"
    assert places(source, "a", "a") == ["(1)", "(3)"]


def test_the_beginning_of_a_straight_script_is_told_when_it_stopped_early() -> None:
    source = "await tools.a(1);\nawait tools.a(2);\nthrow 1;\ntools.a(3);"
    assert places(source, "a", "a") == ["(1)", "(2)"]


def test_arguments_are_computed_before_the_call() -> None:
    assert places("tools.a(await tools.a(1));", "a", "a") == ["(1)", "(await tools.a(1))"]


@pytest.mark.parametrize(
    "source",
    [
        "for (;;) { tools.a(1); tools.a(2); }",
        "while (x) tools.a(1)\ntools.a(2)",
        "for (x of y) if (x) f(); else tools.a(1); tools.a(2);",
        "do { tools.a(1) } while (tools.a(2))",
        "const f = async (x) => tools.a(x); f(1); tools.a(2);",
        "[1, 2].map(async function (x) { return tools.a(x); }); tools.a(2);",
        "const o = { run() { return tools.a(1); } }; o.run(); tools.a(2);",
        "class A { static x = tools.a(1); } tools.a(2);",
    ],
)
def test_what_may_run_twice_is_not_told_apart(source: str) -> None:
    assert len(call_sites(source)) == 2
    assert places(source, "a", "a") == [None, None]


@pytest.mark.parametrize(
    "source",
    [
        "if (x) tools.a(1); tools.a(2); tools.a(3);",
        "x && tools.a(1); tools.a(2); tools.a(3);",
        "x ? tools.a(1) : tools.a(2); tools.a(3)",
        "o?.f(tools.a(1)); tools.a(2); tools.a(3);",
        "try { f(); tools.a(1); } catch { tools.a(2); } tools.a(3);",
        "const {x = tools.a(1)} = o; tools.a(2); tools.a(3);",
        "out: { if (x) break out; tools.a(1); } tools.a(2); tools.a(3);",
        "switch (x) { case 1: tools.a(1); } tools.a(2); tools.a(3);",
    ],
)
def test_what_may_be_passed_over_is_not_told_when_calls_are_fewer(source: str) -> None:
    assert len(call_sites(source)) == 3
    assert places(source, "a", "a") == [None, None]


@pytest.mark.parametrize(
    "source",
    [
        "const t = tools; t.a(1);",
        "tools['a'](1);",
        "const {a} = tools; a(1); tools.a(2);",
        "tools.a?.(1);",
        "tools.a.call(null, 1);",
        "globalThis.tools.a(1); tools.a(2);",
        "eval('tools.a(1)'); tools.a(2);",
        "\\u0074ools.a(1); tools.a(2);",
        "this is not javascript (((",
        "tools.a('unterminated",
        "tools.a(1)) ; tools.b(2);",
        "tools.a(`${1);",
        "if (x) /'/.test(y); tools.a(1); z = '';",
        "i++ / 2; tools.a(1); j = 4 / 2;",
        "x" * MAX_SOURCE + "; tools.a(1)",
    ],
)
def test_nothing_is_told_of_a_script_that_may_call_tools_otherwise(source: str) -> None:
    assert places(source, "a") == [None]
    reason = match_calls(source, calls("a"))[0]
    assert isinstance(reason, str)
    assert reason


def test_strings_comments_and_expressions_are_no_calls() -> None:
    source = (
        "// tools.a(1)\n/* tools.a(2) */ const s = 'tools.a(3)' + \"tools.a(4)\" "
        "+ `tools.a(5) ${tools.a(6)}`;\n"
        "const r = /tools.a(7)[/(]/.exec(s); const half = s.length / 2; x.tools.a(8);"
    )
    assert [source[site.end : site.closed + 1] for site in call_sites(source)] == ["(6)"]


def test_calls_at_once_without_numbers_are_not_told_apart() -> None:
    source = "await Promise.all([tools.a(1), tools.a(2)]);"
    assert places(source, "a", "a", numbered=False, at_once=True) == [None, None]
    assert places(source, "a", "a", numbered=True, at_once=True) == ["(1)", "(2)"]
    assert places("await tools.a(1); await tools.a(2);", "a", "a", numbered=False) == ["(1)", "(2)"]


def test_the_number_of_the_runtime_counts_not_the_order_of_the_log() -> None:
    late, early = IssuedCall(frozenset({"a"}), 2, 10, 99), IssuedCall(frozenset({"a"}), 1, 20, 98)
    source = "await Promise.all([tools.a(1), tools.a(2)]);"
    matches = match_calls(source, [late, early])
    ends = [source[one.end : one.closed + 1] for one in matches if isinstance(one, CallSite)]
    assert ends == ["(2)", "(1)"]


def test_a_call_that_the_script_does_not_spell_out_has_no_place() -> None:
    assert places("tools.a(1);", "b") == [None]
    both = IssuedCall(frozenset({"a", "b"}), None, 1, 2)
    assert match_calls("tools.a(1); tools.b(2);", [both]) == ["several tools fit this call"]


def test_sites_that_made_no_logged_call() -> None:
    source = "tools.a(1); tools.b(2);"
    issued = calls("a")
    matches = match_calls(source, issued)
    assert [site.name for site in uncalled_sites(source, issued, matches)] == ["b"]
    assert [site.name for site in uncalled_sites(source, [], [])] == ["a", "b"]
    assert uncalled_sites("tools[x](1); tools.a(1)", [], []) == []
    # Which of the two made the call is not known, so neither is said to have made none.
    source = "if (x) tools.a(1); else tools.a(2); tools.c(3)"
    issued = calls("a")
    assert [site.name for site in uncalled_sites(source, issued, match_calls(source, issued))] == ["c"]


def test_where_an_error_was_thrown() -> None:
    source = "one();\n  two();\n"
    error = "Error: no\n    at f (exec_main.mjs:2:3)\n    at exec_main.mjs:1:1"
    at = thrown_at(source, error)
    assert at is not None
    assert source[at:] == "two();\n"
    assert thrown_at(source, "SyntaxError: no") is None
    assert thrown_at(source, "at exec_main.mjs:9:1") is None
    assert thrown_at(source, "at exec_main.mjs:1:999") == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["class ", "for ", "a&&", "(", "tools.a();", "'", "/", "`${", "do ", "=>", "x?y:"]
)
def test_no_text_takes_long(piece: str) -> None:
    def look(size: int) -> None:
        with suppress(Unclear):
            call_sites((piece * size)[:size])

    assert_grows_linearly(look, MAX_SOURCE // 8)
