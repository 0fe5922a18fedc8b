"""Harbor Tickets is set up by the ordinary actions, and whoever opens it finds what the README says."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from tests.domains import worlds
from tocsin.core.access import SYSTEM
from tocsin.demo import company
from tocsin.demo.faults import INCIDENTS, PAST, story
from tocsin.oncall import queries as oncall
from tocsin.slo import queries as slo

OPENINGS = [datetime(2026, 11, 23, 2, 12, tzinfo=UTC) + timedelta(hours=31 * number) for number in range(6)]


@pytest.mark.django_db
@pytest.mark.parametrize("until", OPENINGS, ids=str)
def test_ana_is_on_call_for_log_on_when_the_demo_opens(until: datetime) -> None:
    began = until - PAST
    worlds.process(now=began)
    company.set_up(now=began, until=until)
    assert oncall.on_call(oncall.rotation(SYSTEM, "identity-primary"), now=until).users == ("ana",)


@pytest.mark.django_db
def test_the_company_has_its_slos_one_of_them_undecided_and_one_gap_a_week() -> None:
    until = OPENINGS[0]
    worlds.process(now=until - PAST)
    company.set_up(now=until - PAST, until=until)
    assert len(slo.objectives(SYSTEM)) == 23
    assert [row.name for row in slo.undecided(SYSTEM, at=until)] == ["ticket-pdf"]
    gaps = oncall.gaps(SYSTEM, start=until, end=until + timedelta(days=7))
    assert {row.name for row, _ in gaps} == {"platform-primary"}


def test_the_same_seed_tells_the_same_story_in_order_and_within_the_past() -> None:
    until = OPENINGS[0]
    told = story(until=until, seed=1)
    assert told == story(until=until, seed=1)
    assert told != story(until=until, seed=2)
    assert len(told) == INCIDENTS
    assert all(earlier.start + earlier.lasts < later.start for earlier, later in itertools.pairwise(told))
    assert told[-1].start + told[-1].lasts < until


@pytest.mark.django_db
def test_consumers_of_the_company_differ_from_their_providers_and_one_has_no_way_to_cope() -> None:
    until = OPENINGS[0]
    worlds.process(now=until - PAST)
    company.set_up(now=until - PAST, until=until)
    report = slo.gaps(SYSTEM, at=until)
    assert set(report.by_provider) == {"notifications", "platform", "tickets"}
    found = [one for rows in report.by_provider.values() for one in rows]
    assert {(one.view.key, one.slo, one.levels) for one in found} == {
        ("service:checkout", "notify-availability", 1),
        ("service:checkout", "seat-map-availability", 1),
        ("team:tickets", "notify-latency", 1),
        ("team:tickets", "notify-availability", -1),
        ("service:logon", "user-store-availability", 1),
    }
    talk = report.talk_first
    assert talk is not None
    assert (talk.slo, [one.slo for one in found if not one.copes]) == ("seat-map-availability", [talk.slo])
    [closed] = slo.rounds(SYSTEM, slo.objective(SYSTEM, "notify-availability"))
    assert (closed.number, closed.answers.count()) == (1, 2)
    assert len(slo.sessions(SYSTEM, team="notifications")) == 1
