"""Everything that connects with other tools: whether it is set up, what it last came to, and what a test would send."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from tocsin.comms import actions, chat_queries
from tocsin.core.access import Right
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.insights import adapter_trials, adapters
from tocsin.web import asking


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The list, and with `?show=CODE` what a test of one of them would send."""
    actor, now = asking.actor(request), asking.now(request)
    wanted = request.GET.get("show", "")
    states = adapters.states(actor)
    chosen = next((one for one in states if one.adapter.code == wanted), None)
    groups: dict[str, list[adapters.State]] = {}
    for one in states:
        groups.setdefault(one.adapter.serves, []).append(one)
    context = {
        "groups": groups.items(),
        "chosen": chosen,
        "shown": adapter_trials.dry_run(actor, wanted, now=now) if chosen else [],
        "accounts": chat_queries.accounts(actor),
        "may_try": actor.may(Right.SETTINGS_WRITE),
    }
    return render(request, "web/adapters.html", context)


@require_POST
def send_test(request: HttpRequest, code: str) -> HttpResponse:
    """Queue a test; the list shows what became of it."""
    try:
        actions.try_adapter(asking.actor(request), code, now=asking.now(request))
    except (NotFound, Refused, Invalid) as refusal:
        remedy = getattr(refusal, "remedy", "")
        messages.error(request, f"{refusal.message} {remedy}".strip())
    else:
        messages.success(request, "The test is on its way. What becomes of it shows here in a moment.")
    return redirect("setup-adapters")


urlpatterns = [
    path("setup/adapters", index, name="setup-adapters"),
    path("setup/adapters/<slug:code>/test", send_test, name="test-adapter"),
]
