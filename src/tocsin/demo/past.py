"""The last 90 days of Harbor Tickets, lived through: real intake, evaluator, engine and commands under a wound clock.

Nothing is written behind the back of the product; the event log of the demo verifies like any other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM, Actor
from tocsin.core.errors import TocsinError
from tocsin.demo.exceptions import PROCESS_OWNER, found_the_cause, look_at_severity, make_exceptions
from tocsin.demo.faults import TRAFFIC, Fault
from tocsin.demo.learning import learn
from tocsin.incidents import actions as incidents
from tocsin.incidents import queries as incident_queries
from tocsin.incidents.models import Incident
from tocsin.intake import journal
from tocsin.people import queries as people
from tocsin.platform.clock import WoundClock

QUIET_STEP = timedelta(hours=24)
TICK = timedelta(minutes=5)
CALM_TICK = timedelta(minutes=10)
"""Once somebody is at work on it, the story goes on in longer steps; counts are fed by the minute all the same."""
WARM_UP = timedelta(hours=6)
BASELINE = 5000  # one event in so many fails on a good day

Turns = Callable[[datetime], None]
WORDS = "Harbor Tickets lives through its last 90 days"


class Tell(Protocol):
    def __call__(self, words: str, share: float | None, day: datetime | None = None, *, incidents: int = 0) -> None: ...


@dataclass(slots=True)
class Past:
    """Winds `clock` through the story. `turns` is one cycle of the engine; `source` is how the journal names
    the counters' sender.
    """

    clock: WoundClock
    source: str
    turns: Turns
    fed: dict[str, datetime] = field(default_factory=dict)
    _incidents: int = 0
    _tell: Callable[[datetime], None] = lambda _: None

    def live(self, faults: list[Fault], *, until: datetime, tell: Tell) -> None:
        """Everything from the clock's present to `until`; `tell` hears how far that is, and may raise to end it."""
        began = self.clock.now()
        self._tell = lambda now: tell(WORDS, min(1.0, (now - began) / (until - began)), now, incidents=self._incidents)
        self.fed = dict.fromkeys(TRAFFIC, began)
        for fault in faults:
            self._quiet(until=fault.start - WARM_UP)
            self._suffer(fault)
        self._quiet(until=until)
        make_exceptions(_actor(PROCESS_OWNER), now=self.clock.now())
        self._tell(self.clock.now())

    def _quiet(self, *, until: datetime) -> None:
        while self.clock.now() < until:
            self.clock.wind_to(min(self.clock.now() + QUIET_STEP, until))
            self._feed(list(TRAFFIC), step=timedelta(hours=1))
            self._cycle()

    def _suffer(self, fault: Fault) -> None:
        self._warm(fault)
        incident: Incident | None = None
        end = fault.start + fault.lasts
        while self.clock.now() < end:
            step = TICK if incident is None or incident.acknowledged_at is None else CALM_TICK
            self.clock.wind_to(min(self.clock.now() + step, end))
            self._feed([fault.slo], step=timedelta(minutes=1), share=fault.share)
            self._cycle()
            if incident is None:
                incident = self._found(fault)
                self._incidents += incident is not None
            if incident is not None:
                self._respond(fault, incident)
        if incident is not None:
            self._finish(fault, incident)

    def _warm(self, fault: Fault) -> None:
        """Fine-grained counts of the hours before, so that the short windows see them as they were."""
        self.clock.wind_to(fault.start)
        self._feed([fault.slo], step=timedelta(minutes=5))
        self._cycle()

    def _found(self, fault: Fault) -> Incident | None:
        if fault.reported_by_person:
            service = _service_of(fault.slo)
            return incidents.declare(
                _actor("meera"), title=_words(fault.slo), service=service, priority=2, now=self.clock.now()
            )
        return (
            Incident.objects.filter(objective__name=fault.slo, created_at__gte=fault.start).order_by("-number").first()
        )

    def _respond(self, fault: Fault, incident: Incident) -> None:
        """Take it once, tell stakeholders as the process asks (late where the story says so)."""
        incident.refresh_from_db()
        taker = self._taker(incident)
        if incident.acknowledged_at is None:
            self.clock.wind(fault.taken_after)
            incidents.acknowledge(taker, incident.number, now=self.clock.now())
            look_at_severity(taker, incident, now=self.clock.now())
            self._cycle()
            return
        for promise in incident_queries.promises(SYSTEM, now=self.clock.now()):
            duty = promise.obligation
            soon = duty.due_at is not None and duty.due_at <= self.clock.now() + CALM_TICK
            if duty.incident_id == incident.pk and soon and not fault.update_late:
                self._update(taker, incident)
                break

    def _finish(self, fault: Fault, incident: Incident) -> None:
        taker = self._taker(incident)
        for _ in range(3):
            self.clock.wind(CALM_TICK)
            self._feed([fault.slo], step=timedelta(minutes=1))
            self._cycle()
        incident.refresh_from_db()
        if incident.is_open:
            found_the_cause(taker, incident, now=self.clock.now())
            incidents.resolve(
                taker, incident.number, category="software", note="The change was rolled back.", now=self.clock.now()
            )
        self._cycle()
        self._update(taker, incident)
        learn(taker, incident, clock=self.clock, cycle=self._cycle)

    def _update(self, actor: Actor, incident: Incident) -> None:
        draft = comms.draft_update(actor, incident.number, now=self.clock.now())
        if not draft.groups:
            return
        try:
            comms.send_update(
                actor,
                incident.number,
                text=draft.text,
                subject=draft.subject,
                kind=draft.kind,
                next_update_at=draft.next_update_at,
                now=self.clock.now(),
            )
        except TocsinError:
            return  # nobody is owed this update any more

    def _taker(self, incident: Incident) -> Actor:
        page = incident.pages.filter(person__isnull=False).select_related("person").order_by("id").first()
        return _actor(page.person.username) if page and page.person else _actor("ana")

    def _feed(self, names: list[str], *, step: timedelta, share: float = 0.0) -> None:
        """Hand the counts since the last feeding to the intake, one row a step and SLO."""
        rows = []
        now = self.clock.now()
        for name in names:
            at = self.fed[name]
            while at < now:
                span = min(step, now - at)
                rows.append(_row(name, at=at, span=span, share=share))
                at += span
            self.fed[name] = now
        for first in range(0, len(rows), 500):
            body = json.dumps(rows[first : first + 500]).encode()
            journal.append_now([("sli", self.source, body)])

    def _cycle(self) -> None:
        self.turns(self.clock.now())
        self._tell(self.clock.now())


def _row(name: str, *, at: datetime, span: timedelta, share: float) -> dict[str, object]:
    events = int(TRAFFIC[name][0] * span.total_seconds() / 60)
    # The last second of the span: what is counted belongs to the past of whoever reads it.
    bad = int(events * share) if share else events // BASELINE
    return {"slo": name, "good": events - bad, "bad": bad, "at": (at + span - timedelta(seconds=1)).isoformat()}


def _actor(username: str) -> Actor:
    return people.actor_of(people.person(username))


def _service_of(slo: str) -> str:
    from tocsin.slo import queries

    return str(queries.objective(SYSTEM, slo).service.name)


def _words(slo: str) -> str:
    from tocsin.slo import queries

    row = queries.objective(SYSTEM, slo)
    return f"A customer says: {row.use_case or row.label}"
