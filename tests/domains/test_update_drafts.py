"""Drafts of updates: written by whoever helps, sent by the rightful role only, approved before they go outside."""

from __future__ import annotations

import pytest

from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import HOUR, MINUTE, House
from tocsin.audit.models import Entry
from tocsin.comms import actions, queries
from tocsin.comms.models import Update, UpdateDraft
from tocsin.core.access import SYSTEM, Actor
from tocsin.core.adherence import Verdict
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import actions as incidents
from tocsin.incidents.models import Incident
from tocsin.insights import adherence
from tocsin.platform.models import OutboxMessage
from tocsin.process import actions as process

pytestmark = pytest.mark.django_db

COORDINATOR, COMMUNICATOR, EXPERT = "incident_coordinator", "incident_communicator", "technical_expert"
OUTSIDE = "status-page-subscribers"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def cora(house: House) -> Actor:
    return worlds.actor("cora", display_name="Cora", now=house.now)


@pytest.fixture
def incident(house: House, cora: Actor) -> Incident:
    """Ada coordinates, Ben does the work, Cora tells; those outside are among the groups."""
    process.add_group_member(SYSTEM, group="product-owners", email="owner@harbor.example", now=house.now)
    found = house.declare(severity="critical", groups=["product-owners"])
    for role, who in ((COORDINATOR, "ada"), (EXPERT, "ben"), (COMMUNICATOR, cora.ident)):
        incidents.assign_role(house.ada, found.ref, role=role, username=who, now=house.now)
    return found


def draft(house: House, incident: Incident, text: str = "Half of the log-ons work.") -> UpdateDraft:
    return actions.write_draft(house.ben, incident.ref, text=text, now=house.now)


def send(who: Actor, house: House, incident: Incident, row: UpdateDraft | None = None, **more: object) -> Update:
    soon = house.now + HOUR
    number = row.pk if row else None
    return actions.send_update(who, incident.ref, draft=number, next_update_at=soon, now=house.now, **more)  # type: ignore[arg-type]


@pytest.mark.req("R-9.3.5-5")
def test_a_draft_of_somebody_else_waits_with_its_author_until_the_communicator_sends_it(
    house: House, cora: Actor, incident: Incident
) -> None:
    row = draft(house, incident)
    assert [(one.written_by, one.text) for one in queries.drafts(house.ada, incident.ref)] == [("ben", row.text)]
    assert not Update.objects.exists()
    assert not OutboxMessage.objects.filter(kind="update").exists()
    with pytest.raises(NotAllowed):
        send(house.ben, house, incident, row)
    update = send(cora, house, incident, row)
    assert (update.text, update.sent_by) == (row.text, "cora")
    [told] = world.entries(incident, Kind.UPDATE_SENT)
    assert (told["draft"], told["written_by"]) == (row.pk, "ben")
    assert not queries.drafts(house.ada, incident.ref).exists()
    with pytest.raises(Refused):
        send(cora, house, incident, row)


@pytest.mark.req("R-9.3.5-5")
def test_an_observer_neither_sends_nor_approves(house: House, incident: Incident) -> None:
    vic = worlds.actor("vic", now=house.now)
    incidents.assign_role(vic, incident.ref, role="observer", username="vic", now=house.now)
    row = draft(house, incident)
    for attempt in (lambda: send(vic, house, incident, row), lambda: send(vic, house, incident, text="Soon.")):
        with pytest.raises(NotAllowed):
            attempt()
    with pytest.raises(NotAllowed):
        actions.approve_draft(vic, incident.ref, row.pk, now=house.now)
    assert len(world.entries(incident, "rank.refused")) == 3
    assert not Update.objects.exists()


def test_an_advisor_may_propose_words(house: House, incident: Incident) -> None:
    vic = worlds.actor("vic", now=house.now)
    incidents.assign_role(house.ada, incident.ref, role="advisor", username="vic", now=house.now)
    row = actions.write_draft(vic, incident.ref, text="Say that refunds wait.", now=house.now)
    actions.drop_draft(vic, incident.ref, row.pk, now=house.now)
    world.House.assert_log(house, incident, Kind.UPDATE_DRAFTED, Kind.UPDATE_DRAFT_DROPPED)


@pytest.mark.parametrize(
    ("by", "text", "verdict"),
    [
        ("ada", "", Verdict.PASSED),
        ("", "", Verdict.FAILED),
        ("ada", "It is somebody else's fault entirely.", Verdict.FAILED),
    ],
    ids=["approved", "not approved", "other words than approved"],
)
def test_what_goes_outside_was_approved_in_the_words_it_has(
    house: House, cora: Actor, incident: Incident, by: str, text: str, verdict: Verdict
) -> None:
    row = draft(house, incident)
    if by:
        actions.approve_draft(house.ada, incident.ref, row.pk, text="Most of the log-ons work.", now=house.now)
        [told] = world.entries(incident, Kind.UPDATE_APPROVED)
        assert (told["draft"], told["author"], told["text"]) == (row.pk, "ben", "Most of the log-ons work.")
    house.pass_time(MINUTE)
    send(cora, house, incident, row, text=text, groups=["product-owners", OUTSIDE])
    found = adherence.of_incident(SYSTEM, incident.ref, now=house.now)
    assert found.outcomes["AC21"].verdict is verdict


def test_what_makes_no_draft_is_refused(house: House, incident: Incident) -> None:
    with pytest.raises(Invalid):
        draft(house, incident, "  ")
    other = house.declare(title="Another")
    row = draft(house, incident)
    with pytest.raises(NotFound):
        actions.approve_draft(house.ada, other.ref, row.pk, now=house.now)
    assert Entry.objects.filter(kind=Kind.UPDATE_APPROVED).count() == 0
