"""The JSON API: one router a domain, one way to say who asks, one way to refuse."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from ninja import NinjaAPI

from tocsin.api import alerts, catalog, comms, incidents, oncall, people, postmortems, problems, process, slos
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
for module in (incidents, slos, oncall, people, catalog, alerts, comms, postmortems, process):
    api.add_router("", module.router)

urlpatterns: list[URLPattern | URLResolver] = [path("api/v1/", api.urls)]
