"""What the process asks is fulfilled, waived, or late, and its owner hears of it."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from tocsin.audit import actions as audit
from tocsin.audit.actions import stamp
from tocsin.core.access import SYSTEM, Actor, Right
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.incidents import page_text, snapshots
from tocsin.incidents.actions import duties, late_rows, paging, rank
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.models import Incident, Obligation, ObligationState, RoleHeld
from tocsin.incidents.obligation_words import words
from tocsin.people import queries as people
from tocsin.people.models import Person
from tocsin.platform.questions import Question
from tocsin.platform.text import clean

LATE = "late"


@rank.protected
def fulfil_obligation(
    actor: Actor,
    obligation_id: int,
    *,
    reference: str = "",
    evidence_seq: int | None = None,
    promised_at: datetime | None = None,
    deployed_at: datetime | None = None,
    now: datetime,
) -> Obligation:
    """It is done. `reference` is what shows it (a change's id, a link), `evidence_seq` the log entry that does.

    `promised_at` is when an update said that the next one would come. A hotfix needs the change and `deployed_at`, when
    it was rolled out. Doing twice what is done changes nothing; Refused for what was waived or is asked no more.
    """
    with transaction.atomic():
        row, incident = _owed(obligation_id)
        rank.require(actor, incident, Right.OBLIGATION_FULFIL, now=now)
        if row.state == ObligationState.FULFILLED:
            return row
        _require_open(row)
        shown = clean(reference).strip()[:300]
        _require_fix(row, shown, deployed_at, now=now)
        row.state, row.fulfilled_at, row.reference = ObligationState.FULFILLED, now, shown
        row.promised_at, row.deployed_at, row.evidence_seq = promised_at, deployed_at, evidence_seq
        rolled_out = {"deployed_at": stamp(deployed_at)} if deployed_at else {}
        told = _told(row, Kind.OBLIGATION_FULFILLED, reference=shown, **rolled_out)
        [entry] = audit.record(actor, [told], now=now)
        row.evidence_seq = row.evidence_seq or entry.seq
        row.save(update_fields=["state", "fulfilled_at", "reference", "promised_at", "deployed_at", "evidence_seq"])
        save(incident, now=now)
        duties.reconcile(incident, now=now)
    return row


def _require_fix(row: Obligation, reference: str, deployed_at: datetime | None, *, now: datetime) -> None:
    """A fix is done when it is rolled out: which change, and when."""
    faults = {}
    if row.kind == ObligationKind.HOTFIX:
        if not reference:
            faults["reference"] = "Name the change that was rolled out."
        if deployed_at is None:
            faults["deployed_at"] = "Say when it was rolled out."
    if deployed_at is not None and deployed_at.tzinfo is None:
        faults["deployed_at"] = "Give it with a zone: 2026-07-01T09:30:00Z."
    elif deployed_at is not None and deployed_at > now:
        faults["deployed_at"] = "That has not happened yet."
    if faults:
        raise Invalid(faults)


@rank.protected
def waive_obligation(actor: Actor, obligation_id: int, *, reason: str, now: datetime) -> Obligation:
    """A person decides that it is not done, and says why; that stays in the record. Raises Invalid without a reason."""
    why = clean(reason).strip()
    if not why:
        raise Invalid({"reason": "Say in a few words why it is not needed. It stays in the record."})
    with transaction.atomic():
        row, incident = _owed(obligation_id)
        rank.require(actor, incident, Right.OBLIGATION_WAIVE, now=now)
        _require_open(row)
        row.state, row.waived_by, row.waiver_reason = ObligationState.WAIVED, actor.ident, why
        [entry] = audit.record(actor, [_told(row, Kind.OBLIGATION_WAIVED, reason=why)], now=now)
        row.evidence_seq = entry.seq
        row.save(update_fields=["state", "waived_by", "waiver_reason", "evidence_seq"])
        save(incident, now=now)
        duties.reconcile(incident, now=now)
    return row


def _owed(obligation_id: int) -> tuple[Obligation, Incident]:
    number = Obligation.objects.filter(pk=obligation_id).values_list("incident__number", flat=True).first()
    if number is None:
        raise NotFound(f"There is no obligation {obligation_id}.")
    incident = held(number)
    row = Obligation.objects.select_related("owner").get(pk=obligation_id)
    row.incident = incident
    return row, incident


def _require_open(row: Obligation) -> None:
    if row.state != ObligationState.OPEN:
        raise Refused(f"This is {row.state} already.", reason=f"already_{row.state}")


def _told(row: Obligation, kind: Kind, **data: Any) -> audit.Fact:
    return fact(row.incident, kind, obligation=words(row), key=row.key, obligation_kind=row.kind, **data)


def tell_late_obligations(*, now: datetime, limit: int = 100) -> int:
    """Tell owners of what is late (due + grace), once for each due time. Each in its own transaction; returns how many."""
    if not _anything_overdue(now=now):
        return 0
    late = late_rows.past_grace(_overdue(now), now=now)
    return 0 if late is None else late_rows.tell_each(late, partial(_tell_late, now=now), limit=limit)


def _overdue(now: datetime) -> QuerySet[Obligation]:
    return Obligation.objects.filter(state=ObligationState.OPEN, told_late_at=None, due_at__lt=now)


_anything_overdue = Question(_overdue)


def _tell_late(obligation_id: int, *, now: datetime) -> int:
    with transaction.atomic():
        row, incident = _owed(obligation_id)
        definition = snapshots.process_of(incident)
        late = row.state == ObligationState.OPEN and snapshots.obligation_is_late(row, definition, now=now)
        if not late or row.told_late_at is not None or row.due_at is None:
            return 0
        row.told_late_at = now
        row.save(update_fields=["told_late_at"])
        told = _told(row, Kind.OBLIGATION_LATE, due=stamp(row.due_at), owner_role=row.owner_role)
        audit.record(SYSTEM, [told], now=now)
        _mail_late(row, incident, row.due_at, now=now)
    return 1


def _mail_late(row: Obligation, incident: Incident, due_at: datetime, *, now: datetime) -> None:
    service = incident.service.label if incident.service else incident.title
    who = answerable(row.owner, incident)
    texts = {
        person.pk: page_text.late(
            incident.ref,
            service,
            what=words(row),
            due=page_text.wall(due_at, time_zone=person.time_zone, now=now),
            url=paging.incident_url(incident),
        )
        for person in who
    }
    key = f"late-{row.pk}-{int(due_at.timestamp())}"
    definition = snapshots.process_of(incident)
    paging.tell(incident, who, texts, kind=LATE, key=key, definition=definition, now=now)


def answerable(owner: Person | None, incident: Incident) -> list[Person]:
    """Who hears that something is late: its owner; while nobody is, whoever responds, the team's owners, the administrators."""
    if owner is not None and owner.is_active:
        return [owner]
    held_by = RoleHeld.objects.filter(incident=incident, until_at=None).select_related("person")
    responding = [one.person for one in held_by] or ([incident.acknowledged_by] if incident.acknowledged_by else [])
    if responding:
        return list({person.pk: person for person in responding}.values())
    owners = Person.objects.filter(memberships__team=incident.team_id, memberships__is_owner=True, is_active=True)
    return (
        list(owners.prefetch_related("contact_methods"))
        if incident.team_id and owners.exists()
        else people.administrators()
    )
