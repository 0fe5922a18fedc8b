"""Keep the stored obligations of an incident equal to what the process asks of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tocsin.core import obligations as core
from tocsin.core.obligation_facts import Obligation as Required
from tocsin.core.obligation_facts import ObligationKind
from tocsin.incidents import snapshots
from tocsin.incidents.models import Incident, Obligation, ObligationState, RoleHeld
from tocsin.people.models import Person


def reconcile(incident: Incident, *, now: datetime) -> None:
    """Create, change, reopen and lapse rows so that they say what is required at `now`. Part of the caller's change.

    Call it after the change was recorded: the history of priorities and severities is read from the log.
    """
    definition = snapshots.process_of(incident)
    rows = latest_rows(incident)
    facts = snapshots.obligation_facts(incident, rows, definition)
    calendar = snapshots.business_days(incident.team)
    required = core.obligations(facts, definition, now=now, calendar=calendar)
    changes = core.reconcile(snapshots.obligation_rows(rows), required)
    owners = holders(incident)
    _write(incident, rows, changes, owners, now=now)


def latest_rows(incident: Incident) -> list[Obligation]:
    """All obligations it ever had; of a key that came back in a later generation, the latest."""
    rows = Obligation.objects.filter(incident=incident).order_by("generation", "id")
    return list({row.key: row for row in rows}.values())


def holders(incident: Incident) -> dict[str, Person]:
    """Who holds which role now; of several, who came first."""
    held = (
        RoleHeld.objects.filter(incident=incident, until_at=None).select_related("person").order_by("-from_at", "-id")
    )
    return {one.role: one.person for one in held}


def _write(
    incident: Incident,
    rows: Sequence[Obligation],
    changes: core.Changes,
    owners: dict[str, Person],
    *,
    now: datetime,
) -> None:
    Obligation.objects.bulk_create([_new(incident, one, owners, now=now) for one in changes.create])
    by_key = {row.key: row for row in rows}
    for one in changes.update_due:
        _change(by_key[one.key], one, owners)
    for one in changes.reopen:
        _reopen(by_key[one.key], one, owners)
    lapsed = [by_key[key].pk for key in changes.lapse]
    Obligation.objects.filter(pk__in=lapsed).update(state=ObligationState.LAPSED)
    _follow_owners((by_key[key] for key in changes.keep), owners)


def _new(incident: Incident, one: Required, owners: dict[str, Person], *, now: datetime) -> Obligation:
    return Obligation(
        incident=incident,
        generation=incident.generation,
        key=one.key,
        kind=one.kind.value,
        audience=one.audience,
        owner_role=one.owner_role,
        owner=owners.get(one.owner_role),
        reason=one.reason.text,
        created_at=now,
        due_at=one.due_at,
    )


def _change(row: Obligation, one: Required, owners: dict[str, Person]) -> None:
    """A later due time is a new promise: whoever was told of lateness is told again if that one is broken, too."""
    if row.due_at is None or (one.due_at is not None and one.due_at > row.due_at):
        row.told_soon_at = row.told_late_at = None
    row.due_at, row.owner_role, row.owner = one.due_at, one.owner_role, owners.get(one.owner_role)
    row.reason = one.reason.text
    row.save(update_fields=["due_at", "owner_role", "owner", "reason", "told_soon_at", "told_late_at"])


def _reopen(row: Obligation, one: Required, owners: dict[str, Person]) -> None:
    row.state = ObligationState.OPEN
    row.told_soon_at = row.told_late_at = None
    row.save(update_fields=["state"])
    _change(row, one, owners)


def _follow_owners(rows: Iterable[Obligation], owners: dict[str, Person]) -> None:
    """The role stays the same while another person takes it."""
    for row in rows:
        owner = owners.get(row.owner_role)
        if row.state == ObligationState.OPEN and row.owner_id != (owner.pk if owner else None):
            row.owner = owner
            row.save(update_fields=["owner"])


def fulfil_if_open(
    incident: Incident, kind: ObligationKind, *, key: str = "", evidence_seq: int | None, now: datetime
) -> None:
    """Mark what was asked as done, when it was asked: the change itself is the evidence."""
    rows = Obligation.objects.filter(incident=incident, kind=kind.value, state=ObligationState.OPEN)
    rows = rows.filter(key=key) if key else rows
    rows.update(state=ObligationState.FULFILLED, fulfilled_at=now, evidence_seq=evidence_seq)


def role_key(role: str) -> str:
    return f"{ObligationKind.FILL_ROLE.value}:{role}"


def ask_again_for_role(incident: Incident, role: str) -> None:
    """A role that was given up is asked for again at the next reconciliation."""
    rows = Obligation.objects.filter(incident=incident, key=role_key(role), state=ObligationState.FULFILLED)
    rows.update(state=ObligationState.LAPSED, fulfilled_at=None, evidence_seq=None)
