"""The course of an incident out of its log: the steps of the response, escalations, what is known, who heard first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tocsin.audit.queries import Excerpt, of_kinds
from tocsin.core.access import Actor, Right, require
from tocsin.core.adherence_record import BEGINNINGS, Event
from tocsin.core.facts import Kind
from tocsin.core.incident_escalations import Direction, EscalationMade, escalations
from tocsin.core.incident_findings import TOLD, Findings, FirstWord, findings, first_word
from tocsin.core.incident_phases import PhaseCourse, phases
from tocsin.core.regulatory import Classified, Report, classified, reports
from tocsin.core.regulatory_settings import Regime
from tocsin.incidents import snapshots
from tocsin.incidents.models import Incident, Page

READ_KINDS = (
    *BEGINNINGS,
    Kind.INCIDENT_ACKNOWLEDGED,
    Kind.INCIDENT_UNACKNOWLEDGED,
    Kind.INCIDENT_INVESTIGATING,
    Kind.INCIDENT_IDENTIFIED,
    Kind.INCIDENT_MITIGATED,
    Kind.INCIDENT_RESOLVED,
    Kind.INCIDENT_CLOSED,
    Kind.INCIDENT_REOPENED,
    Kind.INCIDENT_MERGED,
    Kind.INCIDENT_UNMERGED,
    Kind.INCIDENT_CANCELLED,
    Kind.INCIDENT_ESCALATED,
    Kind.INCIDENT_ESCALATED_UP,
    Kind.ESCALATION_ACKNOWLEDGED,
    Kind.INCIDENT_CAUSE_STATED,
    Kind.INCIDENT_WORKAROUND_STATED,
    Kind.CUSTOMER_REPORTED,
)
FIRST_WORD_KINDS = (*TOLD, Kind.CUSTOMER_REPORTED)
REGULATORY = (Kind.REGULATORY_CLASSIFIED, Kind.REGULATORY_REPORTED)
TOGETHER = 200


@dataclass(frozen=True, slots=True)
class Course:
    phases: tuple[PhaseCourse, ...]
    escalations: tuple[EscalationMade, ...]
    findings: Findings
    first_word: FirstWord


@dataclass(frozen=True, slots=True)
class AuthorityCourse:
    """One authority's view of an incident. `found` is None while nobody has looked."""

    regime: Regime
    found: Classified | None
    reports: tuple[Report, ...]


def course(actor: Actor, incident: Incident, log: Excerpt | None = None) -> Course:
    """The course of one incident so far; `log` if `READ_KINDS` are at hand."""
    require(actor, Right.INCIDENT_READ)
    events = events_of(incident.ref, log)
    return Course(phases(incident.ref, events), escalations(events), findings(events), first_word(events))


def events_of(ref: str, log: Excerpt | None = None) -> list[Event]:
    """The entries that tell the course of an incident, in order; of what stakeholders were told, the first word only."""
    events = _read([ref], READ_KINDS) if log is None else _excerpted(log, READ_KINDS)
    told = of_kinds([ref], TOLD).filter(data__recipients__gt=0)
    events += [Event(*row) for row in told.values_list("seq", "at", "kind", "actor", "data")[:1]]
    return sorted(events, key=lambda event: event.seq)


def regulatory_events(ref: str, log: Excerpt | None = None) -> list[Event]:
    """What was said of an incident about authorities: whether it is major, and which reports went out."""
    return _read([ref], REGULATORY) if log is None else _excerpted(log, REGULATORY)


def _read(refs: list[str], kinds: Iterable[str]) -> list[Event]:
    return [event for _, event in _events(refs, kinds)]


def _excerpted(log: Excerpt, kinds: Iterable[str]) -> list[Event]:
    return [Event(one.seq, one.at, one.kind, one.actor, one.data) for one in log.of(*kinds)]


def authorities(actor: Actor, incident: Incident, log: Excerpt | None = None) -> tuple[AuthorityCourse, ...]:
    """For each authority that the process has switched on: what was found, and the reports sent and owed."""
    require(actor, Right.INCIDENT_READ)
    regimes = [one for one in snapshots.process_of(incident).regimes if one.on]
    events = regulatory_events(incident.ref, log) if regimes else []
    return tuple(AuthorityCourse(one, classified(one.code, events), reports(one, events)) for one in regimes)


def escalation_of(page: Page) -> EscalationMade | None:
    """The escalation that a page asks for; None for a page of the chain or of a role."""
    if page.kind not in set(Direction):
        return None
    made = escalations(events_of(page.incident.ref))
    return next((one for one in made if str(one.seq) == page.reason), None)


def first_words(refs: Iterable[str]) -> Iterator[tuple[str, FirstWord]]:
    """Who heard first, incident by incident; a few of them in memory at a time."""
    wanted = list(refs)
    for start in range(0, len(wanted), TOGETHER):
        own: dict[str, list[Event]] = {ref: [] for ref in wanted[start : start + TOGETHER]}
        for ref, event in _events(list(own), FIRST_WORD_KINDS):
            own[ref].append(event)
        yield from ((ref, first_word(events)) for ref, events in own.items())


def _events(refs: list[str], kinds: Iterable[str]) -> Iterator[tuple[str, Event]]:
    rows = of_kinds(refs, kinds)
    for ref, seq, at, kind, actor, data in rows.values_list("incident", "seq", "at", "kind", "actor", "data"):
        yield ref, Event(seq, at, kind, actor, data)
