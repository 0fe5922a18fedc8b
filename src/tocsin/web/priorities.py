"""What the priorities and severities mean, who is told, and which pairs go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import PageWhen, PriorityDefinition, RoleNeed, Verdict
from tocsin.incidents import queries as incidents
from tocsin.process import queries
from tocsin.web import asking
from tocsin.web.instants import span_text

COUNTED_OVER = timedelta(days=90)
MOST_DOTS = 12
VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.ALLOWED: ("Allowed", "check"),
    Verdict.CONDITIONAL: ("Give a reason", "help"),
    Verdict.NOT_ALLOWED: ("Never", "cross"),
}
PAGED: Mapping[PageWhen, str] = {
    PageWhen.ALWAYS: "People on call are paged at any hour",
    PageWhen.BUSINESS_HOURS: "People on call are paged in business hours only",
    PageWhen.NEVER: "Nobody is paged",
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


def consequences(priority: PriorityDefinition) -> list[tuple[bool, str]]:
    """What follows from a priority, each as (yes or no, a sentence)."""
    asked = priority.criteria
    every = f"An update at least every {span_text(asked.update_every)}" if asked.update_every else "No updates are owed"
    return [
        (asked.hotfix_immediately, "A fix is rolled out at once" if asked.hotfix_immediately else "No rushed rollout"),
        (asked.postmortem, "A postmortem follows" if asked.postmortem else "No postmortem is owed"),
        (asked.notify_management, "Management is told" if asked.notify_management else "Management is not told"),
        (
            asked.notify_stakeholder_groups,
            "The chosen groups are told" if asked.notify_stakeholder_groups else "No group is told",
        ),
        (asked.update_every is not None, every),
        (priority.page.when is not PageWhen.NEVER, PAGED[priority.page.when]),
        *([(True, "A work item is made")] if priority.work_item else []),
    ]


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
    word, icon = VERDICTS[verdict]
    why = rule.why if rule else ""
    return Cell(severity, verdict.value, word, icon, why, counts.get((priority.rank, severity), 0))


urlpatterns = [path("priorities", overview, name="priorities")]
