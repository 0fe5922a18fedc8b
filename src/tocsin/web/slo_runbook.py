"""The runbook of an SLO: on a page, and as Markdown for the wiki. Both end with the current priority."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from tocsin.insights import runbooks
from tocsin.platform import documents
from tocsin.web import asking
from tocsin.web.slo_lookup import asked_for


@require_GET
def page(request: HttpRequest, service: str, name: str) -> HttpResponse:
    objective = asked_for(request, service, name)
    _title, *blocks = runbooks.runbook(asking.actor(request), objective, now=asking.now(request))
    body = mark_safe(documents.body(blocks))  # noqa: S308 - documents escapes every text
    return render(request, "web/slo_runbook.html", {"objective": objective, "body": body})


@require_GET
def markdown(request: HttpRequest, service: str, name: str) -> HttpResponse:
    objective = asked_for(request, service, name)
    blocks = runbooks.runbook(asking.actor(request), objective, now=asking.now(request))
    return HttpResponse(documents.markdown(blocks), content_type="text/markdown; charset=utf-8")


urlpatterns = [
    path("slos/<slug:service>/<slug:name>/runbook", page, name="slo-runbook"),
    path("slos/<slug:service>/<slug:name>/runbook/markdown", markdown, name="slo-runbook-md"),
]
