"""What was heard in one response: kept from look to look, true to the log as it stands, silent about what was removed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.domains.incident_worlds import MINUTE, House
from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM, Actor
from tocsin.core.facts import Kind
from tocsin.core.process_parts import BlameForm
from tocsin.incidents.models import Incident
from tocsin.insights import response_log
from tocsin.insights.response_log import Heard, heard

pytestmark = pytest.mark.django_db
FORMS = (BlameForm("forgot", "say which reminder was missing"),)
BLAMING, CALM = "Ben forgot the certificate", "The certificate ran out"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_log, "_kept", type(response_log._kept)())


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def incident(house: House) -> Incident:
    return house.declare()


def note(house: House, incident: Incident, text: str, *, actor: Actor | None = None, kind: str = "note") -> Entry:
    """A note a minute later."""
    house.pass_time(MINUTE)
    data = {"text": text, "kind": kind}
    return told(house, incident, Kind.INCIDENT_NOTED, data, actor=actor)


def told(house: House, incident: Incident, kind: Kind, data: dict[str, object], *, actor: Actor | None = None) -> Entry:
    [entry] = audit.record(actor or house.ada, [Fact(kind=kind, incident=incident.ref, data=data)], now=house.now)
    return entry


def test_an_incident_of_which_the_log_has_nothing_has_nobody_and_no_words() -> None:
    found = heard(Incident(number=4711), FORMS)
    assert found == Heard()
    assert (found.texts(), found.summary_at()) == ((), None)


def test_each_person_was_active_when_they_last_did_something(house: House, incident: Incident) -> None:
    note(house, incident, "looking", actor=house.ada)
    ben_at = note(house, incident, "me too", actor=house.ben).at
    ada_at = note(house, incident, "found it", actor=house.ada).at
    active = heard(incident, FORMS).active
    assert (active["ada"], active["ben"]) == (ada_at, ben_at)


def test_words_that_look_for_a_guilty_person_come_in_the_order_of_the_log_whatever_wrote_them(
    house: House, incident: Incident
) -> None:
    first = note(house, incident, BLAMING)
    note(house, incident, CALM)
    update = told(house, incident, Kind.UPDATE_SENT, {"text": "Somebody forgot a switch"})
    end = told(house, incident, Kind.INCIDENT_RESOLVED, {"note": "He forgot it once more"})
    told(house, incident, Kind.ROLE_ASKED, {"text": "Who forgot it?"})
    assert heard(incident, FORMS).texts() == (
        (first.seq, BLAMING),
        (update.seq, "Somebody forgot a switch"),
        (end.seq, "He forgot it once more"),
    )


def test_what_was_removed_from_the_log_is_said_no_more_although_it_was_heard_before(
    house: House, incident: Incident
) -> None:
    gone, stays = note(house, incident, BLAMING), note(house, incident, "I forgot it too")
    before = heard(incident, FORMS)
    assert len(before.texts()) == 2
    audit.redact(house.admin, gone.seq, "A name.", now=house.now)
    assert before.texts() == ((stays.seq, "I forgot it too"),)
    assert heard(incident, FORMS).texts() == ((stays.seq, "I forgot it too"),)
    assert BLAMING not in repr(heard(incident, FORMS))


def test_where_things_stand_is_the_latest_said_and_an_update_counts_without_its_words(
    house: House, incident: Incident
) -> None:
    assert heard(incident, FORMS).summary_at() is None
    house.pass_time(MINUTE)
    update = told(house, incident, Kind.UPDATE_SENT, {"text": CALM})
    stand = note(house, incident, "It holds", kind="state")
    note(house, incident, "By the way")
    assert heard(incident, FORMS).summary_at() == stand.at
    audit.redact(house.admin, stand.seq, "A name.", now=house.now)
    assert heard(incident, FORMS).summary_at() == update.at
    audit.redact(house.admin, update.seq, "A name.", now=house.now)
    assert heard(incident, FORMS).summary_at() == update.at


def test_a_second_look_reads_only_what_came_since(house: House, incident: Incident) -> None:
    note(house, incident, BLAMING)
    first = heard(incident, FORMS)
    with CaptureQueriesContext(connection) as asked:
        assert heard(incident, FORMS) is first
    assert len(asked) == 1
    later = note(house, incident, CALM, actor=house.ben)
    assert heard(incident, FORMS) == replace(
        first, last=later.seq, mark=later.hash, active={**first.active, "ben": later.at}
    )


def test_another_log_under_the_same_name_is_read_from_its_beginning(house: House, incident: Incident) -> None:
    own = note(house, incident, BLAMING)
    true = heard(incident, FORMS)
    key = (incident.ref, FORMS)
    strange = {"stranger": house.now}
    response_log._kept[key] = Heard(own.seq, "0" * 64, strange, (own.seq - 1,), (own.seq - 1,))
    assert heard(incident, FORMS) == true
    # What is kept ends behind the end of the log there is now.
    response_log._kept[key] = Heard(own.seq + 100, "0" * 64, strange)
    assert heard(incident, FORMS) == true


def test_a_log_that_is_gone_leaves_nothing_behind(house: House) -> None:
    unknown = Incident(number=4711)
    response_log._kept[(unknown.ref, FORMS)] = Heard(7, "0" * 64, {"ada": house.now}, (7,), (7,))
    assert heard(unknown, FORMS) == Heard()


def test_each_list_of_words_is_heard_by_itself(house: House, incident: Incident) -> None:
    entry = note(house, incident, CALM)
    assert heard(incident, FORMS).texts() == ()
    assert heard(incident, (BlameForm("ran out", "say when"),)).texts() == ((entry.seq, CALM),)


def test_only_so_many_incidents_are_kept_those_looked_at_last(
    house: House, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_log, "KEPT", 2)
    others = [house.declare(title=f"case {place}") for place in range(2)]
    for row in (incident, others[0], incident, others[1]):
        heard(row, FORMS)
    assert [ref for ref, _ in response_log._kept] == [incident.ref, others[1].ref]


WORDS = st.sampled_from([BLAMING, CALM, ""])
SAID = st.tuples(st.sampled_from([Kind.INCIDENT_NOTED, Kind.UPDATE_SENT, Kind.ROLE_ASKED]), WORDS, st.booleans())


class TestLooks(TestCase):
    """Looking often comes to what looking once comes to."""

    @given(nights=st.lists(st.lists(SAID, max_size=4), max_size=4))
    def test_looking_often_comes_to_what_looking_once_comes_to(
        self, nights: list[list[tuple[Kind, str, bool]]]
    ) -> None:
        response_log._kept.clear()
        unknown, at = Incident(number=4711), datetime.fromisoformat("2026-11-23T02:12:00+00:00")
        often = Heard()
        for night in nights:
            for kind, text, stand in night:
                at += timedelta(minutes=1)
                data = {"text": text, "kind": "state" if stand else "note"}
                audit.record(SYSTEM, [Fact(kind=kind, incident=unknown.ref, data=data)], now=at)
            often = heard(unknown, FORMS)
        response_log._kept.clear()
        assert heard(unknown, FORMS) == often
