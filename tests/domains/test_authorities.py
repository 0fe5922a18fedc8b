"""An authority that wants to hear of an incident: found to be major, reported in time, judged from the log."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.domains import worlds
from tests.domains.incident_worlds import HOUR, MINUTE, House, entries, mails
from tocsin.core.access import SYSTEM
from tocsin.core.adherence_outcomes import Verdict
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.process_definition import to_document
from tocsin.engine import turns
from tocsin.incidents import actions, course
from tocsin.incidents.actions import late_reports
from tocsin.incidents.models import Incident, OwedReport
from tocsin.insights import adherence
from tocsin.process import actions as processes
from tocsin.process import queries as process

pytestmark = pytest.mark.django_db
REGIME = "dora"
MET = ["critical_services", "duration", "geography"]
DAY = timedelta(days=1)


@pytest.fixture
def house() -> House:
    """Its process has the clocks of the shipped authority switched on."""
    made = House()
    document = to_document(process.current())
    document["regulatory_clocks"][REGIME]["on"] = True
    processes.publish_version(made.admin, document, note="We fall under it now", now=made.now)
    return made


def verdict(house: House, incident: Incident) -> Verdict:
    return adherence.of_incident(house.ada, incident.ref, now=house.now).outcomes["AC24"].verdict


def major(house: House, incident: Incident) -> None:
    actions.classify_for_authority(house.ada, incident.ref, REGIME, major=True, met=MET, now=house.now)


def report(house: House, incident: Incident, kind: str) -> None:
    actions.report_to_authority(house.ada, incident.ref, REGIME, report=kind, reference="A-7", now=house.now)


def test_a_finding_starts_the_clocks_and_each_report_sets_the_next(house: House) -> None:
    incident = house.declare()
    began = house.now
    [before] = course.authorities(house.ada, incident)
    assert (before.found, before.reports) == (None, ())
    house.pass_time(2 * HOUR)
    major(house, incident)
    [told] = entries(incident, Kind.REGULATORY_CLASSIFIED)
    assert (told["major"], told["suggested"], told["met"]) == (True, True, sorted(MET))
    [initial] = course.authorities(house.ada, incident)[0].reports
    assert (initial.kind, initial.due_at) == ("initial", began + 6 * HOUR)
    house.pass_time(3 * HOUR)
    report(house, incident, "initial")
    *_, following = course.authorities(house.ada, incident)[0].reports
    assert (following.kind, following.due_at) == ("intermediate", house.now + 72 * HOUR)


@pytest.mark.req("R-9.1-11")
def test_the_check_passes_fails_waits_is_waived_or_does_not_apply(house: House) -> None:
    incident, other = house.declare(), house.declare("Another")
    assert verdict(house, incident) is Verdict.NOT_APPLICABLE
    major(house, incident)
    assert verdict(house, incident) is Verdict.NOT_DUE
    house.pass_time(3 * HOUR)
    report(house, incident, "initial")
    assert verdict(house, incident) is Verdict.NOT_DUE
    house.pass_time(DAY)
    report(house, incident, "intermediate")
    house.pass_time(20 * DAY)
    report(house, incident, "final")
    assert verdict(house, incident) is Verdict.PASSED
    major(house, other)
    house.pass_time(4 * HOUR + timedelta(seconds=1))
    assert verdict(house, other) is Verdict.FAILED
    owner = worlds.actor("olga", role="process_owner", now=house.now)
    actions.waive_check(owner, other.ref, check="AC24", reason="The authority agreed", now=house.now)
    assert verdict(house, other) is Verdict.WAIVED


def test_deciding_otherwise_than_the_criteria_suggest_takes_a_reason(house: House) -> None:
    incident = house.declare()
    with pytest.raises(Invalid) as without:
        actions.classify_for_authority(house.ada, incident.ref, REGIME, major=True, met=["costs"], now=house.now)
    assert set(without.value.fields) == {"reason"}
    actions.classify_for_authority(
        house.ada, incident.ref, REGIME, major=True, met=["costs"], reason="The board asks", now=house.now
    )
    actions.classify_for_authority(house.ada, incident.ref, REGIME, major=False, met=[], now=house.now)
    assert course.authorities(house.ada, incident)[0].reports == ()
    assert verdict(house, incident) is Verdict.NOT_APPLICABLE


def test_reports_come_in_turn_and_once(house: House) -> None:
    incident = house.declare()
    with pytest.raises(Refused):
        report(house, incident, "initial")
    major(house, incident)
    with pytest.raises(Refused):
        report(house, incident, "final")
    report(house, incident, "initial")
    with pytest.raises(Refused):
        report(house, incident, "initial")
    with pytest.raises(Invalid):
        report(house, incident, "weekly")
    with pytest.raises(Invalid):
        actions.report_to_authority(
            house.ada, incident.ref, REGIME, report="intermediate", sent=house.now + HOUR, now=house.now
        )
    assert len(entries(incident, Kind.REGULATORY_REPORTED)) == 1


def test_what_the_process_does_not_have_or_somebody_may_not_is_refused(house: House) -> None:
    incident = house.declare()
    with pytest.raises(NotFound):
        actions.classify_for_authority(house.ada, incident.ref, "nis2", major=True, now=house.now)
    with pytest.raises(Invalid):
        actions.classify_for_authority(house.ada, incident.ref, REGIME, major=True, met=["weather"], now=house.now)
    reader = worlds.actor("rea", role="reader", now=house.now)
    with pytest.raises(NotAllowed):
        actions.classify_for_authority(reader, incident.ref, REGIME, major=True, met=MET, now=house.now)
    assert entries(incident, Kind.REGULATORY_CLASSIFIED) == []


def test_an_incident_that_began_before_the_clocks_were_switched_on_owes_nothing() -> None:
    house = House()
    incident = house.declare()
    assert course.authorities(house.ada, incident) == ()
    with pytest.raises(NotFound):
        major(house, incident)
    assert verdict(house, incident) is Verdict.NOT_APPLICABLE


class TestLateReports:
    """A report that is late after its grace is told of once, to whoever said that it is owed."""

    def late(self) -> list[tuple[str, str]]:
        return [(mail.address, mail.payload["subject"]) for mail in mails("late")]

    def test_whoever_called_it_major_hears_within_a_minute_of_due_and_grace_and_once(self, house: House) -> None:
        incident = house.declare(title="Log-ons fail")
        major(house, incident)
        house.pass_time(4 * HOUR + 10 * MINUTE)
        assert actions.tell_late_reports(now=house.now) == 0
        house.pass_time(timedelta(seconds=1))
        assert turns.tell_late(now=house.now) > 0
        [told] = entries(incident, Kind.REGULATORY_LATE)
        assert (told["regime"], told["report"]) == (REGIME, "initial")
        [(address, subject)] = [one for one in self.late() if "report" in one[1]]
        assert address == "ada@harbor.example"
        assert subject == f"{incident.ref}: the initial report to {told['name']} was due at 07:12 CET"
        [mail] = [one for one in mails("late") if one.payload["subject"] == subject]
        assert f"/i/{incident.number}/authorities" in mail.payload["text"]
        assert actions.tell_late_reports(now=house.now + DAY) == 0

    def test_each_later_report_that_is_late_is_told_of_as_well(self, house: House) -> None:
        incident = house.declare()
        major(house, incident)
        house.pass_time(3 * HOUR)
        report(house, incident, "initial")
        house.pass_time(HOUR + 20 * MINUTE)
        assert actions.tell_late_reports(now=house.now) == 0
        house.pass_time(3 * DAY)
        assert actions.tell_late_reports(now=house.now) == 1
        report(house, incident, "intermediate")
        house.pass_time(32 * DAY)
        assert actions.tell_late_reports(now=house.now) == 1
        report(house, incident, "final")
        assert actions.tell_late_reports(now=house.now + 365 * DAY) == 0
        assert [row["report"] for row in entries(incident, Kind.REGULATORY_LATE)] == ["intermediate", "final"]

    def test_looking_once_more_does_not_tell_twice_and_no_major_incident_owes_nothing(self, house: House) -> None:
        first, second = house.declare(), house.declare("Another")
        for incident in (first, second):
            major(house, incident)
        actions.classify_for_authority(
            house.ada, second.ref, REGIME, major=False, reason="Nobody was hurt", now=house.now
        )
        house.pass_time(5 * HOUR)
        assert actions.tell_late_reports(now=house.now) == 1
        major(house, first)
        assert actions.tell_late_reports(now=house.now + DAY) == 0
        assert entries(second, Kind.REGULATORY_LATE) == []

    def test_where_a_machine_said_it_whoever_answers_for_late_duties_hears(self, house: House) -> None:
        worlds.person("otto", in_team="identity", is_owner=True, now=house.now)
        incident = house.declare()
        actions.classify_for_authority(SYSTEM, incident.ref, REGIME, major=True, met=MET, now=house.now)
        house.pass_time(5 * HOUR)
        actions.tell_late_reports(now=house.now)
        assert [address for address, _ in self.late()] == ["otto@harbor.example"]

    def test_one_that_fails_does_not_hold_up_the_others(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        first, second = house.declare(), house.declare("Another")
        for incident in (first, second):
            major(house, incident)
        real = late_reports._mail

        def mail(row: OwedReport, incident: Incident, name: str, *, now: datetime) -> None:
            if incident.pk == first.pk:
                raise RuntimeError("rotten")
            real(row, incident, name, now=now)

        monkeypatch.setattr(late_reports, "_mail", mail)
        house.pass_time(5 * HOUR)
        assert actions.tell_late_reports(now=house.now, limit=1) == 1
        assert entries(first, Kind.REGULATORY_LATE) == []
        assert len(entries(second, Kind.REGULATORY_LATE)) == 1
