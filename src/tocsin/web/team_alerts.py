"""One resource alert: what it means, which SLI could replace it, and how its replacement stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from tocsin.adoption import queries as adopted
from tocsin.adoption.comparison import comparison
from tocsin.core.access import Right
from tocsin.core.alert_replacement import STEPS, Replacement
from tocsin.core.errors import Conflict, Invalid, Refused
from tocsin.core.priorities import AssignMode
from tocsin.process import queries as process
from tocsin.slo import actions, queries
from tocsin.slo.models import Decision, PriorityAssignment
from tocsin.web import asking, slo_priority

WORDS: Mapping[str, str] = {
    Replacement.ACTIVE.value: "Wakes people; nothing is planned",
    Replacement.PLANNED.value: "Planned for replacement",
    Replacement.REPLACED.value: "Replaced by an SLO",
    Replacement.RETIRED.value: "Retired",
}


@require_GET
def alert(request: HttpRequest, name: str) -> HttpResponse:
    return _page(request, name)


def _page(request: HttpRequest, name: str, *, failed: str = "", errors: dict[str, str] | None = None) -> HttpResponse:
    actor, now = asking.actor(request), asking.now(request)
    row = queries.resource_alert(actor, name)
    team = row.service.team.name if row.service.team else None
    decided = queries.alert_assignments_at([row.pk], now).get(row.pk)
    ways = [state for state in Replacement if state in STEPS[Replacement(row.state)]]
    context = {
        "alert": row,
        "team": row.service.team,
        "decided": decided,
        "sli": adopted.sli_for(row),
        "word": WORDS[row.state],
        "ways": [(state.value, WORDS[state.value]) for state in ways],
        "steps": row.steps.select_related("replaced_by").order_by("-at", "-pk"),
        "slos": [(one.name, one.label) for one in queries.objectives(actor, team=team)],
        "choices": slo_priority.choices(),
        "groups": process.groups(actor),
        "may_assign": actor.may(Right.PRIORITY_ASSIGN, team=team),
        "may_write": actor.may(Right.SLO_WRITE, team=team),
        "given": _given(request, decided) if failed != "priority" else slo_priority.given(request),
        "comparison": comparison(),
        "failed": failed,
        "errors": errors or {},
    }
    return render(request, "web/resource_alert.html", context, status=422 if failed else 200)


def _given(_request: HttpRequest, decided: PriorityAssignment | None) -> dict[str, Any]:
    if decided is None:
        return {"priority": "", "groups": [], "reason": "", "manual": False}
    chosen = str(decided.priority) if decided.decision == Decision.SET else slo_priority.NONE
    groups = [group.code for group in decided.groups.all()]
    return {"priority": chosen, "groups": groups, "reason": "", "manual": decided.assign_mode == AssignMode.MANUAL}


def _act(request: HttpRequest, name: str, form: str, change: Callable[[], object], done: str) -> HttpResponse:
    try:
        change()
    except Invalid as refusal:
        return _page(request, name, failed=form, errors=refusal.fields)
    except (Refused, Conflict) as refusal:
        return _page(request, name, failed=form, errors={"": refusal.message})
    messages.success(request, done)
    return redirect("resource-alert", name=name)


@require_POST
def assign(request: HttpRequest, name: str) -> HttpResponse:
    """Decide what this alert means from now on."""
    actor, now, choice = asking.actor(request), asking.now(request), request.POST.get("priority", "")
    mode = AssignMode.MANUAL if request.POST.get("manual") == "yes" else AssignMode.AUTOMATIC

    def change() -> object:
        row, reason = queries.resource_alert(actor, name), request.POST.get("reason", "")
        if choice != slo_priority.NONE and not choice.isdecimal():
            raise Invalid({"priority": "Choose what this alert means."})
        decision = Decision.NONE if choice == slo_priority.NONE else Decision.SET
        rank = int(choice) if choice.isdecimal() else None
        return actions.assign_priority(
            actor,
            resource_alert=row,
            decision=decision,
            priority=rank,
            groups=request.POST.getlist("groups"),
            reason=reason,
            assign_mode=mode,
            **actions.same_response(queries.alert_assignments_at([row.pk], now).get(row.pk), decision, rank, reason),
            now=now,
        )

    return _act(request, name, "priority", change, "Decided. It holds for alerts from now on.")


@require_POST
def move(request: HttpRequest, name: str) -> HttpResponse:
    """Plan or record the replacement, retire the alert, or bring it back."""
    actor, now, state = asking.actor(request), asking.now(request), request.POST.get("state", "")
    slo = request.POST.get("replaced_by", "") if state == Replacement.REPLACED else ""

    def change() -> object:
        return actions.move_resource_alert(
            actor, name, state, replaced_by=slo, reason=request.POST.get("reason", ""), now=now
        )

    return _act(request, name, "move", change, "Kept.")


urlpatterns = [
    path("resource-alerts/<slug:name>", alert, name="resource-alert"),
    path("resource-alerts/<slug:name>/priority", assign, name="resource-alert-priority"),
    path("resource-alerts/<slug:name>/move", move, name="resource-alert-move"),
]
