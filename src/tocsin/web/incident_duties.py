"""What the process asks of an incident, and who holds which role: fulfil, waive, ask, assign, release."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from tocsin.core.errors import NotFound, Refused
from tocsin.core.obligation_facts import ObligationKind
from tocsin.incidents import actions, queries, snapshots
from tocsin.incidents.models import Obligation
from tocsin.people import queries as people
from tocsin.process import queries as process
from tocsin.web import asking, form_pages, incident_forms, incident_page
from tocsin.web.incident_course import in_zone, wall_now
from tocsin.web.incident_course_forms import Fix

FORM = require_http_methods(["GET", "HEAD", "POST"])


def _owed(request: HttpRequest, number: int, obligation: int) -> Obligation:
    found = [one for one in queries.obligations(asking.actor(request), number) if one.pk == obligation]
    if not found:
        raise NotFound(f"INC-{number} owes no such thing.")
    return found[0]


@FORM
def fulfil(request: HttpRequest, number: int, obligation: int) -> HttpResponse:
    """It is done; what shows it can be named."""
    one = _owed(request, number, obligation)
    form: Form = incident_forms.Fulfilment(request.POST or None)
    if one.kind == ObligationKind.HOTFIX:
        form = Fix(request.POST or None, initial={"deployed_at": wall_now(request)})

    def act(filled: dict[str, Any]) -> Obligation:
        deployed_at = in_zone(request, filled.get("deployed_at"))
        return actions.fulfil_obligation(
            asking.actor(request),
            one.pk,
            reference=filled["reference"],
            deployed_at=deployed_at,
            now=asking.now(request),
        )

    context = {"incident": one.incident, "obligation": one}
    return form_pages.answer(
        request, form, act, template="web/incident_fulfil.html", context=context, then=f"/i/{number}#owed"
    )


@FORM
def waive(request: HttpRequest, number: int, obligation: int) -> HttpResponse:
    """It is not needed this time, and somebody says why."""
    one = _owed(request, number, obligation)
    form = incident_forms.Waiver(request.POST or None)

    def act(filled: dict[str, Any]) -> Obligation:
        actor = asking.actor(request)
        return actions.waive_obligation(actor, one.pk, reason=filled["reason"], now=asking.now(request))

    context = {"incident": one.incident, "obligation": one}
    return form_pages.answer(
        request, form, act, template="web/incident_waive.html", context=context, then=f"/i/{number}#owed"
    )


@FORM
def roles(request: HttpRequest, number: int) -> HttpResponse:
    """Who coordinates, who speaks, who knows."""
    actor = asking.actor(request)
    row = queries.incident(actor, number)
    definition = snapshots.process_of(row)
    form = incident_forms.Assignment(
        request.POST or None,
        roles=[(role.code, role.display_name) for role in definition.roles.roles],
        persons=[(person.username, person.label) for person in people.persons(actor)],
        initial={"role": request.GET.get("role", ""), "username": actor.ident},
    )

    def act(filled: dict[str, Any]) -> object:
        return actions.assign_role(actor, number, now=asking.now(request), **filled)

    context = {"incident": row, "definition": definition, "roles": incident_page.role_rows(row)}
    return form_pages.answer(
        request, form, act, template="web/incident_roles.html", context=context, then=f"/i/{number}#roles"
    )


@require_POST
def release(request: HttpRequest, number: int) -> HttpResponse:
    """Somebody hands a role back. That is fine."""
    actions.release_role(
        asking.actor(request),
        number,
        role=request.POST.get("role", ""),
        username=request.POST.get("username", ""),
        now=asking.now(request),
    )
    return redirect(f"/i/{number}#roles")


@FORM
def groups(request: HttpRequest, number: int) -> HttpResponse:
    """Which stakeholder groups hear of it."""
    actor = asking.actor(request)
    row = queries.incident(actor, number)
    known = process.groups(actor)
    form = incident_forms.Groups(
        request.POST or None,
        groups=[(group.code, group.name) for group in known],
        initial={"groups": [group.code for group in row.groups.all()]},
    )

    def act(filled: dict[str, Any]) -> object:
        return actions.choose_groups(actor, number, groups=filled["groups"], now=asking.now(request))

    context = {"incident": row, "known": known}
    return form_pages.answer(
        request, form, act, template="web/incident_groups.html", context=context, then=f"/i/{number}"
    )


@require_POST
def take_role(request: HttpRequest, number: int) -> HttpResponse:
    """I take this role myself."""
    actor = asking.actor(request)
    try:
        actions.assign_role(
            actor, number, role=request.POST.get("role", ""), username=actor.ident, now=asking.now(request)
        )
    except Refused as refusal:
        messages.error(request, f"{refusal.message} {refusal.remedy}")
    return redirect(f"/i/{number}#roles")


urlpatterns = [
    path("i/<int:number>/obligations/<int:obligation>/fulfil", fulfil, name="obligation-fulfil"),
    path("i/<int:number>/obligations/<int:obligation>/waive", waive, name="obligation-waive"),
    path("i/<int:number>/roles", roles, name="incident-roles"),
    path("i/<int:number>/roles/take", take_role, name="incident-role-take"),
    path("i/<int:number>/roles/release", release, name="incident-role-release"),
    path("i/<int:number>/groups", groups, name="incident-groups"),
]
