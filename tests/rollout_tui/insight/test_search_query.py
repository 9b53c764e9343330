"""What a query finds in one payload, however JSON spells it: texts, expressions, and what is no JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from work_ratio import assert_grows_linearly, seconds_of

from rollout_tui.insight.search.bounded_regex import LONGEST_STRETCH, BoundedRegex
from rollout_tui.insight.search.query import (
    MAX_LINES,
    MAX_QUERY,
    WINDOW,
    Match,
    Place,
    Query,
    TextQuery,
    excerpt,
    match_plain,
    parse_query,
    places_in,
    unescape,
)
from rollout_tui.language.refused import InputRefused


def places(query: Query | str, data: bytes | str, start: int = 0) -> list[Place]:
    query = parse_query(query) if isinstance(query, str) else query
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return [place for place in places_in(query, data, start) if place is not None]


def paths(query: str, data: bytes | str) -> list[str]:
    return [place.values.path(place.node) for place in places(query, data) if place.values is not None]


def matched(match: Match) -> str:
    return match.excerpt[match.start : match.end]


# --- spellings


@pytest.mark.parametrize("ensure_ascii", [True, False])
@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize(
    "needle",
    [
        'say "hi"', "first\nsecond", "tab\there", "Grüße", "日本語", "a\\b", "a/b", "𝔘𝔫𝔦", "\x1b[31m", "\\",
        "e\u0301",
    ],
)  # fmt: skip
def test_a_text_is_found_however_it_is_spelled_and_wrapped(
    needle: str, depth: int, ensure_ascii: bool
) -> None:
    value: object = {"cmd": f"before {needle} after", "other": "nothing"}
    for _level in range(depth):
        value = {"arguments": json.dumps(value, ensure_ascii=ensure_ascii)}
    data = json.dumps({"pad": 1, "value": value}, ensure_ascii=ensure_ascii, indent=2)
    found = [place for place in places(needle, data) if place.match.part == "value"]
    assert [place.values.path(place.node) for place in found if place.values] == [
        ".value.arguments" if depth else ".value.cmd"
    ]
    assert "before" in found[0].match.excerpt or needle == "\\"


def test_case_does_not_matter() -> None:
    data = json.dumps({"a": "Permission DENIED", "b": "ÉCLAIR", "c": "éclair"})
    assert paths("permission denied", data) == paths("PERMISSION Denied", data) == [".a"]
    assert paths("éclair", data) == paths("ÉCLAIR", data) == [".b", ".c"]


def test_plain_letters_may_be_escaped_too() -> None:
    data = r'{"a": "\u0068\u0065llo", "b": "x\u002Fy", "c": "h\\u0065llo", "d": "\u005c"}'
    assert paths("hello", data) == [".a"]
    assert paths("x/y", data) == [".b"]
    assert paths(r"h\u0065llo", data) == [".c"]
    assert ".d" in paths("\\", data)


def test_the_spelling_of_the_file_is_found_as_well() -> None:
    data = json.dumps({"a": "x\ny", "b": [{"type": "message"}], "n": 12.50}, indent=2)
    assert paths(r"x\ny", data) == [".a"]
    assert paths('"type": "message"', data) == [".b[0].type"]
    assert paths("12.5", data) == [".n"]


def test_what_only_looks_alike_is_not_found() -> None:
    data = json.dumps({"a": "x\nope", "b": "\\nope", "c": "é", "d": "00e9"})
    assert paths("nope", data) == [".a", ".b"], "as it stands in the file; not by luck"
    assert paths("\nope", data) == [".a"]
    assert paths("x\\\\nope", data) == []
    assert paths("u00e9x", data) == []


def test_a_match_of_one_value_is_not_reported_for_another() -> None:
    # The second value has the bytes `\nope`, which could be a line feed and `ope`, or end in `nope`.
    data = '{"a": "deep \\\\nope", "b": "x\\nope"}'
    assert paths("\\nope", data) == [".a", ".b"]
    assert [place.match.part for place in places("\\nope", data)] == ["value", "file"]


def test_keys_are_found() -> None:
    found = places("aggregated", '{"aggregated_output": {"x": 1}, "y": {"aggregated": "aggregated"}}')
    assert [(place.match.part, place.node) for place in found] == [("key", 1), ("key", 4)]


def test_a_value_is_found_once() -> None:
    assert len(places("ab", json.dumps(["ab" * 1000, "ab"]))) == 2


def test_what_is_known_is_not_looked_at_again() -> None:
    data = json.dumps(["one word", "another word"]).encode()
    found = places("word", data, start=data.index(b"another") - 1)
    assert [place.match.excerpt for place in found] == ["another word"]


def test_matches_across_the_windows_are_found() -> None:
    for shift in range(-12, 4):
        text = "x" * (WINDOW - len('["') + shift) + 'a "needle"\n here'
        data = json.dumps([text, "y" * 10])
        assert len(places('a "needle"\n', data)) == 1, shift
        assert len(places("needle", data)) == 1, shift


text_of_evidence = st.text(st.sampled_from('ab"\\/\nü€𝔘 u0nt{}[]:,'), max_size=12)


def spelled(draw: st.DrawFn, text: str) -> str:
    """A JSON string for a text, each character spelled in one of the ways there are."""
    written = []
    for char in text:
        ways = [json.dumps(char)[1:-1], json.dumps(char, ensure_ascii=False)[1:-1]]
        if char == "/":
            ways.append("\\/")
        if ord(char) < 0x10000:
            ways += [f"\\u{ord(char):04x}", f"\\u{ord(char):04X}"]
        written.append(draw(st.sampled_from(ways)))
    return '"' + "".join(written) + '"'


@st.composite
def needle_in_json(draw: st.DrawFn) -> tuple[str, str]:
    needle = draw(text_of_evidence.filter(str.strip))
    string = spelled(draw, draw(text_of_evidence) + needle + draw(text_of_evidence))
    blank = draw(st.sampled_from(["", " ", "\n  "]))
    others = [spelled(draw, draw(text_of_evidence)) for _ in range(2)]
    return needle, f'{{{blank}{others[0]}:[{blank}{others[1]},{blank}{{"wanted":{blank}{string}}}]}}'


@pytest.mark.slow
@given(needle_in_json())
@example((".", '{"":["", {"wanted": "a\\u002eb"}]}'))
@settings(max_examples=400)
def test_whatever_is_in_a_string_is_found_in_it(case: tuple[str, str]) -> None:
    needle, data = case
    found = places(TextQuery(needle), data)
    assert "wanted" in {place.values.key(place.node) for place in found if place.values is not None}


@pytest.mark.slow
@given(text_of_evidence.filter(str.strip), st.lists(text_of_evidence, max_size=4), st.booleans())
@settings(max_examples=300)
def test_what_is_found_in_a_value_is_in_it(needle: str, texts: list[str], ensure_ascii: bool) -> None:
    data = json.dumps(texts, ensure_ascii=ensure_ascii)
    for place in places(TextQuery(needle), data):
        assert place.values is not None
        said = place.values.text(place.node)
        readings = [said, unescape(said), unescape(unescape(said)), data]
        assert any(needle.lower() in reading.lower() for reading in readings)


# --- excerpts


def test_an_excerpt_is_one_line_and_marks_the_match() -> None:
    text = "a\n" * 100 + "needle\n  in  \t hay" + " x" * 400
    start = text.index("needle")
    match = excerpt(text, start, start + len("needle\n  in"))
    assert matched(match) == "needle in"
    assert match.start <= 32
    assert len(match.excerpt) < 250
    assert "\n" not in match.excerpt


def test_a_very_long_match_is_cut() -> None:
    match = excerpt("y" * 10_000, 0, 10_000)
    assert len(matched(match)) == 200


@pytest.mark.parametrize("prefix", ["\\" * 999, "\\\\" * 500, "ü" * 999, '\\"' * 400, "\\u00e9" * 200])
def test_an_excerpt_begins_with_a_whole_character(prefix: str) -> None:
    data = '{"a": "' + prefix + " " + 'needle"}'
    try:
        json.loads(data)
    except ValueError:
        data = data.replace(prefix, prefix + "\\")
    (place,) = places("needle", data)
    assert matched(place.match) == "needle"
    assert "ufffd" not in place.match.excerpt
    assert "\\x" not in place.match.excerpt


# --- what is no JSON


def test_lines_of_what_is_no_json_are_found() -> None:
    found = places("error", b"first\nan Error \xff here\nerror error\nlast\n")
    assert [place.values for place in found] == [None, None]
    assert [matched(place.match) for place in found] == ["Error", "error"]


def test_lines_are_found_by_an_expression() -> None:
    found = places("/e\\w+r$/", b"{broken\nan error\nerror no\nan other")
    assert [(place.match.excerpt, matched(place.match)) for place in found] == [("an error", "error")]


def test_only_so_many_lines_are_reported() -> None:
    assert len(places("x", b"x\n" * 1000)) == MAX_LINES
    assert len(places("/x/", b"x\n" * 1000)) == MAX_LINES


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe", b"[" * 5000, b'{"a": "x', b"\\" * 100_000, b'"\\u', b'["' + b"\\\\" * 50_000 + b'"]'],
)
@pytest.mark.parametrize("text", ["x", '"', "\\", "\\\\\\\\\\\\", "x\n", "/x+/", "/^.*$/", "\\u00"])
def test_no_evidence_breaks_or_hangs_a_search(data: bytes, text: str) -> None:
    assert_grows_linearly(lambda times: places(text, data * times), 1)


# --- expressions


def test_an_expression_is_tried_on_strings_keys_and_numbers() -> None:
    data = json.dumps(
        {
            "exit_code": 127,
            "out": 'line 1\nline "22"',
            "arguments": '{"cmd": "a\\n\\"b\\""}',
            "x": {"exit": []},
        }
    )
    assert paths("/line \\d/", data) == [".out"]
    assert paths('/line "\\d+"$/', data) == [".out"]
    assert paths("/^exit/", data) == [".exit_code", ".x.exit"]
    assert paths("/^12\\d$/", data) == [".exit_code"]
    assert paths('/^"b"/', data) == [".arguments"], "JSON in a string, unfolded"
    assert paths("/LINE/", data) == []
    assert paths("/LINE/i", data) == [".out"]


def test_an_expression_that_matches_nothing_finds_nothing() -> None:
    assert paths("/x*/", '["a", "bx"]') == [".[1]"]


def test_a_match_in_a_long_text_is_found_wherever_it_is() -> None:
    for offset in (0, 900, 999, 1000, 1500, 2000, 40_000):
        (place,) = places("/needle=\\d+/", json.dumps(["a" * offset + " needle=42 "]))
        assert matched(place.match) == "needle=42"


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "no regular expression"),
        ("*a", "no regular expression"),
        ("a" + "(" * 200, "no regular expression"),
        ("(a+)+b", "repeat"),
        ("(a|a)*b", "repeat"),
        ("((a+)?)*", "repeat"),
        ("(?P<n>x+)*", "repeat"),
        ("(?=(a+)+)b", "repeat"),
        ("(a{1,9}){9}", "repeat"),
        ("(?:a|b|(c+))+", "repeat"),
        ("a?" * 30 + "a" * 30, "choices"),
        ("(a|a)" * 20, "choices"),
        ("a*" * 6 + "b", "repeats"),
        ("(?x) a", "flag x"),
    ],
)
def test_an_expression_that_could_take_forever_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(InputRefused, match=reason):
        parse_query(f"/{pattern}/")


@pytest.mark.parametrize(
    "pattern",
    [
        r"timeout\s*=\s*\d+", r"(\d{1,3}\.){3}\d{1,3}", "(?:foo|bar)baz", "(ab)+", r"https?://\S+",
        r"\(a+\)+", "[(a+)+]+", "[]a+]+", "(?i)error.*line", "a{,}", r"\bE\d{4}\b", "x{}", "[^]]+", r"a\+\+",
        "(?#a+)b",
    ],
)  # fmt: skip
def test_ordinary_expressions_are_taken(pattern: str) -> None:
    BoundedRegex(pattern)


ATOMS = ["a", "[^b]", ".", r"\w", "(?:aa)", "[ab]", r"\1", r"\2", "(?P=n)", "(?=a*)", "(?!a*b)"]
REPEATS = ["", "", "*", "+", "?", "*?", "{2,}", "{0,5}", "{3}"]


@st.composite
def unlucky_patterns(draw: st.DrawFn) -> str:
    """Expressions whose parts can all match the same text; what comes last is not there."""
    parts = [
        draw(st.sampled_from(ATOMS)) + draw(st.sampled_from(REPEATS)) for _ in range(draw(st.integers(1, 5)))
    ]
    groups = draw(st.sampled_from(["", "(?P<n>a*)", "(?P<n>.*)(a+)", "(?P<n>a)(b|a)", "(?P<n>[^b]+?)"]))
    return groups + "".join(parts) + "b"


def seconds_of_the_worst_stretch(regex: BoundedRegex) -> float:
    longest = 0.0
    for text in ("a" * regex.stretch, "a" * (regex.stretch // 2) + " " * (regex.stretch // 2)):
        longest = max(longest, seconds_of(lambda text=text: list(regex.find(text))))
    return longest


@pytest.fixture(scope="module")
def yardstick() -> float:
    """Seconds of an expression that has as many steps as one may have, and whose steps are slow ones."""
    return seconds_of_the_worst_stretch(BoundedRegex("(a*)a*?b"))


WORST = [
    *(".*.*.*x", r"\s*=\s*\d+z", "a*a*a*b", "(a?){3}.*.*b", "(a|a)" * 12 + "b", "[ab]*[ab]*c"),
    *("[^b]*[^b]*[^b]*b", r"(a*)\1b", r"(a*)(a*)\1\2b", r"(.*)\1\1b", r"(.*)(.*)\1\2c", r"(?P<n>a*)(?P=n)b"),
    *(r"(a+)\1+b", r"(.*?)\1b", r"(a*)(?=\1b)c"),
]


def assert_bounded(pattern: str, yardstick: float) -> None:
    try:
        regex = BoundedRegex(pattern)
    except InputRefused:
        return
    assert seconds_of_the_worst_stretch(regex) < 5 * yardstick, regex.stretch


@pytest.mark.slow
@pytest.mark.parametrize("pattern", WORST)
def test_the_worst_text_for_an_expression_takes_few_steps(pattern: str, yardstick: float) -> None:
    assert_bounded(pattern, yardstick)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=unlucky_patterns())
def test_every_expression_that_is_taken_takes_few_steps(pattern: str, yardstick: float) -> None:
    assert_bounded(pattern, yardstick)


def test_groups_that_are_referred_to_can_be_searched_for() -> None:
    regex = BoundedRegex(r"\b(\w+) \1\b")
    assert [one for one in regex.find("that is is it") if one] == [(5, 10)]
    assert BoundedRegex(r"(['x]).\1").stretch == LONGEST_STRETCH


def test_long_texts_are_tried_in_stretches_that_overlap() -> None:
    regex = BoundedRegex("ab*c")
    text = "x" * (regex.stretch - 5) + "a" + "b" * (regex.stretch // 2 - 10) + "c"
    assert [one for one in regex.find(text) if one] == [(regex.stretch - 5, len(text))]


def test_what_is_refused_says_why() -> None:
    for text, words in (("", "Type"), ("   ", "Type"), ("x" * (MAX_QUERY + 1), "at most")):
        with pytest.raises(InputRefused, match=words):
            parse_query(text)
    with pytest.raises(InputRefused, match="unterminated"):
        BoundedRegex("(")


def test_a_single_slash_is_text() -> None:
    assert paths("/usr", '["/usr/bin"]') == paths("//", '["a//b"]') != []


def test_texts_that_are_not_json_are_matched_as_they_are() -> None:
    match = match_plain(parse_query("B"), "a b c")
    assert match is not None
    assert matched(match) == "b"
    assert match_plain(parse_query("x"), "a b c") is None
