"""Silences: active exactly in their time, and only where every matcher holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tocsin.core.errors import Invalid
from tocsin.core.matchers import Matcher, parse_matcher
from tocsin.core.silences import (
    Silence,
    SilenceReason,
    SilenceState,
    active_silences,
    check_silence,
    decide,
    silence_state,
)

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LABELS = {"alertname": "HighLatency", "service": "checkout", "severity": "page"}


def silence(name: str, *matchers: str, start: timedelta = -HOUR, end: timedelta = HOUR) -> Silence:
    return Silence(name, tuple(parse_matcher(text) for text in matchers), NOW + start, NOW + end)


def test_a_silence_is_active_from_its_start_until_just_before_its_end() -> None:
    one = silence("s", "service=checkout", start=timedelta(0), end=HOUR)
    moments = [NOW - timedelta.resolution, NOW, NOW + HOUR - timedelta.resolution, NOW + HOUR]
    states = [silence_state(one, now=moment) for moment in moments]
    assert states == [SilenceState.PENDING, SilenceState.ACTIVE, SilenceState.ACTIVE, SilenceState.EXPIRED]


def test_every_matcher_must_hold() -> None:
    both = silence("s", "service=checkout", 'severity=~"page|ticket"')
    assert decide([both], LABELS, now=NOW).silenced_by == ("s",)
    assert decide([both], LABELS | {"severity": "info"}, now=NOW).reason is SilenceReason.HEARD


def test_all_silences_that_match_are_named_and_the_last_to_end_says_until_when() -> None:
    silences = [
        silence("short", "service=checkout"),
        silence("long", "alertname=~High.*", end=3 * HOUR),
        silence("other", "service=billing"),
        silence("over", "service=checkout", start=-2 * HOUR, end=-HOUR),
    ]
    decision = decide(silences, LABELS, now=NOW)
    assert (decision.silenced_by, decision.until) == (("short", "long"), NOW + 3 * HOUR)
    assert decision.reason is SilenceReason.SILENCED


def test_when_a_silence_ends_the_alert_is_heard_again() -> None:
    one = silence("s", "service=checkout")
    assert decide([one], LABELS, now=NOW + HOUR).silenced_by == ()
    assert active_silences([one], now=NOW + HOUR) == ()


@pytest.mark.parametrize(
    ("matchers", "start", "end", "paths"),
    [
        ((), -HOUR, HOUR, {"matchers"}),
        (("service!=checkout",), -HOUR, HOUR, {"matchers"}),
        (('service=~".*"', "team="), -HOUR, HOUR, {"matchers"}),
        (("service=checkout",), HOUR, HOUR, {"endsAt"}),
        (("service=checkout",), -2 * HOUR, -HOUR, {"endsAt"}),
        ((), HOUR, -HOUR, {"matchers", "endsAt"}),
    ],
)
def test_a_silence_of_everything_or_of_nothing_is_refused(
    matchers: tuple[str, ...], start: timedelta, end: timedelta, paths: set[str]
) -> None:
    parsed: list[Matcher] = [parse_matcher(text) for text in matchers]
    with pytest.raises(Invalid) as refusal:
        check_silence(parsed, starts_at=NOW + start, ends_at=NOW + end, now=NOW)
    assert set(refusal.value.fields) == paths


def test_an_ordinary_silence_is_accepted() -> None:
    check_silence(
        [parse_matcher("service=checkout"), parse_matcher("team!=x")], starts_at=NOW, ends_at=NOW + HOUR, now=NOW
    )
