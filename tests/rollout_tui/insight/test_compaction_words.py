"""What is said about compactions, and the rows of their states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from compaction_cases import fact_pairs, reduced, row_texts
from places import REPOSITORY

from rollout_tui import glyphs
from rollout_tui.insight.compaction.steps import StepView, compaction_steps
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.spans import spans_text
from rollout_tui.views.compaction.facts import request_facts
from rollout_tui.views.compaction.history_rows import column_lines, first_call_lines, last_call_lines
from rollout_tui.views.compaction.titles import (
    no_call_after,
    no_call_before,
    no_checkpoint,
    nothing_found,
    source_words,
    title_spans,
    token_words,
)
from rollout_tui.views.compaction.verdict_words import count_spans, reason_spans, return_spans


@pytest.fixture(scope="session")
def bundle_index(shared_dir: Path) -> Callable[[str], TraceIndex]:
    return lambda name: reduced(shared_dir / "bundles" / name / "bundle")


Index = Callable[[str], TraceIndex]


def test_the_request_says_model_time_state_payloads_and_why_it_failed(bundle_index: Index) -> None:
    index = bundle_index("compaction-failing")
    facts = request_facts(index, StepView(index, compaction_steps(index)[0]))
    pairs = [(fact.name, fact.value) for fact in facts]
    assert pairs[0] == ("state", "✗ failed after 0.0s")
    reason = " ".join(value for name, value in pairs[1:3])
    assert reason == '{"error": {"message": "cannot compact", "type": "invalid_request_error"}}'
    assert ("model", "gpt-5.5  (OpenAI)") in pairs
    assert ("raw request", "raw_payload:14  payloads/14.json") in pairs
    assert ("raw response", "none was recorded") in pairs
    links = [fact.link for fact in facts if fact.name == "raw request"]
    assert links[0] is not None
    assert (links[0].type, links[0].id) == ("CompactionRequest", "compaction_request:1")


def test_several_requests_are_told_apart(team: TraceIndex) -> None:
    pairs = fact_pairs(team, compaction_steps(team)[1])
    states = [value for name, value in pairs if name == "state"]
    assert states == ["✗ failed after 9.0s", "completed after 14.0s"]
    assert ("because", "server_is_overloaded: try again later") in pairs
    assert ("summary", "plain text, 391 chars") in pairs


def test_an_inferred_compaction_says_what_it_is_inferred_from(bundle_index: Index) -> None:
    index = bundle_index("compaction-local")
    steps = compaction_steps(index)
    assert spans_text(title_spans(index, steps, 0)) == (
        " compaction 1 of 9  seq 36  turn 2  inferred from the requests  /root"
    )
    assert source_words(index, steps[0]) == [
        "call 4 begins with 1 of the 9 items of call 3, then differs",
        "the output of 1 tool call after call 3 reached no request",
    ]
    pairs = fact_pairs(index, steps[0])
    assert ("request", "none was recorded") in pairs
    assert ("inferred", "local compaction leaves no request and no checkpoint") in pairs


def test_exact_tokens_and_estimates_are_kept_apart(bundle_index: Index) -> None:
    index = bundle_index("compaction-remote")
    step = compaction_steps(index)[0]
    assert token_words(index, step) == (
        "exact tok  13,500 in + 50 out at call 3 → 17,000 in at call 4 (with tools)"
    )
    before, after = StepView(index, step).sizes
    assert (before.items, after.items) == (11, 5)
    assert before.encrypted == 2 * 648
    assert after.encrypted == 408


def test_tokens_that_were_not_told(team: TraceIndex) -> None:
    assert token_words(team, compaction_steps(team)[1]) == (
        "exact tok  not told at call 17 → 2,076 in at call 18 (with tools)"
    )


def test_a_title_says_that_a_compaction_failed(bundle_index: Index) -> None:
    index = bundle_index("compaction-failing")
    steps = compaction_steps(index)
    assert "recorded, failed" in spans_text(title_spans(index, steps, 1))
    assert no_checkpoint(steps[1]) == (
        "The compaction failed, so there is no checkpoint: the history stayed as it was."
    )


def test_nothing_found_says_what_was_looked_at(bundle_index: Index) -> None:
    index = bundle_index("multi-agent-v2")
    words = nothing_found(index)
    assert words.startswith("No compaction in this bundle.")
    assert "5 agents" in words
    assert "28 inference calls" in words


def test_no_call_before_or_after_says_why(bundle_index: Index) -> None:
    index = bundle_index("everything-ws")
    third, fourth = compaction_steps(index)[2:]
    assert no_call_after(index, third) == (
        "No call came after: the next compaction, at seq 289, came before any call."
    )
    assert "at seq 284" in no_call_before(fourth)


def test_reasons_say_where_the_other_item_is_and_what_is_judged(bundle_index: Index) -> None:
    index = bundle_index("compaction-remote")
    found = StepView(index, compaction_steps(index)[0]).checkpoint
    assert found is not None
    words = [spans_text(reason_spans(index, one, other="after")) for one in found.before]
    assert words[0].startswith(" replaced: item 2 after, the same text as a new item (a judgement)")
    assert words[2].startswith(" kept: item 1 after, the same Responses id  23 chars")
    assert words[3].startswith(" summarised: gone; the summary stands for it")
    summary = spans_text(reason_spans(index, found.after[-1], other="before"))
    assert summary == " new: the summary, encrypted, 408 B; only the provider can read it"


def test_counts_are_the_legend_of_the_marks(bundle_index: Index) -> None:
    index = bundle_index("compaction-remote")
    view = StepView(index, compaction_steps(index)[0])
    assert view.checkpoint is not None
    assert view.aftermath is not None
    assert spans_text(count_spans(view.checkpoint.before)) == " =2 kept →7 summarised »2 replaced"
    assert spans_text(return_spans(view.aftermath)) == (
        " came back: =3 carried over »2 re-inserted  besides: +1 new  gone for good: 7"
    )


# --- rows


def test_an_encrypted_summary_shows_its_size_and_is_never_empty(bundle_index: Index) -> None:
    index = bundle_index("compaction-remote")
    found = StepView(index, compaction_steps(index)[0]).checkpoint
    assert found is not None
    after = column_lines(found.after)
    assert row_texts(index, after, 39)[-1].rstrip() == "+  summary   (encrypted, 408 B)"
    assert row_texts(index, after, 60)[1] == (
        "»? re-inserted  developer <skills_instructions>  <permissions instructions>  <tools>"
    )


def test_a_plain_summary_shows_what_it_says_and_not_its_opening(bundle_index: Index) -> None:
    index = bundle_index("compaction-local")
    found = StepView(index, compaction_steps(index)[0]).checkpoint
    assert found is not None
    assert row_texts(index, column_lines(found.after), 39)[-1] == (
        "+? summary   SUMMARY 1: the user is testing compaction."
    )


def test_the_last_call_shows_what_was_answered_and_what_came_after(bundle_index: Index) -> None:
    index = bundle_index("compaction-remote")
    rows = row_texts(index, last_call_lines(StepView(index, compaction_steps(index)[0])), 120)
    assert rows[9:] == [
        "── answered with 2 items",
        " reasoning **Step 2**  (encrypted, 648 B)    10 ch",
        " call      command seq 2 32    18 ch",
        "── added before the compaction: 1 item",
        " output    exit 0 · 22 tok · 2   188 ch",
    ]


def test_a_history_that_another_compaction_replaced_says_so(bundle_index: Index) -> None:
    index = bundle_index("everything-ws")
    rows = row_texts(index, last_call_lines(StepView(index, compaction_steps(index)[3])), 120)
    assert rows[-1] == "── the compaction at seq 284 replaced this, and no call saw the result"


def test_the_first_call_shows_what_is_gone_for_good(bundle_index: Index) -> None:
    index = bundle_index("compaction-local")
    rows = row_texts(index, first_call_lines(StepView(index, compaction_steps(index)[0])), 120)
    assert rows[6] == "── gone for good: 6 items, 252 characters"
    assert [row.split()[1] for row in rows[7:]] == ["summarised"] * 6


def test_after_a_failed_compaction_nothing_is_gone(bundle_index: Index) -> None:
    index = bundle_index("compaction-failing")
    rows = row_texts(index, first_call_lines(StepView(index, compaction_steps(index)[0])), 120)
    assert rows[-1].startswith("── nothing is gone")
    assert [row.split()[1] for row in rows[:-2]] == ["carried"] * 8
    assert rows[-2].startswith("+  new          user      after manual compaction 1")


def test_rows_in_plain_ascii_are_plain_ascii(bundle_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glyphs, "_active", glyphs.ASCII)
    index = bundle_index("compaction-remote")
    view = StepView(index, compaction_steps(index)[0])
    assert all(row.isascii() for row in row_texts(index, first_call_lines(view), 120))


@pytest.mark.slow
def test_hostile_text_reaches_rows_and_words_only_as_safe_text() -> None:
    index = reduced(REPOSITORY / "demo_traces/hostile")
    steps = compaction_steps(index)
    assert steps
    for place, step in enumerate(steps):
        view = StepView(index, step)
        assert view.checkpoint is not None
        lines = [*last_call_lines(view), *column_lines(view.checkpoint.before), *first_call_lines(view)]
        texts = [*row_texts(index, lines, 120), spans_text(title_spans(index, steps, place))]
        assert all(text.isprintable() for text in texts)
