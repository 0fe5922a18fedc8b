"""What another priority would tell the subscribers of a service, before it is chosen. Nothing is written.

Asked of the same decision as the mails themselves: a new priority is told at once and sets the pace from then on.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.comms.models import StatusClock, Subscriber
from tocsin.comms.snapshots import clock_facts, incident_facts
from tocsin.core.access import Actor, Right, require
from tocsin.core.status_pace import status_step
from tocsin.incidents import snapshots
from tocsin.incidents.models import Incident


@dataclass(frozen=True, slots=True)
class StatusEffect:
    """So many addresses get a mail, at once or not, and `every` so long from then on; None: again at the end only."""

    addresses: int
    at_once: bool
    every: timedelta | None

    @property
    def words(self) -> str:
        one = self.addresses == 1
        who = f"{self.addresses} subscriber{'' if one else 's'} {'is' if one else 'are'} mailed"
        if self.every is None:
            return f"{who} again at the end only"
        minutes = int(self.every.total_seconds()) // 60
        pace = f"every {minutes // 60} h" if minutes % 60 == 0 else f"every {minutes} min"
        return f"{who} at once, then {pace}" if self.at_once else f"{who} {pace}"


class StatusEffects:
    """The effects of priorities on one incident at one moment; what they have in common is read once."""

    def __init__(self, actor: Actor, incident: Incident, *, now: datetime) -> None:
        require(actor, Right.INCIDENT_READ)
        self._incident, self._now = incident, now
        self._definition = snapshots.process_of(incident)
        self._clock = StatusClock.objects.filter(incident=incident, ended=False).first()
        service = self._clock.service_id or incident.service_id if self._clock else None
        listening = Subscriber.objects.filter(service=service, ended_at=None)
        self._addresses = listening.count() if service and incident.is_open else 0

    def of(self, rank: int | None) -> StatusEffect | None:
        """What subscribers would hear under that priority, None on purpose; None when nobody hears anything new."""
        if self._clock is None or not self._addresses or rank == self._incident.priority:
            return None
        supposed = copy.copy(self._incident)
        supposed.priority, supposed.priority_set_at = rank, self._now
        facts = incident_facts(supposed, self._definition)
        step = status_step(clock_facts(self._clock), facts, now=self._now)
        return StatusEffect(self._addresses, step is not None and step.tells, facts.interval)
