"""What a check of the process can say about an incident, and how it says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """`not_due` can still become anything; `not_checked` means that nothing recorded could show it. Neither is green."""

    PASSED = "pass"
    FAILED = "fail"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"
    NOT_DUE = "not_due"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True)
class Waiver:
    """A person decided that something is not held against the incident. `seq` is the entry that says so."""

    seq: int
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """A verdict with its sentence and the log entries behind it.

    `due_at` is when a verdict that is not due has to be asked for again; without it only a new entry changes it.
    """

    verdict: Verdict
    why: str
    evidence: tuple[int, ...] = ()
    due_at: datetime | None = None
    waiver: Waiver | None = None
    remark: str = ""


def passed(why: str, *evidence: int, remark: str = "") -> Outcome:
    return Outcome(Verdict.PASSED, why, _sorted(evidence), remark=remark)


def failed(why: str, *evidence: int, remark: str = "") -> Outcome:
    return Outcome(Verdict.FAILED, why, _sorted(evidence), remark=remark)


def not_applicable(why: str, *evidence: int) -> Outcome:
    return Outcome(Verdict.NOT_APPLICABLE, why, _sorted(evidence))


def not_due(why: str, *evidence: int, due_at: datetime | None = None) -> Outcome:
    return Outcome(Verdict.NOT_DUE, why, _sorted(evidence), due_at=due_at)


def not_checked(why: str, *evidence: int) -> Outcome:
    return Outcome(Verdict.NOT_CHECKED, why, _sorted(evidence))


def waived(why: str, waiver: Waiver, *evidence: int) -> Outcome:
    return Outcome(Verdict.WAIVED, why, _sorted((*evidence, waiver.seq)), waiver=waiver)


def _sorted(evidence: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(evidence)))


_WORST_FIRST = (Verdict.FAILED, Verdict.NOT_CHECKED, Verdict.NOT_DUE, Verdict.WAIVED, Verdict.PASSED)


def together(outcomes: Iterable[Outcome], *, nothing: str) -> Outcome:
    """One outcome of several parts: the worst of them counts, all of its kind are its evidence.

    Where no part applies the outcome is not applicable, with the sentence `nothing`.
    """
    parts = [one for one in outcomes if one.verdict is not Verdict.NOT_APPLICABLE]
    for verdict in _WORST_FIRST:
        same = [one for one in parts if one.verdict is verdict]
        if same:
            dues = [one.due_at for one in same if one.due_at is not None]
            return Outcome(
                verdict,
                " ".join(dict.fromkeys(one.why for one in same)),
                _sorted(seq for one in same for seq in one.evidence),
                due_at=min(dues, default=None),
                waiver=next((one.waiver for one in reversed(same) if one.waiver), None),
            )
    return not_applicable(nothing)
