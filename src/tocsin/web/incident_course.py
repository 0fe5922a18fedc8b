"""Ask beyond the chain, say what is known and who reported it, close: what people press in the course of an incident."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from tocsin.catalog import queries as catalog
from tocsin.incidents import actions, queries
from tocsin.incidents import course as courses
from tocsin.incidents.models import Incident
from tocsin.people import queries as people
from tocsin.process import queries as process
from tocsin.web import asking, form_pages
from tocsin.web import incident_course_forms as forms

FORM = require_http_methods(["GET", "HEAD", "POST"])
OTHER_IMPACT = {"actual": "potential", "potential": "actual"}
_TEAM, _PERSON = "team:", "user:"


def _about(request: HttpRequest, number: int) -> Incident:
    return queries.incident(asking.actor(request), number)


def _here(number: int) -> str:
    return f"/i/{number}#course"


def wall_now(request: HttpRequest) -> datetime:
    """The viewer's wall time to the minute, as a form field takes it."""
    return asking.now(request).astimezone(asking.zone(request)).replace(tzinfo=None, second=0, microsecond=0)


def in_zone(request: HttpRequest, told: datetime | None) -> datetime | None:
    """A wall time that the viewer typed, in the viewer's zone."""
    return told.replace(tzinfo=asking.zone(request)) if told else None


@FORM
def ask(request: HttpRequest, number: int) -> HttpResponse:
    """Another team for its skill, or management for a decision: two kinds of escalation, one sheet."""
    row = _about(request, number)
    actor = asking.actor(request)
    others = [(f"{_TEAM}{team.name}", team.label) for team in people.teams(actor) if team.pk != row.team_id]
    groups = ", ".join(group.name for group in process.management_groups())
    managers = [(forms.MANAGEMENT, groups)] if groups else []
    managers += [(f"{_PERSON}{person.username}", person.label) for person in people.persons(actor)]
    form = forms.Ask(request.POST or None, teams=others, managers=managers)

    def act(filled: dict[str, Any]) -> Incident:
        whom, reason, now = filled["team"], filled["reason"], asking.now(request)
        if whom.startswith(_TEAM):
            name = whom.removeprefix(_TEAM)
            return actions.escalate_to_team(actor, number, team=name, reason=reason, now=now)
        to = whom.removeprefix(_PERSON) if whom.startswith(_PERSON) else ""
        return actions.escalate_to_management(actor, number, to=to, reason=reason, now=now)

    return form_pages.answer(
        request, form, act, template="web/incident_ask.html", context={"incident": row}, then=_here(number)
    )


@require_POST
def answer_escalation(request: HttpRequest, number: int, seq: int) -> HttpResponse:
    """It was heard and somebody looks after it."""
    actions.acknowledge_escalation(asking.actor(request), number, seq, now=asking.now(request))
    return redirect(_here(number))


@FORM
def known(request: HttpRequest, number: int) -> HttpResponse:
    """The cause and a workaround, each for itself."""
    row = _about(request, number)
    said = courses.course(asking.actor(request), row).findings
    initial = {
        "cause_state": said.cause.knowledge.value,
        "cause": said.cause.text,
        "work_item": said.cause.work_item,
        "workaround_state": said.workaround.knowledge.value,
        "workaround": said.workaround.text,
    }
    form = forms.Known(request.POST or None, initial=initial)

    def act(filled: dict[str, Any]) -> Incident:
        return actions.state_known(asking.actor(request), number, now=asking.now(request), **filled)

    return form_pages.answer(
        request, form, act, template="web/incident_known.html", context={"incident": row}, then=_here(number)
    )


@FORM
def impact(request: HttpRequest, number: int) -> HttpResponse:
    """What could happen has happened, or nobody felt it after all."""
    row = _about(request, number)
    form = forms.Impact(request.POST or None)

    def act(filled: dict[str, Any]) -> Incident:
        return actions.change_impact(
            asking.actor(request),
            number,
            impact_state=OTHER_IMPACT[row.impact_state],
            reason=filled["reason"],
            now=asking.now(request),
        )

    return form_pages.answer(
        request, form, act, template="web/incident_impact.html", context={"incident": row}, then=f"/i/{number}"
    )


@FORM
def customer_report(request: HttpRequest, number: int) -> HttpResponse:
    """When a customer told us of it."""
    row = _about(request, number)
    form = forms.CustomerReport(request.POST or None, initial={"reported_at": wall_now(request)})

    def act(filled: dict[str, Any]) -> Incident:
        filled["reported_at"] = in_zone(request, filled["reported_at"])
        return actions.report_by_customer(asking.actor(request), number, now=asking.now(request), **filled)

    context = {"incident": row}
    return form_pages.answer(
        request, form, act, template="web/incident_customer_report.html", context=context, then=_here(number)
    )


@FORM
def close(request: HttpRequest, number: int) -> HttpResponse:
    """Nothing is left to do; what the record lacks is asked for."""
    row = _about(request, number)
    actor = asking.actor(request)
    cause = courses.course(actor, row).findings.cause
    form = forms.Close(
        request.POST if request.method == "POST" else None,
        services=[(one.name, one.label) for one in catalog.services(actor)],
        initial={
            "cause_state": cause.knowledge.value,
            "cause": cause.text,
            "work_item": cause.work_item,
            "service": row.service.name if row.service else "",
            "category": row.category,
        },
    )

    def act(filled: dict[str, Any]) -> Incident:
        closed = actions.close(actor, number, now=asking.now(request), **filled)
        messages.success(request, "Closed.")
        return closed

    owed = [one for one in queries.obligations(actor, number) if one.state == "open"]
    context = {"incident": row, "owed": owed, "undecided": row.priority_state == "unset"}
    return form_pages.answer(
        request, form, act, template="web/incident_close.html", context=context, then=f"/i/{number}"
    )


urlpatterns = [
    path("i/<int:number>/ask", ask, name="incident-ask"),
    path("i/<int:number>/escalations/<int:seq>/acknowledge", answer_escalation, name="incident-escalation-answer"),
    path("i/<int:number>/known", known, name="incident-known"),
    path("i/<int:number>/impact", impact, name="incident-impact"),
    path("i/<int:number>/customer-report", customer_report, name="incident-customer-report"),
    path("i/<int:number>/close", close, name="incident-close"),
]
