"""Rank does not direct a response: observers are refused and it is kept; roles change hands when both say so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import House
from tocsin.audit.models import Entry
from tocsin.comms import actions as comms
from tocsin.core.access import Actor
from tocsin.core.errors import Invalid, NotAllowed, Refused
from tocsin.incidents import actions, people_queries
from tocsin.incidents.models import Incident, RoleHeld, TakeOver

pytestmark = pytest.mark.django_db

COORDINATOR, COMMUNICATOR, EXPERT = "incident_coordinator", "incident_communicator", "technical_expert"
STANDS = {"done": "Traffic moved.", "open": "Find the cause.", "risks": "None seen.", "next_update": "03:00 UTC"}


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def vic(house: House) -> Actor:
    """A vice president: may do everything a responder may, and is on call for nothing."""
    return worlds.actor("vic", display_name="Vic", now=house.now)


@pytest.fixture
def incident(house: House) -> Incident:
    """Ada coordinates, Ben does the work."""
    found = house.declare(severity="error", groups=["product-owners"])
    actions.assign_role(house.ada, found.ref, role=COORDINATOR, username="ada", now=house.now)
    actions.assign_role(house.ben, found.ref, role=EXPERT, username="ben", now=house.now)
    return found


def holder(incident: Incident, role: str) -> list[str]:
    rows = RoleHeld.objects.filter(incident=incident, role=role, until_at=None).order_by("pk")
    return list(rows.values_list("person__username", flat=True))


ATTEMPTS: dict[str, Callable[[Actor, Incident, House], object]] = {
    "give out roles": lambda vic, incident, house: actions.assign_role(
        vic, incident.ref, role=EXPERT, username="root", now=house.now
    ),
    "release the coordinator": lambda vic, incident, house: actions.release_role(
        vic, incident.ref, role=COORDINATOR, username="ada", now=house.now
    ),
    "take coordination": lambda vic, incident, house: actions.assign_role(
        vic, incident.ref, role=COORDINATOR, username="vic", now=house.now
    ),
    "page a team": lambda vic, incident, house: actions.escalate_to_team(
        vic, incident.ref, team="payments", reason="Now", now=house.now
    ),
    "page the next": lambda vic, incident, house: actions.escalate(vic, incident.ref, now=house.now),
    "page management": lambda vic, incident, house: actions.escalate_to_management(
        vic, incident.ref, reason="Now", now=house.now
    ),
    "send an update": lambda vic, incident, house: comms.send_update(
        vic, incident.ref, text="Soon.", next_update_at=house.now + timedelta(hours=1), now=house.now
    ),
    "decide": lambda vic, incident, house: actions.annotate(
        vic, incident.ref, text="Roll back.", kind="decision", now=house.now
    ),
}


@pytest.mark.req("R-9.3.5-3", "R-9.3.5-5")
@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("joined", [True, False])
def test_what_directs_a_response_is_refused_with_the_way_to_the_role_and_kept(
    house: House, vic: Actor, incident: Incident, attempt: str, joined: bool
) -> None:
    worlds.team("payments", now=house.now)
    if joined:
        actions.assign_role(vic, incident.ref, role="observer", username="vic", now=house.now)
    before = (holder(incident, COORDINATOR), holder(incident, EXPERT), len(world.mails()), incident.updates.count())
    with pytest.raises(NotAllowed) as no:
        ATTEMPTS[attempt](vic, incident, house)
    assert "/roles/ask" in no.value.remedy
    assert ("as an observer" in no.value.message) is joined
    told = world.entries(incident, "rank.refused")
    assert [(one["username"], one["policy"]) for one in told] == [("vic", "standard")]
    after = (holder(incident, COORDINATOR), holder(incident, EXPERT), len(world.mails()), incident.updates.count())
    assert after == before


@pytest.mark.parametrize("act", ["note", "priority", "state", "resolve", "take", "waive"])
def test_an_observer_only_looks_on(house: House, vic: Actor, incident: Incident, act: str) -> None:
    actions.assign_role(vic, incident.ref, role="observer", username="vic", now=house.now)
    owed = world.obligation(incident, "update_opening:groups:0")
    tries: dict[str, Callable[[], object]] = {
        "note": lambda: actions.annotate(vic, incident.ref, text="Hm.", now=house.now),
        "priority": lambda: actions.change_priority(vic, incident.ref, priority=2, reason="x", now=house.now),
        "state": lambda: actions.move(vic, incident.ref, "mitigated", now=house.now),
        "resolve": lambda: actions.resolve(vic, incident.ref, category="x", now=house.now),
        "take": lambda: actions.acknowledge(vic, incident.ref, now=house.now),
        "waive": lambda: actions.waive_obligation(vic, owed.pk, reason="x", now=house.now),
    }
    with pytest.raises(NotAllowed):
        tries[act]()
    assert len(world.entries(incident, "rank.refused")) == 1
    actions.release_role(vic, incident.ref, role="observer", username="vic", now=house.now)
    if act == "note":
        tries[act]()


@pytest.mark.parametrize("role", ["observer", "advisor"])
def test_guests_do_not_send_one_another_away(house: House, vic: Actor, incident: Incident, role: str) -> None:
    worlds.person("vera", role="reader", now=house.now)
    for guest in ("vera", "vic"):
        actions.assign_role(house.admin, incident.ref, role=role, username=guest, now=house.now)
    assert holder(incident, role) == ["vera", "vic"]
    actions.release_role(vic, incident.ref, role=role, username="vic", now=house.now)
    assert holder(incident, role) == ["vera"]


def test_an_observer_cannot_make_a_worker_of_himself(house: House, vic: Actor, incident: Incident) -> None:
    actions.assign_role(vic, incident.ref, role="observer", username="vic", now=house.now)
    with pytest.raises(NotAllowed):
        actions.assign_role(vic, incident.ref, role=COMMUNICATOR, username="vic", now=house.now)
    actions.assign_role(house.ada, incident.ref, role=COMMUNICATOR, username="vic", now=house.now)
    assert holder(incident, COMMUNICATOR) == ["vic"]


def test_a_reader_may_join_to_look_on_and_leave(house: House, incident: Incident) -> None:
    rita = worlds.actor("rita", role="reader", now=house.now)
    actions.assign_role(rita, incident.ref, role="observer", username="rita", now=house.now)
    assert holder(incident, "observer") == ["rita"]
    with pytest.raises(NotAllowed):
        actions.assign_role(rita, incident.ref, role=EXPERT, username="rita", now=house.now)
    actions.release_role(rita, incident.ref, role="observer", username="rita", now=house.now)
    assert holder(incident, "observer") == []


@pytest.mark.req("R-9.3.7-3")
def test_an_advisor_comments_and_proposes_and_nothing_else(house: House, vic: Actor, incident: Incident) -> None:
    actions.assign_role(house.ada, incident.ref, role="advisor", username="vic", now=house.now)
    for kind in ("note", "proposal"):
        actions.annotate(vic, incident.ref, text="The release is on Friday.", kind=kind, now=house.now)
    for kind in ("decision", "solution"):
        with pytest.raises(NotAllowed):
            actions.annotate(vic, incident.ref, text="Roll back.", kind=kind, now=house.now)
    for attempt in ATTEMPTS.values():
        with pytest.raises((NotAllowed, Invalid)):
            attempt(vic, incident, house)
    assert holder(incident, COORDINATOR) == ["ada"]


@pytest.mark.req("R-9.3.7-5")
def test_the_expert_chooses_the_way_and_the_coordinator_decides_on_order_people_and_risk(
    house: House, incident: Incident
) -> None:
    actions.annotate(house.ben, incident.ref, text="We fail over.", kind="solution", now=house.now)
    with pytest.raises(NotAllowed) as no:
        actions.annotate(house.ben, incident.ref, text="Mail first, log-on second.", kind="decision", now=house.now)
    assert "Ada (Incident coordinator)" in no.value.message
    actions.annotate(house.ada, incident.ref, text="Mail first, log-on second.", kind="decision", now=house.now)
    with pytest.raises(NotAllowed):
        actions.assign_role(house.ben, incident.ref, role=EXPERT, username="root", now=house.now)


def test_an_administrator_may_step_in_and_it_is_written_down(house: House, incident: Incident) -> None:
    actions.assign_role(house.admin, incident.ref, role=COORDINATOR, username="root", now=house.now)
    told = world.entries(incident, "rank.overridden")
    assert [(one["username"], one["what"]) for one in told] == [
        ("root", "give out roles"),
        ("root", "replace the Incident coordinator"),
    ]
    assert world.entries(incident, "rank.refused") == []


@pytest.mark.req("R-9.3.5-3")
def test_a_take_over_is_asked_and_accepted_and_says_both_names_when_and_how_things_stand(
    house: House, vic: Actor, incident: Incident
) -> None:
    actions.assign_role(vic, incident.ref, role="observer", username="vic", now=house.now)
    asked = actions.ask_take_over(vic, incident.ref, role=COORDINATOR, reason="I know that customer", now=house.now)
    assert holder(incident, COORDINATOR) == ["ada"]
    [mail] = world.mails("take_over")
    assert (mail.address, f"/roles/asks/{asked.pk}" in mail.payload["text"]) == ("ada@harbor.example", True)
    house.pass_time(timedelta(minutes=3))
    with pytest.raises(NotAllowed):
        actions.accept_take_over(house.ben, asked.pk, now=house.now, **STANDS)
    with pytest.raises(Invalid) as gap:
        actions.accept_take_over(house.ada, asked.pk, now=house.now, **{**STANDS, "risks": " "})
    assert list(gap.value.fields) == ["risks"]
    actions.accept_take_over(house.ada, asked.pk, now=house.now, **STANDS)
    assert holder(incident, COORDINATOR) == ["vic"]
    [told] = world.entries(incident, "takeover.answered")
    names = (told["from"], told["to"], told["accepted"], told["outcome"])
    assert names == ("ada", "vic", True, "accepted")
    assert (told["asked_at"], told["answered_at"]) == ("2026-11-23T02:12:00Z", "2026-11-23T02:15:00Z")
    [record] = world.entries(incident, "handover.recorded")
    assert {name: record[name] for name in STANDS} == STANDS
    assert (record["accepted"], record["from"], record["to"]) == (True, "ada", "vic")
    with pytest.raises(Refused):
        actions.accept_take_over(house.ada, asked.pk, now=house.now, **STANDS)


def test_whoever_holds_the_role_may_keep_it_and_whoever_asked_may_think_again(
    house: House, vic: Actor, incident: Incident
) -> None:
    first = actions.ask_take_over(vic, incident.ref, role=COORDINATOR, reason="Me", now=house.now)
    assert actions.ask_take_over(vic, incident.ref, role=COORDINATOR, reason="Me!", now=house.now) == first
    actions.decline_take_over(house.ada, first.pk, note="We are nearly there.", now=house.now)
    second = actions.ask_take_over(vic, incident.ref, role=COORDINATOR, reason="Me", now=house.now)
    actions.decline_take_over(vic, second.pk, now=house.now)
    outcomes = [(one["outcome"], one["answer"]) for one in world.entries(incident, "takeover.answered")]
    assert outcomes == [
        ("declined", "Ada keeps it. We are nearly there."),
        ("withdrawn", "Vic no longer asks for it"),
    ]
    assert holder(incident, COORDINATOR) == ["ada"]


def test_silence_gives_the_role_away_when_the_process_says_so(house: House, vic: Actor, incident: Incident) -> None:
    actions.ask_take_over(vic, incident.ref, role=COORDINATOR, reason="Nobody leads", now=house.now)
    house.pass_time(timedelta(minutes=10, seconds=-1))
    assert actions.settle_take_overs(now=house.now) == 0
    house.pass_time(timedelta(seconds=1))
    assert actions.settle_take_overs(now=house.now) == 1
    assert holder(incident, COORDINATOR) == ["vic"]
    [told] = world.entries(incident, "takeover.answered")
    assert (told["outcome"], told["accepted"], told["gives"]) == ("silence", False, True)
    assert actions.settle_take_overs(now=house.now) == 0


def test_what_was_asked_of_somebody_who_left_is_settled(house: House, vic: Actor, incident: Incident) -> None:
    actions.ask_take_over(vic, incident.ref, role=COORDINATOR, reason="Nobody leads", now=house.now)
    actions.release_role(house.ada, incident.ref, role=COORDINATOR, username="ada", now=house.now)
    house.pass_time(timedelta(minutes=10))
    assert actions.settle_take_overs(now=house.now) == 1
    assert TakeOver.objects.get().answer == "settled"
    assert people_queries.asked_for(vic, incident) == []


@pytest.mark.parametrize(
    ("role", "reason", "error"),
    [(COORDINATOR, " ", Invalid), ("wizard", "x", Invalid), (COMMUNICATOR, "x", Refused)],
)
def test_a_take_over_that_makes_no_sense_is_refused(
    house: House, vic: Actor, incident: Incident, role: str, reason: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        actions.ask_take_over(vic, incident.ref, role=role, reason=reason, now=house.now)
    with pytest.raises(Refused):
        actions.ask_take_over(house.ada, incident.ref, role=COORDINATOR, reason="x", now=house.now)
    assert not TakeOver.objects.exists()
    assert not Entry.objects.filter(kind="takeover.asked").exists()


@pytest.mark.req("R-9.3.5-4")
def test_only_whoever_decides_on_people_asks_somebody_who_is_not_on_call(
    house: House, vic: Actor, incident: Incident
) -> None:
    worlds.person("otto", display_name="Otto", now=house.now)
    for actor in (vic, house.ben):
        with pytest.raises(NotAllowed) as no:
            actions.pull_in(actor, incident.ref, person="otto", reason="Knows it", now=house.now)
        assert "page Otto, who is not on call" in no.value.message
    with pytest.raises(Invalid):
        actions.pull_in(house.ada, incident.ref, person="otto", reason=" ", now=house.now)
    page = actions.pull_in(house.ada, incident.ref, person="otto", reason="Knows the mail gate", now=house.now)
    assert (page.person and page.person.username, page.kind, page.reason) == ("otto", "role", EXPERT)
    [told] = world.entries(incident, "person.pulled_in")
    assert (told["username"], told["reason"]) == ("otto", "Knows the mail gate")
    actions.release_role(house.ada, incident.ref, role=COORDINATOR, username="ada", now=house.now)
    actions.pull_in(house.ben, incident.ref, person="otto", reason="No coordinator", now=house.now)
    assert len(world.entries(incident, "person.pulled_in")) == 2


def test_whoever_is_on_call_may_be_asked_by_the_expert(house: House, incident: Incident) -> None:
    house.rotation("identity-experts", EXPERT, "eve")
    actions.pull_in(house.ben, incident.ref, person="eve", reason="More hands", now=house.now)
    assert world.entries(incident, "person.pulled_in") == []
    assert [one["persons"] for one in world.entries(incident, "role.asked")][-1] == ["eve"]


def test_a_role_nobody_takes_in_time_asks_on_by_itself_once(house: House) -> None:
    house.rotation("coordinators", COORDINATOR, "cora")
    found = house.declare(severity="error")
    house.pass_time(timedelta(minutes=9))
    assert actions.press_unfilled_roles(now=house.now) == 0
    house.pass_time(timedelta(minutes=1))
    assert actions.press_unfilled_roles(now=house.now) == 1
    assert actions.press_unfilled_roles(now=house.now) == 0
    [told] = world.entries(found, "role.unfilled")
    assert (told["role_code"], told["asked"], told["gap"]) == (COORDINATOR, "cora", False)


def test_where_no_rotation_has_the_role_the_team_is_asked(house: House) -> None:
    found = house.declare(severity="error")
    house.pass_time(timedelta(minutes=10))
    actions.press_unfilled_roles(now=house.now)
    assert [one["asked"] for one in world.entries(found, "role.unfilled")] == ["Ada, Ben"]


@pytest.mark.req("R-9.3.8-3")
def test_what_the_communicator_owes_goes_to_the_coordinator_before_the_release(house: House, vic: Actor) -> None:
    found = house.declare(severity="critical", groups=["product-owners"])
    for role, name in ((COORDINATOR, "ada"), (EXPERT, "ben"), (COMMUNICATOR, "vic")):
        actions.assign_role(house.ada, found.ref, role=role, username=name, now=house.now)
    owed = world.obligation(found, "update_opening:groups:0")
    assert owed.owner is not None
    assert (owed.owner_role, owed.owner.username) == (COMMUNICATOR, "vic")
    actions.change_severity(house.ada, found.ref, severity="error", reason="One team.", now=house.now)
    owed.refresh_from_db()
    assert (owed.owner_role, owed.owner.username, owed.state) == (COORDINATOR, "ada", "open")
    [moved] = Entry.objects.filter(incident=found.ref, kind="obligation.reassigned", data__key=owed.key)
    released = Entry.objects.get(incident=found.ref, kind="role.released")
    assert moved.seq < released.seq
    assert moved.data is not None
    assert (moved.data["giver"], moved.data["taker"]) == ("Vic" if vic.display_name == "Vic" else "vic", "Ada")


def test_whoever_owes_what_nobody_can_take_stays(house: House, vic: Actor) -> None:
    found = house.declare(severity="critical", groups=["product-owners"])
    actions.assign_role(vic, found.ref, role=COMMUNICATOR, username="vic", now=house.now)
    actions.change_severity(house.ada, found.ref, severity="error", reason="One team.", now=house.now)
    assert holder(found, COMMUNICATOR) == ["vic"]
    assert world.entries(found, "obligation.reassigned") == []


def test_whoever_offered_a_role_may_give_it_to_who_asks(house: House, vic: Actor, incident: Incident) -> None:
    """An offer that nobody has answered gives way; it cannot be accepted afterwards."""
    offered = actions.offer_hand_over(house.ada, incident.ref, role=COORDINATOR, to="ben", now=house.now, **STANDS)
    asked = actions.ask_take_over(vic, incident.ref, role=COORDINATOR, reason="I know that customer", now=house.now)
    actions.accept_take_over(house.ada, asked.pk, now=house.now, **STANDS)
    assert holder(incident, COORDINATOR) == ["vic"]
    with pytest.raises(Refused):
        actions.accept_hand_over(house.ben, offered.pk, now=house.now)
