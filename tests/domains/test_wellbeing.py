"""Looking after the people of a response: the list, who sees it, what the log says, hand-overs, and the end of the team."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.domains import worlds
from tests.domains.incident_worlds import HOUR, MINUTE, House, entries, fresh, kinds_of, mails
from tocsin.audit.models import Entry
from tocsin.core.access import Actor, Role
from tocsin.core.adherence_outcomes import Verdict
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.wellbeing import AnswerState, Prompt
from tocsin.core.wellbeing_settings import Aspect
from tocsin.incidents import actions
from tocsin.incidents.models import CareAnswer, Incident, RoleHeld
from tocsin.insights import adherence, wellbeing
from tocsin.insights.wellbeing import PeopleView

pytestmark = pytest.mark.django_db
DONE, DEFERRED = AnswerState.DONE, AnswerState.DEFERRED
COORDINATOR, EXPERT = "incident_coordinator", "technical_expert"


@pytest.fixture
def house() -> House:
    return House()


def response(house: House, severity: str = "error") -> Incident:
    """Ada does the work, Ben coordinates."""
    incident = house.declare(severity=severity, priority=2)
    actions.acknowledge(house.ada, incident.ref, now=house.now)
    actions.assign_role(house.ada, incident.ref, role=COORDINATOR, username="ben", now=house.now)
    return incident


def seen(house: House, incident: Incident, actor: Actor) -> PeopleView:
    return wellbeing.people_of(actor, incident.ref, now=house.now)


def answer(house: House, incident: Incident, actor: Actor, prompt: Prompt, state: AnswerState = DONE) -> CareAnswer:
    return actions.answer_prompt(actor, incident.ref, prompt, answer=state, now=house.now)


def about(view: PeopleView, code: str, username: str = "") -> list[Prompt]:
    return [one for one in view.prompts if one.check == code and one.about == username]


@pytest.mark.req("R-9.3.12-1")
@pytest.mark.parametrize("severity", ["critical", "error"])
def test_the_list_opens_with_the_severity_and_each_prompt_is_answered_or_deferred(house: House, severity: str) -> None:
    incident = response(house, "warning")
    assert not seen(house, incident, house.ben).list_open
    assert seen(house, incident, house.ben).prompts == ()
    actions.change_severity(house.ada, incident.ref, severity=severity, reason="many feel it", now=house.now)
    actions.assign_role(house.ada, incident.ref, role=COORDINATOR, username="ben", now=house.now)
    view = seen(house, incident, house.ben)
    assert view.list_open
    assert {one.aspect for one in view.unanswered} == set(Aspect)
    for number, one in enumerate(view.unanswered):
        answer(house, incident, house.ben, one, DEFERRED if number % 2 else DONE)
    assert seen(house, incident, house.ben).unanswered == ()
    assert adherence.of_incident(house.ben, incident.ref, now=house.now).outcomes["AC16"].verdict is Verdict.PASSED
    house.pass_time(30 * MINUTE)
    assert len(seen(house, incident, house.ben).unanswered) >= len(view.unanswered) // 2


@pytest.mark.req("R-9.3.12-4")
def test_hours_bring_a_prompt_to_the_person_and_to_the_coordinator_and_block_nothing(house: House) -> None:
    incident = response(house)
    house.pass_time(8 * HOUR)
    [limit] = [one for one in about(seen(house, incident, house.ben), "WB-M1", "ada") if ":limit:" in one.key]
    assert "8 h" in limit.text
    assert limit in seen(house, incident, house.ada).prompts
    actions.annotate(house.ada, incident.ref, text="Still looking.", now=house.now)
    actions.move(house.ada, incident.ref, "identified", now=house.now)
    actions.assign_role(house.ben, incident.ref, role="observer", username="ben", now=house.now)
    answer(house, incident, house.ben, limit, DEFERRED)
    assert limit.key not in {one.key for one in seen(house, incident, house.ada).unanswered}


@pytest.mark.req("R-9.3.12-4")
def test_pages_at_night_by_the_persons_own_clock_bring_a_prompt(house: House) -> None:
    worlds.person("ben", now=house.now)
    first = house.declare("Log-on is slow")
    house.run(MINUTE)
    actions.acknowledge(house.ada, first.ref, now=house.now)
    actions.resolve(house.ada, first.ref, category="deploy", now=house.now)
    house.pass_time(24 * HOUR)
    second = response(house)
    house.run(MINUTE)
    other = house.declare("Log-on is down again")
    house.run(MINUTE)
    assert other.ref != second.ref
    [prompt] = about(seen(house, second, house.ben), "WB-M3", "ada")
    assert "2 times at night" in prompt.text


@pytest.mark.req("R-9.3.12-7")
def test_hours_and_prompts_are_seen_by_the_person_and_the_running_coordinator_and_nobody_else(house: House) -> None:
    incident = response(house)
    house.pass_time(3 * HOUR)
    ben, ada, root = (seen(house, incident, one) for one in (house.ben, house.ada, house.admin))
    assert [line.hours is not None for line in ben.lines] == [True, True]
    assert [line.hours is not None for line in ada.lines] == [True, False]
    assert [line.hours is not None for line in root.lines] == [False, False]
    assert {one.about for one in ben.prompts} == {"", "ada", "ben"}
    assert {one.about for one in ada.prompts} == {"ada"}
    assert (root.prompts, root.relief, root.strangers) == ((), (), ())
    actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
    assert {one.about for one in seen(house, incident, house.ben).prompts} <= {"", "ben"}


@pytest.mark.req("R-9.3.12-7")
def test_the_log_says_that_a_prompt_was_answered_and_nothing_about_whom_it_was(house: House) -> None:
    incident = response(house)
    house.pass_time(3 * HOUR)
    [break_of_ada] = [one for one in about(seen(house, incident, house.ada), "WB-M1", "ada") if one.is_break]
    before = Entry.objects.order_by("-seq").first()
    answer(house, incident, house.ada, break_of_ada)
    entry = Entry.objects.order_by("-seq").first()
    assert entry is not None
    assert before is not None
    assert (entry.seq, entry.kind, entry.actor, entry.data) == (
        before.seq + 1,
        Kind.WELLBEING_ANSWERED,
        "system",
        {"answer": "done"},
    )
    [break_of_ben] = [one for one in about(seen(house, incident, house.ben), "WB-M1", "ben") if one.is_break]
    answer(house, incident, house.ben, break_of_ben, DEFERRED)
    told = json.dumps(entries(incident, Kind.WELLBEING_ANSWERED))
    assert not any(word in told for word in ("ada", "ben", "WB-", "break"))
    assert not any(":break:" in json.dumps(row) for row in Entry.objects.values_list("data", flat=True))


def test_a_break_that_was_taken_starts_its_clock_again(house: House) -> None:
    incident = response(house)
    house.pass_time(3 * HOUR)
    [one] = [one for one in about(seen(house, incident, house.ada), "WB-M1", "ada") if one.is_break]
    answer(house, incident, house.ada, one)
    assert not [one for one in seen(house, incident, house.ada).unanswered if one.is_break]
    house.pass_time(2 * HOUR)
    assert [one for one in seen(house, incident, house.ada).unanswered if one.is_break]


def test_only_the_person_and_whoever_coordinates_answer(house: House) -> None:
    incident = response(house)
    house.pass_time(3 * HOUR)
    [of_ben] = [one for one in about(seen(house, incident, house.ben), "WB-M1", "ben") if one.is_break]
    with pytest.raises(NotAllowed):
        answer(house, incident, house.ada, of_ben)
    with pytest.raises(NotFound):
        wellbeing.prompt_named(house.ada, incident.ref, of_ben.key, now=house.now)
    with pytest.raises(Invalid):
        answer(house, incident, house.ben, of_ben, AnswerState.OPEN)
    with pytest.raises(Invalid):
        actions.answer_prompt(house.ben, incident.ref, of_ben, answer=DEFERRED, wait=timedelta(days=2), now=house.now)
    assert not CareAnswer.objects.exists()


@pytest.mark.req("R-9.3.12-3")
def test_strangers_have_a_card_each_and_the_coordinator_sees_who_is_new_to_whom(house: House) -> None:
    incident = response(house)
    view = seen(house, incident, house.ben)
    assert [(line.name, line.team, line.time_zone, line.roles) for line in view.lines] == [
        ("Ada", "identity", "Europe/Berlin", ("Technical expert",)),
        ("Ben", "identity", "UTC", ("Incident coordinator",)),
    ]
    assert view.strangers == (("Ada", "Ben"),)
    assert seen(house, incident, house.ada).strangers == ()
    house.pass_time(6 * MINUTE)
    assert about(seen(house, incident, house.ada), "WB-S1", "ada")
    actions.introduce(house.ada, incident.ref, text="I know the session store.", now=house.now)
    assert not about(seen(house, incident, house.ada), "WB-S1", "ada")
    [told] = entries(incident, Kind.PERSON_INTRODUCED)
    assert told["card"] == "identity, Technical expert, Europe/Berlin. I know the session store."
    actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
    again = response(house)
    assert seen(house, again, house.ben).strangers == ()
    with pytest.raises(Refused):
        actions.introduce(house.admin, incident.ref, now=house.now)


def test_ground_rules_of_the_process_are_posted(house: House) -> None:
    incident = response(house)
    assert about(seen(house, incident, house.ben), "WB-E1")
    actions.post_ground_rules(house.ben, incident.ref, now=house.now)
    assert not about(seen(house, incident, house.ben), "WB-E1")
    assert "one speaks at a time" in entries(incident, Kind.GROUND_RULES_POSTED)[0]["rules"]


def test_where_things_stand_is_asked_for_until_it_is_said(house: House) -> None:
    incident = response(house)
    house.pass_time(HOUR + MINUTE)
    assert about(seen(house, incident, house.ben), "WB-T1")
    actions.annotate(house.ada, incident.ref, text="We think it is the cache.", kind="state", now=house.now)
    assert not about(seen(house, incident, house.ben), "WB-T1")


def test_entries_in_conflict_are_shown_until_settled(house: House) -> None:
    incident = response(house)
    first, second = Entry.objects.filter(incident=incident.ref).order_by("seq").values_list("seq", flat=True)[:2]
    name = actions.note_conflict(house.ada, incident.ref, one=second, other=first, now=house.now)
    assert about(seen(house, incident, house.ben), "WB-T3")
    with pytest.raises(NotFound):
        actions.settle_conflict(house.ben, incident.ref, entries="1 and 2000", settled="both", now=house.now)
    with pytest.raises(Invalid):
        actions.settle_conflict(house.ben, incident.ref, entries=name, settled=" ", now=house.now)
    actions.settle_conflict(house.ben, incident.ref, entries=name, settled="The first holds.", now=house.now)
    assert not about(seen(house, incident, house.ben), "WB-T3")
    with pytest.raises(NotFound):
        actions.note_conflict(house.ada, incident.ref, one=first, other=99999, now=house.now)
    with pytest.raises(Invalid):
        actions.note_conflict(house.ada, incident.ref, one=first, other=first, now=house.now)


def test_relief_is_offered_from_the_rotation_without_those_who_work_or_sleep(house: House) -> None:
    house.rotation("first", EXPERT, "cleo")
    house.rotation("second", COORDINATOR, "dan")
    incident = response(house)
    assert seen(house, incident, house.ben).relief == ()
    house.pass_time(8 * HOUR)
    assert [one.username for one in seen(house, incident, house.ben).relief] == ["cleo", "dan"]
    actions.assign_role(house.ben, incident.ref, role="advisor", username="cleo", now=house.now)
    assert [one.username for one in seen(house, incident, house.ben).relief] == ["dan"]
    assert seen(house, incident, house.ada).relief == ()


SAID = {"done": "Cache emptied", "open": "Find the cause", "risks": "It may fill again", "next_update": "05:00"}


@pytest.mark.req("R-9.3.12-8")
def test_a_role_changes_hands_with_what_is_done_open_risky_and_due_when_the_next_person_accepts(house: House) -> None:
    worlds.actor("eve", display_name="Eve", in_team="identity", now=house.now)
    eve = worlds.actor("eve")
    incident = response(house)
    house.pass_time(4 * HOUR)
    row = actions.offer_hand_over(house.ben, incident.ref, role=COORDINATOR, to="eve", now=house.now, **SAID)
    assert "Cache emptied" in mails("hand_over")[0].payload["text"]
    assert [one.person.username for one in RoleHeld.objects.filter(role=COORDINATOR, until_at=None)] == ["ben"]
    with pytest.raises(NotAllowed):
        actions.accept_hand_over(house.ada, row.pk, now=house.now)
    house.pass_time(5 * MINUTE)
    actions.accept_hand_over(eve, row.pk, now=house.now)
    assert [one.person.username for one in RoleHeld.objects.filter(role=COORDINATOR, until_at=None)] == ["eve"]
    [told] = entries(incident, Kind.HANDOVER_RECORDED)
    assert told["accepted"] is True
    assert (told["from"], told["to"], told["role_code"]) == ("ben", "eve", COORDINATOR)
    assert {name: told[name] for name in SAID} == SAID
    assert adherence.of_incident(eve, incident.ref, now=house.now).outcomes["AC15"].verdict is Verdict.PASSED
    assert not about(seen(house, incident, eve), "WB-M6")
    with pytest.raises(Refused):
        actions.accept_hand_over(eve, row.pk, now=house.now)


@pytest.mark.req("R-9.3.12-8")
@pytest.mark.parametrize("missing", sorted(SAID))
def test_a_hand_over_that_leaves_something_unsaid_is_refused_by_its_name(house: House, missing: str) -> None:
    incident = response(house)
    with pytest.raises(Invalid) as refused:
        actions.offer_hand_over(
            house.ben, incident.ref, role=COORDINATOR, to="ada", now=house.now, **(SAID | {missing: " "})
        )
    assert set(refused.value.fields) == {missing}


def test_an_expert_hands_over_without_taking_the_role_from_other_experts(house: House) -> None:
    worlds.person("eve", in_team="identity", now=house.now)
    worlds.person("finn", in_team="identity", now=house.now)
    incident = response(house)
    actions.assign_role(house.ben, incident.ref, role=EXPERT, username="finn", now=house.now)
    row = actions.offer_hand_over(house.ada, incident.ref, role=EXPERT, to="eve", now=house.now, **SAID)
    actions.accept_hand_over(worlds.actor("eve"), row.pk, now=house.now)
    present = RoleHeld.objects.filter(role=EXPERT, until_at=None).values_list("person__username", flat=True)
    assert set(present) == {"eve", "finn"}


def test_an_offer_can_be_taken_back_or_turned_down_and_a_new_one_replaces_the_old(house: House) -> None:
    incident = response(house)
    worlds.person("eve", in_team="identity", now=house.now)
    first = actions.offer_hand_over(house.ben, incident.ref, role=COORDINATOR, to="eve", now=house.now, **SAID)
    second = actions.offer_hand_over(house.ben, incident.ref, role=COORDINATOR, to="eve", now=house.now, **SAID)
    with pytest.raises(Refused):
        actions.accept_hand_over(worlds.actor("eve"), first.pk, now=house.now)
    with pytest.raises(NotAllowed):
        actions.withdraw_hand_over(house.ada, second.pk, now=house.now)
    actions.withdraw_hand_over(worlds.actor("eve"), second.pk, now=house.now)
    assert seen(house, incident, house.ben).offers == ()
    with pytest.raises(Refused):
        actions.offer_hand_over(house.ada, incident.ref, role=COORDINATOR, to="eve", now=house.now, **SAID)
    with pytest.raises(Invalid):
        actions.offer_hand_over(house.ben, incident.ref, role=COORDINATOR, to="ben", now=house.now, **SAID)
    with pytest.raises(NotFound):
        actions.accept_hand_over(house.ada, 9999, now=house.now)


@pytest.mark.req("R-9.3.12-6")
def test_a_team_is_formed_for_the_mission_and_dissolved_with_thanks_once_nothing_is_owed(house: House) -> None:
    incident = response(house)
    formed = house.now
    house.pass_time(HOUR)
    with pytest.raises(Refused) as refused:
        actions.dissolve_team(house.ben, incident.ref, thanks="Thank you.", now=house.now)
    assert refused.value.reason == "still_open"
    actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
    assert about(seen(house, incident, house.ben), "WB-S3")
    with pytest.raises(Refused) as refused:
        actions.dissolve_team(house.ben, incident.ref, thanks="Thank you.", now=house.now)
    assert refused.value.reason == "duties_open"
    assert "update closing" in refused.value.message
    for one in incident.obligations.filter(state="open"):
        actions.waive_obligation(house.admin, one.pk, reason="exercise of the test", now=house.now)
    with pytest.raises(Invalid):
        actions.dissolve_team(house.ben, incident.ref, thanks=" ", now=house.now)
    team = actions.dissolve_team(house.ben, incident.ref, thanks="Thank you, Ada. Sleep well.", now=house.now)
    assert (team.formed_at, team.dissolved_at, team.people) == (formed, house.now, 2)
    assert not RoleHeld.objects.filter(incident=incident, until_at=None).exists()
    assert {mail.address for mail in mails("thanks")} == {"ada@harbor.example", "ben@harbor.example"}
    assert all("Sleep well." in mail.payload["text"] for mail in mails("thanks"))
    assert Kind.TEAM_DISSOLVED in kinds_of(fresh(incident))
    assert not about(seen(house, incident, house.ben), "WB-S3")
    with pytest.raises(Refused):
        actions.dissolve_team(house.ben, incident.ref, thanks="Again.", now=house.now)


def test_a_response_that_nobody_joined_has_no_team(house: House) -> None:
    incident = house.declare(severity="error")
    view = seen(house, incident, house.ben)
    assert (view.lines, view.formed_at, view.team) == ((), None, None)
    assert view.list_open


def test_a_role_that_was_never_given_up_ends_with_the_incident(house: House) -> None:
    incident = response(house)
    house.pass_time(HOUR)
    actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
    house.pass_time(48 * HOUR)
    assert [line.present for line in seen(house, incident, house.ada).lines] == [False, False]
    again = response(house)
    assert not about(seen(house, again, house.ada), "WB-M1", "ada")


def test_an_auditor_reads_and_notes_no_tension(house: House) -> None:
    auditor = worlds.actor("aud", role=Role.AUDITOR.value, now=house.now)
    with pytest.raises(NotAllowed):
        actions.note_people_issue(auditor, house.declare().ref, text="Loud words", now=house.now)
