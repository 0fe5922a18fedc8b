"""Escalations beyond the chain, what is known, near misses, closing without a cause, who heard first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import HOUR, MINUTE, House
from tocsin.core.access import SYSTEM, Actor, ActorKind, Role
from tocsin.core.adherence_outcomes import Verdict
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.incident_escalations import EscalationMade
from tocsin.core.incident_findings import Knowledge, Lead
from tocsin.core.incident_phases import Phase
from tocsin.incidents import actions, queries
from tocsin.incidents.course import Course, course, escalation_of
from tocsin.incidents.models import Incident, Page
from tocsin.insights import adherence
from tocsin.insights.incident_figures import figures
from tocsin.platform.models import OutboxMessage, OutboxState
from tocsin.process import actions as process
from tocsin.process.defaults import default_document

pytestmark = pytest.mark.django_db

UPDATE = {"update": 1, "update_kind": "opening", "groups": "", "codes": [], "text": "We look", "recipients": 2}


@pytest.fixture
def house() -> House:
    house = House()
    worlds.person("nia", in_team="network", display_name="Nia", now=house.now)
    return house


def told(house: House, incident: Incident) -> Course:
    return course(house.ada, world.fresh(incident))


def made(house: House, incident: Incident) -> EscalationMade:
    return told(house, incident).escalations[-1]


def settle(house: House, incident: Incident) -> None:
    """Waive what is owed, so that closing is not held up by it."""
    for row in list(incident.obligations.filter(state="open")):
        row.refresh_from_db()
        if row.state == "open":
            actions.waive_obligation(house.ada, row.pk, reason="A test", now=house.now)


def resolved(house: House, **facts: Any) -> Incident:
    incident = house.declare(**{"priority": 4, **facts})
    actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
    settle(house, incident)
    return incident


class TestEscalating:
    @pytest.mark.req("R-9.1-7")
    def test_another_team_and_management_are_two_events_with_from_to_reason_and_answer(self, house: House) -> None:
        process.add_group_member(SYSTEM, group="management", email="mona@harbor.example", now=house.now)
        incident = house.declare()
        actions.escalate_to_team(house.ada, incident.ref, team="network", reason="Routes flap", now=house.now)
        functional = made(house, incident)
        actions.escalate_to_management(house.ada, incident.ref, reason="May we switch off?", now=house.now)
        hierarchic = made(house, incident)
        kinds = [kind for kind in world.kinds_of(incident) if kind.startswith("incident.escalated")]
        assert kinds == ["incident.escalated_functional", "incident.escalated_hierarchic"]
        assert (functional.asked_from, functional.asked_to, functional.reason, functional.names) == (
            "identity",
            "network",
            "Routes flap",
            ("Nia",),
        )
        assert (hierarchic.asked_from, hierarchic.reason) == ("Ada", "May we switch off?")
        assert functional.is_open
        assert hierarchic.is_open
        house.pass_time(3 * MINUTE)
        actions.acknowledge_escalation(house.ben, incident.ref, functional.seq, now=house.now)
        answered, waiting = told(house, incident).escalations
        assert (answered.acknowledged_at, answered.acknowledged_by) == (house.now, "Ben")
        assert waiting.acknowledged_at is None

    def test_who_is_asked_hears_at_once_and_answers_by_the_link(self, house: House) -> None:
        incident = house.declare()
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        actions.escalate_to_team(house.ada, incident.ref, team="network", reason="Routes flap", now=house.now)
        [message] = world.mails("functional")
        assert message.address == "nia@harbor.example"
        assert "Ada asks network: Routes flap" in message.payload["text"]
        assert message.payload["headers"]["X-Update-Kind"] == "page"
        house.pass_time(MINUTE)
        actions.take_page(world.token_of(message), now=house.now)
        assert (made(house, incident).acknowledged_at, made(house, incident).acknowledged_by) == (house.now, "Nia")
        assert world.fresh(incident).acknowledged_by.username == "ada"  # type: ignore[union-attr]
        assert Page.objects.get(kind="functional").answer == "taken"

    def test_a_team_that_is_asked_about_what_nobody_has_takes_it_by_answering(self, house: House) -> None:
        incident = house.declare()
        actions.escalate_to_team(house.ada, incident.ref, team="network", reason="Routes flap", now=house.now)
        actions.take_page(world.token_of(world.mails("functional")[0]), now=house.now)
        assert world.fresh(incident).acknowledged_by.username == "nia"  # type: ignore[union-attr]

    def test_management_answers_by_its_link_and_a_second_answer_is_late(self, house: House) -> None:
        for name in ("mona", "max"):
            process.add_group_member(SYSTEM, group="management", email=f"{name}@harbor.example", now=house.now)
        incident = house.declare()
        actions.escalate_to_management(house.ada, incident.ref, reason="Money", now=house.now)
        first, second = world.mails("hierarchic")
        assert {first.address, second.address} == {"mona@harbor.example", "max@harbor.example"}
        for message in (first, second):
            actions.take_page(world.token_of(message), now=house.now)
        assert [page.answer for page in Page.objects.filter(kind="hierarchic").order_by("pk")] == ["taken", "late"]
        assert made(house, incident).acknowledged_by == "Management"
        assert world.fresh(incident).state == "triggered"

    def test_not_me_moves_neither_the_escalation_nor_the_chain(self, house: House) -> None:
        incident = house.declare()
        before = world.paged()
        actions.escalate_to_team(house.ada, incident.ref, team="network", reason="Routes flap", now=house.now)
        actions.pass_page(world.token_of(world.mails("functional")[0]), now=house.now)
        assert made(house, incident).is_open
        assert world.paged() == before

    def test_a_person_can_be_asked_as_management(self, house: House) -> None:
        incident = house.declare()
        actions.escalate_to_management(house.ada, incident.ref, to="nia", reason="Decide", now=house.now)
        page = Page.objects.get(kind="hierarchic")
        assert (page.person.username if page.person else "") == "nia"
        found = escalation_of(page)
        assert found is not None
        assert found.asked_to == "Nia"

    def test_what_cannot_be_asked_is_refused_and_leaves_no_trace(self, house: House) -> None:
        incident = house.declare()
        worlds.team("empty", now=house.now)
        version = world.fresh(incident).version
        reader = Actor(kind=ActorKind.PERSON, ident="rita", role=Role.READER)
        ask, now = actions.escalate_to_team, house.now
        for wrong, act in (
            (Invalid, lambda: ask(house.ada, incident.ref, team="nobody", reason="x", now=now)),
            (Invalid, lambda: ask(house.ada, incident.ref, team="identity", reason="x", now=now)),
            (Invalid, lambda: ask(house.ada, incident.ref, team="network", reason=" ", now=now)),
            (Refused, lambda: ask(house.ada, incident.ref, team="empty", reason="x", now=now)),
            (Refused, lambda: actions.escalate_to_management(house.ada, incident.ref, reason="x", now=now)),
            (NotFound, lambda: actions.escalate_to_management(house.ada, incident.ref, to="no", reason="x", now=now)),
            (NotAllowed, lambda: ask(reader, incident.ref, team="network", reason="x", now=now)),
            (NotFound, lambda: actions.acknowledge_escalation(house.ada, incident.ref, 1, now=now)),
        ):
            with pytest.raises(wrong):
                act()
        assert world.fresh(incident).version == version
        assert not Page.objects.exclude(kind="page").exists()

    def test_what_has_not_left_does_not_leave_after_the_end(self, house: House) -> None:
        incident = house.declare()
        actions.escalate_to_team(house.ada, incident.ref, team="network", reason="Routes flap", now=house.now)
        actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
        assert OutboxMessage.objects.get(kind="functional").state == OutboxState.CANCELLED
        with pytest.raises(Refused):
            actions.escalate_to_team(house.ada, incident.ref, team="network", reason="x", now=house.now)

    def test_an_exercise_tells_no_management_and_is_written_down(self, house: House) -> None:
        process.add_group_member(SYSTEM, group="management", email="mona@harbor.example", now=house.now)
        incident = house.declare(kind="exercise")
        actions.escalate_to_management(house.ada, incident.ref, reason="Practice", now=house.now)
        assert made(house, incident).reason == "Practice"
        assert world.mails("hierarchic") == []


class TestKnowing:
    @pytest.mark.req("R-9.1-8")
    def test_a_workaround_and_a_cause_are_kept_apart(self, house: House) -> None:
        incident = house.declare()
        actions.state_known(house.ada, incident.ref, workaround="Use the other region", now=house.now)
        found = told(house, incident).findings
        assert (found.workaround.knowledge, found.workaround.text) == (Knowledge.KNOWN, "Use the other region")
        assert found.cause.knowledge is Knowledge.UNSAID
        actions.state_known(house.ada, incident.ref, cause_state="unknown", now=house.now)
        found = told(house, incident).findings
        assert (found.cause.knowledge, found.workaround.knowledge) == (Knowledge.UNKNOWN, Knowledge.KNOWN)

    def test_saying_it_once_more_is_no_news(self, house: House) -> None:
        incident = house.declare()
        for _ in range(2):
            actions.state_known(house.ada, incident.ref, cause="A full disk", workaround="Restart", now=house.now)
        assert len(world.entries(incident, Kind.INCIDENT_CAUSE_STATED)) == 1
        assert len(world.entries(incident, Kind.INCIDENT_WORKAROUND_STATED)) == 1

    def test_nothing_and_nonsense_are_refused(self, house: House) -> None:
        incident = house.declare()
        for said, missing in (
            ({}, {"cause_state"}),
            ({"cause_state": "maybe"}, {"cause_state"}),
            ({"cause_state": "known"}, {"cause"}),
            ({"workaround_state": "known"}, {"workaround"}),
        ):
            with pytest.raises(Invalid) as refusal:
                actions.state_known(house.ada, incident.ref, now=house.now, **said)
            assert set(refusal.value.fields) == missing


class TestClosing:
    @pytest.mark.req("R-9.1-8")
    def test_an_unknown_cause_closes_with_the_work_item_that_goes_on(self, house: House) -> None:
        incident = resolved(house)
        with pytest.raises(Invalid) as refusal:
            actions.close(house.ada, incident.ref, cause_state="unknown", now=house.now)
        assert set(refusal.value.fields) == {"work_item"}
        assert world.fresh(incident).state == "resolved"
        closed = actions.close(
            house.ada, incident.ref, cause_state="unknown", work_item="https://tracker.example/42", now=house.now
        )
        assert closed.state == "closed"
        [entry] = world.entries(incident, Kind.INCIDENT_CLOSED)
        assert (entry["cause"], entry["work_item"]) == ("unknown", "https://tracker.example/42")
        outcome = adherence.of_incident(house.ada, incident.ref, now=house.now).outcomes["AC23"]
        assert outcome.verdict is Verdict.PASSED
        assert "https://tracker.example/42" in outcome.why

    def test_a_cause_said_before_is_taken_over_and_one_said_now_is_written_down(self, house: House) -> None:
        before = resolved(house)
        actions.state_known(house.ada, before.ref, cause="A full disk", now=house.now)
        actions.close(house.ada, before.ref, cause_state="known", cause="A full disk", now=house.now)
        assert len(world.entries(before, Kind.INCIDENT_CAUSE_STATED)) == 1
        now = resolved(house)
        actions.close(house.ada, now.ref, cause="A late change", now=house.now)
        assert told(house, now).findings.cause.text == "A late change"

    def test_a_known_cause_is_named(self, house: House) -> None:
        incident = resolved(house)
        with pytest.raises(Invalid) as refusal:
            actions.close(house.ada, incident.ref, cause_state="known", now=house.now)
        assert set(refusal.value.fields) == {"cause"}

    def test_what_the_machine_left_open_is_asked_and_taken(self, house: House) -> None:
        incident = resolved(house)
        Incident.objects.filter(pk=incident.pk).update(category="", service=None)
        with pytest.raises(Invalid) as refusal:
            actions.close(house.ada, incident.ref, now=house.now)
        assert set(refusal.value.fields) == {"service", "category"}
        closed = actions.close(house.ada, incident.ref, service="log-on", category="capacity", now=house.now)
        assert (closed.category, closed.service.name if closed.service else "") == ("capacity", "log-on")
        [entry] = world.entries(incident, Kind.INCIDENT_CATEGORIZED)
        assert (entry["category"], entry["service"]) == ("capacity", "log-on")

    @pytest.mark.req("R-9.1-8")
    @pytest.mark.parametrize("waived", [False, True])
    def test_a_fix_that_was_asked_for_holds_it_open(self, house: House, waived: bool) -> None:
        incident = house.declare(priority=1)
        actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
        fix = world.obligation(incident, "hotfix")
        for row in incident.obligations.filter(state="open").exclude(pk=fix.pk):
            actions.waive_obligation(house.ada, row.pk, reason="A test", now=house.now)
        with pytest.raises(Invalid):
            actions.fulfil_obligation(house.ada, fix.pk, reference="change 7", now=house.now)
        with pytest.raises(Refused, match="hotfix"):
            actions.close(house.ada, incident.ref, cause="A late change", now=house.now)
        if waived:
            actions.waive_obligation(house.ada, fix.pk, reason="The vendor mends it", now=house.now)
        else:
            actions.fulfil_obligation(
                house.ada, fix.pk, reference="change 7", deployed_at=house.now - MINUTE, now=house.now
            )
            [entry] = world.entries(incident, Kind.OBLIGATION_FULFILLED)
            assert entry["deployed_at"] == "2026-11-23T02:11:00Z"
        assert actions.close(house.ada, incident.ref, cause="A late change", now=house.now).state == "closed"


class TestPriority:
    @pytest.mark.req("R-9.1-5")
    @pytest.mark.parametrize("state", ["acknowledged", "investigating", "mitigated", "resolved"])
    def test_beyond_the_first_state_a_priority_is_there_or_asked_for_until_it_closes(
        self, house: House, state: str
    ) -> None:
        """The response never waits for it (settled 5); nothing ends for good without it."""
        incident = house.declare(priority=None)
        if state == "acknowledged":
            actions.acknowledge(house.ada, incident.ref, now=house.now)
        elif state != "resolved":
            actions.move(house.ada, incident.ref, state, now=house.now)
        if state != "resolved":
            assert "set_priority" in world.owed(incident)
        actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
        settle(house, incident)
        with pytest.raises(Invalid) as refusal:
            actions.close(house.ada, incident.ref, now=house.now)
        assert set(refusal.value.fields) == {"priority"}
        actions.change_priority(house.ada, incident.ref, priority=None, state="none", reason="A drill", now=house.now)
        settle(house, incident)
        closed = actions.close(house.ada, incident.ref, now=house.now)
        assert (closed.state, closed.priority_state) == ("closed", "none")

    @pytest.mark.req("R-9.1-5")
    def test_a_decided_one_is_asked_nothing(self, house: House) -> None:
        incident = house.declare(priority=3)
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        assert "set_priority" not in world.owed(incident)
        assert (world.fresh(incident).priority, world.fresh(incident).priority_state) == (3, "set")


class TestImpact:
    @pytest.mark.req("R-9.1-1")
    def test_what_could_happen_and_what_did_are_both_declared_and_counted_apart(self, house: House) -> None:
        start = house.now
        for impact in ("actual", "potential", "potential"):
            assert house.declare(impact_state=impact).impact_state == impact
        house.declare(kind="exercise", impact_state="potential")
        gone = house.declare(impact_state="potential")
        actions.cancel(house.ada, gone.ref, reason="A test alarm", now=house.now)
        found = figures(house.ada, start=start, end=start + HOUR)
        assert (found.actual, found.near_misses, found.exercises, found.void) == (1, 2, 1, 1)
        listed = queries.incidents(house.ada, impact="potential", open_only=True).rows
        assert {row.impact_state for row in listed} == {"potential"}
        with pytest.raises(Invalid):
            house.declare(impact_state="perhaps")

    @pytest.mark.req("R-9.1-1")
    def test_a_near_miss_that_is_felt_is_one_no_more(self, house: House) -> None:
        incident = house.declare(impact_state="potential")
        with pytest.raises(Invalid):
            actions.change_impact(house.ada, incident.ref, impact_state="actual", reason=" ", now=house.now)
        actions.change_impact(house.ada, incident.ref, impact_state="actual", reason="Calls come in", now=house.now)
        found = figures(house.ada, start=house.now, end=house.now + HOUR)
        assert (found.actual, found.near_misses) == (1, 0)
        [entry] = world.entries(incident, Kind.INCIDENT_IMPACT_CHANGED)
        assert (entry["old"], entry["new"], entry["reason"]) == ("potential", "actual", "Calls come in")


class TestFirstWord:
    @pytest.mark.req("R-9-2")
    def test_it_is_recorded_who_heard_first_and_counted(self, house: House) -> None:
        start = house.now
        ahead, behind, unknown = house.declare(), house.declare(), house.declare()
        house.pass_time(10 * MINUTE)
        for incident in (ahead, unknown):
            notice(house, incident)
        house.pass_time(10 * MINUTE)
        notice(house, behind)
        actions.report_by_customer(house.ada, ahead.ref, text="Nobody can log on", now=house.now)
        at = house.now - 15 * MINUTE
        actions.report_by_customer(house.ada, behind.ref, reported_at=at, source_id="CS-1", now=house.now)
        assert told(house, ahead).first_word.lead is Lead.AHEAD
        assert told(house, ahead).first_word.first_stakeholder_notice_at == start + 10 * MINUTE
        assert told(house, behind).first_word.lead is Lead.BEHIND
        assert told(house, behind).first_word.first_customer_report_at == at
        assert told(house, unknown).first_word.lead is Lead.UNKNOWN
        found = figures(house.ada, start=start, end=start + HOUR)
        assert (found.ahead, found.behind, found.unknown) == (1, 1, 1)

    def test_the_earliest_report_counts_and_the_same_ticket_is_noted_once(self, house: House) -> None:
        incident = house.declare()
        for minutes in (5, 9, 2):
            actions.report_by_customer(
                house.ada,
                incident.ref,
                reported_at=house.now - minutes * MINUTE,
                source_id=f"CS-{minutes}",
                now=house.now,
            )
        actions.report_by_customer(house.ada, incident.ref, source_id="CS-5", now=house.now)
        assert len(world.entries(incident, Kind.CUSTOMER_REPORTED)) == 3
        assert told(house, incident).first_word.first_customer_report_at == house.now - 9 * MINUTE

    def test_the_future_and_a_time_without_a_zone_are_refused(self, house: House) -> None:
        incident = house.declare()
        for at in (house.now + MINUTE, house.now.replace(tzinfo=None)):
            with pytest.raises(Invalid) as refusal:
                actions.report_by_customer(house.ada, incident.ref, reported_at=at, now=house.now)
            assert set(refusal.value.fields) == {"reported_at"}


def notice(house: House, incident: Incident) -> None:
    """What sending an update writes."""
    from django.db import transaction

    from tocsin.audit import actions as audit

    with transaction.atomic():
        audit.record(house.ada, [audit.Fact(kind=Kind.UPDATE_SENT, incident=incident.ref, data=UPDATE)], now=house.now)


@pytest.mark.req("R-9.1-6")
def test_the_steps_follow_what_people_press(house: House) -> None:
    incident = house.declare()
    start = house.now
    for minutes, act in (
        (4, lambda: actions.acknowledge(house.ada, incident.ref, now=house.now)),
        (10, lambda: actions.move(house.ada, incident.ref, "investigating", now=house.now)),
        (20, lambda: actions.move(house.ada, incident.ref, "mitigated", now=house.now)),
        (25, lambda: actions.move(house.ada, incident.ref, "investigating", now=house.now)),
        (40, lambda: actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)),
        (45, lambda: actions.reopen(house.ada, incident.ref, now=house.now)),
    ):
        house.now = start + minutes * MINUTE
        act()
    found = {one.phase: one for one in told(house, incident).phases}
    spans = [
        tuple(None if at is None else (at - start) // MINUTE for at in (stay.entered_at, stay.left_at))
        for stay in found[Phase.INVESTIGATION].stays
    ]
    assert spans == [(10, 20), (25, 40), (45, None)]
    assert found[Phase.INVESTIGATION].reentries == 2
    assert found[Phase.CLOSURE].stays == ()


@pytest.mark.req("R-9.1-9")
def test_an_incident_keeps_the_process_it_began_under(house: House) -> None:
    groups = ["product-owners"]
    old = house.declare(priority=3, groups=groups)
    document = default_document()
    for one in document["priorities"]["priorities"]:
        if one["rank"] == 3:
            one["criteria"]["hotfix_immediately"] = True
            one["actions"] = "Roll out a fix"
    house.pass_time(timedelta(seconds=1))
    version = process.publish_version(SYSTEM, document, note="Fix it at once", now=house.now)
    new = house.declare(priority=3, groups=groups)
    actions.change_priority(house.ada, old.ref, priority=2, reason="More", now=house.now)
    actions.change_priority(house.ada, old.ref, priority=3, reason="Less", now=house.now)
    assert (old.process_version.number, new.process_version.number) == (version.number - 1, version.number)
    assert "hotfix" not in world.owed(old)
    assert "hotfix" in world.owed(new)
