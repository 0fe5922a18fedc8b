"""An SLO's history: what it said from when to when, who changed it and why, and what that does to today's numbers."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import ProtectedError

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tests.domains.test_openslo_apply import FILES, SLO
from tocsin.audit.models import Entry
from tocsin.config.apply import apply_texts
from tocsin.core.access import SYSTEM
from tocsin.core.objective_changes import Effect, effects, setting_changes
from tocsin.slo import actions, queries
from tocsin.slo.models import Breach, Objective, ObjectiveVersion

DAY = timedelta(days=1)


def _history(slo: Objective) -> list[tuple[int, str, str]]:
    return [(one.row.number, one.row.change, one.row.reason) for one in queries.versions(SYSTEM, slo)]


@pytest.mark.django_db
def test_each_change_is_a_version_and_the_same_again_is_none() -> None:
    slo = slo_worlds.objective(now=NOON)
    slo_worlds.objective(now=NOON + MINUTE)
    slo_worlds.objective(now=NOON + DAY, target=Decimal("0.99"))
    actions.retire_objective(SYSTEM, slo.name, reason="The service is gone", now=NOON + 2 * DAY)
    actions.retire_objective(SYSTEM, slo.name, reason="once more", now=NOON + 3 * DAY)
    slo_worlds.objective(now=NOON + 4 * DAY, target=Decimal("0.99"))
    assert _history(slo) == [
        (4, "returned", ""),
        (3, "retired", "The service is gone"),
        (2, "changed", ""),
        (1, "added", ""),
    ]
    newest, retired, changed, added = queries.versions(SYSTEM, slo)
    assert [(one.path, one.before, one.after) for one in changed.changes] == [("target", "0.997", "0.99")]
    assert (added.row.effective_at, added.until_at) == (NOON, NOON + DAY)
    assert (newest.until_at, retired.changes, changed.row.author) == (None, (), SYSTEM.ident)
    assert Objective.objects.get().revision == 4
    assert Entry.objects.get(kind="slo.retired").data["reason"] == "The service is gone"


@pytest.mark.django_db
def test_the_reason_of_an_application_stands_in_the_history_with_the_whole_document() -> None:
    worlds.process()
    worlds.team("identity")
    apply_texts(SYSTEM, FILES, dry_run=False, now=NOON)
    slower = {**FILES, "rest.yaml": FILES["rest.yaml"].replace("threshold: 14.4", "threshold: 10")}
    plan = apply_texts(SYSTEM, slower, dry_run=False, reason="Two false pages a week", now=NOON + DAY)
    assert plan.changed == ["SLO logon-availability"]
    newest = queries.versions(SYSTEM, Objective.objects.get())[0]
    assert newest.row.reason == "Two false pages a week"
    assert [one.path for one in newest.changes] == ["rule.conditions[0].threshold"]
    assert newest.effects == (Effect.ALERTS,)
    policy = newest.row.document["spec"]["alertPolicies"][0]
    assert policy["spec"]["conditions"][0]["spec"]["condition"]["threshold"] == 10
    assert newest.row.document["spec"]["indicator"]["metadata"]["name"] == "logon-ok"


@pytest.mark.django_db
def test_another_priority_is_a_decision_of_its_own_and_no_version() -> None:
    worlds.process()
    worlds.team("identity")
    apply_texts(SYSTEM, FILES, dry_run=False, now=NOON)
    apply_texts(SYSTEM, {**FILES, "slo.yaml": SLO.replace("P2", "P1")}, dry_run=False, now=NOON + DAY)
    slo = Objective.objects.get()
    assert len(_history(slo)) == 1
    assert [one.priority for one in queries.assignments(SYSTEM, slo)] == [1, 2]


@pytest.mark.django_db
def test_a_dry_run_leaves_no_version() -> None:
    worlds.process()
    worlds.team("identity")
    apply_texts(SYSTEM, FILES, dry_run=True, now=NOON)
    assert not ObjectiveVersion.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"reason": "never said"}, None])
def test_the_database_itself_refuses_to_change_or_drop_a_version(change: dict[str, Any] | None) -> None:
    slo_worlds.objective(now=NOON)
    rows = ObjectiveVersion.objects.all()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        rows.update(**change) if change else rows._raw_delete(rows.db)
    with pytest.raises(TypeError):
        rows.get().save()
    with pytest.raises(TypeError):
        rows.get().delete()


@pytest.mark.django_db
def test_an_slo_that_was_ever_breached_cannot_be_deleted_by_anyone() -> None:
    slo = slo_worlds.objective(now=NOON, rule=slo_worlds.DEPLETION)
    slo_worlds.run(slo, NOON, [1000] * 5)
    assert Breach.objects.filter(objective=slo).exists()
    with pytest.raises(ProtectedError):
        slo.delete()
    actions.retire_objective(SYSTEM, slo.name, reason="gone", now=NOON + DAY)
    assert Breach.objects.filter(objective=slo).exists()


@pytest.mark.django_db
def test_the_budget_of_a_period_with_a_change_in_it_says_what_the_former_target_would_have_left() -> None:
    slo = slo_worlds.objective(now=NOON, target=Decimal("0.99"))
    slo_worlds.push(slo, NOON, good=995, bad=5)
    now = NOON + DAY
    slo_worlds.objective(now=now, target=Decimal("0.995"))
    slo_worlds.push(slo, now - MINUTE, good=0, bad=0, now=now)
    changed = Objective.objects.get()
    view = queries.budget(SYSTEM, changed, now=NOON + 5 * MINUTE)
    assert view.left == 0
    (shift,) = queries.shifts(queries.versions(SYSTEM, changed), view)
    assert (shift.effect, shift.former_target, shift.former_left) == (
        Effect.BUDGET,
        Decimal("0.99"),
        Fraction(1, 2),
    )
    late = queries.budget(SYSTEM, changed, now=now + 28 * DAY)
    assert queries.shifts(queries.versions(SYSTEM, changed), late) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"good_query": "a"}, {"good_query": "b", "description": "x"}, (Effect.COUNTS, Effect.WORDS)),
        ({"period": "1 s"}, {"period": "2 s"}, (Effect.BUDGET,)),
        ({"rule": {"name": "tocsin"}}, {"rule": {"name": "workbook"}}, (Effect.ALERTS,)),
        ({}, {"display_name": "x"}, (Effect.WORDS,)),
        ({"target": "0.9"}, {"target": "0.9"}, ()),
    ],
)
def test_what_a_change_touches(before: dict[str, Any], after: dict[str, Any], expected: tuple[Effect, ...]) -> None:
    assert effects(setting_changes(before, after)) == expected
