"""The JSON API: one router a domain, one way to say who asks, one way to refuse."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.http import require_GET
from ninja import NinjaAPI

from tocsin.api import (
    adapters,
    adherence,
    adoption,
    alert_fatigue,
    alertmanager,
    alerts,
    authorities,
    backlog,
    budget_policies,
    catalog,
    chat_doors,
    classification,
    comms,
    consumer_views,
    desk,
    explain,
    incident_course,
    incident_figures,
    incident_links,
    incident_rank,
    incidents,
    ledger,
    oncall,
    people,
    postmortem_checklist,
    postmortems,
    priorities,
    problems,
    process,
    process_people,
    process_reading,
    proposals,
    resource_alerts,
    slo_rules,
    slos,
    wellbeing,
    what_if,
    wiring,
)
from tocsin.api.auth import BrowserAuth, TokenAuth

api = NinjaAPI(
    title="Tocsin",
    version="1",
    description="Incident response on top of SLOs. Every refusal is problem+json; every list is {items, next}.",
    urls_namespace="api",
    docs_url=None,
    openapi_url=None,
    auth=[TokenAuth(), BrowserAuth(csrf=True)],
)
problems.register(api)
for module in (
    adapters,
    incidents,
    incident_rank,
    classification,
    incident_course,
    incident_figures,
    incident_links,
    authorities,
    desk,
    slos,
    ledger,
    slo_rules,
    oncall,
    people,
    adoption,
    alert_fatigue,
    resource_alerts,
    backlog,
    budget_policies,
    catalog,
    alerts,
    comms,
    consumer_views,
    postmortems,
    postmortem_checklist,
    priorities,
    process,
    process_people,
    process_reading,
    proposals,
    adherence,
    what_if,
    explain,
    wiring,
    wellbeing,
):
    api.add_router("", module.router)


@cache
def _description() -> bytes:
    """Says the same for as long as the process lives, and takes most of a second to put together."""
    return JsonResponse(api.get_openapi_schema()).content


@require_GET
def openapi(_request: HttpRequest) -> HttpResponse:
    """The machine-readable description of the API."""
    return HttpResponse(_description(), content_type="application/json")


urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("openapi.json", openapi),
    *alertmanager.urlpatterns,
    *chat_doors.urlpatterns,
]
