"""How many incidents there were over a time: real ones, near misses and exercises apart; and who heard of them first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from tocsin.audit.models import Entry
from tocsin.core.access import Actor, Right, require
from tocsin.core.facts import Kind
from tocsin.core.incident_findings import FirstWord, Lead
from tocsin.incidents.course import first_words
from tocsin.incidents.models import Incident, State
from tocsin.incidents.queries import PREFIX

_VOID = (State.MERGED.value, State.CANCELLED.value)
_EXERCISE = "exercise"
_POTENTIAL = "potential"


@dataclass(frozen=True, slots=True)
class Reported:
    """An incident that a customer reported, and who was first."""

    ref: str
    title: str
    word: FirstWord


@dataclass(frozen=True, slots=True)
class IncidentFigures:
    """Of the incidents that began in [start, end). `void` were merged or cancelled; nothing is counted twice.

    `ahead` and `behind` are of `actual` alone; what no customer reported is `unknown`.
    """

    start: datetime
    end: datetime
    actual: int
    near_misses: int
    exercises: int
    void: int
    reported: tuple[Reported, ...]

    @property
    def ahead(self) -> int:
        return sum(one.word.lead is Lead.AHEAD for one in self.reported)

    @property
    def behind(self) -> int:
        return len(self.reported) - self.ahead

    @property
    def unknown(self) -> int:
        return self.actual - len(self.reported)


def figures(actor: Actor, *, start: datetime, end: datetime) -> IncidentFigures:
    """Only what customers reported is looked up in the log; that is little, and the rest is unknown by itself."""
    require(actor, Right.INCIDENT_READ)
    rows = Incident.objects.filter(created_at__gte=start, created_at__lt=end)
    counted = Counter(
        _class_of(state, kind, impact) for state, kind, impact in rows.values_list("state", "kind", "impact_state")
    )
    return IncidentFigures(
        start,
        end,
        actual=counted["actual"],
        near_misses=counted["near_miss"],
        exercises=counted["exercise"],
        void=counted["void"],
        reported=_reported(start, end),
    )


def _class_of(state: str, kind: str, impact: str) -> str:
    if state in _VOID:
        return "void"
    if kind == _EXERCISE:
        return "exercise"
    return "near_miss" if impact == _POTENTIAL else "actual"


def _reported(start: datetime, end: datetime) -> tuple[Reported, ...]:
    named = Entry.objects.filter(kind=Kind.CUSTOMER_REPORTED, at__gte=start).values_list("incident", flat=True)
    numbers = {int(ref.removeprefix(PREFIX)) for ref in named.distinct()}
    rows = Incident.objects.filter(number__in=numbers, created_at__gte=start, created_at__lt=end)
    actual = rows.exclude(state__in=_VOID).exclude(kind=_EXERCISE).exclude(impact_state=_POTENTIAL)
    titles = {row.ref: row.title for row in actual.order_by("number").only("number", "title")}
    return tuple(
        Reported(ref, titles[ref], word)
        for ref, word in first_words(titles)
        if word.first_customer_report_at is not None
    )
