"""How times read: the zone's short name always beside them, ages in units people act on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tocsin.web import instants
from tocsin.web.links import safe_url

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
BERLIN = instants.zone_of("Europe/Berlin")


@pytest.mark.parametrize(
    ("instant", "form", "text"),
    [
        (NOW, "auto", "03:12 CET"),
        (NOW - timedelta(hours=4), "auto", "Sun 22 Nov 23:12 CET"),
        (NOW - timedelta(hours=4), "time", "23:12 CET"),
        (NOW, "long", "Mon 23 Nov 03:12 CET"),
        (NOW, "date", "Mon 23 Nov"),
        (datetime(2026, 7, 1, 12, tzinfo=UTC), "auto", "Wed 1 Jul 14:00 CEST"),
        (datetime(2025, 12, 31, 23, 30, tzinfo=UTC), "long", "Thu 1 Jan 00:30 CET"),
        (datetime(2024, 2, 29, 12, tzinfo=UTC), "long", "Thu 29 Feb 2024 13:00 CET"),
    ],
)
def test_an_instant_reads_in_the_viewer_s_zone(instant: datetime, form: str, text: str) -> None:
    assert instants.clock_text(instant, BERLIN, now=NOW, form=form) == text


@pytest.mark.parametrize(
    ("zone", "name"),
    [("UTC", "UTC"), ("Asia/Kolkata", "IST"), ("Asia/Kathmandu", "UTC+05:45"), ("America/Sao_Paulo", "UTC-03")],
)
def test_a_zone_without_letters_is_named_by_its_distance(zone: str, name: str) -> None:
    assert instants.zone_name(NOW, instants.zone_of(zone)) == name


def test_an_unknown_zone_is_utc() -> None:
    assert instants.zone_of("Mars/Olympus") is UTC


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=45), "45 s"),
        (timedelta(minutes=4, seconds=59), "4 min"),
        (timedelta(hours=1, minutes=46), "1 h 46 min"),
        (timedelta(hours=12, minutes=30), "12 h"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
        (timedelta(days=20), "20 d"),
        (-timedelta(minutes=6), "6 min"),
    ],
)
def test_a_span_reads_in_units_people_act_on(span: timedelta, text: str) -> None:
    assert instants.span_text(span) == text


def test_a_countdown_turns_into_lateness_at_its_moment() -> None:
    assert instants.countdown_text(NOW + timedelta(minutes=41), now=NOW) == "in 41 min"
    assert instants.countdown_text(NOW, now=NOW) == "in 0 s"
    assert instants.countdown_text(NOW - timedelta(minutes=12), now=NOW) == "12 min late"


def test_a_countdown_is_late_only_when_its_grace_has_passed() -> None:
    due, grace = NOW - timedelta(minutes=10), timedelta(minutes=10)
    assert instants.countdown_text(due, now=NOW, grace=grace) == "due now"
    assert instants.countdown_text(due, now=NOW + timedelta(seconds=1), grace=grace) == "10 min late"


def test_a_running_incident_counts_up() -> None:
    assert instants.clock_age(NOW - timedelta(minutes=72), now=NOW) == "T+1:12"
    assert instants.clock_age(NOW + timedelta(minutes=1), now=NOW) == "T+0:00"


@pytest.mark.parametrize(
    ("address", "becomes_a_link"),
    [
        ("https://wiki.example.com/x", True),
        ("http://10.0.0.1:9090/graph", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example", False),
        ("https://", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(address: str, becomes_a_link: bool) -> None:
    assert bool(safe_url(address)) is becomes_a_link
