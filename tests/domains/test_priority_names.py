"""A team's SLOs are mapped onto the organisation's priorities: what the catalogue does not have is refused by name."""

from __future__ import annotations

import pytest

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import NOON
from tests.domains.test_openslo_apply import FILES, PRIORITIES, SLO
from tocsin.config.apply import apply_texts
from tocsin.config.plan import Plan
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid
from tocsin.process import queries as process
from tocsin.slo import actions, queries
from tocsin.slo.models import Objective, PriorityAssignment

pytestmark = pytest.mark.django_db

KNOWN = "the organisation has P1, P2, P3, P4."


@pytest.fixture(autouse=True)
def _world(db: None) -> None:
    worlds.process()
    worlds.team("identity")


def _apply(**files: str) -> Plan:
    return apply_texts(SYSTEM, {**FILES, **files}, dry_run=False, now=NOON)


@pytest.mark.req("R-9.2-2")
@pytest.mark.parametrize("written", ["P9", "9", "S1", "high"])
def test_a_priority_that_the_catalogue_does_not_have_is_refused_by_name_and_line_in_every_file(written: str) -> None:
    in_annotation = _apply(**{"slo.yaml": SLO.replace("priority: P2", f"priority: {written}")})
    assert [(one.path, one.line, one.message) for one in in_annotation.errors] == [
        ("slo.yaml", 10, f"priority: There is no priority {written!r}; {KNOWN}")
    ]
    in_map = _apply(**{"map.yaml": PRIORITIES.replace("priority: 4", f"priority: {written}")})
    assert [(one.path, one.line, one.message) for one in in_map.errors] == [
        ("map.yaml", 7, f"priority: There is no priority {written!r}; {KNOWN}")
    ]
    raised = _apply(**{"map.yaml": PRIORITIES.replace("to: 2", f"to: {written}")})
    assert f"There is no priority {written!r}" in raised.errors[0].message
    assert not Objective.objects.exists()


@pytest.mark.req("R-9.2-2")
def test_a_rank_that_the_catalogue_does_not_have_is_refused_by_name_whoever_asks() -> None:
    slo = slo_worlds.objective()
    for rank in (0, 5, 99):
        with pytest.raises(Invalid, match=f"There is no priority {rank}; {KNOWN}"):
            actions.assign_priority(SYSTEM, objective=slo, decision="set", priority=rank, now=NOON)
    assert not PriorityAssignment.objects.exists()


@pytest.mark.parametrize(("written", "rank"), [("2", 2), (2, 2), ("P2", 2), ("p2", 2)])
def test_a_priority_is_known_by_its_rank_and_by_its_code(written: int | str, rank: int) -> None:
    assert process.rank_named(written) == rank


def test_an_unknown_group_is_refused_by_name_at_the_line_of_the_decision() -> None:
    plan = _apply(**{"slo.yaml": SLO.replace("customer-support", "nobody-at-all")})
    assert [(one.path, one.line) for one in plan.errors] == [("slo.yaml", 10)]
    assert "There is no stakeholder group 'nobody-at-all'" in plan.errors[0].message


def test_where_a_map_decides_the_slo_s_own_word_does_not_count() -> None:
    """One SLO has one priority: the map's is the only decision that is written."""
    assert _apply(**{"map.yaml": PRIORITIES}).errors == []
    (decision,) = queries.assignments(SYSTEM, Objective.objects.get())
    assert decision.priority == 4
