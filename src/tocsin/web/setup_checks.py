"""What has to be there before a burning SLO wakes the right person, checked one by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from tocsin.alerts import queries as alerts
from tocsin.catalog import queries as catalog
from tocsin.comms import chat_queries
from tocsin.core.access import Actor
from tocsin.core.adapters import CHAT
from tocsin.core.response_channel import OWN
from tocsin.insights import adapters
from tocsin.oncall import queries as oncall
from tocsin.people import queries as people
from tocsin.slo import queries as slos
from tocsin.slo.models import Health
from tocsin.web import asking

AHEAD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that works or does not. `url` leads to where it is seen to."""

    name: str
    good: bool
    text: str
    url: str = ""


def all_checks(request: HttpRequest) -> list[Check]:
    """Every check, what is missing first."""
    actor = asking.actor(request)
    found = [
        *_services_and_slos(actor, request),
        _senders(actor),
        _gaps(actor, request),
        _chains(actor),
        _reachable(actor),
        _fallback(),
        *_chat(actor),
    ]
    return sorted(found, key=lambda check: check.good)


def _services_and_slos(actor: Actor, request: HttpRequest) -> list[Check]:
    objectives = slos.objectives(actor)
    undecided = slos.undecided(actor, at=asking.now(request))
    silent = [one for one in objectives if one.state.health == Health.NO_DATA]
    page = reverse("slos")
    return [
        Check("slos", bool(objectives), f"{len(objectives)} SLOs" if objectives else "No SLOs yet", page),
        Check(
            "undecided", not undecided, _counted(len(undecided), "SLO", "without a priority"), f"{page}?priority=unset"
        ),
        Check("silent", not silent, _counted(len(silent), "SLO", "without data"), f"{page}?health=no_data"),
    ]


def _counted(count: int, noun: str, what: str) -> str:
    return f"{count or 'No'} {noun}{'' if count == 1 else 's'} {what}"


def _senders(actor: Actor) -> Check:
    rows = list(alerts.integrations(actor))
    heard = [row for row in rows if row.last_seen_at is not None]
    text = f"{len(heard)} of {len(rows)} integrations have sent something" if rows else "Nobody may send alerts yet"
    return Check("senders", bool(rows) and len(heard) == len(rows), text, reverse("setup-sources"))


def _gaps(actor: Actor, request: HttpRequest) -> Check:
    now = asking.now(request)
    if not oncall.rotations(actor).exists():
        return Check("gaps", False, "Nobody is on call: there is no rotation", reverse("oncall"))
    holes = oncall.gaps(actor, start=now, end=now + AHEAD)
    return Check("gaps", not holes, _counted(len(holes), "gap", f"in the coming {AHEAD.days} days"), reverse("oncall"))


def _chains(actor: Actor) -> Check:
    rows = catalog.services(actor)
    without = [row.label for row in rows if oncall.policy_for(row) is None and not row.is_catch_all]
    text = f"No chain of people for {', '.join(without[:5])}" if without else "Every service has a chain of people"
    return Check("chains", not without, text, reverse("oncall"))


def _reachable(actor: Actor) -> Check:
    lost = [person.label for person in people.persons(actor) if not people.readiness(person).reachable]
    text = f"A page has nowhere to go for {', '.join(lost[:5])}" if lost else "Everybody can be reached"
    return Check("reachable", not lost, text)


def _fallback() -> Check:
    address = people.fallback_contact()
    text = (
        f"At the end of every chain {address} hears" if address else "No fallback contact: administrators hear instead"
    )
    return Check("fallback", address is not None, text)


def _chat(actor: Actor) -> list[Check]:
    """The chat tool in which rooms are opened, as it was found last; without one the page of the incident is enough."""
    page = reverse("setup-adapters")
    tool = next((one for one in adapters.states(actor) if one.adapter.serves == CHAT and one.chosen), None)
    found = [] if tool is None else [Check("chat", *_chat_words(tool), page)]
    place = chat_queries.place(tool.adapter.code) if tool else None
    if place is not None and place.failures:
        text = f"{tool.adapter.name if tool else ''} does not say what people write: {place.last_error}"
        found.append(Check("chat-heard", False, text, page))
    fault = adapters.template_fault(settings.BRIDGE_URL)
    return [*found, Check("bridge", False, fault, page)] if fault else found


def _chat_words(tool: adapters.State) -> tuple[bool, str]:
    name = tool.adapter.name
    if tool.adapter.code == OWN:
        return True, "No chat tool: the page of each incident is its channel"
    if tool.outcome is None:
        return True, f"Rooms are opened in {name}; nothing was sent yet"
    if not tool.outcome.good:
        return False, f"{name} did not take the last message: {tool.outcome.detail}"
    return True, f"{name} took the last message"
