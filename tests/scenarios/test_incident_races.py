"""Two people, or two nodes, do something to one incident in the same instant."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import MINUTE, House
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.models import Alert
from tocsin.audit.models import Entry
from tocsin.core.errors import Conflict
from tocsin.incidents import actions
from tocsin.incidents.models import Escalation, Incident, Page
from tocsin.platform.models import OutboxMessage

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 4


@pytest.fixture
def house() -> House:
    return House()


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do all of `acts` in threads that start together; returns what each gave or raised."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            gate.wait()
            return act()
        except Exception as error:  # noqa: BLE001 - handed to the test, which looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def one_chain() -> bool:
    """Whether the log is gapless and each entry follows the one before it."""
    rows = list(Entry.objects.order_by("seq").values_list("seq", "previous_hash", "hash"))
    return all(after[0] == before[0] + 1 and after[1] == before[2] for before, after in pairwise(rows))


def test_the_same_cause_told_by_many_at_once_opens_one_incident(house: House) -> None:
    row = world.alert(now=house.now)

    def tell() -> list[Incident]:
        with transaction.atomic():
            alert = Alert.objects.select_related("integration", "service__team", "objective").get(pk=row.pk)
            return actions.take_alert_changes([AlertChange(alert, ChangeKind.OPENED, "new")], now=house.now)

    given = at_once(*[tell] * 6)
    assert [error for error in given if isinstance(error, Exception)] == []
    incident = Incident.objects.get()
    assert (incident.number, incident.alert_count) == (1, 6)
    assert world.paged() == ["ada"]
    assert house.declare().number == 2
    assert one_chain()


def test_many_declarations_at_once_get_numbers_without_holes(house: House) -> None:
    at_once(*[house.declare] * 6)
    assert sorted(Incident.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert one_chain()


def test_of_two_who_take_it_at_once_one_has_it_and_the_other_is_told(house: House) -> None:
    house.chain(["user:ada", "user:ben"])
    for _ in range(ROUNDS):
        incident = house.declare()
        mine, yours = (world.token_of(one) for one in OutboxMessage.objects.filter(incident=incident.ref, kind="page"))
        at_once(
            lambda token=mine: actions.take_page(token, now=house.now),
            lambda token=yours: actions.take_page(token, now=house.now),
        )
        answers = Page.objects.filter(incident=incident).values_list("answer", flat=True)
        assert sorted(answers) == ["late", "taken"]
        taker = Page.objects.get(incident=incident, answer="taken").person
        assert world.fresh(incident).acknowledged_by == taker


def test_an_acknowledgement_and_an_escalation_in_the_same_instant_are_one_after_the_other(house: House) -> None:
    for _ in range(ROUNDS):
        incident = house.declare()
        given = at_once(
            lambda ref=incident.ref: actions.acknowledge(house.ada, ref, now=house.now),
            lambda ref=incident.ref: actions.escalate(house.ben, ref, now=house.now),
        )
        assert [error for error in given if isinstance(error, Exception)] == []
        row, now_is = Escalation.objects.get(incident=incident), world.fresh(incident)
        if now_is.state == "acknowledged":
            assert (row.next_at, now_is.acknowledged_at) == (None, house.now)
        else:
            assert now_is.state == "triggered"
            assert row.next_at == house.now + 5 * MINUTE
        pages = Page.objects.filter(incident=incident, kind="page").order_by("id")
        assert [page.person.username for page in pages if page.person] == ["ada", "ben"]
    assert one_chain()


def test_two_nodes_that_tick_at_once_page_each_step_once(house: House) -> None:
    for _ in range(3):
        house.declare()
    house.pass_time(5 * MINUTE)
    at_once(*[lambda: actions.advance_escalations(now=house.now)] * 4)
    actions.advance_escalations(now=house.now)
    assert Page.objects.filter(person__username="ben").count() == 3
    assert Page.objects.count() == 6


def test_an_acknowledgement_while_the_next_step_is_due_is_never_lost(house: House) -> None:
    for _ in range(ROUNDS):
        incident = house.declare()
        house.pass_time(5 * MINUTE)
        at_once(
            lambda ref=incident.ref: actions.acknowledge(house.ada, ref, now=house.now),
            lambda: actions.advance_escalations(now=house.now),
        )
        assert world.fresh(incident).state == "acknowledged"
        assert Escalation.objects.get(incident=incident).next_at is None


def test_two_who_looked_at_the_same_version_cannot_both_change_it(house: House) -> None:
    incident = house.declare(priority=2)
    seen = world.fresh(incident).version
    given = at_once(
        *[
            lambda rank=rank: actions.change_priority(
                house.ada, incident.ref, priority=rank, reason="x", version=seen, now=house.now
            )
            for rank in (1, 3)
        ]
    )
    assert len([one for one in given if isinstance(one, Conflict)]) == 1
    assert len([one for one in given if isinstance(one, Incident)]) == 1
