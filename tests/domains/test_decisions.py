"""Decisions: recorded with addressees, taken in, carried out, reported; reminders that stand in nobody's way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domains import worlds
from tests.domains.incident_worlds import MINUTE, House, entries, kinds_of, mails
from tocsin.core.access import Actor
from tocsin.core.adherence_outcomes import Verdict
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import actions, queries
from tocsin.incidents.models import Decision, Incident, RoleHeld
from tocsin.insights import adherence

pytestmark = pytest.mark.django_db
COORDINATOR, EXPERT = "incident_coordinator", "technical_expert"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def incident(house: House) -> Incident:
    """Ada does the work, Ben coordinates."""
    found = house.declare(severity="error", priority=2)
    actions.acknowledge(house.ada, found.ref, now=house.now)
    actions.assign_role(house.ada, found.ref, role=COORDINATOR, username="ben", now=house.now)
    return found


def decide(house: House, incident: Incident, *addressees: str, actor: Actor | None = None, **more: object) -> Decision:
    values: dict[str, object] = {"text": "Roll back the release", **more}
    return actions.record_decision(
        actor or house.ben,
        incident.ref,
        addressees=addressees,
        now=house.now,
        **values,  # type: ignore[arg-type]
    )


def kept(row: Decision) -> dict[str, bool]:
    return {one.duty: one.done_at is not None for one in row.duties.all()}


@pytest.mark.req("R-9.3.10-4")
def test_a_decision_has_text_author_time_addressees_receipt_execution_and_report(
    house: House, incident: Incident
) -> None:
    row = decide(house, incident, "ada", "Database people")
    assert (row.number, row.text, row.by, row.at) == (1, "Roll back the release", "ben", house.now)
    assert [one.name for one in row.addressees.order_by("pk")] == ["Ada", "Database people"]
    house.pass_time(MINUTE)
    actions.acknowledge_decision(house.ada, incident.ref, 1, now=house.now)
    row.refresh_from_db()
    assert row.acknowledged_at is None  # the others have not yet
    house.pass_time(MINUTE)
    actions.acknowledge_decision(house.ada, incident.ref, 1, who="database people", now=house.now)
    row.refresh_from_db()
    assert row.acknowledged_at == house.now
    actions.report_decision(house.ada, incident.ref, 1, state="doing", now=house.now)
    house.pass_time(MINUTE)
    row = actions.report_decision(
        house.ada, incident.ref, 1, state="done", report="Errors are back to 0.1%", now=house.now
    )
    assert (row.execution, row.executed_at) == ("done", house.now)
    assert (row.report, row.reported_at, row.reported_by) == ("Errors are back to 0.1%", house.now, "ada")
    [recorded] = entries(incident, Kind.DECISION_RECORDED)
    [reported] = entries(incident, Kind.DECISION_REPORTED)
    assert recorded["addressees"] == ["Ada", "Database people"]
    assert reported["decision"] == row.entry
    lines = [one for one in queries.timeline(house.ada, incident.ref) if one.kind == "decision"]
    assert [one.text for one in lines] == ["Decision 1 for Ada, Database people: Roll back the release"]


@pytest.mark.req("R-9.3.10-5")
def test_a_decision_is_checked_for_each_of_the_three_duties(house: House, incident: Incident) -> None:
    row = decide(house, incident, "ada")
    assert kept(row) == {"receive": False, "execute": False, "report": False}
    actions.acknowledge_decision(house.ada, incident.ref, 1, now=house.now)
    assert kept(row) == {"receive": True, "execute": False, "report": False}
    actions.report_decision(house.ada, incident.ref, 1, state="done", now=house.now)
    assert kept(row) == {"receive": True, "execute": True, "report": False}
    actions.report_decision(house.ada, incident.ref, 1, report="It works again", now=house.now)
    assert kept(row) == {"receive": True, "execute": True, "report": True}


@pytest.mark.req("R-9.3.10-5")
def test_how_it_is_solved_needs_nobody_and_saying_no_is_an_answer(house: House, incident: Incident) -> None:
    row = decide(house, incident, EXPERT, actor=house.ada, text="We switch to the old cluster instead")
    assert row.addressees.get().person_id == house.ada.person_id
    found = actions.report_decision(
        house.ada, incident.ref, row.number, state="not_done", report="The old cluster is gone", now=house.now
    )
    assert kept(found) == {"receive": True, "execute": True, "report": True}


@pytest.mark.req("R-9.3.7-5")
@pytest.mark.parametrize("about", ["order", "people", "risk"])
def test_order_people_and_risk_are_the_coordinators_and_the_solution_is_the_experts(
    house: House, incident: Incident, about: str
) -> None:
    decide(house, incident, "ada", about=about)
    with pytest.raises(Refused, match="coordinator decides"):
        decide(house, incident, "ben", actor=house.ada, about=about)
    assert decide(house, incident, "ben", actor=house.ada, about="solution").number == 2
    RoleHeld.objects.filter(incident=incident, role=COORDINATOR).update(until_at=house.now)
    assert decide(house, incident, "ben", actor=house.ada, about=about).number == 3


def test_reminders_come_once_for_each_duty_to_whoever_owes_it_and_stop_nothing(
    house: House, incident: Incident
) -> None:
    row = decide(house, incident, EXPERT)
    assert actions.remind_of_decisions(now=house.now + 9 * MINUTE) == 0
    assert actions.remind_of_decisions(now=house.now + 10 * MINUTE) == 1
    assert actions.remind_of_decisions(now=house.now + 11 * MINUTE) == 0
    [mail] = mails("reminder")
    assert mail.payload["subject"] == f"{incident.ref}: please say that it was taken in"
    assert mail.payload["to_name"] == "Ada"
    assert actions.remind_of_decisions(now=house.now + 100 * MINUTE) == 2
    assert kinds_of(incident).count(Kind.DECISION_REMINDED) == 3
    house.pass_time(timedelta(hours=3))
    actions.report_decision(house.ada, incident.ref, row.number, report="Done, late", now=house.now)
    assert actions.resolve(house.ada, incident.ref, category="deploy", note="ok", now=house.now).state == "resolved"


def test_what_was_done_in_time_reminds_nobody(house: House, incident: Incident) -> None:
    decide(house, incident, "ada")
    actions.report_decision(house.ada, incident.ref, 1, report="Done", now=house.now)
    assert actions.remind_of_decisions(now=house.now + timedelta(days=1)) == 0
    assert mails("reminder") == []


def test_reminders_end_with_the_incident(house: House, incident: Incident) -> None:
    decide(house, incident, "ada")
    actions.cancel(house.ben, incident.ref, reason="a test", now=house.now)
    assert actions.remind_of_decisions(now=house.now + timedelta(days=1)) == 0


def test_a_decision_for_nobody_reminds_whoever_made_it_and_whoever_responds(house: House, incident: Incident) -> None:
    decide(house, incident)
    actions.remind_of_decisions(now=house.now + 10 * MINUTE)
    assert sorted(one.payload["to_name"] for one in mails("reminder")) == ["Ada", "Ben"]


def test_a_message_of_a_chat_is_one_decision_however_often_it_is_read(house: House, incident: Incident) -> None:
    told = {"source_id": "$event:chat", "occurred_at": house.now - MINUTE}
    first = decide(house, incident, "ada", **told)
    again = decide(house, incident, "ada", **told)
    assert (first.pk, first.at) == (again.pk, house.now - MINUTE)
    assert Decision.objects.count() == 1
    actions.annotate(house.ada, incident.ref, text="hello", kind="chat", source_id="$other", now=house.now)
    with pytest.raises(Refused, match="timeline already"):
        decide(house, incident, "ada", source_id="$other")


def test_the_adherence_check_of_decisions_judges(house: House, incident: Incident) -> None:
    def verdict() -> Verdict:
        return adherence.of_incident(house.admin, incident.ref, now=house.now).outcomes["AC14"].verdict

    assert verdict() is Verdict.NOT_APPLICABLE
    decide(house, incident, "ada")
    assert verdict() is Verdict.NOT_DUE
    actions.report_decision(house.ada, incident.ref, 1, report="Done", now=house.now)
    assert verdict() is Verdict.PASSED
    decide(house, incident)
    assert verdict() is Verdict.FAILED


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"text": " \n "}, "text"),
        ({"about": "weather"}, "about"),
        ({"execute_by": "past"}, "execute_by"),
        ({"execute_by": "naive"}, "execute_by"),
        ({"occurred_at": "ahead"}, "occurred_at"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_written(
    house: House, incident: Incident, given: dict[str, str], field: str
) -> None:
    times = {"past": house.now, "naive": (house.now + MINUTE).replace(tzinfo=None), "ahead": house.now + MINUTE}
    with pytest.raises(Invalid) as told:
        decide(house, incident, "ada", **{name: times.get(value, value) for name, value in given.items()})
    assert list(told.value.fields) == [field]
    assert not Decision.objects.exists()


def test_a_report_speaks_of_the_end(house: House, incident: Incident) -> None:
    decide(house, incident, "ada")
    for given in ({}, {"state": "doing", "report": "half way"}, {"state": "perhaps"}):
        with pytest.raises(Invalid):
            actions.report_decision(house.ada, incident.ref, 1, now=house.now, **given)
    with pytest.raises(NotFound):
        actions.report_decision(house.ada, incident.ref, 7, report="?", now=house.now)


def test_only_whom_it_is_for_takes_it_in(house: House, incident: Incident) -> None:
    decide(house, incident, "ada")
    with pytest.raises(Invalid, match="It is for Ada"):
        actions.acknowledge_decision(house.ben, incident.ref, 1, now=house.now)
    with pytest.raises(Invalid, match="It is for Ada"):
        actions.acknowledge_decision(house.ben, incident.ref, 1, who="somebody", now=house.now)
    reader = worlds.actor("rita", role="reader", now=house.now)
    with pytest.raises(NotAllowed):
        decide(house, incident, "ada", actor=reader)


def test_a_team_takes_in_what_is_for_it(house: House, incident: Incident) -> None:
    decide(house, incident, "identity")
    actions.acknowledge_decision(house.ada, incident.ref, 1, now=house.now)
    assert Decision.objects.get().acknowledged_at == house.now
    before = kinds_of(incident)
    actions.acknowledge_decision(house.ben, incident.ref, 1, now=house.now)
    assert kinds_of(incident) == before
