"""The checklists around a postmortem, reviews of action items, tensions that postpone the meeting, and what they prove."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.domains import worlds
from tests.domains.incident_worlds import House, entries
from tocsin.audit.models import Entry
from tocsin.core.adherence_outcomes import Verdict
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.postmortem_checklist import ItemState
from tocsin.incidents import actions as incidents
from tocsin.incidents import snapshots, tensions
from tocsin.incidents.models import Incident
from tocsin.insights import adherence, wellbeing
from tocsin.postmortems import actions, queries
from tocsin.postmortems.models import ActionItem, ActionReview

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def house() -> House:
    return House()


def resolved(house: House, severity: str = "error") -> Incident:
    """Ada did the work, Ben coordinated; it is over and its postmortem is a draft."""
    incident = house.declare(severity=severity, description="Two teams are needed")
    incidents.acknowledge(house.ada, incident.ref, now=house.now)
    incidents.assign_role(house.ada, incident.ref, role="incident_coordinator", username="ben", now=house.now)
    incidents.resolve(house.ada, incident.ref, category="deploy", now=house.now)
    actions.start_postmortem(house.ada, incident.ref, now=house.now)
    return incident


def codes(incident: Incident) -> list[str]:
    return [item.code for item in snapshots.process_of(incident).postmortem.lifecycle]


def verdict(house: House, incident: Incident, check: str) -> Verdict:
    return adherence.of_incident(house.ada, incident.ref, now=house.now).outcomes[check].verdict


def item(house: House, incident: Incident, days: int = 7) -> ActionItem:
    day = (house.now + timedelta(days=days)).date()
    return actions.add_action(house.ada, incident.ref, title="Add a fuse", driver="ada", review_date=day, now=house.now)


@pytest.mark.req("R-9.5.2-1")
def test_the_lifecycle_is_three_checklists_each_item_with_role_state_reason_and_time(house: House) -> None:
    incident = resolved(house)
    lines = queries.checklist(queries.postmortem(house.ada, incident.ref))
    counts = {phase: sum(one.item.phase == phase for one in lines) for phase in ("before", "during", "after")}
    assert counts == {"before": 6, "during": 11, "after": 8}
    assert all(one.item.who and one.state is ItemState.OPEN for one in lines)
    actions.mark_item(house.ada, incident.ref, "B1", state="done", now=house.now)
    actions.mark_item(house.ben, incident.ref, "A5", state="explained", reason="Nothing was recorded", now=house.now)
    found = {one.item.code: one for one in queries.checklist(queries.postmortem(house.ada, incident.ref))}
    assert found["B1"].state is ItemState.DONE
    mark = found["A5"].mark
    assert mark is not None
    assert (mark.state, mark.by, mark.reason, mark.at) == (
        ItemState.EXPLAINED,
        "ben",
        "Nothing was recorded",
        house.now,
    )
    assert [one["item"] for one in entries(incident, Kind.POSTMORTEM_ITEM_DONE)] == ["B1"]


def test_an_item_said_twice_is_logged_once_and_can_be_opened_again(house: House) -> None:
    incident = resolved(house)
    for _ in range(2):
        actions.mark_item(house.ada, incident.ref, "B1", state="done", now=house.now)
    assert len(entries(incident, Kind.POSTMORTEM_ITEM_DONE)) == 1
    actions.mark_item(house.ada, incident.ref, "B1", state="open", now=house.now)
    assert queries.postmortem(house.ada, incident.ref).marks.count() == 0
    assert len(entries(incident, Kind.POSTMORTEM_ITEM_REOPENED)) == 1


def test_what_cannot_be_said_of_an_item_is_refused(house: House) -> None:
    incident = resolved(house)
    with pytest.raises(NotFound):
        actions.mark_item(house.ada, incident.ref, "Z9", state="done", now=house.now)
    with pytest.raises(Invalid) as without:
        actions.mark_item(house.ada, incident.ref, "B1", state="explained", reason=" ", now=house.now)
    assert set(without.value.fields) == {"reason"}
    with pytest.raises(Invalid):
        actions.mark_item(house.ada, incident.ref, "B1", state="half", now=house.now)
    reader = worlds.actor("rea", role="reader", now=house.now)
    with pytest.raises(NotAllowed):
        actions.mark_item(reader, incident.ref, "B1", state="done", now=house.now)
    assert Entry.objects.filter(kind__startswith="postmortem.item").count() == 0


@pytest.mark.req("R-9.1-11")
def test_the_checklist_check_passes_fails_waits_is_waived_or_does_not_apply(house: House) -> None:
    without = house.declare(title="A small one", priority=2)
    assert verdict(house, without, "AC18") is Verdict.NOT_APPLICABLE
    incident = resolved(house)
    assert verdict(house, incident, "AC18") is Verdict.NOT_DUE
    *others, last = codes(incident)
    for code in others:
        actions.mark_item(house.ada, incident.ref, code, state="done", now=house.now)
    assert verdict(house, incident, "AC18") is Verdict.NOT_DUE
    for part in queries.postmortem(house.ada, incident.ref).template:
        if part["required"]:
            actions.edit_section(house.ada, incident.ref, section=str(part["code"]), text="Written.", now=house.now)
    for state in ("in_review", "reviewed", "closed"):
        actions.move(house.ben, incident.ref, state, now=house.now)
    assert verdict(house, incident, "AC18") is Verdict.FAILED
    owner = worlds.actor("olga", role="process_owner", now=house.now)
    incidents.waive_check(owner, incident.ref, check="AC18", reason="A drill", now=house.now)
    assert verdict(house, incident, "AC18") is Verdict.WAIVED
    actions.mark_item(house.ada, incident.ref, last, state="explained", reason="Nobody asked", now=house.now)
    assert verdict(house, incident, "AC18") is Verdict.PASSED


@pytest.mark.req("R-9.5-5")
def test_a_review_keeps_who_looked_what_they_found_and_asks_for_a_new_date_when_it_is_not_done(house: House) -> None:
    incident = resolved(house)
    row = item(house, incident)
    house.pass_time(WEEK)
    with pytest.raises(Invalid) as without:
        actions.review_action(house.ada, row.pk, verdict="not_done", participants=["ben"], now=house.now)
    assert set(without.value.fields) == {"next_review"}
    assert not ActionReview.objects.exists()
    later = (house.now + WEEK).date()
    actions.review_action(
        house.ada, row.pk, verdict="not_done", participants=["ben"], next_review=later, note="Waits.", now=house.now
    )
    row.refresh_from_db()
    assert (row.postponements, row.review_date, row.status) == (1, later, "proposed")
    kept = ActionReview.objects.get()
    assert (kept.participants, kept.verdict, kept.next_review) == (["ben", "ada"], "not_done", later)
    [told] = entries(incident, Kind.ACTION_REVIEWED)
    assert (told["participants"], told["verdict"], told["postponements"]) == ("ben, ada", "not done", 1)
    house.pass_time(WEEK)
    actions.review_action(house.ben, row.pk, verdict="done", now=house.now)
    row.refresh_from_db()
    assert (row.status, row.done_at, row.postponements) == ("done", house.now, 1)
    with pytest.raises(Refused):
        actions.review_action(house.ben, row.pk, verdict="done", now=house.now)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"verdict": "maybe"}, "verdict"),
        ({"verdict": "not_done", "next_review": date(2026, 11, 1)}, "next_review"),
        ({"verdict": "dropped"}, "note"),
    ],
)
def test_a_review_that_says_too_little_changes_nothing(house: House, told: dict[str, object], field: str) -> None:
    row = item(house, resolved(house))
    with pytest.raises(Invalid) as refused:
        actions.review_action(house.ada, row.pk, now=house.now, **told)  # type: ignore[arg-type]
    assert set(refused.value.fields) == {field}
    assert not Entry.objects.filter(kind=Kind.ACTION_REVIEWED).exists()


def test_the_driver_reviews_the_own_item_and_a_reader_no_other(house: House) -> None:
    row = item(house, resolved(house))
    rea = worlds.actor("rea", role="reader", now=house.now)
    with pytest.raises(NotAllowed):
        actions.review_action(rea, row.pk, verdict="done", now=house.now)
    actions.change_action(house.ada, row.pk, driver="rea", now=house.now)
    assert actions.review_action(rea, row.pk, verdict="done", now=house.now).status == "done"


@pytest.mark.req("R-9.1-11")
def test_the_check_of_reviews_passes_fails_waits_is_waived_or_does_not_apply(house: House) -> None:
    incident = resolved(house)
    assert verdict(house, incident, "AC20") is Verdict.NOT_APPLICABLE
    row = item(house, incident)
    assert verdict(house, incident, "AC20") is Verdict.NOT_DUE
    house.pass_time(WEEK)
    later = (house.now + WEEK).date()
    actions.review_action(house.ada, row.pk, verdict="not_done", next_review=later, now=house.now)
    assert verdict(house, incident, "AC20") is Verdict.NOT_DUE
    house.pass_time(WEEK)
    actions.review_action(house.ada, row.pk, verdict="done", now=house.now)
    assert verdict(house, incident, "AC20") is Verdict.PASSED
    late = item(house, incident, days=1)
    house.pass_time(WEEK)
    assert verdict(house, incident, "AC20") is Verdict.FAILED
    actions.review_action(house.ada, late.pk, verdict="done", now=house.now)
    assert verdict(house, incident, "AC20") is Verdict.FAILED
    owner = worlds.actor("olga", role="process_owner", now=house.now)
    incidents.waive_check(owner, incident.ref, check="AC20", reason="Ada was away", now=house.now)
    assert verdict(house, incident, "AC20") is Verdict.WAIVED


@pytest.mark.req("R-9.5.2-2")
def test_an_open_tension_refuses_the_start_of_the_meeting_unless_the_coordinator_says_why(house: House) -> None:
    incident = resolved(house)
    incidents.note_people_issue(house.ada, incident.ref, text="We do not talk", now=house.now)
    with pytest.raises(Refused) as waits:
        actions.move(house.ben, incident.ref, "in_review", now=house.now)
    assert waits.value.reason == "people_issue"
    with pytest.raises(NotAllowed):
        actions.move(house.ada, incident.ref, "in_review", override="It cannot wait", now=house.now)
    assert queries.postmortem(house.ada, incident.ref).state == "draft"
    actions.move(house.ben, incident.ref, "in_review", override="It cannot wait", now=house.now)
    [moved] = entries(incident, Kind.POSTMORTEM_MOVED)
    assert moved["override"] == "It cannot wait"


def test_while_who_noted_it_objects_nobody_starts_the_meeting_and_nobody_else_settles_it(house: House) -> None:
    incident = resolved(house)
    row = incidents.note_people_issue(house.ada, incident.ref, text="We do not talk", objects=True, now=house.now)
    with pytest.raises(Refused):
        actions.move(house.ben, incident.ref, "in_review", override="It cannot wait", now=house.now)
    with pytest.raises(NotAllowed):
        incidents.settle_people_issue(house.ben, incident.ref, row.pk, now=house.now)
    incidents.settle_people_issue(house.ada, incident.ref, row.pk, now=house.now)
    actions.move(house.ben, incident.ref, "in_review", now=house.now)
    with pytest.raises(Refused):
        incidents.settle_people_issue(house.ada, incident.ref, row.pk, now=house.now)


@pytest.mark.req("R-9.5.3-7")
def test_of_a_tension_others_see_that_it_is_there_and_its_state_and_nothing_else(house: House) -> None:
    incident = resolved(house)
    coach = worlds.actor("cora", role="coach", now=house.now)
    carl = worlds.actor("carl", in_team="identity", now=house.now)
    row = incidents.note_people_issue(house.ada, incident.ref, text="We do not talk", now=house.now)
    assert tensions.gate(incident).open_issues == 1
    assert [one.pk for one in tensions.readable(house.ada, incident)] == [row.pk]
    assert [one.pk for one in tensions.readable(house.ben, incident)] == [row.pk]
    for other in (house.admin, coach, carl):
        assert tensions.readable(other, incident) == []
        with pytest.raises(NotFound):
            incidents.settle_people_issue(other, incident.ref, row.pk, now=house.now)
    shared = incidents.note_people_issue(house.ada, incident.ref, text="Nor do they", shared_with="cora", now=house.now)
    assert [one.pk for one in tensions.readable(coach, incident)] == [shared.pk]
    log = Entry.objects.filter(kind=Kind.PEOPLE_ISSUE_NOTED)
    assert {entry.actor for entry in log} == {"system"}
    assert all(entry.data == {} for entry in log)


def test_an_open_tension_prompts_whoever_coordinated_and_is_quiet_once_settled(house: House) -> None:
    incident = resolved(house)

    def prompts() -> list[str]:
        view = wellbeing.people_of(house.ben, incident.ref, now=house.now)
        return [one.text for one in view.unanswered if one.check == "WB-B2"]

    assert prompts() == []
    row = incidents.note_people_issue(house.ada, incident.ref, text="We do not talk", now=house.now)
    [said] = prompts()
    assert "not settled: 1" in said
    assert "We do not talk" not in said
    incidents.settle_people_issue(house.ada, incident.ref, row.pk, now=house.now)
    assert prompts() == []


def test_a_meeting_without_its_prime_directive_prompts_and_is_quiet_once_it_was_said(house: House) -> None:
    incident = resolved(house)

    def prompts() -> list[str]:
        view = wellbeing.people_of(house.ben, incident.ref, now=house.now)
        return [one.text for one in view.unanswered if one.check == "WB-B3"]

    assert prompts() == []
    actions.move(house.ben, incident.ref, "in_review", now=house.now)
    assert prompts() == ["Begin the postmortem with the prime directive."]
    [directive] = [one.code for one in snapshots.process_of(incident).postmortem.lifecycle if one.directive]
    actions.mark_item(house.ben, incident.ref, directive, state="done", now=house.now)
    assert prompts() == []
