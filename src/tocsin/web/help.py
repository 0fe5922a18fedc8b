"""Help: how to do the first things, and the keys."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

KEYS = (
    (
        "Go",
        (
            (("g", "n"), "Now"),
            (("g", "i"), "Incidents"),
            (("g", "s"), "SLOs"),
            (("g", "o"), "On call"),
            (("g", "p"), "Reviews"),
            (("g", "a"), "Actions"),
        ),
    ),
    ("In a list", ((("j",), "Next line"), (("k",), "Line before"), (("Enter",), "Open it"))),
    (
        "On an incident",
        (
            (("a",), "Take it"),
            (("p",), "Priority"),
            (("v",), "Severity"),
            (("u",), "Update"),
            (("n",), "Note"),
            (("d",), "Decide, at the desk"),
            (("q",), "Ask, at the desk"),
            (("e",), "Pass on"),
        ),
    ),
    (
        "At the desk",
        (
            (("n",), "To the line"),
            (("d",), "A decision: /d Roll back @ana in 20m"),
            (("q",), "A question: /q Is the queue growing? @database"),
            (("t",), "A task: /t Read the logs @gus by 04:20"),
            (("c",), "How things stand: /c Database: slow | adding memory | a DBA"),
        ),
    ),
    (
        "On the priority map",
        (
            (("1",), "Priority 1, and so on"),
            (("0",), "None, on purpose"),
            (("u",), "Put back, or undecided"),
            (("x",), "Pick several lines"),
            (("w",), "What if"),
            (("d",), "To the reason, then decide"),
        ),
    ),
    (
        "Everywhere",
        ((("z",), "Times in my zone or in UTC"), (("?",), "This page"), (("Esc",), "Back, the focus returns")),
    ),
)


@require_GET
def first_steps(request: HttpRequest) -> HttpResponse:
    """The few things people ask first."""
    return render(request, "web/help.html", {})


@require_GET
def keys(request: HttpRequest) -> HttpResponse:
    """Every single-letter key, and where to switch them off."""
    return render(request, "web/help_keys.html", {"keys_by_place": KEYS})


urlpatterns = [path("help", first_steps, name="help"), path("help/keys", keys, name="help-keys")]
