"""What authorities want to hear of an incident: whether it is major, and each report with its due time."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe

from tocsin.core.access import Right
from tocsin.core.errors import NotFound
from tocsin.core.regulatory import next_report
from tocsin.core.regulatory_settings import REPORTS
from tocsin.incidents import actions, course, queries
from tocsin.incidents.course import AuthorityCourse
from tocsin.incidents.models import Incident
from tocsin.web import asking, form_pages, incident_page
from tocsin.web.incident_course import in_zone, wall_now
from tocsin.web.incident_course_forms import MOMENT, SHORT

FORM = require_http_methods(["GET", "HEAD", "POST"])


class Classifying(forms.Form):
    met = forms.MultipleChoiceField(label="What is true?", required=False, widget=forms.CheckboxSelectMultiple)
    major = forms.ChoiceField(
        label="Is it a major incident?",
        choices=[("yes", "Yes: its clocks run from now"), ("no", "No")],
        widget=forms.RadioSelect,
        help_text="You decide; the criteria only suggest.",
    )
    reason = forms.CharField(
        label="Why?",
        required=False,
        max_length=1000,
        help_text="Asked where the criteria suggest otherwise.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    aware_at = forms.DateTimeField(label="When did you become aware of it?", required=False, widget=MOMENT)

    def __init__(self, *args: Any, criteria: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["met"].choices = criteria  # type: ignore[attr-defined]
        if not criteria:
            del self.fields["met"]


class Reporting(forms.Form):
    report = forms.ChoiceField(label="Which report went out?", choices=[(one, one.capitalize()) for one in REPORTS])
    sent_at = forms.DateTimeField(label="When?", required=False, widget=MOMENT)
    reference = forms.CharField(
        label="Under which number does the authority have it?", required=False, max_length=300, widget=SHORT
    )


@require_safe
def page(request: HttpRequest, number: int) -> HttpResponse:
    """Each authority with what was found, what went out and what is owed."""
    actor, now = asking.actor(request), asking.now(request)
    incident = queries.incident(actor, number)
    shown = [
        {
            "about": one,
            "late": {part for part in one.reports if part.is_late(now=now)},
            "next": next_report(one.reports),
        }
        for one in course.authorities(actor, incident)
    ]
    team = incident.team.name if incident.team else None
    may = actor.may(Right.INCIDENT_CLASSIFY, team=team)
    context = {"incident": incident, "authorities": shown, "may_classify": may, "names": incident_page.names(actor)}
    return render(request, "web/incident_authorities.html", context)


def _one(request: HttpRequest, incident: Incident, regime: str) -> AuthorityCourse:
    found = course.authorities(asking.actor(request), incident)
    one = next((one for one in found if one.regime.code == regime), None)
    if one is None:
        raise NotFound("The process has no clocks of that authority switched on.")
    return one


@FORM
def classify(request: HttpRequest, number: int, regime: str) -> HttpResponse:
    """Is it a major incident for that authority?"""
    row = queries.incident(asking.actor(request), number)
    one = _one(request, row, regime)
    noticed = (one.found.aware_at if one.found else row.created_at).astimezone(asking.zone(request))
    initial = {
        "met": list(one.found.met) if one.found else [],
        "aware_at": noticed.replace(tzinfo=None, second=0, microsecond=0),
    }
    criteria = [(part.code, part.ask) for part in one.regime.criteria]
    form = Classifying(request.POST or None, criteria=criteria, initial=initial)

    def act(filled: dict[str, Any]) -> Incident:
        # The field shows whole minutes; what was not changed is the moment itself.
        told = in_zone(request, filled["aware_at"])
        same = filled["aware_at"] == initial["aware_at"]
        return actions.classify_for_authority(
            asking.actor(request),
            number,
            regime,
            major=filled["major"] == "yes",
            met=filled.get("met", []),
            reason=filled["reason"],
            aware_at=noticed if same else told,
            now=asking.now(request),
        )

    context = {"incident": row, "regime": one.regime, "heading": "Is it a major incident?"}
    return form_pages.answer(
        request, form, act, template="web/incident_authority.html", context=context, then=f"/i/{number}/authorities"
    )


@FORM
def report(request: HttpRequest, number: int, regime: str) -> HttpResponse:
    """A report went out."""
    row = queries.incident(asking.actor(request), number)
    one = _one(request, row, regime)
    owed = next_report(one.reports)
    initial = {"report": owed.kind if owed else REPORTS[-1], "sent_at": wall_now(request)}
    form = Reporting(request.POST or None, initial=initial)

    def act(filled: dict[str, Any]) -> Incident:
        return actions.report_to_authority(
            asking.actor(request),
            number,
            regime,
            report=filled["report"],
            reference=filled["reference"],
            sent=in_zone(request, filled["sent_at"]),
            now=asking.now(request),
        )

    context = {"incident": row, "regime": one.regime, "heading": "A report went out"}
    return form_pages.answer(
        request, form, act, template="web/incident_authority.html", context=context, then=f"/i/{number}/authorities"
    )


urlpatterns = [
    path("i/<int:number>/authorities", page, name="incident-authorities"),
    path("i/<int:number>/authorities/<slug:regime>/finding", classify, name="incident-authority-finding"),
    path("i/<int:number>/authorities/<slug:regime>/report", report, name="incident-authority-report"),
]
