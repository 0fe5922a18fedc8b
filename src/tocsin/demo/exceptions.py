"""How Harbor Tickets judges itself: severities that people confirm, or forget to, and exceptions with their reasons."""

from __future__ import annotations

from datetime import datetime

from tocsin.core.access import Actor
from tocsin.core.adherence_outcomes import Verdict
from tocsin.incidents import actions as incidents
from tocsin.incidents.models import Incident
from tocsin.insights import adherence

PROCESS_OWNER = "lou"
LOOKED_AT = 4  # of five incidents, somebody looks at the severity of so many
EXCUSED = ("AC11", "AC09", "AC06")
REASONS = (
    "The mail server of the groups was down; they were told by telephone.",
    "The board sat in the room with us.",
    "Announced beforehand: the load test of the region.",
)
_OF = 5


def look_at_severity(actor: Actor, incident: Incident, *, now: datetime) -> None:
    """Whoever took it leaves the severity as it is, and says so; now and then nobody thinks of it."""
    if incident.number % _OF < LOOKED_AT:
        incidents.change_severity(
            actor,
            incident.number,
            severity=incident.severity,
            reason="One team can mend it; I run the review.",
            now=now,
        )


def found_the_cause(actor: Actor, incident: Incident, *, now: datetime) -> None:
    """Of three incidents, the cause of two is known before the end."""
    if incident.number % 3:
        incidents.move(actor, incident.number, "identified", now=now)


def make_exceptions(owner: Actor, *, now: datetime) -> None:
    """The owner of the process looks through the misses and excuses one for each reason there is."""
    left = list(REASONS)
    for number in Incident.objects.order_by("number").values_list("number", flat=True):
        if not left:
            return
        outcomes = adherence.of_incident(owner, number, now=now).outcomes
        missed = next((code for code in EXCUSED if outcomes[code].verdict is Verdict.FAILED), None)
        if missed is not None:
            incidents.waive_check(owner, number, check=missed, reason=left.pop(0), now=now)
