"""The demo's own pages and buttons. They exist only under `tocsin demo`, on loopback; nothing leaves the machine."""

from __future__ import annotations

import json
from datetime import timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from tocsin.api.problems import problem
from tocsin.audit.actions import stamp
from tocsin.demo import outbox
from tocsin.demo.harbor import FAULTS
from tocsin.demo.stage import stage
from tocsin.platform import clock

# The checks press these buttons from outside a browser; the demo holds nothing worth forging a request for.


@csrf_exempt
@require_POST
def fault(request: HttpRequest, name: str) -> HttpResponse:
    """Switch a fault on (or off with ?off=1)."""
    if name not in FAULTS:
        return problem(404, f"There is no fault {name!r}; there are {', '.join(FAULTS)}.")
    on = request.GET.get("off") is None and request.POST.get("off") is None
    stage().harbor.faults.set(name, on=on)
    return _answer(request, {"fault": name, "on": on, "at": stamp(clock.now())})


@csrf_exempt
@require_POST
def wind(request: HttpRequest) -> HttpResponse:
    """Move the clock forward by {"seconds": n} or change its {"speed": x}."""
    try:
        told = json.loads(request.body or b"{}")
        seconds, speed = float(told.get("seconds", 0)), float(told.get("speed", stage().clock.speed))
    except (ValueError, TypeError, AttributeError):
        return problem(422, 'Send {"seconds": 600} or {"speed": 10}.')
    if seconds < 0 or speed <= 0:
        return problem(422, "The clock only goes forward.")
    stage().clock.set_speed(speed)
    stage().clock.shift(timedelta(seconds=seconds))
    return JsonResponse({"now": stamp(clock.now()), "speed": speed})


@csrf_exempt
@require_POST
def reset(request: HttpRequest) -> HttpResponse:
    """All faults off. What happened stays: the log is append-only here as anywhere."""
    stage().harbor.faults.clear()
    return _answer(request, {"faults": [], "at": stamp(clock.now())})


@require_GET
def progress(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - a view
    """What the page before the opening asks; once this view answers, the past is there."""
    return JsonResponse({"ready": True, "percent": 100, "reason": "Harbor Tickets is open."})


@require_GET
def outbox_json(request: HttpRequest) -> JsonResponse:
    """Every message that would have left, newest last."""
    after = request.GET.get("after", "0")
    return JsonResponse({"items": outbox.messages(after=int(after) if after.isdigit() else 0)})


@require_GET
def outbox_page(request: HttpRequest) -> HttpResponse:
    """The phone and the mail box."""
    shown = list(reversed(outbox.messages(limit=60)))
    active = stage().harbor.faults.active
    buttons = [{"name": name, "words": WORDS[name], "on": name in active} for name in FAULTS]
    return render(request, "demo/outbox.html", {"messages_sent": shown, "faults": buttons})


WORDS = {
    "break-logon": "Break log-on",
    "break-checkout": "Break checkout",
    "break-search": "Break search",
    "late-messages": "Delay messages",
    "silence-source": "Silence the counters",
}


def _answer(request: HttpRequest, document: dict[str, object]) -> HttpResponse:
    """A browser goes back to the outbox page, a program gets JSON."""
    if "text/html" in request.headers.get("Accept", ""):
        return HttpResponseRedirect("/demo/outbox")
    return JsonResponse(document)
