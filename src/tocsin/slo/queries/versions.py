"""What an SLO said from when to when, and what its changes do to the numbers of today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from tocsin.core.access import Actor, Right, require
from tocsin.core.document_diff import Difference
from tocsin.core.error_budget import allowed_ratio, remaining
from tocsin.core.objective_changes import Effect, effects, setting_changes
from tocsin.slo.models import Objective, ObjectiveVersion
from tocsin.slo.queries.budgets import BudgetView


@dataclass(frozen=True, slots=True)
class Version:
    """A version and what it changed of the one before; `until_at` is None while it is in force."""

    row: ObjectiveVersion
    until_at: datetime | None
    changes: tuple[Difference, ...]

    @property
    def effects(self) -> tuple[Effect, ...]:
        return effects(self.changes)


def versions(actor: Actor, objective: Objective) -> list[Version]:
    """Every version of an SLO, newest first."""
    require(actor, Right.SLO_READ)
    rows = list(objective.versions.order_by("number"))
    found = []
    for place, row in enumerate(rows):
        changes = _changes(rows[place - 1], row) if place else ()
        found.append(Version(row, rows[place + 1].effective_at if place + 1 < len(rows) else None, changes))
    return found[::-1]


def _changes(before: ObjectiveVersion, after: ObjectiveVersion) -> tuple[Difference, ...]:
    """The settings that differ; where none does, what else differs in the file."""
    return setting_changes(before.settings, after.settings) or setting_changes(before.document, after.document)


@dataclass(frozen=True, slots=True)
class Shift:
    """A change within the budget's period that moves its numbers. `former_left`: what would be left by the old target."""

    version: Version
    effect: Effect
    former_target: Decimal | None = None
    former_left: Fraction | None = None


def shifts(history: list[Version], view: BudgetView) -> list[Shift]:
    """The changes since the budget's period began after which its numbers are not what they were, newest first."""
    found = []
    for version in history:
        if version.row.effective_at <= view.span.starts_at or not version.changes:
            continue
        effect = version.effects[0]
        if effect in (Effect.COUNTS, Effect.BUDGET):
            former = _former_target(version)
            found.append(Shift(version, effect, former, None if former is None else _left(view, former)))
    return found


def _former_target(version: Version) -> Decimal | None:
    change = next((one for one in version.changes if one.path == "target"), None)
    return None if change is None or change.before is None else Decimal(change.before)


def _left(view: BudgetView, target: Decimal) -> Fraction | None:
    """What would be left of this period's budget by another target, all else being equal."""
    grant = allowed_ratio(target) * view.valid
    return remaining(grant, view.bad) if grant > 0 and view.left is not None else None
