"""What people read about incidents, in the order in which it competes for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import HOUR, MINUTE, House
from tocsin.core.access import Actor, ActorKind, Role
from tocsin.core.errors import Invalid, NotAllowed, NotFound
from tocsin.core.facts import Kind
from tocsin.core.priorities import incident_order
from tocsin.incidents import actions, queries
from tocsin.incidents.models import Incident
from tocsin.platform.models import Delivery, OutboxState

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


def numbers(rows: list[Incident]) -> list[int]:
    return [row.number for row in rows]


@pytest.mark.parametrize("ref", ["INC-1", "inc-1", " 1 ", 1, "1"])
def test_an_incident_answers_to_its_names(house: House, ref: Any) -> None:
    assert queries.incident(house.ada, house.declare().ref) == queries.incident(house.ada, ref)


@pytest.mark.parametrize("ref", ["INC-2", "", "x", "INC-", "-1", "1; drop", "٣", "9" * 40])
def test_other_names_are_not_found(house: House, ref: str) -> None:
    house.declare()
    with pytest.raises(NotFound):
        queries.incident(house.ada, ref)


def test_who_may_read_nothing_reads_nothing(house: House) -> None:
    house.declare()
    nobody = Actor(kind=ActorKind.ANONYMOUS, ident="x", role=Role.ANONYMOUS)
    for read in (
        lambda: queries.incident(nobody, 1),
        lambda: queries.incidents(nobody),
        lambda: queries.open_incidents(nobody),
        lambda: queries.now_and_later(nobody, now=house.now),
        lambda: queries.timeline(nobody, 1),
        lambda: queries.obligations(nobody, 1),
        lambda: queries.promises(nobody, now=house.now),
        lambda: queries.delivery_ladder(nobody, 1),
    ):
        with pytest.raises(NotAllowed):
            read()


@pytest.mark.req("R-9.2-6")
def test_open_incidents_compete_by_priority_severity_age_and_number(house: House) -> None:
    third = house.declare(priority=2)
    second = house.declare(priority=1)
    first = house.declare(priority=1, severity="error")
    house.pass_time(MINUTE)
    younger = house.declare(priority=2)
    same_moment = house.declare(priority=2)
    undecided = house.declare(priority=None)
    none = house.declare(priority=1)
    actions.change_priority(house.ada, none.ref, priority=None, state="none", reason="a test", now=house.now)
    found = queries.open_incidents(house.ada)
    expected = [first, second, third, younger, same_moment, undecided, none]
    assert numbers(found) == [one.number for one in expected]


@pytest.mark.req("R-9.2-6")
def test_the_database_sorts_as_core_does(house: House) -> None:
    for priority, severity in [(4, None), (1, "critical"), (2, "error"), (None, None), (1, None), (3, None), (2, None)]:
        house.declare(priority=priority, severity=severity)
        house.pass_time(timedelta(seconds=7))
    ranks = {"critical": 1, "error": 2, "warning": 3}
    found = queries.open_incidents(house.ada)
    by_core = sorted(
        found,
        key=lambda row: incident_order(
            priority_rank=row.priority or 2,
            severity_rank=ranks[row.severity],
            created_at=row.created_at,
            number=row.number,
        ),
    )
    assert numbers(found) == numbers(by_core)


@pytest.mark.req("R-9.3.5-8")
def test_what_needs_focus_now_and_what_can_wait(house: House) -> None:
    urgent, low, none, snoozed = (house.declare(priority=rank) for rank in (1, 4, 2, 2))
    actions.change_priority(house.ada, none.ref, priority=None, state="none", reason="a test", now=house.now)
    actions.snooze(house.ada, snoozed.ref, until=house.now + HOUR, now=house.now)
    now, later = queries.now_and_later(house.ada, now=house.now)
    assert (numbers(now), numbers(later)) == (
        [urgent.number],
        [snoozed.number, low.number, none.number],
    )


@pytest.mark.req("R-9.3.5-8")
def test_something_late_needs_focus_even_while_it_is_snoozed(house: House) -> None:
    incident = house.declare(priority=2, groups=["product-owners"])
    actions.snooze(house.ada, incident.ref, until=house.now + 4 * HOUR, now=house.now)
    later = house.now + HOUR
    assert numbers(queries.now_and_later(house.ada, now=later)[0]) == [incident.number]


class TestLists:
    @pytest.fixture(autouse=True)
    def some(self, house: House) -> None:
        house.declare(priority=1)
        house.declare(priority=3)
        actions.resolve(house.ada, 1, category="deploy", now=house.now)

    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            ({}, [1, 2]),
            ({"open_only": True}, [2]),
            ({"status": "resolved"}, [1]),
            ({"status": "triggered"}, [2]),
            ({"service": "log-on"}, [1, 2]),
            ({"service": "other"}, []),
            ({"team": "identity", "priority": 3}, [2]),
            ({"severity": "warning", "category": "deploy"}, [1]),
            ({"origin": "slo"}, []),
        ],
    )
    def test_filters(self, house: House, filters: dict[str, Any], found: list[int]) -> None:
        assert numbers(queries.incidents(house.ada, **filters).rows) == found

    def test_an_unknown_status_is_named(self, house: House) -> None:
        with pytest.raises(Invalid):
            queries.incidents(house.ada, status="green")

    def test_a_part_at_a_time(self, house: House) -> None:
        first = queries.incidents(house.ada, limit=1)
        second = queries.incidents(house.ada, limit=1, cursor=first.following)
        assert (numbers(first.rows), numbers(second.rows), second.following) == ([1], [2], "")

    def test_the_number_of_questions_to_the_database_does_not_grow_with_the_list(self, house: House) -> None:
        def asked() -> int:
            with CaptureQueriesContext(
                connection,
            ) as captured:
                for row in queries.incidents(house.ada).rows:
                    assert row.service
                    assert row.process_version.number == 1
                queries.now_and_later(house.ada, now=house.now)
                queries.promises(house.ada, now=house.now)
            return len(captured)

        before = asked()
        for _ in range(5):
            house.declare(priority=1, groups=["product-owners"])
        house.pass_time(HOUR)
        assert asked() <= before + 2


class TestTimeline:
    def test_it_is_the_log_in_order_with_sentences(self, house: House) -> None:
        incident = house.declare()
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        lines = queries.timeline(house.ada, incident.ref)
        assert [line.seq for line in lines] == sorted(line.seq for line in lines)
        texts = [line.text for line in lines]
        assert texts[0] == "Declared: 38% of log-ons fail"
        assert {"Ada is being paged", "Ada is on it", "Ada holds Technical expert"} <= set(texts)

    def test_what_comes_after_a_line(self, house: House) -> None:
        incident = house.declare()
        seen = queries.timeline(house.ada, incident.ref)[-1].seq
        actions.annotate(house.ada, incident.ref, text="trying the rollback", now=house.now)
        assert [line.text for line in queries.timeline(house.ada, incident.ref, after=seen)] == ["trying the rollback"]

    def test_a_note_has_its_own_kind_and_time(self, house: House) -> None:
        incident = house.declare()
        earlier = house.now - 5 * MINUTE
        for kind in ("chat", "decision"):
            actions.annotate(
                house.ada, incident.ref, text=f"a {kind}", kind=kind, occurred_at=earlier, source_id=kind, now=house.now
            )
        chat, decision = queries.timeline(house.ada, incident.ref)[-2:]
        assert (chat.kind, chat.at, chat.source_id) == ("chat", earlier, "chat")
        assert decision.kind == "decision"

    def test_an_outside_event_is_told_once(self, house: House) -> None:
        incident = house.declare()
        for _ in range(2):
            actions.annotate(house.ada, incident.ref, text="hello", source_id="$event:1", now=house.now)
        assert len(world.entries(incident, Kind.INCIDENT_NOTED)) == 1

    @pytest.mark.parametrize(
        ("fields", "path"),
        [({"text": " "}, "text"), ({"kind": "poem"}, "kind"), ({"occurred_at": MINUTE}, "occurred_at")],
    )
    def test_a_wrong_note_names_the_field(self, house: House, fields: dict[str, Any], path: str) -> None:
        incident = house.declare()
        given: dict[str, Any] = {"text": "x", **fields}
        if "occurred_at" in given:
            given["occurred_at"] = house.now + given["occurred_at"]
        with pytest.raises(Invalid) as wrong:
            actions.annotate(house.ada, incident.ref, now=house.now, **given)
        assert path in wrong.value.fields


def test_the_delivery_ladder_shows_each_message_of_each_page_and_its_tries(house: House) -> None:
    incident = house.declare()
    [message] = world.mails()
    Delivery.objects.create(message=message, attempt=1, at=house.now, outcome="temporary", detail="421 try later")
    [rung] = queries.delivery_ladder(house.ada, incident.ref)
    assert (rung.page.person and rung.page.person.username, rung.message.state) == ("ada", OutboxState.QUEUED)
    assert [one.detail for one in rung.tries] == ["421 try later"]


def test_obligations_are_listed_open_ones_first_and_soonest_due_first(house: House) -> None:
    incident = house.declare(priority=1, groups=["product-owners"])
    hotfix = world.obligation(incident, "hotfix")
    actions.fulfil_obligation(house.ada, hotfix.pk, reference="change 1", deployed_at=house.now, now=house.now)
    keys = [row.key for row in queries.obligations(house.ada, incident.ref)]
    assert keys[0] == "fill_role:technical_expert"
    assert keys[-1] == "hotfix"


def test_opening_an_incident_from_an_alert_asks_the_database_a_bounded_number_of_questions(house: House) -> None:
    world.change(world.alert("warm", now=house.now), now=house.now)
    row = world.alert("measured", now=house.now)
    with CaptureQueriesContext(connection) as captured:
        world.change(row, now=house.now)
    assert len(captured) <= 60, "\n".join(query["sql"][:120] for query in captured)
