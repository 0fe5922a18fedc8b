"""A code proves an account once, soon, and in few tries; what is said with it stays on no timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.chat_commands import Command, Verb, spoken, typed
from tocsin.core.chat_linking import LASTS, LENGTH, SIGNS, Begun, Judged, Proof, judge, read, shown, without_code

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
CODES = st.text(SIGNS, min_size=LENGTH, max_size=LENGTH)


def begun(ident: int = 1, *, fits: bool = False, left: int = 5, ends: timedelta = LASTS) -> Begun:
    return Begun(ident, fits, NOW + ends, left)


@pytest.mark.parametrize(
    ("known", "judged"),
    [
        ([], Judged(Proof.NOTHING_BEGUN)),
        ([begun(fits=True)], Judged(Proof.GOOD, 1)),
        ([begun(1), begun(2, fits=True)], Judged(Proof.GOOD, 2)),
        ([begun(fits=True, left=1)], Judged(Proof.GOOD, 1)),
        ([begun()], Judged(Proof.WRONG, tries_left=4)),
        ([begun(1, left=1), begun(2, left=3)], Judged(Proof.WRONG, tries_left=2)),
        ([begun(left=1)], Judged(Proof.WRONG, tries_left=0)),
        ([begun(fits=True, left=0)], Judged(Proof.OVER)),
        ([begun(fits=True, ends=timedelta(0))], Judged(Proof.OVER)),
        ([begun(1), begun(2, fits=True, ends=timedelta(0))], Judged(Proof.OVER)),
        ([begun(ends=-LASTS)], Judged(Proof.OVER)),
    ],
)
def test_what_a_code_proves(known: list[Begun], judged: Judged) -> None:
    assert judge(known, now=NOW) == judged


@given(CODES, st.sampled_from(["{}", "{}\n", " {} ", "!{}"]))
def test_a_code_is_read_however_people_type_it(code: str, around: str) -> None:
    for typed_so in (code, shown(code), shown(code).lower(), shown(code).replace("-", " ")):
        assert read(around.format(typed_so).removeprefix("!")) == code


@given(CODES, st.sampled_from(["!link {}", "! link {}", "!tocsin link {}", "/tocsin link {}", "Corrected: !link {}",
    "> !LINK {}", "!link {} thank you", "!link {}\nand now it should work, I hope"]))  # fmt: skip
def test_no_code_stays_in_what_was_said(code: str, around: str) -> None:
    for typed_so in (code, shown(code), shown(code).lower()):
        kept = without_code(around.format(typed_so))
        assert typed_so not in kept
        assert "the code is not kept" in kept


@pytest.mark.parametrize("text", ["link K7QM-2XWP", "!link K7QM2XW", "!link K7QM 2XWP9"])
def test_a_code_that_was_mistyped_does_not_stay_either(text: str) -> None:
    assert "7QM" not in without_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "The link is down",
        "link database to host",
        "!link https://grafana.example/d/1",
        "!link to the dashboard of the database",
        "Here is the link: https://e.example/K7QM-2XWP",
        "!decision We link both sites again",
        "!link",
    ],
)
def test_other_talk_is_left_as_it_is(text: str) -> None:
    assert without_code(text) == text


@given(st.text(max_size=60))
def test_no_text_breaks_the_hiding(text: str) -> None:
    assert without_code(without_code(text)) == without_code(text)


def test_the_code_comes_with_a_command() -> None:
    assert spoken("!link k7qm-2xwp") == Command(Verb.LINK, "", "k7qm-2xwp")
    assert typed("link K7QM-2XWP") == Command(Verb.LINK, "", "K7QM-2XWP")
