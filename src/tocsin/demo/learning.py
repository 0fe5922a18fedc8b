"""What Harbor Tickets learned: the postmortems and action items of its past, through the ordinary commands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tocsin.core.access import Actor
from tocsin.core.errors import NotFound, Refused
from tocsin.incidents import actions as incidents
from tocsin.incidents.models import Incident, Obligation
from tocsin.platform.clock import WoundClock
from tocsin.postmortems import actions as postmortems
from tocsin.postmortems import queries

SECTIONS = {
    "summary": "Some customers met an error page. A change that had looked safe was rolled back. We learned to watch the region it reached last.",
    "contributing_factors": "The change reached all regions at once. The dashboard showed one region only. The retry in the client hid the first errors.",
    "recovery": "The change was rolled back and the queue drained within minutes.",
    "learnings": "Teams that consume this service learn to show the last known state while they wait: in the guild meeting, by a short demo.",
}

ITEMS = (
    ("Roll changes out by region with a pause between", "systemic"),
    ("Show all regions on the first dashboard", "immediate"),
    ("Alert on retries before customers feel them", "immediate"),
    ("Write down how to drain the queue in the runbook", "immediate"),
)


def learn(actor: Actor, incident: Incident, *, clock: WoundClock, cycle: Callable[[], None]) -> None:
    """Finish what the incident owes: hotfix reference, postmortem, action items, most of them done in time."""
    _hotfix(actor, incident, clock)
    try:
        queries.postmortem(actor, incident.number)
    except NotFound:
        return
    clock.wind(timedelta(hours=20))
    for section, text in SECTIONS.items():
        postmortems.edit_section(actor, incident.number, section=section, text=text, now=clock.now())
    items = [
        postmortems.add_action(
            actor,
            incident.number,
            title=title,
            driver=actor.ident,
            review_date=(clock.now() + timedelta(days=14)).date(),
            horizon=horizon,
            now=clock.now(),
        )
        for title, horizon in ITEMS[: 2 + incident.number % 3]
    ]
    cycle()
    _review(actor, incident, clock)
    # Of every second incident one item stays open, and nobody looks at it on its day.
    for item in items if incident.number % 2 else items[:-1]:
        clock.wind(timedelta(hours=3))
        postmortems.change_action(actor, item.pk, status="done", now=clock.now())


def _review(actor: Actor, incident: Incident, clock: WoundClock) -> None:
    try:
        for state in ("in_review", "reviewed"):
            postmortems.move(actor, incident.number, state, now=clock.now())
    except Refused:
        return  # it stays where it is; the board shows what is missing


def _hotfix(actor: Actor, incident: Incident, clock: WoundClock) -> None:
    owed = Obligation.objects.filter(incident=incident, state="open", kind__in=["hotfix", "work_item"])
    for duty in owed:
        change, now = f"change {1000 + incident.number}", clock.now()
        deployed_at = incident.mitigated_at or incident.resolved_at or now
        incidents.fulfil_obligation(actor, duty.pk, reference=change, deployed_at=deployed_at, now=now)
