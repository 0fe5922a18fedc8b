"""A team's policy comes into force when its records are there; readiness and stage are told from what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.domains import adoption_worlds as world
from tests.domains import slo_worlds, worlds
from tests.domains.worlds import NOW
from tocsin.adoption import actions, queries
from tocsin.adoption.models import Statement, TeamPolicy
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.team_readiness import Point, Stage
from tocsin.incidents import actions as incidents
from tocsin.people import actions as people

pytestmark = pytest.mark.django_db

STEPS: dict[str, Callable[[], object]] = {
    "an owning team": world.service,
    "an SLO": slo_worlds.objective,
    "a rotation": world.rotation,
    "a stakeholder group": world.somebody_hears,
}


@pytest.mark.req("R-9-1")
@pytest.mark.parametrize("left_out", [*STEPS, "everything"])
def test_a_policy_is_refused_with_the_name_of_each_missing_record(left_out: str) -> None:
    world.team()
    # An SLO needs its service, so without an owning team the service belongs to nobody.
    if left_out == "an owning team":
        worlds.service("checkout")
    expected = list(STEPS) if left_out == "everything" else [left_out]
    for name, build in STEPS.items():
        if name not in expected:
            build()
    with pytest.raises(Refused) as refusal:
        actions.activate_policy(SYSTEM, "tickets", now=NOW)
    named = refusal.value.message.split("Missing: ")[1]
    if left_out == "an owning team":
        expected = ["an owning team", "an SLO"]  # the SLO of a service without a team is nobody's
    assert [name for name in STEPS if name in named] == expected
    assert refusal.value.reason == "prerequisites_missing"
    assert not TeamPolicy.objects.exists()


@pytest.mark.req("R-9-1")
def test_a_policy_with_all_its_records_comes_into_force_once() -> None:
    world.complete()
    bo = worlds.actor("bo")
    first = actions.activate_policy(bo, "tickets", now=NOW)
    again = actions.activate_policy(bo, "tickets", now=NOW + timedelta(days=1))
    assert again == first
    assert first.activated_by == "bo"
    assert Entry.objects.filter(kind=Kind.TEAM_POLICY_ACTIVATED).count() == 1
    assert queries.progress(SYSTEM, "tickets", now=NOW).policy == first


def test_a_policy_ends_with_a_reason_and_may_come_back() -> None:
    world.complete()
    actions.activate_policy(SYSTEM, "tickets", now=NOW)
    with pytest.raises(Invalid):
        actions.end_policy(SYSTEM, "tickets", reason=" ", now=NOW)
    ended = actions.end_policy(SYSTEM, "tickets", reason="merged with payments", now=NOW)
    assert (ended.ended_at, ended.end_reason) == (NOW, "merged with payments")
    with pytest.raises(Refused):
        actions.end_policy(SYSTEM, "tickets", reason="again", now=NOW)
    assert actions.activate_policy(SYSTEM, "tickets", now=NOW).pk != ended.pk


def test_only_owners_of_the_team_put_its_policy_in_force() -> None:
    world.complete()
    worlds.person("eve", in_team="tickets")
    for stranger in ("eve", "zoe"):
        with pytest.raises(NotAllowed):
            actions.activate_policy(worlds.actor(stranger), "tickets", now=NOW)
    with pytest.raises(NotFound):
        actions.activate_policy(SYSTEM, "nobody", now=NOW)


def _verdicts(now: object = NOW) -> list[bool]:
    return [one.holds for one in queries.progress(SYSTEM, "tickets", now=NOW).verdicts]


@pytest.mark.req("R-9.2.3-16")
def test_the_four_verdicts_follow_what_happened() -> None:
    world.team()
    world.service()
    assert _verdicts() == [False, False, False, False]
    for day, target in enumerate(["0.99", "0.995", "0.999"]):
        slo_worlds.objective(target=slo_worlds.Decimal(target), now=NOW - timedelta(days=3 - day))
    assert _verdicts() == [True, False, False, False]
    world.rotation()
    assert _verdicts() == [True, True, False, False]
    row = incidents.declare(worlds.actor("bo"), title="Checkout fails", service="checkout", priority=2, now=NOW)
    incidents.acknowledge(worlds.actor("bo"), row.number, now=NOW)
    assert _verdicts() == [True, True, True, False]
    actions.state_point(SYSTEM, "tickets", "wants_priorities", holds=True, reason="too many alike", now=NOW)
    assert _verdicts() == [True, True, True, True]
    assert queries.progress(SYSTEM, "tickets", now=NOW).ready
    actions.state_point(SYSTEM, "tickets", "wants_priorities", holds=False, reason="not now", now=NOW)
    assert _verdicts() == [True, True, True, False]


def test_a_team_answers_only_what_no_record_shows_and_with_a_reason() -> None:
    world.team()
    for point, reason in ((Point.ROTATION.value, "we have one"), ("", "x"), (Point.WANTS_PRIORITIES.value, "  ")):
        with pytest.raises(Invalid):
            actions.state_point(SYSTEM, "tickets", point, holds=True, reason=reason, now=NOW)
    assert not Statement.objects.exists()


def test_the_stage_is_one_of_two_and_its_change_is_written_down() -> None:
    world.team()
    with pytest.raises(Invalid):
        people.update_team(SYSTEM, name="tickets", stage="grown-up", now=NOW)
    assert people.update_team(worlds.actor("bo"), name="tickets", stage=Stage.MATURE, now=NOW).stage == "mature"
    entry = Entry.objects.filter(kind=Kind.TEAM_SAVED).order_by("-seq").first()
    assert entry is not None
    assert entry.data == {"team": "tickets", "change": "changed", "stage": "mature"}
