"""What the bearer of a page's link can do, once, without signing in."""

from __future__ import annotations

import pytest

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import MINUTE, House
from tocsin.audit.models import Entry
from tocsin.core.errors import NotFound
from tocsin.core.facts import Kind
from tocsin.incidents import actions, queries
from tocsin.incidents.models import Page, RoleHeld

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


def token(number: int = -1, kind: str = "page") -> str:
    return world.token_of(world.mails(kind, states=["queued", "cancelled", "sent"])[number])


def test_taking_it_acknowledges_as_the_person_who_was_paged(house: House) -> None:
    house.declare()
    incident = actions.take_page(token(), now=house.now + MINUTE)
    assert (incident.state, incident.acknowledged_at) == ("acknowledged", house.now + MINUTE)
    assert incident.acknowledged_by is not None
    assert incident.acknowledged_by.username == "ada"
    entry = Entry.objects.get(kind=Kind.INCIDENT_ACKNOWLEDGED)
    assert entry.actor == "ada"
    house.assert_log(incident, Kind.PAGE_TAKEN)


def test_who_takes_it_does_the_work(house: House) -> None:
    incident = house.declare()
    actions.take_page(token(), now=house.now)
    held = RoleHeld.objects.get(incident=incident)
    assert (held.role, held.person.username) == ("technical_expert", "ada")
    assert "fill_role:technical_expert" not in world.owed(incident)


def test_looking_at_the_page_changes_nothing(house: House) -> None:
    incident = house.declare()
    page = queries.page_for_token(token())
    assert page is not None
    assert page.incident == incident
    assert world.fresh(incident).state == "triggered"


def test_a_link_that_nobody_was_given_leads_nowhere(house: House) -> None:
    house.declare()
    assert queries.page_for_token("made-up") is None
    with pytest.raises(NotFound):
        actions.take_page("made-up", now=house.now)


def test_the_first_taker_gets_it_and_the_later_one_is_told(house: House) -> None:
    house.chain(["user:ada", "user:ben"])
    incident = house.declare()
    first, second = token(0), token(1)
    actions.take_page(first, now=house.now)
    actions.take_page(second, now=house.now)
    answers = Page.objects.order_by("id").values_list("answer", flat=True)
    assert list(answers) == ["taken", "late"]
    taker = world.fresh(incident).acknowledged_by
    assert taker is not None
    assert taker.username == "ada"
    house.assert_log(incident, Kind.PAGE_ANSWERED_LATE)


def test_pressing_twice_is_pressing_once(house: House) -> None:
    incident = house.declare()
    actions.take_page(token(), now=house.now)
    before = world.kinds_of(incident)
    actions.take_page(token(), now=house.now + MINUTE)
    actions.pass_page(token(), now=house.now + MINUTE)
    assert world.kinds_of(incident) == before


def test_passing_it_on_pages_the_next_step_at_once(house: House) -> None:
    incident = house.declare()
    actions.pass_page(token(), now=house.now)
    assert world.paged() == ["ada", "ben"]
    assert world.fresh(incident).state == "triggered"
    assert "passed" in Page.objects.order_by("id").values_list("answer", flat=True)
    house.assert_log(incident, Kind.PAGE_PASSED)


def test_passing_on_an_old_page_does_not_hurry_the_chain(house: House) -> None:
    house.chain(["user:ada"], ["user:ben"], ["user:root"])
    house.declare()
    old = token()
    house.run(5 * MINUTE)
    actions.pass_page(old, now=house.now)
    assert world.paged() == ["ada", "ben"]


def test_passing_on_what_somebody_has_is_late(house: House) -> None:
    incident = house.declare()
    actions.acknowledge(house.ben, incident.ref, now=house.now)
    actions.pass_page(token(), now=house.now)
    assert Page.objects.get().answer == "late"
    assert world.paged() == ["ada"]


def test_the_page_of_a_former_generation_takes_nothing(house: House) -> None:
    incident = house.declare()
    old = token()
    actions.resolve(house.ben, incident.ref, category="deploy", now=house.now)
    actions.reopen(house.ben, incident.ref, now=house.now)
    actions.take_page(old, now=house.now)
    assert world.fresh(incident).acknowledged_at is None
    assert Page.objects.order_by("id")[0].answer == "late"


def test_an_answer_after_the_resolve_is_late(house: House) -> None:
    incident = house.declare()
    actions.resolve(house.ben, incident.ref, category="deploy", now=house.now)
    assert actions.take_page(token(), now=house.now).state == "resolved"
    assert Page.objects.get().answer == "late"


def test_the_fallback_contact_without_an_account_can_take_it(house: House) -> None:
    from tocsin.core.access import SYSTEM
    from tocsin.people import actions as people

    people.set_fallback_contact(SYSTEM, email="duty@harbor.example", now=house.now)
    house.chain([])
    house.declare()
    incident = actions.take_page(token(kind="fallback"), now=house.now)
    assert (incident.state, incident.acknowledged_by) == ("acknowledged", None)
    assert Entry.objects.get(kind=Kind.INCIDENT_ACKNOWLEDGED).actor == "fallback-contact"


def test_who_is_asked_for_a_role_takes_that_role_and_not_the_incident(house: House) -> None:
    house.rotation("coordinators", "incident_coordinator", "ben")
    incident = house.declare(severity="error")
    [asked] = world.mails("role")
    assert "please join INC-1 as incident coordinator" in asked.payload["subject"]
    assert asked.payload["headers"]["X-Update-Kind"] == "page"
    taken = actions.take_page(world.token_of(asked), now=house.now)
    assert taken.state == "triggered"
    assert RoleHeld.objects.get(incident=incident).role == "incident_coordinator"


def test_saying_no_to_a_role_leaves_it_open(house: House) -> None:
    house.rotation("coordinators", "incident_coordinator", "ben")
    incident = house.declare(severity="error")
    actions.pass_page(world.token_of(world.mails("role")[0]), now=house.now)
    assert "fill_role:incident_coordinator" in world.owed(incident)
    assert world.paged() == ["ada"]


def test_an_administrator_may_say_who_has_it(house: House) -> None:
    incident = house.declare()
    taken = actions.acknowledge(house.admin, incident.ref, person="ben", now=house.now)
    assert taken.acknowledged_by is not None
    assert taken.acknowledged_by.username == "ben"


def test_acknowledging_twice_changes_nothing(house: House) -> None:
    incident = house.declare()
    first = actions.acknowledge(house.ada, incident.ref, now=house.now)
    again = actions.acknowledge(house.ben, incident.ref, now=house.now + MINUTE)
    assert (again.version, again.acknowledged_by_id) == (first.version, first.acknowledged_by_id)


def test_a_later_step_of_the_response_is_not_taken_back_by_an_acknowledgement(house: House) -> None:
    incident = house.declare()
    actions.move(house.ada, incident.ref, "investigating", now=house.now)
    assert actions.acknowledge(house.ben, incident.ref, now=house.now).state == "investigating"
