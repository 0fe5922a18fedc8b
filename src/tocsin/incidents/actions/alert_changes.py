"""What alerts do to incidents: open, attach, raise, bring back, end. Always part of the transaction that took the alert."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.models import Alert, AlertState
from tocsin.audit import actions as audit
from tocsin.catalog import queries as catalog
from tocsin.core.access import SYSTEM, Actor, ActorKind, Role
from tocsin.core.alert_latch import Urgency
from tocsin.core.alert_state import RESOLVE_TIMEOUT, EndReason
from tocsin.core.dedup import slo_key
from tocsin.core.facts import Kind
from tocsin.core.incident_lifecycle import AlertEnd, alert_end, reopening
from tocsin.core.incident_lifecycle import State as CoreState
from tocsin.core.incident_scope import environment_of, scope_of
from tocsin.core.priorities import PriorityState, opens_incident
from tocsin.incidents import page_text, snapshots
from tocsin.incidents.actions import answering, chain, classifying, duties, growing, moving, opening, paging
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.models import OPEN_STATES, Incident, IncidentAlert, IncidentBreach, Origin, State
from tocsin.platform import outbox
from tocsin.platform.text import one_line
from tocsin.process import queries as process
from tocsin.process.models import StakeholderGroup
from tocsin.slo import queries as slos
from tocsin.slo.models import Breach, PriorityAssignment
from tocsin.slo.specs import SignalKind, SloSignal

CALM = timedelta(minutes=10)
"""How long an SLO has to be well again before whoever has its incident is asked whether it is over."""
_TITLE = 300
_NOT_HEARD_OF = f"Not heard of for {RESOLVE_TIMEOUT // timedelta(minutes=1)} min; taken as ended"


def take_alert_changes(changes: Sequence[AlertChange], *, now: datetime) -> list[Incident]:
    """Apply `changes` in their order, inside the caller's transaction; returns the incidents that were touched."""
    touched: dict[int, Incident] = {}
    for change in changes:
        incident = _take_one(change, now=now)
        if incident is not None:
            touched[incident.pk] = incident
    return list(touched.values())


def _take_one(change: AlertChange, *, now: datetime) -> Incident | None:
    if change.kind in {ChangeKind.OPENED, ChangeKind.REPEATED}:
        return _heard(change, now=now)
    if change.kind is ChangeKind.RESOLVED:
        return _ended(change, now=now)
    if change.kind is ChangeKind.NOTED:
        return _noted(change, now=now)
    if change.kind is ChangeKind.ACKNOWLEDGED:
        return _acknowledged(change, now=now)
    return None


def cause_key(alert: Alert) -> str:
    """What makes two alerts one incident: an SLO has one, whatever the urgency; else the alert's own key."""
    return slo_key(alert.objective.name) if alert.objective else alert.dedup_key


def sender(alert: Alert) -> Actor:
    """Who says so: the integration that sent the alert, else the machine itself."""
    if alert.integration is None:
        return SYSTEM
    name = f"integration:{alert.integration.pk}"
    return Actor(kind=ActorKind.INTEGRATION, ident=name, display_name=alert.integration.name, role=Role.INTEGRATION)


def _heard(change: AlertChange, *, now: datetime) -> Incident | None:
    """One open incident per cause. The unique constraint carries that under races; here it is made rare."""
    alert = change.alert
    if not opens_incident(PriorityState(alert.priority_state)):
        return None
    incident = _open_for(alert) or _back_again(alert, now=now)
    if incident is None:
        try:
            with transaction.atomic():
                return _open(change, now=now)
        except IntegrityError:
            # Somebody else opened it between our look and our write.
            incident = _open_for(alert)
            if incident is None:
                raise
    _attach(incident, change, now=now)
    return incident


def _open_for(alert: Alert) -> Incident | None:
    """The open incident of the alert's cause, or the one it was merged into; held."""
    found = Incident.objects.filter(dedup_key=cause_key(alert), state__in=OPEN_STATES).first()
    found = found or _linked(alert)
    return held(found.number) if found else None


def _linked(alert: Alert) -> Incident | None:
    link = IncidentAlert.objects.filter(alert=alert, incident__state__in=OPEN_STATES).order_by("-id").first()
    return link.incident if link else None


def _back_again(alert: Alert, *, now: datetime) -> Incident | None:
    """A recently resolved incident of the same cause, reopened: for our own rules only; a foreign event opens anew."""
    if alert.objective is None:
        return None
    last = Incident.objects.filter(dedup_key=cause_key(alert), state=State.RESOLVED).order_by("-resolved_at").first()
    if last is None:
        return None
    incident = held(last.number)
    window = snapshots.process_of(incident).lifecycle.reopen_within
    if not reopening(CoreState(incident.state), resolved_at=incident.resolved_at, window=window, now=now).changes:
        return None
    incident.urgency, incident.hurried_at = alert.urgency, None
    save(incident, "urgency", "hurried_at", now=now)
    moving.begin_again(SYSTEM, incident, reason="The same condition is true again.", now=now)
    return incident


def open_anew(alert: Alert, *, now: datetime) -> Incident:
    """A further incident of an alert that still fires, after the one it had was closed; the caller's transaction."""
    return _open(AlertChange(alert, ChangeKind.OPENED, SignalKind.REOPENED.value), now=now)


def _open(change: AlertChange, *, now: datetime) -> Incident:
    alert = change.alert
    version = process.current_version()
    definition = process.definition(version)
    service = alert.service or catalog.catch_all()
    assignment = _assignment(change, now=now)
    incident = opening.create(
        title=_title(alert),
        description=alert.annotations.get("description", "") or alert.annotations.get("explanation", ""),
        service=service,
        team=service.team,
        priority=alert.priority,
        priority_state=alert.priority_state,
        severity=opening.starting_severity(
            definition, alert.priority, decided=assignment.severity if assignment else ""
        ),
        escalation_policy=assignment.escalation_policy if assignment else "",
        signal_severity=alert.signal_severity,
        origin=Origin.SLO if alert.objective else Origin.RESOURCE,
        source=_source(alert),
        dedup_key=cause_key(alert),
        labels=alert.labels,
        environment=environment_of(alert.labels),
        felt_in=scope_of(alert.labels),
        alert_count=1,
        urgency=alert.urgency,
        objective=alert.objective,
        process_version=version,
        now=now,
    )
    IncidentAlert.objects.create(incident=incident, alert=alert, attached_at=now)
    groups: list[StakeholderGroup] = []
    if assignment is not None:
        groups = list(assignment.groups.all())
        incident.groups.set(groups)
    first = opening.began(incident, definition, Kind.INCIDENT_OPENED, groups=groups)
    told = [first, _alert_fact(incident, alert)]
    audit.record(sender(alert), [*told, *_attach_breaches(incident, change)], now=now)
    opening.settle(incident, now=now)
    return incident


def _assignment(change: AlertChange, *, now: datetime) -> PriorityAssignment | None:
    """What was decided beforehand for the SLO, or for the registered resource alert, behind a change."""
    if change.signal is not None:
        return change.signal.assignment
    if change.alert.objective is not None:
        return slos.assignment_at(change.alert.objective, now)
    known = change.alert.resource_alert_id
    return slos.alert_assignments_at([known], now).get(known) if known is not None else None


def _title(alert: Alert) -> str:
    said = next(iter(alert.summary.strip().splitlines()), "")
    return one_line(said or alert.name, limit=_TITLE)


def _source(alert: Alert) -> str:
    if alert.objective is not None:
        return alert.objective.name
    sender_name = alert.integration.name if alert.integration else ""
    return str(alert.labels.get("source") or sender_name)[:150]


def _alert_fact(incident: Incident, alert: Alert) -> audit.Fact:
    return fact(incident, Kind.ALERT_ATTACHED, name=alert.name, alert=str(alert.pk), labels=alert.labels)


def _attach_breaches(incident: Incident, change: AlertChange, *, further: bool = False) -> list[audit.Fact]:
    """Link the breach of this tick, and at the start those before it in the same run; the log names the last one."""
    breach = change.signal.breach if change.signal else None
    if breach is None:
        return []
    rows = [breach]
    if not further:
        run = Breach.objects.filter(objective_id=breach.objective_id, episode=breach.episode, incident_link=None)
        rows = [*run.exclude(pk=breach.pk), breach]
    links = [IncidentBreach(incident=incident, breach=row) for row in rows]
    IncidentBreach.objects.bulk_create(links, ignore_conflicts=True)
    minutes = breach.window // timedelta(minutes=1)
    data: dict[str, Any] = {
        "bad": breach.bad,
        "valid": breach.valid,
        "window": f"{minutes} min",
        "breach": str(breach.pk),
    }
    return [fact(incident, Kind.BREACH_ATTACHED, **data)]


def _attach(incident: Incident, change: AlertChange, *, now: datetime) -> None:
    """Another occurrence of an open cause: counted and linked, no new page; a graver one raises."""
    alert = change.alert
    _, is_new = IncidentAlert.objects.get_or_create(incident=incident, alert=alert, defaults={"attached_at": now})
    incident.alert_count += 1
    _well_no_more(incident)
    save(incident, "alert_count", "alert_ended_at", "calm_since", now=now)
    again = fact(incident, Kind.ALERT_REPEATED, summary=_title(alert), alert=str(alert.pk), reason=change.reason)
    told = _alert_fact(incident, alert) if is_new else again
    audit.record(sender(alert), [told, *_attach_breaches(incident, change)], now=now)
    hurried = _hurry(incident, alert, now=now)
    raised = _raise(incident, alert.priority, now=now)
    if not (raised or hurried) and change.reason == SignalKind.RENOTIFIED:
        chain.told_again(incident, now=now)


def _hurry(incident: Incident, alert: Alert, *, now: datetime) -> bool:
    """What waited for business hours as a ticket pages at once when an urgent alert joins it."""
    if incident.urgency == alert.urgency or alert.urgency != Urgency.PAGE:
        return False
    incident.urgency, incident.hurried_at = alert.urgency, now
    save(incident, "urgency", "hurried_at", now=now)
    chain.reclassified(incident, now=now)
    duties.reconcile(incident, now=now)
    return True


def _raise(incident: Incident, priority: int | None, *, now: datetime) -> bool:
    return classifying.raise_for(incident, priority, reason="An alert of a higher priority was attached.", now=now)


def _well_no_more(incident: Incident) -> None:
    if incident.alert_ended_at is not None or incident.calm_since is not None:
        incident.alert_ended_at = incident.calm_since = None
        outbox.cancel_unsent(kind=paging.FOLLOW_UP, incident=incident.ref)


def _noted(change: AlertChange, *, now: datetime) -> Incident | None:
    """A further breach is linked and may raise; lost data is said and keeps the incident open."""
    found = _open_for(change.alert)
    if found is None or change.signal is None:
        return None
    if change.signal.kind == SignalKind.GROWN:
        return _grown(found, change, change.signal, now=now)
    if change.signal.kind == SignalKind.BREACHED:
        _attach_breaches(found, change, further=True)
        _raise(found, change.signal.priority, now=now)
        return found
    kinds = {SignalKind.NO_DATA.value: Kind.SLO_DATA_LOST, SignalKind.DATA_BACK.value: Kind.SLO_DATA_BACK}
    kind = kinds.get(change.signal.kind)
    if kind is not None:
        audit.record(SYSTEM, [fact(found, kind, slo=change.signal.objective.name)], now=now)
    return found


def _grown(incident: Incident, change: AlertChange, said: SloSignal, *, now: datetime) -> Incident:
    """A further share of the budget is gone: said in the timeline, and to whoever can act on it."""
    told = fact(
        incident, Kind.ALERT_GREW, summary=said.summary, alert=str(change.alert.pk), explanation=said.explanation
    )
    audit.record(SYSTEM, [told, *_attach_breaches(incident, change, further=True)], now=now)
    _well_no_more(incident)
    save(incident, "alert_ended_at", "calm_since", now=now)
    if not _raise(incident, said.priority, now=now):
        growing.tell(incident, said.summary, now=now)
    return incident


def _acknowledged(change: AlertChange, *, now: datetime) -> Incident | None:
    """Somebody has it in the sender's own tool: the chain stops, and whoever takes it here is its person."""
    found = _open_for(change.alert)
    if found is not None and found.acknowledged_at is None:
        answering.take_charge(sender(change.alert), found, None, now=now)
    return found


def _ended(change: AlertChange, *, now: datetime) -> Incident | None:
    found = _linked(change.alert)
    if found is None:
        return None
    incident = held(found.number)
    data: dict[str, Any] = {"name": change.alert.name, "alert": str(change.alert.pk), "reason": change.reason}
    told = fact(incident, Kind.ALERT_ENDED, **data, **_silence(change))
    audit.record(_who_ends(change), [told], now=now)
    others = IncidentAlert.objects.filter(incident=incident, alert__state=AlertState.FIRING)
    if incident.is_open and not others.exclude(alert=change.alert).exists():
        _end_or_ask(incident, change, now=now)
    return incident


def _fell_silent(change: AlertChange) -> bool:
    return change.reason == EndReason.SILENT


def _who_ends(change: AlertChange) -> Actor:
    """The sender, unless it said nothing and we drew the conclusion."""
    return SYSTEM if _fell_silent(change) else sender(change.alert)


def _silence(change: AlertChange) -> dict[str, Any]:
    return {"silent": True, "note": _NOT_HEARD_OF} if _fell_silent(change) else {}


def _end_or_ask(incident: Incident, change: AlertChange, *, now: datetime) -> None:
    definition = snapshots.process_of(incident)
    taken = incident.acknowledged_by is not None  # by a person: another tool's word is no hand on it
    rank = incident.priority
    found = alert_end(
        definition.catalogue.by_rank(rank) if rank is not None else None,
        taken_by_person=taken,
        source_fell_silent=_fell_silent(change),
    )
    if found is AlertEnd.RESOLVE and not (taken and change.alert.objective):
        incident.service = incident.service or catalog.catch_all()
        incident.category = incident.category or incident.origin
        silent = _fell_silent(change)
        note = _NOT_HEARD_OF if silent else "The alert ended."
        moving.end(_who_ends(change), incident, note=note, by_person=False, silent=silent, now=now)
        return
    incident.alert_ended_at = incident.calm_since = now
    save(incident, "alert_ended_at", "calm_since", now=now)
    if incident.acknowledged_by is not None:
        _ask(incident, now=now)


def _ask(incident: Incident, *, now: datetime) -> None:
    """Whoever has it is asked after the calm time; when it burns again before, the question is taken back."""
    definition = snapshots.process_of(incident)
    who = [incident.acknowledged_by] if incident.acknowledged_by else []
    texts = {
        person.pk: page_text.looks_healthy(
            paging.facts_of(incident, definition, url=paging.incident_url(incident), time_zone=person.time_zone)
        )
        for person in who
    }
    key = f"healthy-{incident.number}-{incident.generation}-{incident.version}"
    later = now + CALM if incident.objective_id else now
    kind = paging.FOLLOW_UP
    paging.tell(incident, who, texts, kind=kind, key=key, definition=definition, now=now, not_before=later)
