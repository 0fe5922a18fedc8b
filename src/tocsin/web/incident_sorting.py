"""Sort an incident into the categories of the process, and take apart what was merged."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from tocsin.catalog import queries as catalog
from tocsin.incidents import actions, queries, vocabulary
from tocsin.incidents.models import Incident
from tocsin.web import asking, form_pages
from tocsin.web.incident_changes import USUAL_CATEGORIES

FORM = require_http_methods(["GET", "HEAD", "POST"])


class Sorting(forms.Form):
    service = forms.ChoiceField(label="Service", required=False)
    category = forms.CharField(
        label="What class of cause?",
        required=False,
        max_length=63,
        widget=forms.TextInput(attrs={"list": "known-categories", "autocomplete": "off"}),
    )
    environment = forms.CharField(
        label="In which environment?",
        required=False,
        max_length=63,
        widget=forms.TextInput(attrs={"list": "known-environments", "autocomplete": "off"}),
    )
    scope = forms.CharField(
        label="Which regions or tenants feel it?",
        required=False,
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    outside_our_control = forms.BooleanField(label="Its cause lies with somebody else", required=False)
    reason = forms.CharField(
        label="Whose is it?",
        required=False,
        max_length=1000,
        help_text="Asked when the cause lies with somebody else.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, services: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].choices = [("", "Not known"), *services]  # type: ignore[attr-defined]


@FORM
def sort(request: HttpRequest, number: int) -> HttpResponse:
    """Service, cause class, environment, scope, and whose cause it is."""
    actor = asking.actor(request)
    row = queries.incident(actor, number)
    initial = {
        "service": row.service.name if row.service else "",
        "category": row.category,
        "environment": row.environment,
        "scope": row.felt_in,
        "outside_our_control": row.outside_our_control,
    }
    services = [(one.name, one.label) for one in catalog.services(actor)]
    form = Sorting(request.POST if request.method == "POST" else None, services=services, initial=initial)

    def act(filled: dict[str, Any]) -> Incident:
        return actions.categorize(actor, number, now=asking.now(request), **filled)

    context = {
        "incident": row,
        "categories": list(dict.fromkeys([*USUAL_CATEGORIES, *vocabulary.used_words(actor, "category")])),
        "environments": vocabulary.used_words(actor, "environment"),
    }
    return form_pages.answer(
        request, form, act, template="web/incident_sort.html", context=context, then=f"/i/{number}"
    )


@require_POST
def unmerge(request: HttpRequest, number: int) -> HttpResponse:
    """They are two things after all."""
    actions.unmerge(asking.actor(request), number, now=asking.now(request))
    messages.success(request, "It goes on by itself again.")
    return redirect(f"/i/{number}")


urlpatterns = [
    path("i/<int:number>/sort", sort, name="incident-sort"),
    path("i/<int:number>/unmerge", unmerge, name="incident-unmerge"),
]
