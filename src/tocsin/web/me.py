"""My own settings: zone, theme, keys, whether a page would reach me, and my accounts in the chat."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tocsin.comms import actions as comms
from tocsin.core.errors import Invalid
from tocsin.oncall import queries as oncall
from tocsin.people import actions, queries
from tocsin.web import asking, my_chat

AHEAD = timedelta(days=28)
THEMES = (("system", "As the system says"), ("light", "Light"), ("dark", "Dark"))
_PLAIN = ("display_name", "time_zone", "theme")
_NOT_PLACES = ("posix/", "right/", "Etc/", "SystemV/", "US/")


@require_http_methods(["GET", "HEAD", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """Look at one's own settings, or save them."""
    return _save(request) if request.method == "POST" else _page(request)


def _page(
    request: HttpRequest,
    *,
    given: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
    chat: dict[str, Any] | None = None,
) -> HttpResponse:
    actor, now = asking.actor(request), asking.now(request)
    person = queries.person(actor.ident)
    readiness = queries.readiness(person)
    context = {
        "person": person,
        "given": given or {**{name: getattr(person, name) for name in _PLAIN}, "keys_enabled": person.keys_enabled},
        "errors": errors or {},
        "themes": THEMES,
        "zones": zones(),
        "methods": queries.contact_methods(actor, person.username),
        "reachable": readiness.reachable,
        "gaps": readiness.gaps,
        "shifts": oncall.shifts_of(actor, person.username, start=now, end=now + AHEAD),
        "teams": [membership.team for membership in person.memberships.select_related("team")],
        "ahead": AHEAD.days,
        "chat": my_chat.card(actor, now=now) | (chat or {}),
    }
    wrong = errors or (chat or {}).get("errors")
    return render(request, "web/me.html", context, status=422 if wrong else 200)


def _save(request: HttpRequest) -> HttpResponse:
    actor = asking.actor(request)
    given: dict[str, Any] = {name: request.POST.get(name, "") for name in _PLAIN}
    given["keys_enabled"] = request.POST.get("keys_enabled") == "on"
    try:
        actions.update_person(actor, username=actor.ident, now=asking.now(request), **given)
    except Invalid as refusal:
        return _page(request, given=given, errors=refusal.fields)
    messages.success(request, "Saved.")
    return redirect("me")


@cache
def zones() -> tuple[str, ...]:
    """The zones people name: places, and UTC."""
    places = {name for name in available_timezones() if "/" in name and not name.startswith(_NOT_PLACES)}
    return ("UTC", *sorted(places))


@never_cache
@require_POST
def link_chat(request: HttpRequest) -> HttpResponse:
    """Ask for a link. The code is told on this one page and kept nowhere, so there is no page to be sent on to."""
    actor, now = asking.actor(request), asking.now(request)
    told = my_chat.asked(actor, request.POST, now=now)
    if told.get("code") or told.get("errors"):
        return _page(request, chat=told)
    messages.success(request, "Linked.")
    return redirect("me")


@require_POST
def unlink_chat(request: HttpRequest) -> HttpResponse:
    adapter, account = request.POST.get("adapter", ""), request.POST.get("account", "")
    comms.unlink_chat_account(asking.actor(request), adapter=adapter, account=account, now=asking.now(request))
    messages.success(request, f"{account} is linked to you no longer.")
    return redirect("me")


urlpatterns = [
    path("me", me, name="me"),
    path("me/chat-accounts", link_chat, name="me-chat"),
    path("me/chat-accounts/end", unlink_chat, name="me-chat-end"),
]
