"""Updates to stakeholders: drafted from the record, sent by the rightful, each promising the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact, stamp
from tocsin.comms import audiences, writing
from tocsin.comms.models import Update, UpdateKind
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import Audience, ObligationKind
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.wording import Finding, Weight, WordingRule, lint_update
from tocsin.incidents import actions as incidents
from tocsin.incidents import queries, snapshots
from tocsin.incidents.models import Incident, Obligation, ObligationState
from tocsin.platform import db, outbox
from tocsin.platform.outbox import Outgoing
from tocsin.platform.text import clean, one_line
from tocsin.process.models import StakeholderGroup

UPDATE_LANE = 3
OBLIGATION_OF = {
    UpdateKind.OPENING: ObligationKind.UPDATE_OPENING,
    UpdateKind.PROGRESS: ObligationKind.UPDATE_PROGRESS,
    UpdateKind.CLOSING: ObligationKind.UPDATE_CLOSING,
}
FIELD_OF = {
    WordingRule.EMPTY: "text",
    WordingRule.NEXT_UPDATE_MISSING: "next_update_at",
    WordingRule.NEXT_UPDATE_NOT_AHEAD: "next_update_at",
    WordingRule.NEXT_UPDATE_TOO_LATE: "next_update_at",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """An update as it would go out. `findings` are remarks for its writer; `recipients` counts addresses."""

    kind: str
    subject: str
    text: str
    next_update_at: datetime | None
    groups: tuple[str, ...]
    recipients: int
    findings: tuple[Finding, ...] = ()


def draft_update(
    actor: Actor, ref: str | int, *, now: datetime, kind: str | None = None, no_change: bool = False
) -> Draft:
    """The next update as the process words it. Writes nothing."""
    incident = queries.incident(actor, ref)
    definition = snapshots.process_of(incident)
    chosen = UpdateKind(kind) if kind else writing.next_kind(incident)
    every = writing.cadence(incident, definition)
    soon = now + every if every and chosen != UpdateKind.CLOSING else None
    text = writing.text_of(incident, definition, chosen, next_update_at=soon)
    if no_change and soon:
        text = writing.no_change_text(incident, next_update_at=soon)
    groups = audiences.groups_of(incident, definition)
    return Draft(
        kind=chosen.value,
        subject=writing.subject_of(incident, chosen),
        text=text,
        next_update_at=soon,
        groups=tuple(group.code for group in groups),
        recipients=len(audiences.addresses_of(groups)),
        findings=_findings(incident, definition, chosen, text, soon, now=now),
    )


def send_update(
    actor: Actor,
    ref: str | int,
    *,
    text: str = "",
    subject: str = "",
    kind: str | None = None,
    next_update_at: datetime | None = None,
    groups: Sequence[str] | None = None,
    no_change: bool = False,
    now: datetime,
) -> Update:
    """Send an update to the incident's groups (or to `groups`), one mail an address; promises are kept and made by it.

    Raises Invalid when a non-final one does not say when the next comes, or says a later time than the priority allows.
    """
    with transaction.atomic():
        incident = db.lock(Incident.objects.filter(pk=queries.incident(actor, ref).pk)).get()
        require(actor, Right.UPDATE_SEND, team=incident.team.name if incident.team else None)
        definition = snapshots.process_of(incident)
        chosen = _kind(incident, kind)
        said = _text(incident, definition, chosen, text, no_change, next_update_at)
        _refuse(_findings(incident, definition, chosen, said, next_update_at, now=now))
        told = audiences.named(list(groups)) if groups else audiences.groups_of(incident, definition)
        if not told:
            raise Invalid({"groups": "Nobody is chosen. Choose the stakeholder groups that should hear."})
        update = _store(actor, incident, chosen, said, subject, next_update_at, no_change, told, now=now)
        seq = _record(actor, incident, update, told, now=now)
        _keep_promises(actor, incident, update, told, evidence_seq=seq, now=now)
        _post(incident, update, told, now=now)
        return update


def _kind(incident: Incident, kind: str | None) -> UpdateKind:
    if kind is not None and kind not in UpdateKind.values:
        raise Invalid({"kind": f"Choose one of: {', '.join(UpdateKind.values)}."})
    return UpdateKind(kind) if kind else writing.next_kind(incident)


def _text(
    incident: Incident,
    definition: ProcessDefinition,
    kind: UpdateKind,
    text: str,
    no_change: bool,
    soon: datetime | None,
) -> str:
    given = clean(text).strip()
    if given:
        return given
    if no_change and soon is not None:
        return writing.no_change_text(incident, next_update_at=soon)
    return writing.text_of(incident, definition, kind, next_update_at=soon) if no_change else ""


def _findings(
    incident: Incident,
    definition: ProcessDefinition,
    kind: UpdateKind,
    text: str,
    soon: datetime | None,
    *,
    now: datetime,
) -> tuple[Finding, ...]:
    facts = writing.draft_facts(incident, definition, kind, text, soon)
    return lint_update(facts, definition.messages, definition.catalogue.notification, now=now)


def _refuse(findings: tuple[Finding, ...]) -> None:
    wrong = {FIELD_OF.get(one.rule, "text"): one.message for one in findings if one.weight is Weight.REFUSE}
    if wrong:
        raise Invalid(wrong)


def _store(
    actor: Actor,
    incident: Incident,
    kind: UpdateKind,
    text: str,
    subject: str,
    soon: datetime | None,
    no_change: bool,
    groups: Sequence[StakeholderGroup],
    *,
    now: datetime,
) -> Update:
    last = Update.objects.filter(incident=incident).order_by("-sent_at").first()
    changed_from = last.priority if last and last.priority != incident.priority else None
    update = Update.objects.create(
        incident=incident,
        kind=kind,
        no_change=no_change,
        subject=one_line(subject) or writing.subject_of(incident, kind),
        text=text,
        next_update_at=soon if kind != UpdateKind.CLOSING else None,
        sent_at=now,
        sent_by=actor.ident,
        priority=incident.priority,
        priority_changed_from=changed_from,
        recipients=len(audiences.addresses_of(groups)),
    )
    update.groups.set(groups)
    return update


def _record(
    actor: Actor, incident: Incident, update: Update, groups: Sequence[StakeholderGroup], *, now: datetime
) -> int:
    data = {
        "update": update.pk,
        "update_kind": update.kind,
        "groups": ", ".join(group.code for group in groups),
        "recipients": update.recipients,
        "text": update.text,
        "next_update_at": stamp(update.next_update_at) if update.next_update_at else None,
        "priority_changed_from": update.priority_changed_from,
    }
    [entry] = audit.record(actor, [Fact(kind=Kind.UPDATE_SENT, incident=incident.ref, data=data)], now=now)
    return entry.seq


def _keep_promises(
    actor: Actor,
    incident: Incident,
    update: Update,
    groups: Sequence[StakeholderGroup],
    *,
    evidence_seq: int,
    now: datetime,
) -> None:
    """Each audience that was served has its open promise kept; what this update promises is stored with it."""
    served: set[Audience] = audiences.audiences_of(groups)
    owed = Obligation.objects.filter(
        incident=incident,
        state=ObligationState.OPEN,
        kind__in=[kind.value for kind in OBLIGATION_OF.values()],
        audience__in=[audience.value for audience in served],
    )
    due = [duty.due_at for duty in owed if duty.due_at]
    update.due_at = min(due, default=None)
    update.save(update_fields=["due_at"])
    for duty in owed:
        incidents.fulfil_obligation(
            actor,
            duty.pk,
            reference=f"update {update.pk}",
            evidence_seq=evidence_seq,
            promised_at=update.next_update_at,
            now=now,
        )


def _post(incident: Incident, update: Update, groups: Sequence[StakeholderGroup], *, now: datetime) -> None:
    thread = f"<{incident.ref}@tocsin>"
    headers = {"X-Incident-Id": incident.ref, "X-Update-Kind": "update", "References": thread, "In-Reply-To": thread}
    changed = ""
    if update.priority_changed_from is not None:
        changed = f"\n\nThe priority was {update.priority_changed_from} before."
    messages = [
        Outgoing(
            key=f"update-{update.pk}-{number}",
            kind="update",
            channel="email",
            address=address,
            payload={"subject": update.subject, "text": update.text + changed, "to_name": name, "headers": headers},
            lane=UPDATE_LANE,
            incident=incident.ref,
            subject_kind="update",
            subject_id=str(update.pk),
        )
        for number, (address, name) in enumerate(sorted(audiences.addresses_of(groups).items()))
    ]
    outbox.enqueue(messages, now=now)
