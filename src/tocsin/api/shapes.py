"""What things look like as JSON. Times are RFC 3339 in UTC with Z; a missing one is null."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tocsin.alerts.models import Alert, Integration, Silence
from tocsin.audit.actions import stamp
from tocsin.catalog.models import Service
from tocsin.comms.models import Subscriber, Update, UpdateDraft, WebhookEndpoint
from tocsin.core.incident_lifecycle import State, status_of
from tocsin.core.on_call_now import Shift
from tocsin.incidents.models import Incident, IncidentLink, Obligation, RoleHeld
from tocsin.incidents.priority_words import priority_words
from tocsin.incidents.queries import TimelineLine
from tocsin.incidents.snapshots import process_of
from tocsin.oncall.models import EscalationPolicy, Rotation
from tocsin.people.models import Person, Team
from tocsin.postmortems.models import ActionItem, Postmortem
from tocsin.process.models import StakeholderGroup
from tocsin.slo import snapshots
from tocsin.slo.models import Breach, Health, Objective
from tocsin.slo.wording import rule_words


def at(instant: datetime | None) -> str | None:
    return stamp(instant) if instant else None


def day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def incident(row: Incident) -> dict[str, Any]:
    """An incident as contract EV-1 shows it, with what we know beyond."""
    return {
        "id": row.ref,
        "number": row.number,
        "title": row.title,
        "description": row.description,
        "status": status_of(State(row.state)),
        "state": row.state,
        "priority": row.priority,
        "priority_state": row.priority_state,
        "priority_words": priority_words(process_of(row), row.priority, row.priority_state),
        "severity": row.severity,
        "signal_severity": row.signal_severity or None,
        "service": row.service.name if row.service else None,
        "team": row.team.name if row.team else None,
        "category": row.category or None,
        "environment": row.environment or None,
        "scope": row.felt_in or None,
        "sli": (row.objective.sli_kind or None) if row.objective else None,
        "origin": row.origin,
        "source": row.source or row.origin,
        "slo": row.objective.name if row.objective else None,
        "dedup_key": row.labels.get("dedup_key") or row.dedup_key or None,
        "labels": row.labels,
        "alert_count": row.alert_count,
        "impact_state": row.impact_state,
        "kind": row.kind,
        "complex": row.complex,
        "outside_our_control": row.outside_our_control,
        "process_version": row.process_version.number,
        "generation": row.generation,
        "version": row.version,
        "created_at": at(row.created_at),
        "acknowledged_at": at(row.acknowledged_at),
        "acknowledged_by": row.acknowledged_by.username if row.acknowledged_by else None,
        "mitigated_at": at(row.mitigated_at),
        "resolved_at": at(row.resolved_at),
        "closed_at": at(row.closed_at),
        "snoozed_until": at(row.snoozed_until),
        "merged_into": row.merged_into.ref if row.merged_into else None,
    }


def timeline_line(line: TimelineLine) -> dict[str, Any]:
    return {
        "seq": line.seq,
        "at": at(line.at),
        "kind": line.kind,
        "actor": line.actor,
        "text": line.text,
        "source_id": line.source_id or None,
    }


def upstream(row: IncidentLink) -> dict[str, Any]:
    """What an incident follows from; `incident` is null where the SLO's breach opened none."""
    return {
        "link": row.kind,
        "incident": row.upstream.ref if row.upstream else None,
        "slo": row.objective.name if row.objective else None,
        "linked_by": row.linked_by,
        "linked_at": at(row.linked_at),
    }


def obligation(row: Obligation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "incident": row.incident.ref,
        "key": row.key,
        "kind": row.kind,
        "audience": row.audience or None,
        "owner_role": row.owner_role,
        "owner": row.owner.username if row.owner else None,
        "state": row.state,
        "due_at": at(row.due_at),
        "reason": row.reason,
        "reference": row.reference or None,
        "deployed_at": at(row.deployed_at),
        "fulfilled_at": at(row.fulfilled_at),
        "evidence_seq": row.evidence_seq,
        "waived_by": row.waived_by or None,
        "waiver_reason": row.waiver_reason or None,
    }


def role_held(row: RoleHeld) -> dict[str, Any]:
    return {"role": row.role, "person": row.person.username, "from": at(row.from_at), "until": at(row.until_at)}


def service(row: Service) -> dict[str, Any]:
    return {
        "name": row.name,
        "display_name": row.label,
        "description": row.description,
        "team": row.team.name if row.team else None,
        "runbook_url": row.runbook_url or None,
        "maintenance_since": at(row.maintenance_since),
        "is_catch_all": row.is_catch_all,
    }


def team(row: Team) -> dict[str, Any]:
    return {"name": row.name, "display_name": row.label, "time_zone": row.time_zone, "stage": row.stage}


def person(row: Person) -> dict[str, Any]:
    return {
        "name": row.username,
        "display_name": row.label,
        "email": row.email or None,
        "time_zone": row.time_zone,
        "role": row.role,
        "active": row.is_active,
    }


def objective(row: Objective) -> dict[str, Any]:
    """An SLO with what is known of it now; while data are missing or impossible, no budget is known."""
    state = getattr(row, "state", None)
    known = state is not None and state.health not in (Health.NO_DATA, Health.INVALID)
    return {
        "name": row.name,
        "display_name": row.label,
        "use_case": row.use_case or None,
        "service": row.service.name,
        "team": row.service.team.name if row.service.team else None,
        "target": str(row.target.normalize()),
        "period_seconds": int(row.period.total_seconds()),
        "budgeting": row.budgeting,
        "counted_in": {"word": snapshots.unit_of(row).word, "parts": snapshots.unit_of(row).parts},
        "rule": row.rule or {"name": "tocsin"},
        "source": row.source.name if row.source else None,
        "revision": row.revision,
        "origin": row.origin or None,
        "retired_at": at(row.retired_at),
        "health": state.health if state else "no_data",
        "remaining": state.remaining if state and known else None,
        "burn_rates": state.burn_rates if state else {},
        "exhausts_at": at(state.exhausts_at) if state and known else None,
        "last_data_at": at(state.last_data_at) if state else None,
        "invalid_reason": state.invalid_reason if state and state.health == Health.INVALID else None,
        "evaluated_at": at(state.evaluated_at) if state else None,
    }


def breach(row: Breach) -> dict[str, Any]:
    return {
        "id": row.pk,
        "at": at(row.at),
        "valid": row.valid,
        "bad": row.bad,
        "window_seconds": int(row.window.total_seconds()),
        "episode": row.episode,
        "priority": row.priority,
        "priority_state": row.priority_state,
        "priority_rule": row.priority_rule or None,
        "because": rule_words(row.priority_rule) or None,
    }


def alert(row: Alert) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "summary": row.summary,
        "state": row.state,
        "dedup_key": row.dedup_key,
        "labels": row.labels,
        "annotations": row.annotations,
        "service": row.service.name if row.service else None,
        "slo": row.objective.name if row.objective else None,
        "priority": row.priority,
        "priority_state": row.priority_state,
        "occurrences": row.occurrences,
        "starts_at": at(row.starts_at),
        "resolved_at": at(row.resolved_at),
        "suppressed_by": row.suppressed_by or None,
    }


def integration(row: Integration) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "name": row.name,
        "kind": row.kind,
        "service": row.service.name if row.service else None,
        "key_hint": row.key_hint,
        "last_seen_at": at(row.last_seen_at),
        "revoked_at": at(row.revoked_at),
    }


def silence(row: Silence, *, now: datetime) -> dict[str, Any]:
    """As Alertmanager's API v2 shows a silence."""
    state = "expired" if row.ends_at <= now else "pending" if row.starts_at > now else "active"
    return {
        "id": str(row.uuid),
        "status": {"state": state},
        "matchers": row.matchers,
        "startsAt": at(row.starts_at),
        "endsAt": at(row.ends_at),
        "updatedAt": at(row.updated_at),
        "createdBy": row.created_by,
        "comment": row.comment,
    }


def shift(row: Shift) -> dict[str, Any]:
    return {"start": at(row.start), "end": at(row.end), "users": list(row.users), "override": row.override}


def rotation(row: Rotation) -> dict[str, Any]:
    return {
        "name": row.name,
        "display_name": row.label,
        "team": row.team.name if row.team else None,
        "role": row.role or None,
        "time_zone": row.time_zone,
        "layers": row.layers,
    }


def policy(row: EscalationPolicy) -> dict[str, Any]:
    return {
        "name": row.name,
        "repeat": row.repeat,
        "steps": row.steps,
        "team": row.team.name if row.team else None,
        "services": [link.service.name for link in row.services.all()],
    }


def group(row: StakeholderGroup) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "ring": row.ring,
        "is_management": row.is_management,
        "purpose": row.purpose,
        "members": [member.email for member in row.members.all()],
    }


def update(row: Update) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.kind,
        "no_change": row.no_change,
        "subject": row.subject,
        "text": row.text,
        "groups": [one.code for one in row.groups.all()],
        "recipients": row.recipients,
        "due_at": at(row.due_at),
        "sent_at": at(row.sent_at),
        "sent_by": row.sent_by,
        "next_update_at": at(row.next_update_at),
    }


def update_draft(row: UpdateDraft) -> dict[str, Any]:
    return {
        "id": row.pk,
        "subject": row.subject,
        "text": row.text,
        "written_by": row.written_by,
        "written_at": at(row.written_at),
        "approved_by": row.approved_by or None,
        "approved_at": at(row.approved_at),
    }


def subscriber(row: Subscriber) -> dict[str, Any]:
    return {"id": row.pk, "email": row.email, "service": row.service.name, "created_at": at(row.created_at)}


def webhook(row: WebhookEndpoint) -> dict[str, Any]:
    return {"id": str(row.pk), "url": row.url, "events": row.events, "disabled_at": at(row.disabled_at)}


def postmortem(row: Postmortem) -> dict[str, Any]:
    return {
        "incident": row.incident.ref,
        "title": row.title,
        "state": row.state,
        "sections": row.sections,
        "owner": row.owner.username if row.owner else None,
        "meeting_due_at": at(row.meeting_due_at),
        "version": row.version,
        "timeline": [{"at": at(line.at), "text": line.text, "author": line.author} for line in row.timeline.all()],
        "actions": [action(item) for item in row.actions.all()],
    }


def action(row: ActionItem) -> dict[str, Any]:
    """An action item as contract TRACK-1 shows it."""
    return {
        "id": row.pk,
        "incident": row.incident.ref,
        "title": row.title,
        "driver": row.driver or None,
        "review": day(row.review_date),
        "due": day(row.due_date),
        "status": row.status,
        "done": row.status == "done",
        "created_at": at(row.created_at),
        "started_at": at(row.started_at),
        "closed_at": at(row.done_at),
        "url": row.external_url or None,
    }
