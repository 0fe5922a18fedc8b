"""The pages, by the part of the house they show."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

from tocsin.web import (
    accounts,
    adherence,
    backlog,
    budget_policies,
    consumer_views,
    explaining,
    help,  # noqa: A004 - the page's name
    incidents,
    me,
    now,
    oncall,
    pages,
    priorities,
    priority_listing,
    priority_map,
    process,
    proposals,
    reviews,
    setup,
    slo_pictures,
    slo_runbook,
    slos,
    subscriptions,
    team_alerts,
    team_session,
    team_walks,
    teams,
    updates,
    what_if,
    wiring,
)

PARTS = (
    now,
    incidents,
    pages,
    updates,
    wiring,
    reviews,
    accounts,
    budget_policies,
    slos,
    slo_pictures,
    slo_runbook,
    oncall,
    priorities,
    priority_listing,
    priority_map,
    consumer_views,
    explaining,
    process,
    proposals,
    adherence,
    setup,
    me,
    help,
    subscriptions,
    teams,
    team_walks,
    team_alerts,
    team_session,
    backlog,
    what_if,
)

urlpatterns: list[URLPattern | URLResolver] = [pattern for part in PARTS for pattern in part.urlpatterns]
