"""Read the section `regulatory_clocks` of a process document. Faults are noted on the cursor, never raised."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from tocsin.core.document_reading import Cursor

SECTION = "regulatory_clocks"
INITIAL, INTERMEDIATE, FINAL = "initial", "intermediate", "final"
REPORTS = (INITIAL, INTERMEDIATE, FINAL)


@dataclass(frozen=True, slots=True)
class Criterion:
    """A question that decides whether an incident is major: `needed` in any case, `enough` beside what is needed."""

    code: str
    ask: str
    needed: bool = False
    enough: bool = False


@dataclass(frozen=True, slots=True)
class Regime:
    """What one authority asks for. `thresholds` of the criteria that are neither needed nor enough have to be met."""

    code: str
    name: str
    on: bool
    after_classification: timedelta
    after_awareness: timedelta
    after_initial: timedelta
    final_after_months: int
    thresholds: int = 0
    criteria: tuple[Criterion, ...] = ()

    def is_major(self, met: Collection[str]) -> bool:
        """What the criteria that are met suggest; a person decides."""
        if not self.criteria or any(one.needed and one.code not in met for one in self.criteria):
            return False
        counted = sum(one.code in met for one in self.criteria if not (one.needed or one.enough))
        return any(one.enough and one.code in met for one in self.criteria) or counted >= self.thresholds


def read_regimes(root: Cursor) -> tuple[Regime, ...]:
    """The section of a process document; none is a process that owes no authority anything."""
    return tuple(_regime(code, at) for code, at in root.at(SECTION).entries()) if root.has(SECTION) else ()


def _regime(code: str, at: Cursor) -> Regime:
    initial, final = at.at(INITIAL), FINAL
    found = Regime(
        code=code,
        name=at.at("name").text() if at.has("name") else code.upper(),
        on=at.at("on").flag() if at.has("on") else True,
        after_classification=_hours(initial, "after_classification_hours", 4),
        after_awareness=_hours(initial, "cap_after_aware_hours", 24),
        after_initial=_hours(at.at(INTERMEDIATE), "after_initial_hours", 72) if at.has(INTERMEDIATE) else _DAYS_3,
        final_after_months=at.at(final).at("after_last_intermediate_months").number() if at.has(final) else 1,
        thresholds=at.at("thresholds_needed").number() if at.has("thresholds_needed") else 0,
        criteria=tuple(_criterion(one) for one in at.at("criteria").items()) if at.has("criteria") else (),
    )
    codes = [one.code for one in found.criteria]
    if len(set(codes)) != len(codes):
        at.at("criteria").note("named_once", "two criteria have the same code")
    return found


_DAYS_3 = timedelta(hours=72)


def _hours(at: Cursor, key: str, otherwise: int) -> timedelta:
    return timedelta(hours=at.at(key).number() if at.has(key) else otherwise)


def _criterion(at: Cursor) -> Criterion:
    return Criterion(
        at.at("code").text(),
        at.at("ask").text(),
        needed=at.has("needed") and at.at("needed").flag(),
        enough=at.has("enough") and at.at("enough").flag(),
    )
