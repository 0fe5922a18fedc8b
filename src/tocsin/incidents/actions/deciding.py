"""Decide, take a decision in, carry it out, report. Nobody has to agree to how something is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import stamp
from tocsin.audit.models import Entry
from tocsin.core.access import Actor, Right
from tocsin.core.decision_duties import About, DecisionDuty, Execution, due_times, may_decide
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents import snapshots
from tocsin.incidents.actions import rank
from tocsin.incidents.actions.desk_parts import Meant, ahead, line, meant, next_number, words
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.models import Decision, DecisionAddressee, DecisionDutyRow, Incident, RoleHeld
from tocsin.platform.text import clean

_EXECUTION_WORDS = {
    Execution.OPEN: "not begun",
    Execution.DOING: "being carried out",
    Execution.DONE: "carried out",
    Execution.NOT_DONE: "not carried out",
}


@rank.protected
def record_decision(
    actor: Actor,
    ref: str | int,
    *,
    text: str,
    addressees: Sequence[str] = (),
    about: str = About.SOLUTION,
    execute_by: datetime | None = None,
    risky: bool = False,
    objections: str = "",
    occurred_at: datetime | None = None,
    source_id: str = "",
    now: datetime,
) -> Decision:
    """Write down a decision and what it asks of its addressees: to take it in, to carry it out, to report.

    `addressees` are user names, roles of the process, teams, or plain names. `source_id` names the message of a chat it
    was read from; the same one twice gives the decision that is there already. Raises Invalid for empty text or a time
    that has passed; Refused where order, people or risk are decided by somebody else who is there.
    """
    said = words(text, "text", missing="Say what is decided.")
    topic = _topic(about)
    ahead(execute_by, "execute_by", now=now)
    if occurred_at is not None and occurred_at > now:
        raise Invalid({"occurred_at": "That has not happened yet."})
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.SOLUTION_CHOOSE, now=now)
        known = _told_before(incident, source_id[:200])
        if known is not None:
            return known
        definition = snapshots.process_of(incident)
        _require_decider(actor, incident, definition, topic)
        row = Decision(
            incident=incident,
            number=next_number(Decision.objects.filter(incident=incident)),
            text=said,
            about=topic.value,
            risky=risky,
            objections=clean(objections).strip()[:2000],
            by=actor.ident,
            at=occurred_at or now,
        )
        people = meant(incident, addressees)
        row.entry = _write(actor, row, people, execute_by, occurred_at=occurred_at, source_id=source_id[:200], now=now)
        row.save()
        _address(row, people)
        dues = due_times(definition, at=now, execute_by=execute_by)
        DecisionDutyRow.objects.bulk_create(
            DecisionDutyRow(decision=row, duty=duty.value, due_at=due) for duty, due in dues.items()
        )
        save(incident, now=now)
    return row


def _topic(about: str) -> About:
    try:
        return About(about)
    except ValueError:
        raise Invalid({"about": f"It is one of {', '.join(one.value for one in About)}."}) from None


def _told_before(incident: Incident, source_id: str) -> Decision | None:
    """The decision that this outside message led to. Raises Refused where it led to something else."""
    if not source_id:
        return None
    entry = Entry.objects.filter(incident=incident.ref, source_id=source_id).order_by("seq").first()
    if entry is None:
        return None
    found = Decision.objects.filter(incident=incident, entry=entry.seq).first()
    if found is None:
        raise Refused("This message is on the timeline already.", reason="told_already")
    return found


def _require_decider(actor: Actor, incident: Incident, definition: ProcessDefinition, about: About) -> None:
    rows = list(RoleHeld.objects.filter(incident=incident, until_at=None).values_list("role", "person__username"))
    own = [role for role, username in rows if username == actor.ident]
    found = may_decide(definition, incident.severity, about, own_roles=own, held=[role for role, _ in rows])
    if not found.allowed:
        role = definition.roles.by_code(found.role)
        names = ", ".join(username for code, username in rows if code == found.role)
        name = role.display_name if role else found.role
        remedy = f"Propose it to {names or 'them'}. How something is solved technically you decide yourself."
        raise Refused(f"On {about.value} the {name.lower()} decides.", reason=found.reason.value, remedy=remedy)


def _write(
    actor: Actor,
    row: Decision,
    people: Sequence[Meant],
    execute_by: datetime | None,
    *,
    occurred_at: datetime | None,
    source_id: str,
    now: datetime,
) -> int:
    names = [one.name for one in people]
    told = fact(
        row.incident,
        Kind.DECISION_RECORDED,
        occurred_at=occurred_at,
        source_id=source_id,
        number=row.number,
        text=row.text,
        about=row.about,
        addressees=names,
        to=", ".join(names) or "nobody yet",
        **({"risky": True} if row.risky else {}),
        **({"objections": row.objections} if row.objections else {}),
        **({"execute_by": stamp(execute_by)} if execute_by else {}),
    )
    [entry] = audit.record(actor, [told], now=now)
    return entry.seq


def _address(row: Decision, people: Iterable[Meant]) -> None:
    DecisionAddressee.objects.bulk_create(
        DecisionAddressee(decision=row, name=one.name, person=one.person, role=one.role, team=one.team)
        for one in people
    )


@rank.protected
def acknowledge_decision(actor: Actor, ref: str | int, number: int, *, who: str = "", now: datetime) -> Decision:
    """Say that a decision was taken in: by oneself, or by `who` of its addressees. Once is enough; later ones change nothing.

    Whoever speaks for a role or a team it is addressed to may say so for it. Raises Invalid for a name it is not for.
    """
    with transaction.atomic():
        row = _numbered(actor, ref, number, now=now)
        waiting = list(row.addressees.select_related("person").order_by("pk"))
        taken = _spoken_for(actor, row.incident, waiting, line(who).lstrip("@"))
        fresh = [one for one in taken if one.received_at is None]
        for one in fresh:
            one.received_at, one.received_by = now, actor.ident
            one.save(update_fields=["received_at", "received_by"])
        if fresh or (not waiting and row.acknowledged_at is None):
            name = ", ".join(one.name for one in fresh) or actor.display_name or actor.ident
            told = fact(row.incident, Kind.DECISION_ACKNOWLEDGED, decision=row.entry, number=row.number, person=name)
            audit.record(actor, [told], now=now)
            if all(one.received_at is not None for one in waiting):
                _received(row, now=now)
            save(row.incident, now=now)
    return row


def _spoken_for(
    actor: Actor, incident: Incident, addressees: Sequence[DecisionAddressee], who: str
) -> list[DecisionAddressee]:
    if who:
        [name] = [one.name for one in meant(incident, [who])] or [who]
        found = [one for one in addressees if one.name.lower() == name.lower()]
        if not found:
            names = ", ".join(one.name for one in addressees) or "nobody by name"
            raise Invalid({"who": f"It is for {names}."})
        return found
    rows = RoleHeld.objects.filter(incident=incident, until_at=None, person__username=actor.ident)
    own = set(rows.values_list("role", flat=True))
    mine = [
        one
        for one in addressees
        if (one.person is not None and one.person.username == actor.ident)
        or (one.role and one.role in own)
        or (one.team is not None and one.team.name in actor.teams)
    ]
    if addressees and not mine:
        names = ", ".join(one.name for one in addressees)
        raise Invalid({"who": f"It is for {names}. Say for whom you take it in."})
    return mine


def _received(row: Decision, *, now: datetime) -> None:
    row.acknowledged_at = now
    row.save(update_fields=["acknowledged_at"])
    _keep(row, DecisionDuty.RECEIVE, now=now)


@rank.protected
def report_decision(
    actor: Actor, ref: str | int, number: int, *, state: str = "", report: str = "", now: datetime
) -> Decision:
    """Say how far carrying a decision out has come (doing, done, not_done), what came of it, or both.

    A report speaks of the end: `state` done, unless it says not_done. Whoever reports has also taken the decision in.
    Raises Invalid when nothing is said, for an unknown state, and for a report of what is still being done.
    """
    said = clean(report).strip()[:2000]
    wanted = _execution(state, said)
    with transaction.atomic():
        row = _numbered(actor, ref, number, now=now)
        execution = wanted or (Execution(row.execution) if Execution(row.execution).is_over else Execution.DONE)
        if said and not execution.is_over:
            raise Invalid({"report": "A report says how it ended: with the state done, or not_done."})
        changed = _move(actor, row, execution, now=now)
        if said and said != row.report:
            _report(actor, row, said, now=now)
            changed = True
        if changed:
            save(row.incident, now=now)
    return row


def _execution(state: str, report: str) -> Execution | None:
    if not state.strip() and not report:
        raise Invalid({"report": "Say how far it is, or what came of it."})
    try:
        return Execution(state.strip()) if state.strip() else None
    except ValueError:
        raise Invalid({"state": f"It is one of {', '.join(one.value for one in Execution)}."}) from None


def _move(actor: Actor, row: Decision, execution: Execution, *, now: datetime) -> bool:
    if execution == row.execution:
        return False
    row.execution, row.executed_at = execution.value, now if execution.is_over else None
    row.save(update_fields=["execution", "executed_at"])
    told = fact(
        row.incident,
        Kind.DECISION_MOVED,
        decision=row.entry,
        number=row.number,
        execution=execution.value,
        state=_EXECUTION_WORDS[execution],
    )
    audit.record(actor, [told], now=now)
    if execution is not Execution.OPEN and row.acknowledged_at is None:
        row.addressees.filter(received_at=None).update(received_at=now, received_by=actor.ident)
        _received(row, now=now)
    if execution.is_over:
        _keep(row, DecisionDuty.EXECUTE, now=now)
    else:
        row.duties.filter(duty=DecisionDuty.EXECUTE.value).update(done_at=None)
    return True


def _report(actor: Actor, row: Decision, said: str, *, now: datetime) -> None:
    row.report, row.reported_at, row.reported_by = said, now, actor.ident
    row.save(update_fields=["report", "reported_at", "reported_by"])
    state = _EXECUTION_WORDS[Execution(row.execution)]
    told = fact(
        row.incident,
        Kind.DECISION_REPORTED,
        decision=row.entry,
        number=row.number,
        execution=row.execution,
        state=state,
        report=said,
    )
    audit.record(actor, [told], now=now)
    _keep(row, DecisionDuty.REPORT, now=now)


def _keep(row: Decision, duty: DecisionDuty, *, now: datetime) -> None:
    row.duties.filter(duty=duty.value, done_at=None).update(done_at=now)


def _numbered(actor: Actor, ref: str | int, number: int, *, now: datetime) -> Decision:
    incident = held(ref)
    rank.require(actor, incident, Right.INCIDENT_ANNOTATE, now=now)
    row = Decision.objects.filter(incident=incident, number=number).first()
    if row is None:
        raise NotFound(f"{incident.ref} has no decision {number}.")
    row.incident = incident
    return row
