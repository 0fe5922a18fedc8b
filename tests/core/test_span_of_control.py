"""Who reports to the coordinator, and how sub-teams make them fewer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.process_definition import ProcessDefinition, parse_process
from tocsin.core.span_of_control import Group, Holder, span_of_control
from tocsin.process.defaults import default_document

COORDINATOR, COMMUNICATOR, EXPERT, OBSERVER = (
    "incident_coordinator",
    "incident_communicator",
    "technical_expert",
    "observer",
)


def process(limit: int | None = None) -> ProcessDefinition:
    document = default_document()
    if limit is not None:
        document["wellbeing"]["limits"]["direct_reports_max"] = limit
    return parse_process(document)


def holders(experts: int) -> list[Holder]:
    return [Holder("bo", COORDINATOR), *(Holder(f"e{number}", EXPERT) for number in range(experts))]


@pytest.mark.req("R-9.3.1-4")
@pytest.mark.parametrize(("experts", "too_wide"), [(0, False), (6, False), (7, False), (8, True)])
def test_more_than_seven_direct_reports_are_too_many(experts: int, too_wide: bool) -> None:
    found = span_of_control(process(), holders(experts), [])
    assert found.limit == 7
    assert len(found.reports) == experts
    assert found.too_wide is too_wide


@pytest.mark.req("R-9.3.1-4")
def test_a_sub_team_reduces_the_count_to_its_leader() -> None:
    team = Group("e0", frozenset({"e1", "e2", "e3"}))
    found = span_of_control(process(), holders(8), [team])
    assert found.reports == ("e0", "e4", "e5", "e6", "e7")
    assert not found.too_wide


def test_the_limit_is_data_of_the_process() -> None:
    assert span_of_control(process(3), holders(4), []).too_wide
    document = default_document()
    del document["wellbeing"]
    found = span_of_control(parse_process(document), holders(20), [])
    assert found.limit is None
    assert not found.too_wide


def test_watchers_and_the_coordinator_do_not_count_and_a_leader_from_outside_does() -> None:
    people = [*holders(2), Holder("vp", OBSERVER), Holder("bo", EXPERT), Holder("dee", COMMUNICATOR)]
    found = span_of_control(process(), people, [Group("lea", frozenset({"vp"}))])
    assert found.reports == ("dee", "e0", "e1", "lea")


def test_nobody_reports_while_nobody_coordinates() -> None:
    assert span_of_control(process(), holders(9)[1:], []).reports == ()


@given(st.integers(0, 20), st.sets(st.integers(0, 19)), st.integers(0, 19))
def test_a_sub_team_never_makes_them_more_than_its_leader(experts: int, members: set[int], leader: int) -> None:
    team = Group(f"e{leader}", frozenset(f"e{one}" for one in members))
    before = set(span_of_control(process(), holders(experts), []).reports)
    after = set(span_of_control(process(), holders(experts), [team]).reports)
    assert after <= before | {team.leader}
    assert not after & (team.members - {team.leader})
