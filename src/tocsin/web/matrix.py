"""Priority and severity together: what each pair means, what follows from it, and which pairs are in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_safe

from tocsin.core.errors import NotFound
from tocsin.core.matrix import nearest_allowed, pair_text
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import PriorityDefinition, Verdict
from tocsin.core.roles import required_roles
from tocsin.incidents import effect_words
from tocsin.incidents.models import Incident
from tocsin.incidents.pair_use import PairUse, pair_use
from tocsin.process import queries
from tocsin.process.sentences import VERDICTS
from tocsin.web import asking, slo_pictures
from tocsin.web.pictures.drawing import Picture
from tocsin.web.pictures.matrix_map import MatrixMap, Square, matrix_map
from tocsin.web.priorities import ICONS

COUNTED_OVER = timedelta(days=90)
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Cell:
    """One pair: its verdict with the reason, what follows from it, and the incidents that stand at it."""

    severity: str
    verdict: Verdict
    why: str
    follows: Sequence[str]
    nearest: Sequence[str]
    open: Sequence[Incident]
    lately: Sequence[Incident]

    @property
    def word(self) -> str:
        return VERDICTS[self.verdict]

    @property
    def icon(self) -> str:
        return ICONS[self.verdict]

    @property
    def named(self) -> Sequence[Incident]:
        """Exceptions by name: whatever stands where nothing should."""
        rows = [*self.open, *(row for row in self.lately if row not in self.open)]
        return rows[:MOST_NAMED] if self.verdict is Verdict.NOT_ALLOWED else self.open[:MOST_NAMED]


Rows = list[tuple[PriorityDefinition, list[Cell]]]


@require_GET
def shown(request: HttpRequest) -> HttpResponse:
    """The matrix as a picture, and cell by cell."""
    definition, rows = _rows(request)
    context = {
        "definition": definition,
        "version": queries.current_version(),
        "picture": _picture(definition, rows),
        "files": reverse("process-matrix-drawn", args=["svg"]).removesuffix(".svg"),
        "rows": rows,
        "days": COUNTED_OVER.days,
    }
    return render(request, "web/process_matrix.html", context)


@require_safe
def drawn(request: HttpRequest, ending: str) -> HttpResponse:
    """The picture as a file."""
    if ending not in slo_pictures.KINDS:
        raise NotFound("There is no such drawing; there are .svg and .png.")
    definition, rows = _rows(request)
    found = _picture(definition, rows)
    return slo_pictures.answer_picture(request, found, f"Priority and severity: {found.finding}", ending)


def _rows(request: HttpRequest) -> tuple[ProcessDefinition, Rows]:
    actor, now = asking.actor(request), asking.now(request)
    queries.versions(actor)
    definition = queries.current()
    used = pair_use(actor, since=now - COUNTED_OVER)
    rows = [
        (priority, [_cell(definition, priority, code, used) for code in definition.severities.codes])
        for priority in definition.catalogue.priorities
    ]
    return definition, rows


def _cell(
    definition: ProcessDefinition, priority: PriorityDefinition, severity: str, used: dict[tuple[int, str], PairUse]
) -> Cell:
    rule = definition.matrix.rule(priority.rank, severity)
    use = used.get((priority.rank, severity), PairUse())
    verdict = rule.verdict if rule else Verdict.ALLOWED
    never = verdict is Verdict.NOT_ALLOWED
    nearest = nearest_allowed(definition, priority.rank, severity) if never else ()
    return Cell(
        severity=severity,
        verdict=verdict,
        why=rule.why if rule else "",
        follows=() if never else _follows(definition, priority, severity),
        nearest=[pair_text(definition, pair) for pair in nearest],
        open=use.open,
        lately=use.lately,
    )


def _follows(definition: ProcessDefinition, priority: PriorityDefinition, severity: str) -> list[str]:
    roles = [definition.roles.by_code(one.role) for one in required_roles(definition, severity)]
    called = ", ".join(role.display_name.lower() for role in roles if role is not None)
    return [f"called: {called}", *effect_words.by_subject(priority).values()]


def _picture(definition: ProcessDefinition, rows: Rows) -> Picture:
    return matrix_map(
        MatrixMap(
            severities=definition.severities.codes,
            priorities=[(one.rank, one.code, one.name) for one, _ in rows],
            squares=[
                [Square(cell.verdict, cell.word, cell.why, len(cell.open), len(cell.lately)) for cell in cells]
                for _, cells in rows
            ],
            days=COUNTED_OVER.days,
        )
    )


urlpatterns = [
    path("process/matrix", shown, name="process-matrix"),
    path("process/matrix.<slug:ending>", drawn, name="process-matrix-drawn"),
]
