"""The suggestion of a severity is exact at its bands."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.process_samples import CRITICAL, ERROR, PROCESS, WARNING, process_with
from tocsin.core.errors import Invalid
from tocsin.core.severities import SuggestionReason, is_graver, required_severity, severity_rank, suggest

SCHEME = PROCESS.severities


def test_nothing_known_gives_the_start_severity_and_asks() -> None:
    found = suggest(SCHEME, users_share=None, teams=None)
    assert (found.severity, found.prompt, found.reason) == (SCHEME.start, True, SuggestionReason.NOTHING_KNOWN)


def test_the_criterion_that_decided_is_named() -> None:
    assert suggest(SCHEME, users_share=Decimal("0.1"), teams=3).reason is SuggestionReason.TEAMS
    assert suggest(SCHEME, users_share=Decimal("0.7"), teams=1).reason is SuggestionReason.USERS_SHARE


def test_a_band_begins_exactly_at_its_number() -> None:
    below = Fraction(3, 5) - Fraction(1, 10**30)
    assert suggest(SCHEME, users_share=below, teams=1).severity == ERROR
    assert suggest(SCHEME, users_share=Fraction(3, 5), teams=1).severity == CRITICAL


def test_moving_a_band_moves_the_suggestion_and_nothing_else() -> None:
    other = process_with("severities.severities.0.bands.users_share_min", "0.50").severities
    assert suggest(other, users_share=Decimal("0.50"), teams=1).severity == CRITICAL
    assert suggest(other, users_share=Decimal("0.4999"), teams=1).severity == ERROR
    assert suggest(other, users_share=Decimal("0.10"), teams=3).severity == CRITICAL


@given(st.fractions(0, 1), st.integers(0, 9), st.integers(0, 9))
def test_more_teams_never_make_it_milder(share: Fraction, teams: int, more: int) -> None:
    one = suggest(SCHEME, users_share=share, teams=teams)
    other = suggest(SCHEME, users_share=share, teams=teams + more)
    assert severity_rank(SCHEME, other.severity) <= severity_rank(SCHEME, one.severity)
    assert not one.prompt


def test_severities_are_ordered_from_the_gravest() -> None:
    assert is_graver(SCHEME, CRITICAL, ERROR)
    assert is_graver(SCHEME, ERROR, WARNING)
    assert not is_graver(SCHEME, WARNING, WARNING)


def test_an_unknown_severity_is_refused_with_those_there_are() -> None:
    with pytest.raises(Invalid, match="critical, error, warning"):
        required_severity(SCHEME, "fatal")
