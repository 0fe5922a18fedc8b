"""From a resolved incident to a lesson with a driver and a review date."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import HOUR, MINUTE, House
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.audit.models import Entry
from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM, Actor, ActorKind, Role
from tocsin.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import actions as incidents
from tocsin.incidents.models import Incident, ObligationState
from tocsin.people import actions as people
from tocsin.postmortems import actions, drafting, queries
from tocsin.postmortems.drafting import LEFT_OUT
from tocsin.postmortems.models import ActionItem, ActionStatus, Postmortem
from tocsin.slo import actions as slo
from tocsin.slo.actions import counting

pytestmark = pytest.mark.django_db

SUMMARY = {
    "summary": "Log-ons failed.",
    "contributing_factors": "A change reached all regions.",
    "learnings": "Roll out.",
}


@pytest.fixture
def house() -> House:
    return House()


def resolved(house: House, **fields: Any) -> Incident:
    """An incident that was taken, mitigated and resolved within 40 minutes, a postmortem drafted of it."""
    incident = house.declare(**fields)
    house.pass_time(3 * MINUTE)
    incidents.acknowledge(house.ada, incident.number, now=house.now)
    house.pass_time(17 * MINUTE)
    incidents.move(house.ada, incident.number, "mitigated", now=house.now)
    house.pass_time(20 * MINUTE)
    incidents.resolve(house.ada, incident.number, category="deploy", note="Rolled back.", now=house.now)
    actions.draft_missing(now=house.now)
    return world.fresh(incident)


def paper(incident: Incident) -> Postmortem:
    return queries.postmortem(SYSTEM, incident.number)


def complete(house: House, incident: Incident) -> None:
    """Write what the template requires, one action item with driver and review date included."""
    for part in paper(incident).template:
        if part["required"]:
            text = SUMMARY.get(str(part["code"]), "Written.")
            actions.edit_section(house.ada, incident.number, section=str(part["code"]), text=text, now=house.now)
    add(house, incident, driver="ada", review_date=date(2026, 12, 7))


def add(house: House, incident: Incident, title: str = "Roll out by region", **fields: Any) -> ActionItem:
    return actions.add_action(house.ada, incident.number, title=title, now=house.now, **fields)


class TestTheDraft:
    def test_an_ended_incident_that_owes_one_gets_one_once(self, house: House) -> None:
        incident = resolved(house)
        assert Postmortem.objects.count() == 1
        assert actions.draft_missing(now=house.now) == 0
        house.assert_log(incident, Kind.POSTMORTEM_DRAFTED)
        row = paper(incident)
        assert (row.state, row.title, row.owner.username) == ("draft", "38% of log-ons fail", "ada")
        assert row.meeting_due_at == house.now + timedelta(days=3)

    def test_an_incident_that_owes_none_gets_none_unless_somebody_begins_it(self, house: House) -> None:
        incident = resolved(house, priority=2)
        assert not Postmortem.objects.exists()
        first = actions.start_postmortem(house.ada, incident.number, now=house.now)
        again = actions.start_postmortem(house.ben, incident.number, now=house.now)
        assert first.pk == again.pk

    def test_while_it_goes_on_nothing_is_drafted(self, house: House) -> None:
        house.declare()
        assert actions.draft_missing(now=house.now) == 0

    @pytest.mark.req("R-9.5.3-4")
    def test_the_timeline_has_a_line_for_each_recorded_event_before_anyone_types(self, house: House) -> None:
        incident = house.declare(groups=["customer-support"])
        incidents.acknowledge(house.ada, incident.number, now=house.now)
        incidents.change_severity(house.ada, incident.number, severity="error", reason="Two teams.", now=house.now)
        incidents.assign_role(house.ada, incident.number, role="incident_coordinator", username="ben", now=house.now)
        incidents.annotate(house.ben, incident.number, text="Roll back.", kind="decision", now=house.now)
        comms.send_update(house.ben, incident.number, text="We look.", next_update_at=house.now + HOUR, now=house.now)
        incidents.resolve(house.ada, incident.number, category="deploy", now=house.now)
        actions.draft_missing(now=house.now)
        entries = Entry.objects.filter(incident=incident.ref).order_by("seq")
        recorded = [entry for entry in entries if entry.kind not in LEFT_OUT]
        lines = list(paper(incident).timeline.all())
        assert [line.source_seq for line in lines] == [entry.seq for entry in recorded]
        kinds = {entry.kind for entry in recorded}
        assert kinds >= {
            Kind.INCIDENT_DECLARED,
            Kind.PAGE_CREATED,
            Kind.INCIDENT_ACKNOWLEDGED,
            Kind.SEVERITY_CHANGED,
            Kind.ROLE_TAKEN,
            Kind.INCIDENT_NOTED,
            Kind.UPDATE_SENT,
            Kind.INCIDENT_RESOLVED,
        }
        assert all(line.text for line in lines)

    def test_a_draft_follows_what_is_recorded_after_the_end(self, house: House) -> None:
        incident = resolved(house, groups=["customer-support"])
        before = paper(incident)
        house.pass_time(MINUTE)
        comms.send_update(house.ada, incident.number, text="It works again.", now=house.now)
        assert actions.draft_missing(now=house.now) == 1
        assert actions.draft_missing(now=house.now) == 0
        after = paper(incident)
        assert after.timeline.count() > before.timeline.count()
        assert "It works again." in list(after.timeline.all())[-1].text
        assert after.version == before.version

    def test_what_left_the_draft_is_changed_by_people_only(self, house: House) -> None:
        incident = resolved(house)
        complete(house, incident)
        actions.draft_missing(now=house.now)
        actions.move(house.ada, incident.number, "in_review", now=house.now)
        count = paper(incident).timeline.count()
        incidents.annotate(house.ada, incident.number, text="Later thought.", now=house.now)
        assert actions.draft_missing(now=house.now) == 0
        assert paper(incident).timeline.count() == count

    @pytest.mark.req("R-9.5.7-1")
    def test_the_template_is_filled_from_what_was_recorded(self, house: House) -> None:
        objective = world.objective(house.service, now=house.now)
        with transaction.atomic():
            slo.add_counts(
                [
                    counting.Count(objective_id=objective.pk, at=house.now + n * MINUTE, good=900, bad=100)
                    for n in range(60)
                ],
                now=house.now + HOUR,
            )
        said = world.signal(objective, now=house.now + 30 * MINUTE, priority=1)
        house.pass_time(30 * MINUTE)
        [incident] = world.tell(
            AlertChange(world.slo_alert(said, now=house.now), ChangeKind.OPENED, "new", said), now=house.now
        )
        incidents.acknowledge(house.ada, incident.number, now=house.now)
        incidents.assign_role(house.ada, incident.number, role="incident_coordinator", username="ben", now=house.now)
        incidents.change_priority(house.ada, incident.number, priority=2, reason="A few only.", now=house.now)
        incidents.change_priority(house.ada, incident.number, priority=1, reason="All of them.", now=house.now)
        comms.send_update(house.ada, incident.number, text="We look.", next_update_at=house.now + HOUR, now=house.now)
        house.pass_time(30 * MINUTE)
        incidents.resolve(house.ada, incident.number, category="deploy", now=house.now)
        actions.draft_missing(now=house.now)
        sections = paper(incident).sections
        assert "INC-1" in sections["header"]
        assert "Opened: 2026-11-23 02:42 UTC" in sections["header"]
        assert "Resolved: 2026-11-23 03:12 UTC" in sections["header"]
        assert "Priority P1, severity" in sections["classification"]
        assert "Priority P1 -> P2: A few only." in sections["classification"]
        assert sections["classification"].endswith("At the end: P1, warning")
        assert "Last breach: 380 of 1000 events failed in 1 h 0 min" in sections["impact"]
        assert "events of log-on-availability" in sections["impact"]
        assert "% of what 28 days allow" in sections["impact"]
        assert "An SLO alert found it." in sections["detection"]
        assert "incident coordinator: Ben from" in sections["response"]
        assert "Pages: " in sections["response"]
        assert "opening update to Management" in sections["response"]
        assert [text for text in sections.values() if re.search(r"\dT\d\d:", text)] == []

    def test_the_budget_that_was_consumed_is_reckoned_from_the_counts(self, house: House) -> None:
        objective = world.objective(house.service, now=house.now)
        with transaction.atomic():
            slo.add_counts(
                [counting.Count(objective_id=objective.pk, at=house.now, good=9_900, bad=100)], now=house.now
            )
        said = world.signal(objective, now=house.now, priority=1)
        [incident] = world.tell(
            AlertChange(world.slo_alert(said, now=house.now), ChangeKind.OPENED, "new", said), now=house.now
        )
        incidents.resolve(house.ada, incident.number, category="deploy", now=house.now)
        actions.draft_missing(now=house.now)
        # 100 of 10,000 events failed, and 99 % allow a hundredth of them to fail: all of it is gone.
        assert "Error budget consumed: 100.0 % of what 28 days allow" in paper(incident).sections["impact"]

    def test_what_failed_an_hour_before_the_incident_is_no_part_of_it(self, house: House) -> None:
        objective = world.objective(house.service, now=house.now)
        before, during = house.now - 30 * MINUTE, house.now + 2 * MINUTE
        counts = [
            counting.Count(objective_id=objective.pk, at=before, good=5_000, bad=200),
            counting.Count(objective_id=objective.pk, at=house.now - 3 * MINUTE, good=90, bad=10),
            counting.Count(objective_id=objective.pk, at=during, good=900, bad=100),
        ]
        with transaction.atomic():
            slo.add_counts(counts, now=during)
        said = world.signal(objective, now=house.now, priority=1)
        [incident] = world.tell(
            AlertChange(world.slo_alert(said, now=house.now), ChangeKind.OPENED, "new", said), now=house.now
        )
        house.pass_time(10 * MINUTE)
        incidents.resolve(house.ada, incident.number, category="deploy", now=house.now)
        actions.draft_missing(now=house.now)
        impact = paper(incident).sections["impact"]
        assert "Failed while it lasted: 110 of 1100 events of log-on-availability, from 2026-11-23 02:07 UTC" in impact

    def test_business_days_are_those_of_the_team(self, house: House) -> None:
        team = people.add_team(SYSTEM, name="weekenders", now=house.now)
        team.business_hours = {"days": [5, 6]}
        team.save(update_fields=["business_hours"])
        worlds.service("archive", of_team="weekenders")
        incident = house.declare(service="archive", priority=2)
        incidents.resolve(house.admin, incident.number, category="deploy", now=house.now)
        row = actions.start_postmortem(house.admin, incident.number, now=house.now)
        assert row.meeting_due_at is not None
        assert row.meeting_due_at.date() == date(2026, 12, 12)

    def test_one_that_cannot_be_drafted_does_not_keep_the_others_from_it(
        self, house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        broken, fine = house.declare("Broken"), house.declare("Fine")
        for incident in (broken, fine):
            incidents.resolve(house.ada, incident.number, category="deploy", now=house.now)
        real = drafting.sections_of

        def fail(incident: Incident, *args: Any) -> dict[str, str]:
            if incident.pk == broken.pk:
                raise RuntimeError("no words")
            return real(incident, *args)

        monkeypatch.setattr(drafting, "sections_of", fail)
        assert actions.draft_missing(now=house.now) == 1
        assert [row.incident_id for row in Postmortem.objects.all()] == [fine.pk]
        assert "failed" in caplog.text


class TestWriting:
    def test_a_section_is_written_and_logged(self, house: House) -> None:
        incident = resolved(house)
        row = actions.edit_section(
            house.ada, incident.number, section="summary", text="Log-ons\x00 failed.", now=house.now
        )
        assert row.sections["summary"] == "Log-ons\ufffd failed."
        house.assert_log(incident, Kind.POSTMORTEM_EDITED)

    def test_two_who_write_at_once_lose_nothing(self, house: House) -> None:
        incident = resolved(house)
        version = paper(incident).version
        actions.edit_section(house.ada, incident.number, section="summary", text="A", version=version, now=house.now)
        with pytest.raises(Conflict):
            actions.edit_section(
                house.ben, incident.number, section="summary", text="B", version=version, now=house.now
            )
        assert paper(incident).sections["summary"] == "A"

    def test_only_sections_of_the_template_can_be_written(self, house: House) -> None:
        incident = resolved(house)
        with pytest.raises(Invalid):
            actions.edit_section(house.ada, incident.number, section="gossip", text="x", now=house.now)

    def test_people_add_lines_of_their_own_to_the_timeline(self, house: House) -> None:
        incident = resolved(house)
        began = incident.created_at - 5 * MINUTE
        actions.add_entry(house.ben, incident.number, at=began, text="The deploy began.", now=house.now)
        first = paper(incident).timeline.all()[0]
        assert (first.at, first.author, first.certainty, first.source_seq) == (began, "ben", "estimated", None)
        for wrong in ({"text": " "}, {"at": house.now + MINUTE}, {"certainty": "rumour"}):
            with pytest.raises(Invalid):
                actions.add_entry(house.ben, incident.number, **{"at": began, "text": "x", "now": house.now, **wrong})

    def test_readers_read_and_do_not_write(self, house: House) -> None:
        incident = resolved(house)
        reader = worlds.actor("rita", role=Role.READER.value)
        assert queries.postmortem(reader, incident.number).pk
        for verb in (
            lambda: actions.edit_section(reader, incident.number, section="summary", text="x", now=house.now),
            lambda: actions.add_action(reader, incident.number, title="x", now=house.now),
            lambda: actions.move(reader, incident.number, "in_review", now=house.now),
            lambda: actions.start_postmortem(reader, incident.number, now=house.now),
        ):
            with pytest.raises(NotAllowed):
                verb()

    def test_an_incident_without_one_says_so(self, house: House) -> None:
        incident = house.declare(priority=3)
        with pytest.raises(NotFound):
            queries.postmortem(house.ada, incident.number)
        with pytest.raises(NotFound):
            actions.edit_section(house.ada, incident.number, section="summary", text="x", now=house.now)


class TestStatus:
    @pytest.mark.req("R-9.4-1")
    def test_reviewed_needs_every_required_section(self, house: House) -> None:
        incident = resolved(house)
        add(house, incident, driver="ada", review_date=date(2026, 12, 7))
        actions.move(house.ada, incident.number, "in_review", now=house.now)
        with pytest.raises(Refused) as refused:
            actions.move(house.ada, incident.number, "reviewed", now=house.now)
        assert refused.value.reason == "section_missing"
        assert "summary" in str(refused.value)
        assert "contributing_factors" in str(refused.value)
        assert paper(incident).state == "in_review"

    @pytest.mark.req("R-9.5-4")
    @pytest.mark.parametrize("fields", [{"driver": "ada"}, {"review_date": date(2026, 12, 7)}])
    def test_in_review_needs_a_driver_and_a_review_date_of_every_item(self, house: House, fields: Any) -> None:
        incident = resolved(house)
        item = add(house, incident, **fields)
        with pytest.raises(Refused) as refused:
            actions.move(house.ada, incident.number, "in_review", now=house.now)
        assert refused.value.reason == "action_item_incomplete"
        actions.change_action(house.ada, item.pk, driver="ada", review_date=date(2026, 12, 7), now=house.now)
        assert actions.move(house.ada, incident.number, "in_review", now=house.now).state == "in_review"

    @pytest.mark.req("R-9.5-4")
    def test_at_in_review_saving_an_item_without_either_is_refused(self, house: House) -> None:
        incident = resolved(house)
        item = add(house, incident, driver="ada", review_date=date(2026, 12, 7))
        actions.move(house.ada, incident.number, "in_review", now=house.now)
        with pytest.raises(Invalid) as refused:
            add(house, incident, "Second")
        assert set(refused.value.fields) == {"driver", "review_date"}
        with pytest.raises(Invalid):
            actions.change_action(house.ada, item.pk, driver=" ", now=house.now)
        with pytest.raises(Invalid):
            actions.change_action(house.ada, item.pk, review_date=None, now=house.now)

    def test_reviewed_fulfils_what_the_incident_owed_and_names_the_entry(self, house: House) -> None:
        incident = resolved(house)
        complete(house, incident)
        for state in ("in_review", "reviewed"):
            actions.move(house.ada, incident.number, state, now=house.now)
        owed = world.obligation(incident, "postmortem")
        moved = Entry.objects.filter(kind=Kind.POSTMORTEM_MOVED).latest("seq")
        assert (owed.state, owed.evidence_seq) == (ObligationState.FULFILLED, moved.seq)
        assert paper(incident).reviewed_at == house.now

    def test_closed_needs_every_item_settled(self, house: House) -> None:
        incident = resolved(house)
        complete(house, incident)
        for state in ("in_review", "reviewed"):
            actions.move(house.ada, incident.number, state, now=house.now)
        with pytest.raises(Refused) as refused:
            actions.move(house.ada, incident.number, "closed", now=house.now)
        assert refused.value.reason == "action_item_open"
        [item] = ActionItem.objects.all()
        actions.change_action(house.ada, item.pk, status="done", now=house.now)
        assert actions.move(house.ada, incident.number, "closed", now=house.now).closed_at == house.now
        assert actions.move(house.ada, incident.number, "reviewed", now=house.now).closed_at is None

    def test_no_status_is_passed_over_and_the_same_one_changes_nothing(self, house: House) -> None:
        incident = resolved(house)
        with pytest.raises(Refused):
            actions.move(house.ada, incident.number, "closed", now=house.now)
        with pytest.raises(Invalid):
            actions.move(house.ada, incident.number, "burnt", now=house.now)
        version = paper(incident).version
        actions.move(house.ada, incident.number, "draft", now=house.now)
        assert paper(incident).version == version


class TestItems:
    def test_an_item_stands_on_its_incident_also_without_a_postmortem(self, house: House) -> None:
        incident = house.declare(priority=3)
        item = add(house, incident, "  Fix it \x00", driver=" ada ")
        assert (item.title, item.driver, item.postmortem, item.rank) == ("Fix it \ufffd", "ada", None, 0)
        assert add(house, incident, "Second").rank == 1
        house.assert_log(incident, Kind.ACTION_ADDED)

    def test_a_moved_review_date_counts_as_a_postponement_unless_it_is_done(self, house: House) -> None:
        item = add(house, house.declare(), review_date=date(2026, 12, 1))
        for day in (8, 15, 15):
            item = actions.change_action(house.ada, item.pk, review_date=date(2026, 12, day), now=house.now)
        assert item.postponements == 2
        item = actions.change_action(house.ada, item.pk, status="done", review_date=date(2026, 12, 20), now=house.now)
        assert item.postponements == 2

    def test_the_times_of_the_work_are_kept(self, house: House) -> None:
        item = add(house, house.declare())
        began = house.now
        actions.change_action(house.ada, item.pk, status="in_progress", now=began)
        house.pass_time(HOUR)
        done = actions.change_action(house.ada, item.pk, status="done", now=house.now)
        assert (done.started_at, done.done_at) == (began, house.now)
        again = actions.change_action(house.ada, item.pk, status="in_progress", now=house.now)
        assert (again.started_at, again.done_at) == (began, None)

    @pytest.mark.parametrize(
        "fields",
        [
            {"title": ""},
            {"title": "x" * 301},
            {"driver": "x" * 151},
            {"horizon": "someday"},
        ],
    )
    def test_what_cannot_be_stored_is_refused_by_its_field(self, house: House, fields: dict[str, str]) -> None:
        incident = house.declare()
        with pytest.raises(Invalid) as refused:
            actions.add_action(house.ada, incident.number, **{"title": "Do it", "now": house.now, **fields})  # type: ignore[arg-type]
        assert set(refused.value.fields) == set(fields)

    @pytest.mark.parametrize(
        "fields", [{"status": "eaten"}, {"external_url": "javascript:alert(1)"}, {"incident": 7}, {"created_at": None}]
    )
    def test_what_cannot_be_changed_is_refused_by_its_field(self, house: House, fields: dict[str, Any]) -> None:
        item = add(house, house.declare())
        with pytest.raises(Invalid) as refused:
            actions.change_action(house.ada, item.pk, now=house.now, **fields)
        assert set(refused.value.fields) == set(fields)

    def test_the_driver_changes_the_own_item_and_a_name_alone_is_no_proof(self, house: House) -> None:
        item = add(house, house.declare(), driver="rita")
        rita = worlds.actor("rita", role=Role.READER.value)
        assert actions.change_action(rita, item.pk, status="in_progress", now=house.now).status == "in_progress"
        for kind, role in [(ActorKind.ANONYMOUS, Role.ANONYMOUS), (ActorKind.PERSON, Role.REVOKED)]:
            stranger = Actor(kind=kind, ident="rita", role=role)
            with pytest.raises(NotAllowed):
                actions.change_action(stranger, item.pk, status="done", now=house.now)
        with pytest.raises(NotFound):
            actions.change_action(house.ada, 0, status="done", now=house.now)

    def test_items_are_listed_by_review_date_with_the_late_ones_to_be_asked_for(self, house: House) -> None:
        incident = house.declare()
        late = add(house, incident, "Late", driver="ada", review_date=date(2026, 11, 22))
        soon = add(house, incident, "Soon", driver="ben", review_date=date(2026, 11, 24))
        done = add(house, incident, "Done", review_date=date(2026, 11, 20))
        actions.change_action(house.ada, done.pk, status=ActionStatus.DONE.value, now=house.now)
        assert list(queries.actions(house.ada)) == [done, late, soon]
        assert list(queries.actions(house.ada, open_only=True)) == [late, soon]
        assert list(queries.actions(house.ada, late_on=date(2026, 11, 23))) == [late]
        assert list(queries.actions(house.ada, driver="ben")) == [soon]


def test_postmortems_are_listed_newest_incident_first(house: House) -> None:
    first, second = resolved(house), resolved(house)
    assert [row.incident_id for row in queries.postmortems(house.ada)] == [second.pk, first.pk]
    assert list(queries.postmortems(house.ada, state="reviewed")) == []
