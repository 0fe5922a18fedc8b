"""What the priorities and severities mean, who is told, and which pairs go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from tocsin.core.errors import NotFound
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import PriorityDefinition, RoleNeed, Verdict
from tocsin.incidents import queries as incidents
from tocsin.process import exports, queries
from tocsin.process.sentences import VERDICTS, consequences
from tocsin.web import asking

COUNTED_OVER = timedelta(days=90)
MOST_DOTS = 12
ICONS: Mapping[Verdict, str] = {
    Verdict.ALLOWED: "check",
    Verdict.CONDITIONAL: "help",
    Verdict.NOT_ALLOWED: "cross",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One pair of priority and severity, with how often it stood in the last 90 days."""

    severity: str
    verdict: str
    word: str
    icon: str
    why: str
    count: int

    @property
    def dots(self) -> range:
        return range(min(self.count, MOST_DOTS))


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The catalogue of priorities, the severities, and the matrix of both."""
    actor = asking.actor(request)
    groups = queries.groups(actor)
    definition = queries.current()
    counts = incidents.pair_counts(actor, since=asking.now(request) - COUNTED_OVER)
    context = {
        "definition": definition,
        "version": queries.current_version(),
        "groups": groups,
        "priorities": [(one, consequences(one)) for one in definition.catalogue.priorities],
        "severities": [(one, called(definition, one.code)) for one in definition.severities.severities],
        "matrix": matrix(definition, counts),
        "days": COUNTED_OVER.days,
    }
    return render(request, "web/priorities.html", context)


def called(definition: ProcessDefinition, severity: str) -> list[str]:
    """The roles a severity calls, as people name them."""
    needs = definition.roles.by_severity.get(severity, {})
    roles = (definition.roles.by_code(code) for code, need in needs.items() if need is not RoleNeed.NONE)
    return [role.display_name for role in roles if role is not None]


def matrix(
    definition: ProcessDefinition, counts: Mapping[tuple[int, str], int]
) -> list[tuple[PriorityDefinition, list[Cell]]]:
    """Rows by priority, cells by severity, in the order of the process."""
    return [
        (priority, [_cell(definition, priority, code, counts) for code in definition.severities.codes])
        for priority in definition.catalogue.priorities
    ]


def _cell(
    definition: ProcessDefinition, priority: PriorityDefinition, severity: str, counts: Mapping[tuple[int, str], int]
) -> Cell:
    rule = definition.matrix.rule(priority.rank, severity)
    verdict = rule.verdict if rule else Verdict.ALLOWED
    why = rule.why if rule else ""
    return Cell(
        severity, verdict.value, VERDICTS[verdict], ICONS[verdict], why, counts.get((priority.rank, severity), 0)
    )


@require_GET
def exported(request: HttpRequest, part: str, ending: str) -> HttpResponse:
    """The priorities or the whole process as a file for the wiki."""
    form = exports.ENDINGS.get(ending)
    if form is None:
        raise NotFound("There is no such file; there are .md and .html.")
    text = exports.export(asking.actor(request), part=part, form=form)
    answer = HttpResponse(text, content_type=exports.TYPES[form])
    answer.headers["Content-Disposition"] = f'attachment; filename="{part}.{ending}"'
    return answer


urlpatterns = [
    path("priorities", overview, name="priorities"),
    path("priorities/export.<slug:ending>", exported, {"part": "priorities"}, name="priorities-export"),
    path("process/export.<slug:ending>", exported, {"part": "process"}, name="process-export"),
]
