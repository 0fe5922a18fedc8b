"""The channel of a response, opened by whoever presses the button where the process leaves it to people."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST

from tocsin.core.errors import Refused
from tocsin.incidents import actions
from tocsin.web import asking


@require_POST
def open_one(request: HttpRequest, number: int) -> HttpResponse:
    """Open the channel; what speaks against it is said on the incident's page."""
    try:
        actions.open_channel(asking.actor(request), number, now=asking.now(request))
    except Refused as refusal:
        messages.error(request, f"{refusal.message} {refusal.remedy}".strip())
    return redirect(f"/i/{number}#channel")


urlpatterns = [path("i/<int:number>/channel", open_one, name="incident-channel")]
