"""Paths of the demo, included only when it runs."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from tocsin.demo import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("demo/fault/<str:name>", views.fault, name="demo-fault"),
    path("demo/clock", views.wind, name="demo-clock"),
    path("demo/reset", views.reset, name="demo-reset"),
    path("demo/progress.json", views.progress, name="demo-progress"),
    path("demo/outbox.json", views.outbox_json, name="demo-outbox-json"),
    path("demo/outbox", views.outbox_page, name="demo-outbox"),
]
