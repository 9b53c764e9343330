"""Secrets: found by their forms and by their letters, and replaced without a word of their length."""

from __future__ import annotations

import pytest
from secret_samples import INSIDE, SECRETS

from rollout_tui.redaction.redactor import Redactor
from rollout_tui.redaction.secrets import BY_CHANCE, looks_random, secrets_in


@pytest.mark.parametrize("form", SECRETS)
def test_each_form_is_found_within_a_text(form: str) -> None:
    secret = SECRETS[form]
    text = f"export it as {secret} then\ngo on"
    found = [one for one in secrets_in(text) if secret[-6:] in text[one.start : one.end]]
    assert found, form
    made = Redactor().value(text, "text")
    assert made.rule == "secret"
    assert secret[-6:] not in made.text
    assert "secret-1" in made.text


@pytest.mark.parametrize("form", SECRETS)
def test_the_length_of_a_secret_is_not_told(form: str) -> None:
    secret = SECRETS[form]
    part = INSIDE.get(form, secret[-4:])
    longer = secret.replace(part, part * 9)
    short, long = (Redactor().value(f"it is\n{one}\nthen", "text").text for one in (secret, longer))
    assert short == long


def test_the_same_secret_has_the_same_number() -> None:
    redactor = Redactor()
    token = SECRETS["GitHub token"]
    first = redactor.value(f"clone with {token}", "text").text
    second = redactor.value(f"{token} was refused", "text").text
    assert "secret-1" in first
    assert "secret-1" in second
    assert redactor.placeholders.forms == {"GitHub token": 1}


@pytest.mark.parametrize(
    "text",
    ["/usr/lib/python3/dist-packages/requests", "test_sweeper_holds_the_lock_of_its_own", "A" * 60, "x = 1"],
)
def test_words_and_paths_are_no_secrets(text: str) -> None:
    assert list(secrets_in(text)) == []


def test_random_letters_are_found() -> None:
    assert looks_random("Zk3vT9qLw0Xr7Bn2Jm5H")
    assert [one.form for one in secrets_in("the value Zk3vT9qLw0Xr7Bn2Jm5H is it")] == [BY_CHANCE]


def test_a_long_file_in_letters_keeps_its_length_and_costs_little() -> None:
    letters = "iVBORw0KGgoAAAANSUhEUg" * 20_000
    made = Redactor().value(letters, "text").text
    assert len(made) == len(letters)


def test_a_secret_that_runs_into_a_long_stretch_is_replaced_to_its_end() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9" + "A1b2" * 100 + ".eyJzdWIiOiJ4In0" + "c3D4" * 100 + ".S1g" + "n4Tu" * 100
    made = Redactor().value(f"got {token} back", "text").text
    assert len(made) < 60
