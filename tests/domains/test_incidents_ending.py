"""Moving on, resolving, closing, reopening, merging, cancelling, and what the end of an alert does."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import HOUR, MINUTE, House
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.models import Alert
from tocsin.audit.models import Entry
from tocsin.core.access import Actor, ActorKind, Role
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import actions, queries
from tocsin.incidents.models import Escalation, Incident, IncidentAlert, State

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


def resolved(house: House, incident: Incident) -> Incident:
    return actions.resolve(house.ada, incident.ref, category="deploy", note="rolled back", now=house.now)


class TestMoving:
    def test_step_by_step_to_the_end(self, house: House) -> None:
        incident = house.declare()
        for state in ("investigating", "identified", "mitigated"):
            assert actions.move(house.ada, incident.ref, state, now=house.now).state == state
        assert world.fresh(incident).mitigated_at == house.now
        assert resolved(house, incident).state == "resolved"
        house.assert_log(incident, Kind.INCIDENT_INVESTIGATING, Kind.INCIDENT_IDENTIFIED, Kind.INCIDENT_MITIGATED)

    def test_there_is_no_way_back_to_the_first_state(self, house: House) -> None:
        incident = house.declare()
        with pytest.raises(Invalid):
            actions.move(house.ada, incident.ref, "triggered", now=house.now)

    def test_who_moves_it_on_is_on_it(self, house: House) -> None:
        incident = house.declare()
        actions.move(house.ada, incident.ref, "mitigated", now=house.now)
        house.run(HOUR, every=5 * MINUTE)
        assert world.paged() == ["ada"]

    def test_a_reader_may_not(self, house: House) -> None:
        incident = house.declare()
        reader = Actor(kind=ActorKind.PERSON, ident="rita", role=Role.READER)
        for act in (
            lambda: actions.move(reader, incident.ref, "mitigated", now=house.now),
            lambda: actions.resolve(reader, incident.ref, category="x", now=house.now),
            lambda: actions.acknowledge(reader, incident.ref, now=house.now),
            lambda: actions.escalate(reader, incident.ref, now=house.now),
            lambda: actions.snooze(reader, incident.ref, until=house.now + HOUR, now=house.now),
        ):
            with pytest.raises(NotAllowed):
                act()
        assert world.fresh(incident).version == incident.version


class TestResolving:
    @pytest.mark.req("R-9.1-4")
    def test_a_person_names_service_and_category(self, house: House) -> None:
        incident = house.declare()
        with pytest.raises(Invalid) as missing:
            actions.resolve(house.ada, incident.ref, now=house.now)
        assert set(missing.value.fields) == {"category"}
        done = resolved(house, incident)
        assert (done.category, done.resolved_at) == ("deploy", house.now)
        assert world.entries(incident, Kind.INCIDENT_RESOLVED)[0]["note"] == "rolled back"

    def test_resolving_twice_changes_nothing(self, house: House) -> None:
        incident = house.declare()
        version = resolved(house, incident).version
        assert resolved(house, incident).version == version

    def test_from_any_open_state(self, house: House) -> None:
        for state in ("triggered", "acknowledged", "investigating"):
            incident = house.declare()
            if state == "acknowledged":
                actions.acknowledge(house.ada, incident.ref, now=house.now)
            elif state == "investigating":
                actions.move(house.ada, incident.ref, state, now=house.now)
            assert resolved(house, incident).state == "resolved"

    def test_everything_is_written_or_nothing(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        from tocsin.incidents.actions import chain

        incident = house.declare()
        before = world.kinds_of(incident)

        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("the power went")

        monkeypatch.setattr(chain, "ended", broken)
        with pytest.raises(RuntimeError):
            resolved(house, incident)
        assert not connection.needs_rollback
        assert (world.fresh(incident).state, world.kinds_of(incident)) == ("triggered", before)


class TestClosing:
    def test_what_is_owed_comes_first(self, house: House) -> None:
        incident = house.declare(priority=4)
        resolved(house, incident)
        with pytest.raises(Refused) as no:
            actions.close(house.ada, incident.ref, now=house.now)
        assert "work item" in no.value.message
        row = world.obligation(incident, "work_item")
        actions.fulfil_obligation(house.ada, row.pk, reference="T-1", deployed_at=house.now, now=house.now)
        assert actions.close(house.ada, incident.ref, now=house.now).state == "closed"

    def test_what_a_machine_ended_lacks_nothing_it_could_fill(self, house: House) -> None:
        row = world.alert(now=house.now, priority=3)
        [incident] = world.change(row, now=house.now)
        world.end(row, now=house.now)
        ended = world.fresh(incident)
        assert (ended.state, ended.category, ended.service) == ("resolved", "resource", house.service)


class TestReopening:
    def test_within_the_window_a_new_generation_begins(self, house: House) -> None:
        incident = house.declare()
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        resolved(house, incident)
        house.pass_time(30 * MINUTE)
        again = actions.reopen(house.ada, incident.ref, reason="it is back", now=house.now)
        assert (again.state, again.generation, again.acknowledged_at) == ("investigating", 2, None)
        assert world.paged() == ["ada", "ada"]

    def test_later_a_new_one_is_declared(self, house: House) -> None:
        incident = house.declare()
        resolved(house, incident)
        with pytest.raises(Refused) as no:
            actions.reopen(house.ada, incident.ref, now=house.now + 31 * MINUTE)
        assert no.value.reason == "reopen_window_over"

    def test_not_while_another_is_open_for_the_same_cause(self, house: House) -> None:
        row = world.alert(now=house.now)
        [first] = world.change(row, now=house.now)
        world.end(row, now=house.now)
        world.change(world.alert(now=house.now), now=house.now)
        with pytest.raises(Refused) as no:
            actions.reopen(house.ada, first.ref, now=house.now)
        assert no.value.reason == "open_elsewhere"

    def test_an_acknowledgement_counts_anew(self, house: House) -> None:
        incident = house.declare()
        resolved(house, incident)
        actions.reopen(house.ada, incident.ref, now=house.now)
        taken = actions.acknowledge(house.ben, incident.ref, now=house.now)
        assert taken.acknowledged_by is not None
        house.run(HOUR, every=5 * MINUTE)
        assert world.paged() == ["ada", "ada"]


class TestEndOfAnAlert:
    @pytest.mark.parametrize("priority", [1, 2, 3])
    def test_it_resolves_what_nobody_has_taken(self, house: House, priority: int) -> None:
        row = world.alert(now=house.now, priority=priority)
        [incident] = world.change(row, now=house.now)
        world.end(row, now=house.now + MINUTE)
        assert world.fresh(incident).state == "resolved"
        assert world.mails() == []
        house.assert_log(incident, Kind.ALERT_ENDED, Kind.INCIDENT_RESOLVED)

    def test_a_taken_incident_of_the_gravest_priority_asks(self, house: House) -> None:
        row = world.alert(now=house.now, priority=1)
        [incident] = world.change(row, now=house.now)
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        world.end(row, now=house.now)
        marked = world.fresh(incident)
        assert (marked.state, marked.alert_ended_at) == ("acknowledged", house.now)
        [mail] = world.mails("follow_up")
        assert mail.address == "ada@harbor.example"
        assert "looks healthy again" in mail.payload["subject"]

    def test_a_taken_incident_of_a_lower_priority_is_resolved(self, house: House) -> None:
        row = world.alert(now=house.now, priority=2)
        [incident] = world.change(row, now=house.now)
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        world.end(row, now=house.now)
        assert world.fresh(incident).state == "resolved"

    def test_snoozing_raising_and_escalating_is_not_taking_it(self, house: House) -> None:
        row = world.alert(now=house.now, priority=3)
        [incident] = world.change(row, now=house.now)
        actions.snooze(house.ada, incident.ref, until=house.now + HOUR, now=house.now)
        actions.change_priority(house.ada, incident.ref, priority=1, reason="all regions", now=house.now)
        actions.escalate(house.ada, incident.ref, now=house.now)
        world.end(row, now=house.now + MINUTE)
        assert world.fresh(incident).state == "resolved"

    def test_taken_in_an_earlier_generation_is_not_taken(self, house: House) -> None:
        row = world.alert(now=house.now, priority=1)
        [incident] = world.change(row, now=house.now)
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        resolved(house, incident)
        actions.reopen(house.ada, incident.ref, now=house.now)
        world.end(row, now=house.now + MINUTE)
        assert world.fresh(incident).state == "resolved"

    def test_a_source_that_fell_silent_marks_the_gravest_and_the_chain_goes_on(self, house: House) -> None:
        row = world.alert(now=house.now, priority=1)
        [incident] = world.change(row, now=house.now)
        world.end(row, now=house.now, reason="silent")
        assert world.fresh(incident).alert_ended_at == house.now
        house.run(5 * MINUTE)
        assert world.paged() == ["ada", "ben"]

    def test_nobody_is_said_to_have_ended_what_fell_silent(self, house: House) -> None:
        row = world.alert(now=house.now, priority=2)
        [incident] = world.change(row, now=house.now)
        world.end(row, now=house.now, reason="silent")
        lines = queries.timeline(house.ada, incident.ref)[-2:]
        words = "Not heard of for 5 min; taken as ended"
        assert [line.text for line in lines] == [f"{words}: {row.name}", words]
        said = Entry.objects.filter(incident=incident.ref, kind__in=[Kind.ALERT_ENDED, Kind.INCIDENT_RESOLVED])
        assert set(said.values_list("actor", flat=True)) == {"system"}

    def test_an_end_that_was_said_is_the_senders(self, house: House) -> None:
        row = world.alert(now=house.now, priority=2)
        [incident] = world.change(row, now=house.now)
        world.end(row, now=house.now)
        lines = queries.timeline(house.ada, incident.ref)[-2:]
        assert [line.text for line in lines] == [f"The alert ended: {row.name}", "Working again. The alert ended."]
        said = Entry.objects.filter(incident=incident.ref, kind=Kind.INCIDENT_RESOLVED)
        assert said.get().actor == f"integration:{row.integration_id}"

    def test_an_slo_asks_whoever_has_it_after_the_calm_time_and_not_when_it_burns_again(self, house: House) -> None:
        objective = world.objective(house.service, now=house.now)
        said = world.signal(objective, now=house.now, priority=2)
        alert = world.slo_alert(said, now=house.now)
        [incident] = world.tell(AlertChange(alert, ChangeKind.OPENED, "new", said), now=house.now)
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        world.end(alert, now=house.now)
        assert (world.fresh(incident).state, world.fresh(incident).calm_since) == ("acknowledged", house.now)
        assert world.mails("follow_up")[0].not_before == house.now + 10 * MINUTE
        house.pass_time(5 * MINUTE)
        again = world.signal(objective, "reopened", now=house.now, episode=2)
        world.tell(
            AlertChange(world.slo_alert(again, now=house.now), ChangeKind.OPENED, "reopened", again), now=house.now
        )
        assert world.mails("follow_up") == []
        assert world.fresh(incident).calm_since is None

    def test_while_another_alert_of_it_fires_it_stays_open(self, house: House) -> None:
        objective = world.objective(house.service, now=house.now)
        signals = [world.signal(objective, now=house.now + n * MINUTE, urgency=u) for n, u in enumerate("ab")]
        alerts = [world.slo_alert(said, now=house.now) for said in signals]
        for said, alert in zip(signals, alerts, strict=True):
            [incident] = world.tell(AlertChange(alert, ChangeKind.OPENED, "new", said), now=house.now)
        world.end(alerts[0], now=house.now)
        assert world.fresh(incident).is_open
        world.end(alerts[1], now=house.now)
        assert not world.fresh(incident).is_open

    def test_the_end_of_an_alert_that_opened_nothing_is_no_fault(self, house: House) -> None:
        assert world.end(world.alert(now=house.now), now=house.now) == []

    def test_what_goes_on_after_a_person_resolved_it_opens_anew_when_it_is_told_again(self, house: House) -> None:
        row = world.alert(now=house.now)
        [first] = world.change(row, now=house.now)
        resolved(house, first)
        [second] = world.change(row, ChangeKind.REPEATED, now=house.now)
        assert second.pk != first.pk
        world.end(row, now=house.now)
        assert world.fresh(second).state == "resolved"


class TestMergingAndCancelling:
    @pytest.mark.req("R-9.2.11-9")
    def test_alerts_the_graver_priority_and_the_sooner_page_go_over(self, house: House) -> None:
        [parent] = world.change(world.alert("a", now=house.now, priority=2), now=house.now)
        house.pass_time(2 * MINUTE)
        row = world.alert("b", now=house.now, priority=1)
        [child] = world.change(row, now=house.now)
        survivor = actions.merge(house.ada, child.ref, into=parent.ref, now=house.now)
        assert (survivor.pk, survivor.priority, survivor.alert_count) == (parent.pk, 1, 2)
        gone = world.fresh(child)
        assert (gone.state, gone.merged_into, gone.number) == (State.MERGED, parent, child.number)
        assert Escalation.objects.get(incident=child).next_at is None
        assert Escalation.objects.get(incident=parent).next_at == house.now + 3 * MINUTE
        assert IncidentAlert.objects.filter(incident=parent).count() == 2
        world.end(row, now=house.now)
        assert world.fresh(parent).is_open
        world.end(Alert.objects.get(dedup_key="a"), now=house.now)
        assert not world.fresh(parent).is_open

    def test_not_into_itself_and_not_into_one_that_is_over(self, house: House) -> None:
        one, two = house.declare(), house.declare()
        with pytest.raises(Refused):
            actions.merge(house.ada, one.ref, into=one.ref, now=house.now)
        resolved(house, two)
        with pytest.raises(Refused):
            actions.merge(house.ada, one.ref, into=two.ref, now=house.now)

    def test_cancelling_needs_a_reason_and_lets_everything_lapse(self, house: House) -> None:
        incident = house.declare()
        with pytest.raises(Invalid):
            actions.cancel(house.ada, incident.ref, reason="", now=house.now)
        actions.cancel(house.ada, incident.ref, reason="a drill", now=house.now)
        assert world.owed(incident) == {}
        assert world.mails() == []


class TestUndo:
    def seq(self, incident: Incident, kind: str) -> int:
        from tocsin.audit.models import Entry

        return Entry.objects.filter(incident=incident.ref, kind=kind).latest("seq").seq

    def test_a_priority_is_taken_back_within_half_a_minute_and_both_stay_in_the_log(self, house: House) -> None:
        incident = house.declare(priority=2)
        actions.change_priority(house.ada, incident.ref, priority=1, reason="oh", now=house.now)
        house.pass_time(MINUTE / 2)
        seq = self.seq(incident, Kind.PRIORITY_CHANGED)
        assert actions.undo(house.ada, incident.ref, seq, now=house.now).priority == 2
        assert len(world.entries(incident, Kind.PRIORITY_CHANGED)) == 2
        house.assert_log(incident, Kind.INCIDENT_UNDONE)
        assert "hotfix" not in world.owed(incident)

    def test_later_it_is_too_late(self, house: House) -> None:
        incident = house.declare(priority=2)
        actions.change_priority(house.ada, incident.ref, priority=1, reason="oh", now=house.now)
        seq = self.seq(incident, Kind.PRIORITY_CHANGED)
        with pytest.raises(Refused) as no:
            actions.undo(house.ada, incident.ref, seq, now=house.now + MINUTE)
        assert no.value.reason == "too_late"

    def test_not_twice(self, house: House) -> None:
        incident = house.declare(priority=2)
        actions.change_priority(house.ada, incident.ref, priority=1, reason="oh", now=house.now)
        seq = self.seq(incident, Kind.PRIORITY_CHANGED)
        actions.undo(house.ada, incident.ref, seq, now=house.now)
        with pytest.raises(Refused):
            actions.undo(house.ada, incident.ref, seq, now=house.now)

    def test_a_severity_is_taken_back(self, house: House) -> None:
        incident = house.declare()
        actions.change_severity(house.ada, incident.ref, severity="error", now=house.now)
        undone = actions.undo(house.ada, incident.ref, self.seq(incident, Kind.SEVERITY_CHANGED), now=house.now)
        assert undone.severity == "warning"

    def test_a_resolution_is_taken_back_to_the_state_before_it(self, house: House) -> None:
        incident = house.declare()
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        resolved(house, incident)
        undone = actions.undo(house.ada, incident.ref, self.seq(incident, Kind.INCIDENT_RESOLVED), now=house.now)
        assert (undone.state, undone.resolved_at, undone.generation) == ("acknowledged", None, 1)
        house.run(HOUR, every=5 * MINUTE)
        assert world.paged() == ["ada"]

    def test_an_untaken_one_pages_again(self, house: House) -> None:
        incident = house.declare()
        resolved(house, incident)
        actions.undo(house.ada, incident.ref, self.seq(incident, Kind.INCIDENT_RESOLVED), now=house.now)
        assert world.paged() == ["ada", "ada"]

    def test_other_entries_cannot_be_taken_back(self, house: House) -> None:
        incident = house.declare()
        for seq in (self.seq(incident, Kind.INCIDENT_DECLARED), 4711):
            with pytest.raises(NotFound):
                actions.undo(house.ada, incident.ref, seq, now=house.now)
