"""Our process: the ten answers, the roles, and the versions there have been."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from tocsin.core.access import Actor, Right
from tocsin.core.document_diff import Difference
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import RoleDefinition, RoleNeed
from tocsin.process import queries
from tocsin.process.models import ProcessVersion, VersionState
from tocsin.process.wellbeing_words import limit_rows
from tocsin.web import asking

LONGEST_VALUE = 160
_PROPOSAL = (*queries.PROPOSED, VersionState.WITHDRAWN)
_DRAFTING = (VersionState.DRAFT, VersionState.IN_REVIEW)
MOST_CHANGES = 200


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role and, for each severity, the word for how it is called."""

    role: RoleDefinition
    needs: tuple[tuple[str, str], ...]


@require_GET
def in_force(request: HttpRequest) -> HttpResponse:
    """The process as it holds now."""
    queries.versions(asking.actor(request))
    return _page(request, queries.current_version())


@require_GET
def version(request: HttpRequest, number: int) -> HttpResponse:
    """The process as another version says it, and what that version changed."""
    return _page(request, queries.version(asking.actor(request), number))


def _page(request: HttpRequest, shown: ProcessVersion) -> HttpResponse:
    actor = asking.actor(request)
    versions = queries.versions(actor)
    definition = queries.definition(shown)
    former = next((one for one in versions if _is_former(one, shown)), None)
    changes = queries.version_changes(actor, former.number, shown.number) if former else ()
    context = {
        "definition": definition,
        "version": shown,
        "versions": versions,
        "former": former,
        "changes": [change_words(change) for change in changes[:MOST_CHANGES]],
        "roles": role_rows(definition),
        "limits": limit_rows(definition.wellbeing) if definition.wellbeing else [],
        "proposal": shown.state in _PROPOSAL,
        "remarks": queries.remarks(actor, shown) if shown.state in _PROPOSAL else [],
        "advice": queries.advice(shown) if shown.state in _PROPOSAL else [],
        "may_write": actor.may(Right.PROCESS_WRITE),
        "may_remark": actor.may(Right.PROCESS_REMARK),
        **_people(actor, shown, now=asking.now(request)),
        "steps": [step.replace(" -> ", " → ").replace(" - ", ": ") for step in definition.lifecycle.steps],
    }
    return render(request, "web/process.html", context)


def _people(actor: Actor, shown: ProcessVersion, *, now: datetime) -> dict[str, Any]:
    """Who reviews a version, who has read it, and when it was looked at."""
    waiting = {one.pk for one in queries.not_answered(shown)}
    invited = shown.invitations.select_related("person").order_by("person__username")
    mine = [one for one in queries.to_acknowledge(actor) if one.version_id == shown.pk]
    return {
        "invited": [(one, one.person_id not in waiting) for one in invited],
        "notices": list(shown.notices.select_related("person").order_by("acknowledged_at", "person__username")),
        "unread": mine[0] if mine else None,
        "elsewhere_unread": [one for one in queries.to_acknowledge(actor) if one.version_id != shown.pk],
        "drafting": shown.state in _DRAFTING,
        "survey": shown.surveys.first(),
        "asked": queries.to_answer(actor, now=now),
        "looked": queries.last_looked_at(shown),
    }


def _is_former(one: ProcessVersion, shown: ProcessVersion) -> bool:
    """Whether `one` is what `shown` changed: the version it was made from, or the one before it."""
    return one.number == shown.based_on if shown.based_on else one.number < shown.number


def role_rows(definition: ProcessDefinition) -> list[RoleRow]:
    """Every role with what each severity asks of it."""
    words = {
        RoleNeed.DEDICATED: "one person for it",
        RoleNeed.SHARED: "beside another role",
        RoleNeed.NONE: "not called",
    }
    by_severity = definition.roles.by_severity
    return [
        RoleRow(
            role,
            tuple(
                (code, words[by_severity.get(code, {}).get(role.code, RoleNeed.NONE)])
                for code in definition.severities.codes
                if not role.optional
            ),
        )
        for role in definition.roles.roles
    ]


def change_words(change: Difference) -> dict[str, str]:
    """One difference between two versions as a line."""
    return {
        "path": change.path,
        "change": change.change.value,
        "before": _short(change.before),
        "after": _short(change.after),
    }


def _short(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = (
        ", ".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, (str, dict)) else str(value)
    )
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


urlpatterns = [
    path("process", in_force, name="process"),
    path("process/versions/<int:number>", version, name="process-version"),
]
