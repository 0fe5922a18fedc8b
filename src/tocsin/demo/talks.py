"""The teams of Harbor Tickets talk about each other's SLOs: one session was held, one round is closed, one is open."""

from __future__ import annotations

from datetime import datetime, timedelta

from tocsin.core.access import Actor
from tocsin.people import queries as people
from tocsin.slo import actions

CLOSED = "notify-availability"


def hold(*, now: datetime) -> None:
    """The session of Notifications with its consumers, and what Meera, who owns the SLO, decided after it."""
    meera = _actor("meera")
    actions.record_session(
        meera,
        team="notifications",
        held_at=now - timedelta(hours=20),
        invited=["Meera Joshi", "Dev Pillai", "Ravi Kulkarni", "Bo Lindqvist", "Support desk"],
        attended=["Meera Joshi", "Ravi Kulkarni", "Bo Lindqvist"],
        outcomes={
            CLOSED: "Stays as it is. Checkout shows the order number on screen while messages wait.",
            "notify-latency": "Open. Box office measures first how long people at the gate really wait.",
        },
        now=now,
    )
    actions.close_round(
        meera,
        slo=CLOSED,
        rationale="Messages are kept and go out later; no order is lost. A night call would not bring them sooner.",
        answers={
            "service:checkout": "We know that confirmations hang on it. Show the number on screen; we tell you at once.",
            "team:tickets": "For you it could be lower, but customers who registered do wait for it.",
        },
        now=now,
    )
    actions.ask_view(meera, slo="notify-latency", consumer="service:accounts", now=now)


def _actor(username: str) -> Actor:
    return people.actor_of(people.person(username))
