"""Every SLO with the priority of its breach: what an organisation decided, who decided it, and since when."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tocsin.audit.actions import stamp
from tocsin.core.access import Actor
from tocsin.core.errors import Invalid
from tocsin.core.priorities import PriorityState
from tocsin.core.process_parts import PriorityCatalogue, PriorityDefinition
from tocsin.process import queries as process
from tocsin.slo import queries as slo
from tocsin.slo.models import Objective, PriorityAssignment

UNDECIDED = (PriorityState.NONE.value, PriorityState.UNSET.value)
COLUMNS = (
    "slo",
    "use_case",
    "sli",
    "endpoint",
    "target",
    "priority",
    "priority_name",
    "raised_to",
    "team",
    "service",
    "since",
    "by",
    "reason",
    "groups",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would reckon with instead of showing it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a listing is narrowed to; empty is anything. `priority` is a code, a rank, none or unset."""

    team: str = ""
    service: str = ""
    priority: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One SLO. `priority` is None unless decided; `state` says which of the two silences it is then."""

    objective: Objective
    state: PriorityState
    priority: PriorityDefinition | None
    raised: PriorityDefinition | None
    more_than: int
    within: timedelta
    groups: tuple[str, ...]
    since_at: datetime | None
    by: str
    reason: str

    @property
    def word(self) -> str:
        """The catalogue's code, or the word for no priority."""
        return self.priority.code if self.priority else self.state.value

    @property
    def rank(self) -> int | None:
        return self.priority.rank if self.priority else None

    @property
    def team(self) -> str:
        team = self.objective.service.team
        return team.name if team else ""

    @property
    def target_text(self) -> str:
        """The target in percent and the period in days or hours: "99.7% over 28 days"."""
        period = self.objective.period
        whole = period % timedelta(days=1) == timedelta(0)
        length = f"{period.days} days" if whole else f"{period / timedelta(hours=1):g} hours"
        return f"{(self.objective.target * 100).normalize():f}% over {length}"


def lines(actor: Actor, wanted: Wanted, *, now: datetime) -> list[Line]:
    """Every SLO in use that fits, by team and name. Raises Invalid for a priority the catalogue does not have."""
    catalogue = process.current().catalogue
    word = _word(catalogue, wanted.priority)
    objectives = slo.objectives(actor, team=wanted.team or None, service=wanted.service or None)
    decided = slo.assignments_at([one.pk for one in objectives], now, with_groups=True)
    found = [_line(one, decided.get(one.pk), catalogue) for one in objectives]
    kept = [line for line in found if (not word or line.word == word) and _has_words(line, wanted.words)]
    return sorted(kept, key=lambda line: (line.team == "", line.team, line.objective.label.casefold()))


def _word(catalogue: PriorityCatalogue, given: str) -> str:
    text = given.strip()
    if not text or text.lower() in UNDECIDED:
        return text.lower()
    ranked = catalogue.by_rank(int(text)) if text.isascii() and text.isdecimal() else None
    found = ranked or next((one for one in catalogue.priorities if one.code.casefold() == text.casefold()), None)
    if found is None:
        codes = ", ".join([*(one.code for one in catalogue.priorities), *UNDECIDED])
        raise Invalid({"priority": f"There is no priority {text[:40]!r}; choose {codes}."})
    return found.code


def _line(objective: Objective, row: PriorityAssignment | None, catalogue: PriorityCatalogue) -> Line:
    rule = (row.raise_rule if row else None) or {}
    return Line(
        objective=objective,
        state=PriorityState(row.decision) if row else PriorityState.UNSET,
        priority=catalogue.by_rank(row.priority) if row and row.priority else None,
        raised=catalogue.by_rank(int(rule["to"])) if rule else None,
        more_than=int(rule.get("more_than", 0)),
        within=timedelta(seconds=int(rule.get("within_seconds", 0))),
        groups=tuple(group.code for group in row.groups.all()) if row else (),
        since_at=row.valid_from if row else None,
        by=row.assigned_by if row else "",
        reason=row.reason if row else "",
    )


def _has_words(line: Line, words: str) -> bool:
    one = line.objective
    text = f"{one.name} {one.label} {one.use_case} {one.service.label} {line.team} {line.by} {line.reason}".casefold()
    return all(word in text for word in words.casefold().split())


def document(line: Line) -> dict[str, Any]:
    """A line as JSON values. `priority` is the rank; code and name are the catalogue's."""
    one = line.objective
    return {
        "slo": one.name,
        "display_name": one.label,
        "use_case": one.use_case or None,
        "sli": one.sli_kind or None,
        "endpoint": one.endpoint or None,
        "target": line.target_text,
        "priority": line.rank,
        "priority_state": line.state.value,
        "priority_code": line.word,
        "priority_name": line.priority.name if line.priority else None,
        "raised_to": line.raised.code if line.raised else None,
        "raised_after": line.more_than if line.raised else None,
        "raised_within_seconds": int(line.within.total_seconds()) if line.raised else None,
        "team": line.team or None,
        "service": one.service.name,
        "groups": list(line.groups),
        "since": stamp(line.since_at) if line.since_at else None,
        "by": line.by or None,
        "reason": line.reason or None,
    }


def as_csv(found: Iterable[Line]) -> str:
    """The lines as RFC 4180 text with a head; a cell that begins like a formula is shown as text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for line in found:
        said = document(line)
        said["priority"] = said["priority_code"]
        writer.writerow([_cell(said[name]) for name in COLUMNS])
    return out.getvalue()


def _cell(value: object) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def counts(found: Sequence[Line], catalogue: PriorityCatalogue) -> list[tuple[str, int | None, str, int]]:
    """How many SLOs stand under each word: (code, rank, state, count), the catalogue's order, then none and unset."""
    words = [line.word for line in found]
    ranked = [(one.code, one.rank, PriorityState.SET.value, words.count(one.code)) for one in catalogue.priorities]
    return [*ranked, *((word, None, word, words.count(word)) for word in UNDECIDED)]
