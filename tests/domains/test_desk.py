"""The desk: open questions, tasks with a time box, sub-teams, how things stand, who reports to whom, quick lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.domains import worlds
from tests.domains.incident_worlds import HOUR, MINUTE, House, entries, kinds_of
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.quick_entry import EntryKind
from tocsin.incidents import actions, desk_queries
from tocsin.incidents.desk_queries import Desk
from tocsin.incidents.models import Incident, Question, RoleHeld, SubTeam, Task
from tocsin.insights import wellbeing
from tocsin.people.models import Person

pytestmark = pytest.mark.django_db
COORDINATOR, EXPERT = "incident_coordinator", "technical_expert"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def incident(house: House) -> Incident:
    """Ada does the work, Ben coordinates."""
    found = house.declare(severity="error", priority=2)
    actions.acknowledge(house.ada, found.ref, now=house.now)
    actions.assign_role(house.ada, found.ref, role=COORDINATOR, username="ben", now=house.now)
    return found


def experts(house: House, incident: Incident, count: int, *, first: int = 0) -> list[Person]:
    names = [f"e{number}" for number in range(first, first + count)]
    people = [worlds.person(name, display_name=name.upper(), now=house.now) for name in names]
    for person in people:
        RoleHeld.objects.create(incident=incident, role=EXPERT, person=person, from_at=house.now)
    return people


def seen(house: House, incident: Incident) -> Desk:
    return desk_queries.desk_of(house.ada, incident.ref, now=house.now)


def test_a_question_is_open_with_its_owner_until_it_is_answered(house: House, incident: Incident) -> None:
    due = house.now + 20 * MINUTE
    row = actions.ask_question(
        house.ben, incident.ref, text="Is the queue growing?", owner="ADA", due_at=due, now=house.now
    )
    assert (row.number, row.owner_name, row.owner_id) == (1, "Ada", house.ada.person_id)
    assert [one.row.pk for one in seen(house, incident).open_questions] == [row.pk]
    house.pass_time(HOUR)
    assert seen(house, incident).open_questions[0].late_by == 40 * MINUTE
    actions.answer_question(house.ada, incident.ref, 1, answer="No, it drains", now=house.now)
    actions.answer_question(house.ada, incident.ref, 1, answer="No, it drains", now=house.now)
    with pytest.raises(Refused):
        actions.answer_question(house.ada, incident.ref, 1, answer="Yes", now=house.now)
    found = seen(house, incident)
    assert found.open_questions == []
    assert [one.row.pk for one in found.questions] == [row.pk]
    assert kinds_of(incident).count(Kind.QUESTION_ANSWERED) == 1
    assert entries(incident, Kind.QUESTION_ASKED)[0]["owner"] == "Ada"


def test_a_task_shows_when_its_time_box_is_over_and_ends_once(house: House, incident: Incident) -> None:
    actions.give_task(
        house.ben, incident.ref, text="Read the logs", owner=EXPERT, due_at=house.now + MINUTE, now=house.now
    )
    row = Task.objects.get()
    assert (row.owner_name, row.owner_id) == ("Technical expert", house.ada.person_id)
    assert seen(house, incident).open_tasks[0].late_by is None
    house.pass_time(10 * MINUTE)
    assert seen(house, incident).open_tasks[0].late_by == 9 * MINUTE
    actions.end_task(house.ada, incident.ref, 1, result="Nothing there", now=house.now)
    assert seen(house, incident).open_tasks == []
    with pytest.raises(Refused):
        actions.end_task(house.ada, incident.ref, 1, state="dropped", now=house.now)
    with pytest.raises(Invalid):
        actions.end_task(house.ada, incident.ref, 1, state="perhaps", now=house.now)


@pytest.mark.req("R-9.3.1-4")
def test_the_desk_warns_of_more_than_seven_reports_until_a_sub_team_is_formed(house: House, incident: Incident) -> None:
    experts(house, incident, 6)
    assert not seen(house, incident).span.too_wide  # with Ada they are seven
    experts(house, incident, 1, first=6)
    found = seen(house, incident)
    assert len(found.span.reports) == 8
    assert found.span.too_wide
    people = wellbeing.people_of(house.ben, incident.ref, now=house.now)
    assert [one for one in people.prompts if one.check == "WB-E3"]
    row = actions.form_sub_team(
        house.ben,
        incident.ref,
        name="Database",
        leader="e0",
        members=["e1", "e2"],
        task="Find the slow query",
        due_at=house.now + HOUR,
        now=house.now,
    )
    found = seen(house, incident)
    assert not found.span.too_wide
    assert [(one.row.leader.username, one.row.task, one.row.due_at) for one in found.teams] == [
        ("e0", "Find the slow query", house.now + HOUR)
    ]
    assert found.reports == ["Ada", "E0", "E3", "E4", "E5", "E6"]
    people = wellbeing.people_of(house.ben, incident.ref, now=house.now)
    assert not [one for one in people.prompts if one.check == "WB-E3"]
    actions.end_sub_team(house.ben, incident.ref, row.name, result="found", now=house.now)
    assert seen(house, incident).span.too_wide


def test_a_sub_team_has_a_name_of_its_own_and_people_of_its_own(house: House, incident: Incident) -> None:
    experts(house, incident, 3)

    def form(**given: Any) -> SubTeam:
        values: dict[str, Any] = {"name": "Database", "leader": "e0", "task": "Look", "members": ["e1"]}
        return actions.form_sub_team(house.ben, incident.ref, **values | given, now=house.now)

    for given in ({"name": " "}, {"task": ""}, {"due_at": house.now}):
        with pytest.raises(Invalid):
            form(**given)
    with pytest.raises(NotFound):
        form(leader="nobody")
    assert not SubTeam.objects.exists()
    form()
    with pytest.raises(Refused):
        form(name="DATABASE", leader="e2", members=[])
    with pytest.raises(Invalid):
        form(name="Network", leader="e2", members=["e1"])
    with pytest.raises(NotFound):
        actions.end_sub_team(house.ben, incident.ref, "Network", now=house.now)
    task = actions.give_task(house.ben, incident.ref, text="Explain the plan", sub_team="database", now=house.now)
    assert (task.owner_name, task.owner.username if task.owner else "") == ("Database", "e0")


def test_how_things_stand_is_the_latest_word_from_each_place(house: House, incident: Incident) -> None:
    for condition in ("slow", "slower"):
        actions.report_condition(
            house.ada, incident.ref, condition=condition, needs="a DBA", about="Database", now=house.now
        )
        house.pass_time(MINUTE)
    actions.report_condition(house.ada, incident.ref, condition="all quiet", now=house.now)
    assert [(one.about, one.condition) for one in seen(house, incident).conditions] == [
        ("Ada", "all quiet"),
        ("Database", "slower"),
    ]
    assert kinds_of(incident).count(Kind.CONDITION_REPORTED) == 3


def test_one_typed_line_becomes_what_it_means(house: House, incident: Incident) -> None:
    def enter(line: str) -> tuple[EntryKind, int | None]:
        found = actions.enter_line(house.ada, incident.ref, line, now=house.now)
        return found.kind, found.number

    assert enter("Errors fall") == (EntryKind.NOTE, None)
    assert enter("/d Roll back @ada in 20m") == (EntryKind.DECISION, 1)
    assert enter("/q Is it the queue? @ben") == (EntryKind.QUESTION, 1)
    assert enter("/t Read the logs by 04:00") == (EntryKind.TASK, 1)
    assert enter("/ok 1") == (EntryKind.RECEIVED, 1)
    assert enter("/r 1 Back to normal") == (EntryKind.REPORT, 1)
    assert enter("/a 1 No") == (EntryKind.ANSWER, 1)
    assert enter("/done 1") == (EntryKind.TASK_DONE, 1)
    assert enter("/c Gateway: fine | nothing | nothing") == (EntryKind.CONDITION, None)
    found = seen(house, incident)
    assert found.decisions[0].row.report == "Back to normal"
    # Ada's clock shows Berlin: 04:00 there is 03:00 UTC.
    assert Task.objects.get().due_at == house.now.replace(hour=3, minute=0)
    with pytest.raises(Invalid):
        enter("/d")
    with pytest.raises(NotFound):
        enter("/a 9 what")
    assert Question.objects.count() == 1


def test_the_number_of_queries_does_not_grow_with_the_desk(house: House, incident: Incident) -> None:
    def counted() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            seen(house, incident)
        return len(found)

    def fill(times: int, enter: Callable[[str], object]) -> None:
        for _ in range(times):
            for line in ("/d Do it @ada @identity @nobody", "/q Why? @ada", "/t Look @ada in 5m", "/c A: b | c | d"):
                enter(line)

    people = experts(house, incident, 6)
    fill(1, lambda line: actions.enter_line(house.ada, incident.ref, line, now=house.now))
    actions.form_sub_team(house.ben, incident.ref, name="A", leader="e0", task="x", members=["e1"], now=house.now)
    few = counted()
    fill(5, lambda line: actions.enter_line(house.ada, incident.ref, line, now=house.now))
    actions.form_sub_team(
        house.ben, incident.ref, name="B", leader="e2", task="x", members=["e3", people[4].username], now=house.now
    )
    assert counted() == few <= 11
