"""Write down that stakeholders were told: what was owed to them is done, what was promised to them is owed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tocsin.core.obligation_facts import Audience, ObligationKind
from tocsin.core.wording import UpdateKind
from tocsin.incidents import snapshots
from tocsin.incidents.actions import duties
from tocsin.incidents.actions.incident_row import save
from tocsin.incidents.models import Incident, Obligation, ObligationState

_OBLIGATION = {
    UpdateKind.OPENING: ObligationKind.UPDATE_OPENING,
    UpdateKind.PROGRESS: ObligationKind.UPDATE_PROGRESS,
    UpdateKind.CLOSING: ObligationKind.UPDATE_CLOSING,
}
_BEYOND = "Told without being asked."


def record_update(
    incident: Incident,
    *,
    audiences: Iterable[Audience],
    kind: UpdateKind,
    next_update_at: datetime | None,
    evidence_seq: int,
    now: datetime,
) -> list[Obligation]:
    """Note an update to each of `audiences` of an incident the caller holds, and bring its obligations up to date.

    What an audience was owed is fulfilled by it; what was told beyond that is kept as a fulfilled row, because the
    promise in it counts all the same. Part of the caller's transaction; returns the rows.
    """
    rows = [
        _fulfilled(incident, audience, kind, next_update_at, evidence_seq, now=now) for audience in sorted(audiences)
    ]
    save(incident, now=now)
    duties.reconcile(incident, now=now)
    return rows


def _fulfilled(
    incident: Incident,
    audience: Audience,
    kind: UpdateKind,
    next_update_at: datetime | None,
    evidence_seq: int,
    *,
    now: datetime,
) -> Obligation:
    kinds = [one.value for one in snapshots.UPDATE_KINDS]
    owed = Obligation.objects.filter(incident=incident, audience=audience.value, kind__in=kinds)
    row = owed.filter(state=ObligationState.OPEN).order_by("due_at", "id").first()
    if row is None:
        row = _beyond(incident, audience, kind, now=now)
    row.state, row.fulfilled_at, row.evidence_seq = ObligationState.FULFILLED, now, evidence_seq
    row.promised_at = next_update_at
    row.save(update_fields=["state", "fulfilled_at", "evidence_seq", "promised_at"] if row.pk else None)
    return row


def _beyond(incident: Incident, audience: Audience, kind: UpdateKind, *, now: datetime) -> Obligation:
    """A row for an update that nobody asked for, under the next free number of its audience."""
    rows = {row.key: row for row in duties.latest_rows(incident)}
    number = snapshots.heard(rows.values(), audience).sent_count
    asked = _OBLIGATION[kind]
    while (key := f"{asked.value}:{audience.value}:{number}") in rows and rows[key].state != ObligationState.LAPSED:
        number += 1
    lapsed = rows.get(key)
    if lapsed is not None and lapsed.generation == incident.generation:
        return lapsed
    return Obligation(
        incident=incident,
        generation=incident.generation,
        key=key,
        kind=asked.value,
        audience=audience.value,
        reason=_BEYOND,
        created_at=now,
    )
