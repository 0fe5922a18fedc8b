"""Updates to stakeholders: drafted from the record, sent by the rightful, each promising the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact, stamp
from tocsin.comms import audiences, writing
from tocsin.comms.actions import drafts
from tocsin.comms.models import Update, UpdateKind
from tocsin.core.access import Actor, Right
from tocsin.core.delivery_plan import Traffic
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import Audience, ObligationKind
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.wording import Finding, Weight, WordingRule, lint_update
from tocsin.core.wording import UpdateKind as CoreKind
from tocsin.incidents import actions as incidents
from tocsin.incidents import queries, snapshots
from tocsin.incidents.actions import duties, paging, rank
from tocsin.incidents.actions.incident_row import held
from tocsin.incidents.models import Incident
from tocsin.platform import outbox
from tocsin.platform.outbox import Outgoing
from tocsin.platform.text import clean, one_line
from tocsin.process.models import StakeholderGroup

FIELD_OF = {
    WordingRule.NEXT_UPDATE_MISSING: "next_update_at",
    WordingRule.NEXT_UPDATE_NOT_AHEAD: "next_update_at",
    WordingRule.NEXT_UPDATE_TOO_LATE: "next_update_at",
}
_EXERCISE = "exercise"


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

    @property
    def problems(self) -> tuple[str, ...]:
        """The remarks as sentences, and a word when nobody would hear."""
        nobody = () if self.recipients else ("Nobody would get this: the chosen groups have no members.",)
        return (*nobody, *(finding.message for finding in self.findings))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What is about to be sent, decided."""

    kind: UpdateKind
    subject: str
    text: str
    next_update_at: datetime | None
    no_change: bool


def draft_update(
    actor: Actor, ref: str | int, *, now: datetime, kind: str | None = None, no_change: bool = False
) -> Draft:
    """The next update as the process words it. Writes nothing."""
    incident = queries.incident(actor, ref)
    definition = snapshots.process_of(incident)
    words = _words(incident, definition, kind, no_change=no_change, now=now)
    groups = audiences.groups_of(incident, definition)
    return Draft(
        kind=words.kind.value,
        subject=words.subject,
        text=words.text,
        next_update_at=words.next_update_at,
        groups=tuple(group.code for group in groups),
        recipients=len(audiences.addresses_of(groups)),
        findings=_findings(incident, definition, words, groups, now=now),
    )


@rank.protected
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
    draft: int | None = None,
    now: datetime,
) -> Update:
    """Send an update to the incident's groups (or to `groups`), one mail an address; promises are kept and made by it.

    Without a kind it is the next of the bracket: opening, progress, closing. `no_change` writes its own text and time.
    A group named here that the incident did not have hears of it to the end. `draft` is the number of a draft that goes
    out with it, in its own words where none are given. Raises Invalid when a non-final one does
    not say when the next comes, or says a later time than the priority allows, and when nobody is to hear.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.UPDATE_SEND, now=now)
        definition = snapshots.process_of(incident)
        kept = drafts.open_draft(incident, draft) if draft is not None else None
        words = _words(
            incident,
            definition,
            kind,
            no_change=no_change,
            text=text or (kept.text if kept else ""),
            subject=subject or (kept.subject if kept else ""),
            next_update_at=next_update_at,
            drafted=False,
            now=now,
        )
        told = audiences.named(groups) if groups else audiences.groups_of(incident, definition)
        _refuse(_findings(incident, definition, words, told, now=now), told)
        update = _store(actor, incident, definition, words, told, now=now)
        of_draft = drafts.use(kept, update, now=now) if kept else {}
        _keep_promises(actor, incident, definition, update, told, of_draft, now=now)
        _post(incident, definition, update, told, now=now)
    return update


def _words(
    incident: Incident,
    definition: ProcessDefinition,
    kind: str | None,
    *,
    no_change: bool,
    text: str = "",
    subject: str = "",
    next_update_at: datetime | None = None,
    drafted: bool = True,
    now: datetime,
) -> _Words:
    """What is said: what the writer gave, and for a draft or a "no change" what the record gives."""
    chosen = _kind(incident, kind)
    closing = chosen is UpdateKind.CLOSING
    no_change = no_change and not closing
    soon = None if closing else next_update_at
    if soon is None and not closing and (drafted or no_change):
        soon = writing.next_time(incident, definition, now=now)
    said = clean(text).strip()
    if not said and no_change:
        said = writing.no_change_text(incident, next_update_at=soon)
    elif not said and drafted:
        said = writing.text_of(incident, definition, chosen, next_update_at=soon)
    title = one_line(clean(subject)) or writing.subject_of(incident, chosen, no_change=no_change, next_update_at=soon)
    return _Words(kind=chosen, subject=title, text=said, next_update_at=soon, no_change=no_change)


def _kind(incident: Incident, kind: str | None) -> UpdateKind:
    if not kind:
        return writing.next_kind(incident)
    if kind not in UpdateKind.values:
        raise Invalid({"kind": f"Choose one of: {', '.join(UpdateKind.values)}."})
    chosen = UpdateKind(kind)
    if chosen is UpdateKind.CLOSING and incident.is_open:
        raise Invalid({"kind": "A closing update says that it works again; resolve the incident first."})
    if chosen is not UpdateKind.CLOSING and not incident.is_open:
        raise Invalid({"kind": "The incident is over; what is left to say is the closing update."})
    return chosen


def _findings(
    incident: Incident,
    definition: ProcessDefinition,
    words: _Words,
    groups: Sequence[StakeholderGroup],
    *,
    now: datetime,
) -> tuple[Finding, ...]:
    facts = writing.draft_facts(
        incident,
        definition,
        words.kind,
        words.text,
        words.next_update_at,
        for_outsiders=audiences.has_outsiders(groups, definition),
    )
    return lint_update(facts, definition.messages, definition.catalogue.notification, now=now)


def _refuse(findings: Sequence[Finding], told: Sequence[StakeholderGroup]) -> None:
    wrong = {FIELD_OF.get(one.rule, "text"): one.message for one in findings if one.weight is Weight.REFUSE}
    if not told:
        wrong["groups"] = "Nobody is chosen. Choose the stakeholder groups that should hear."
    if wrong:
        raise Invalid(wrong)


def _store(
    actor: Actor,
    incident: Incident,
    definition: ProcessDefinition,
    words: _Words,
    groups: Sequence[StakeholderGroup],
    *,
    now: datetime,
) -> Update:
    last = writing.last_update(incident)
    changed = bool(writing.changed_from(incident, definition, last))
    update = Update.objects.create(
        incident=incident,
        kind=words.kind,
        no_change=words.no_change,
        subject=words.subject,
        text=words.text,
        next_update_at=words.next_update_at,
        sent_at=now,
        sent_by=actor.ident,
        priority=incident.priority,
        priority_changed_from=last.priority if last and changed else None,
        recipients=len(_addresses(incident, groups)),
    )
    update.groups.set(groups)
    return update


def _addresses(incident: Incident, groups: Sequence[StakeholderGroup]) -> dict[str, str]:
    """Whom the update reaches. An exercise is written and counted, and reaches nobody."""
    return {} if incident.kind == _EXERCISE else audiences.addresses_of(groups)


def _keep_promises(
    actor: Actor,
    incident: Incident,
    definition: ProcessDefinition,
    update: Update,
    told: Sequence[StakeholderGroup],
    of_draft: dict[str, Any],
    *,
    now: datetime,
) -> None:
    """Log the update; each audience that has heard has its promise kept, and the new promise is stored."""
    served = audiences.served(incident, told, definition)
    said = _fact(incident, update, told, served)
    [entry] = audit.record(actor, [replace(said, data={**said.data, **of_draft})], now=now)
    chosen = incident.groups.exists()
    incident.groups.add(*[group for group in told if group not in audiences.groups_of(incident, definition)])
    if not chosen and incident.groups.exists():
        duties.fulfil_if_open(incident, ObligationKind.CHOOSE_GROUPS, evidence_seq=entry.seq, now=now)
    rows = incidents.record_update(
        incident,
        audiences=served,
        kind=CoreKind(update.kind),
        next_update_at=update.next_update_at,
        evidence_seq=entry.seq,
        now=now,
    )
    update.due_at = min((row.due_at for row in rows if row.due_at), default=None)
    update.save(update_fields=["due_at"])


def _fact(incident: Incident, update: Update, groups: Sequence[StakeholderGroup], served: Iterable[Audience]) -> Fact:
    """What the log keeps of an update; `audiences` are those that had heard as a whole with it."""
    data = {
        "update": update.pk,
        "update_kind": update.kind,
        "groups": ", ".join(group.name for group in groups),
        "codes": [group.code for group in groups],
        "management": [group.code for group in groups if group.is_management],
        "rings": sorted({group.ring for group in groups}),
        "audiences": sorted(audience.value for audience in served),
        "recipients": update.recipients,
        "subject": update.subject,
        "text": update.text,
        "no_change": update.no_change,
        "next_update_at": stamp(update.next_update_at) if update.next_update_at else None,
        "priority": update.priority,
        "priority_changed_from": update.priority_changed_from,
    }
    return Fact(kind=Kind.UPDATE_SENT, incident=incident.ref, data=data)


def _post(
    incident: Incident,
    definition: ProcessDefinition,
    update: Update,
    groups: Sequence[StakeholderGroup],
    *,
    now: datetime,
) -> None:
    text = mail_text(incident, definition, update)
    lane = paging.message_lane(incident, definition, Traffic.STAKEHOLDERS)
    messages = [
        Outgoing(
            key=f"update-{update.pk}-{number}",
            kind="update",
            channel="email",
            address=address,
            payload={
                "subject": update.subject,
                "text": text,
                "to_name": name,
                "headers": paging.headers(incident, kind="update"),
            },
            lane=lane,
            incident=incident.ref,
            subject_kind="update",
            subject_id=str(update.pk),
        )
        for number, (address, name) in enumerate(sorted(_addresses(incident, groups).items()))
    ]
    if messages:
        outbox.enqueue(messages, now=now)


def mail_text(incident: Incident, definition: ProcessDefinition, update: Update) -> str:
    """The writer's words, and below them what every update has to tell, unless it was said already."""
    lines = [update.text, ""]
    if update.priority_changed_from is not None:
        former = writing.priority_name(definition, update.priority_changed_from, "set")
        present = writing.priority_name(definition, incident.priority, incident.priority_state)
        lines.append(f"The priority is now {present} (was {former}).")
    if update.next_update_at is not None:
        until = f"Next update by {writing.clock_text(update.next_update_at)} UTC"
        lines += [] if until in update.text else [f"{until}."]
    lines.append(f"{incident.ref}, {one_line(writing.service_of(incident))}. All times are UTC.")
    url = paging.incident_url(incident)
    lines += [] if url in update.text else [url]
    return "\n".join(lines)
