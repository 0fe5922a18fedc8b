"""How an incident begins: by a person's declaration, or by an alert (see `alert_changes`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import stamp
from tocsin.catalog import queries as catalog
from tocsin.core.access import Actor, Right, require
from tocsin.core.classification import exception_data, judge, require_judged
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.core.matrix import machine_pair
from tocsin.core.priorities import required_priority
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.severities import require_severities
from tocsin.incidents import snapshots
from tocsin.incidents.actions import chain, channel, depending, duties, staffing
from tocsin.incidents.actions.incident_row import fact, person_behind
from tocsin.incidents.models import Incident, Origin
from tocsin.incidents.priority_words import priority_code
from tocsin.platform import ids
from tocsin.platform.crashpoints import CrashPoint, crashpoint
from tocsin.platform.text import clean, one_line
from tocsin.process import queries as process
from tocsin.process.models import StakeholderGroup

IMPACT_STATES = ("actual", "potential")
KINDS = ("real", "exercise")
_TITLE = 300
_REASON = 1000


def declare(
    actor: Actor,
    *,
    title: str,
    service: str,
    description: str = "",
    priority: int | None = None,
    severity: str | None = None,
    impact_state: str = "actual",
    kind: str = "real",
    groups: Iterable[str] = (),
    caused_by: str = "",
    reason: str = "",
    exception: bool = False,
    now: datetime,
) -> Incident:
    """A person says that something is wrong (R-9.3.11-1: the service and what is wrong are enough).

    `caused_by` names what it follows from upstream: an incident (INC-7) or an SLO (slo:NAME). `reason` (the description
    without one) explains a pair of priority and severity; `exception` enters one that the process does not allow.

    Raises NotFound for an unknown service, Invalid for an unknown priority, severity, kind or impact and for an
    exception without a reason, Refused for a pair that the process does not allow.
    """
    about = catalog.known_service(service)
    require(actor, Right.INCIDENT_DECLARE, team=about.team.name if about.team else None)
    what = one_line(clean(title), limit=_TITLE)
    _check(what, impact_state, kind)
    version = process.current_version()
    why = reason if reason.strip() else description
    chosen, remarks = _severity(process.definition(version), priority, severity, explanation=why, exception=exception)
    with transaction.atomic():
        incident = create(
            title=what,
            description=clean(description),
            service=about,
            team=about.team,
            priority=priority,
            priority_state="unset" if priority is None else "set",
            priority_by_person=priority is not None,
            severity=chosen,
            origin=Origin.HUMAN,
            source=actor.ident,
            impact_state=impact_state,
            kind=kind,
            process_version=version,
            now=now,
        )
        _write_down(actor, incident, groups, severity_by_person=bool(severity), reason=why, remarks=remarks, now=now)
        _set_going(actor, incident, caused_by, now=now)
    return incident


def _write_down(
    actor: Actor,
    incident: Incident,
    groups: Iterable[str],
    *,
    severity_by_person: bool,
    reason: str,
    remarks: Mapping[str, Any],
    now: datetime,
) -> None:
    """Whom it tells, and the first entry of its log."""
    told = chosen_groups(groups)
    incident.groups.set(told)
    first = began(
        incident,
        process.definition(incident.process_version),
        Kind.INCIDENT_DECLARED,
        groups=told,
        severity_by_person=severity_by_person,
        reason=reason,
        remarks=remarks,
    )
    audit.record(actor, [first], now=now)


def _set_going(actor: Actor, incident: Incident, caused_by: str, *, now: datetime) -> None:
    """What it follows from, the roles its severity calls, what is owed, the first page."""
    if caused_by:
        depending.attach(actor, incident, caused_by, now=now)
    staffing.ask_called(incident, process.definition(incident.process_version), actor=actor, now=now)
    settle(incident, now=now)


def _check(title: str, impact_state: str, kind: str) -> None:
    faults = {}
    if not title:
        faults["title"] = "Say in a few words what is wrong."
    if impact_state not in IMPACT_STATES:
        faults["impact_state"] = f"It is one of {', '.join(IMPACT_STATES)}."
    if kind not in KINDS:
        faults["kind"] = f"It is one of {', '.join(KINDS)}."
    if faults:
        raise Invalid(faults)


def _severity(
    definition: ProcessDefinition, priority: int | None, given: str | None, *, explanation: str, exception: bool
) -> tuple[str, Mapping[str, Any]]:
    """The severity a person gave, checked with the priority, and what the log keeps of an exception; else the start."""
    if priority is not None:
        required_priority(definition.catalogue, priority)
    if not given:
        return starting_severity(definition, priority), {}
    require_severities(definition.severities)
    found = judge(definition, priority=priority, severity=given, explanation=explanation)
    require_judged(definition, found, exception=exception, explanation=explanation)
    return given, exception_data(found)


def starting_severity(definition: ProcessDefinition, priority: int | None, *, decided: str = "") -> str:
    """The severity an incident starts with unless a person says another: moved to the nearest allowed pair.

    `decided` is what its SLO's team chose beforehand; one the process no longer has is passed over.
    """
    start = decided if decided in definition.severities.codes else definition.severities.start
    pair = machine_pair(definition, priority, start)
    return pair.severity if pair else start


def chosen_groups(codes: Iterable[str]) -> list[StakeholderGroup]:
    """The stakeholder groups of these codes. Raises NotFound for an unknown one."""
    return [process.group(code) for code in codes]


def create(*, now: datetime, **fields: Any) -> Incident:
    """A new row with the next number. Inside a transaction; IntegrityError when its key is open already."""
    priority = fields.get("priority")
    return Incident.objects.create(
        number=ids.next_number("incident"),
        highest_priority=priority,
        created_at=now,
        updated_at=now,
        priority_set_at=now if priority is not None else None,
        severity_set_at=now,
        **fields,
    )


def began(
    incident: Incident,
    definition: ProcessDefinition,
    kind: Kind,
    *,
    groups: Iterable[StakeholderGroup] = (),
    severity_by_person: bool = False,
    reason: str = "",
    remarks: Mapping[str, Any] = MappingProxyType({}),
) -> audit.Fact:
    """The first fact of an incident: what it was classified as when it began, by whom, and who was to hear of it.

    `reason` is what a person said about it, which explains a pair of priority and severity that needs a reason;
    `remarks` say that the pair goes against the rule.
    """
    chosen = list(groups)
    return fact(
        incident,
        kind,
        title=incident.title,
        service=incident.service.name if incident.service else None,
        priority=priority_code(definition, incident.priority, incident.priority_state),
        rank=incident.priority,
        priority_state=incident.priority_state,
        severity=incident.severity,
        origin=incident.origin,
        source=incident.source,
        impact_state=incident.impact_state,
        exercise=incident.kind == "exercise",
        process_version=incident.process_version.number,
        priority_by_person=incident.priority_by_person,
        severity_by_person=severity_by_person,
        groups=sorted(group.code for group in chosen),
        management=sorted(group.code for group in chosen if group.is_management),
        reason=clean(reason).strip()[:_REASON],
        response_starts_at=response_starts_at(incident, definition),
        **remarks,
    )


def response_starts_at(incident: Incident, definition: ProcessDefinition) -> str | None:
    """From when on somebody is expected to act, for the log; None for at once."""
    starts_at = snapshots.response_starts(incident, definition)
    return stamp(starts_at) if starts_at else None


def settle(incident: Incident, *, now: datetime) -> None:
    """What follows from having begun: obligations, and the first page at once."""
    crashpoint(CrashPoint.DURING_INCIDENT_ACTION)
    duties.reconcile(incident, now=now)
    channel.ask(incident, now=now)
    chain.begin(incident, now=now)


def responder(actor: Actor) -> str:
    """The name people read for whoever acted."""
    person = person_behind(actor)
    return person.label if person else actor.display_name or actor.ident
