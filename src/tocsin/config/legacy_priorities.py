"""Earlier, local definitions of priorities, brought onto the organisation's by a mapping; what has none is listed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.config.plan import FileProblem, Plan
from tocsin.core.access import Actor
from tocsin.core.errors import Invalid, NotAllowed, NotFound, TocsinError
from tocsin.platform.text import clean, one_line
from tocsin.process import queries as process
from tocsin.slo import actions as slo
from tocsin.slo.models import Objective, PriorityAssignment

NONE = "none"
_COLUMNS = frozenset({"slo", "priority", "maps_to", "groups", "reason"})
_MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the file: the SLO, its priority in the words of the team, and the mapping column when it says something."""

    line: int
    slo: str
    legacy: str
    maps_to: str
    groups: tuple[str, ...]
    reason: str


@dataclass(slots=True)
class LegacyPlan:
    """What becomes of each row; `unmapped` are (line, SLO, its word) for which nobody said what they mean now."""

    plan: Plan = field(default_factory=Plan)
    unmapped: list[tuple[int, str, str]] = field(default_factory=list)

    def as_document(self) -> dict[str, Any]:
        left = [{"line": line, "slo": name, "priority": word} for line, name, word in self.unmapped]
        return {**self.plan.as_document(), "unmapped": left}


def import_priorities(
    actor: Actor, text: str, mapping: Mapping[str, str], *, file: str, dry_run: bool, now: datetime
) -> LegacyPlan:
    """Decide the priorities of a CSV (slo, priority, and maps_to, groups, reason where there are any).

    `mapping` says what a word of the team means in the catalogue, or `none`; the column maps_to says it for a row. All
    rows that are mapped, or none of them when any is wrong. Raises Invalid for a file that is no such table.
    """
    found = LegacyPlan()
    rows = list(_rows(text, file, found.plan))
    known = {_word(word): meaning.strip() for word, meaning in mapping.items()}
    _check_mapping(mapping, file, found.plan)
    if not found.plan.errors:
        with transaction.atomic():
            for row in rows:
                meaning = row.maps_to or known.get(_word(row.legacy), "")
                if meaning:
                    _decide(actor, row, meaning, found.plan, file=file, now=now)
                else:
                    found.unmapped.append((row.line, row.slo, row.legacy))
            if found.plan.errors or dry_run:
                transaction.set_rollback(True)
    return found


def _word(text: str) -> str:
    return " ".join(text.lower().split())


def _check_mapping(mapping: Mapping[str, str], file: str, plan: Plan) -> None:
    """A mapping leads to priorities of the catalogue only."""
    for word, meaning in mapping.items():
        try:
            _rank(meaning.strip())
        except Invalid as error:
            plan.errors.append(FileProblem(file, 1, f"mapping {word!r}: {error.fields['priority']}"))


def _rank(meaning: str) -> int | None:
    return None if meaning.lower() == NONE else process.rank_named(meaning)


def _rows(text: str, file: str, plan: Plan) -> Iterator[Row]:
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",")
    header = [name.strip().lower() for name in next(lines, [])]
    if not {"slo", "priority"} <= set(header):
        raise Invalid({"csv": f"{file}: the first line must name the columns slo and priority"})
    if unknown := sorted(set(header) - _COLUMNS):
        plan.warnings.append(FileProblem(file, 1, f"column {one_line(unknown[0], limit=60)!r} is passed over"))
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            plan.errors.append(
                FileProblem(file, lines.line_num, f"has {len(cells)} cells; the first line has {len(header)}")
            )
            continue
        if lines.line_num > _MOST_ROWS:
            raise Invalid({"csv": f"{file}: has more than {_MOST_ROWS} lines"})
        yield _row(lines.line_num, dict(zip(header, map(str.strip, cells), strict=True)))


def _row(line: int, cells: Mapping[str, str]) -> Row:
    groups = tuple(filter(None, (one.strip() for one in cells.get("groups", "").replace("|", ",").split(","))))
    return Row(line, cells["slo"], cells["priority"], cells.get("maps_to", ""), groups, cells.get("reason", ""))


def _decide(actor: Actor, row: Row, meaning: str, plan: Plan, *, file: str, now: datetime) -> None:
    try:
        with transaction.atomic():
            rank = _rank(meaning)
            objective = Objective.objects.select_related("service__team").filter(name=row.slo, retired_at=None).first()
            if objective is None:
                raise NotFound(f"There is no SLO in use called {one_line(row.slo, limit=80)!r}.")
            before = PriorityAssignment.objects.filter(objective=objective, valid_until=None).first()
            after = slo.assign_priority(
                actor,
                objective=objective,
                decision=NONE if rank is None else "set",
                priority=rank,
                groups=row.groups or _groups(before),
                reason=row.reason or f"was {clean(row.legacy)} in {file}",
                now=now,
            )
    except NotAllowed:
        raise
    except Invalid as error:
        plan.errors += [FileProblem(file, row.line, message) for message in error.fields.values()]
    except TocsinError as error:
        plan.errors.append(FileProblem(file, row.line, error.message))
    else:
        _note(plan, f"priority of {row.slo}: {meaning} (was {row.legacy})", before, after)


def _groups(before: PriorityAssignment | None) -> tuple[str, ...]:
    """The groups that hear now, which a file without that column leaves as they are."""
    return tuple(before.groups.values_list("code", flat=True)) if before is not None else ()


def _note(plan: Plan, title: str, before: PriorityAssignment | None, after: PriorityAssignment) -> None:
    if before is None:
        plan.created.append(title)
    elif before.pk == after.pk:
        plan.unchanged.append(title)
    else:
        plan.changed.append(title)
