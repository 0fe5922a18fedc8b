"""The pages, by the part of the house they show."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, URLResolver

PARTS = (
    "now",
    "incidents",
    "pages",
    "updates",
    "reviews",
    "accounts",
    "slos",
    "services",
    "oncall",
    "priorities",
    "priority_map",
    "process",
    "setup",
    "me",
    "help",
)


def _patterns() -> list[URLPattern | URLResolver]:
    found: list[URLPattern | URLResolver] = []
    for part in PARTS:
        name = f"tocsin.web.{part}"
        if find_spec(name):
            found += getattr(import_module(name), "urlpatterns", [])
    return found


urlpatterns = _patterns()
