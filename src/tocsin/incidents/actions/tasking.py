"""Tasks with a time box, sub-teams with a leader, and how things stand where: conditions, actions, needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents.actions import rank
from tocsin.incidents.actions.desk_parts import LONGEST, ahead, due, for_whom, line, meant, next_number, words
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.models import ConditionReport, Incident, SubTeam, Task
from tocsin.people import queries as people
from tocsin.platform.text import clean

ENDED = ("done", "dropped")


@rank.protected
def give_task(
    actor: Actor,
    ref: str | int,
    *,
    text: str,
    owner: str = "",
    due_at: datetime | None = None,
    sub_team: str = "",
    now: datetime,
) -> Task:
    """Write down something to do. `due_at` is the end of its time box; nothing happens then but that it shows."""
    said = words(text, "text", missing="Say what is to be done.")
    ahead(due_at, "due_at", now=now)
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ANNOTATE, now=now)
        group = _sub_team(incident, sub_team) if sub_team else None
        found = next(iter(meant(incident, [owner])), None)
        row = Task.objects.create(
            incident=incident,
            number=next_number(Task.objects.filter(incident=incident)),
            text=said,
            owner_name=found.name if found else (group.name if group else ""),
            owner=found.person if found else (group.leader if group else None),
            sub_team=group,
            due_at=due_at,
            given_by=actor.ident,
            given_at=now,
        )
        told = fact(
            incident,
            Kind.TASK_GIVEN,
            number=row.number,
            text=said,
            owner=row.owner_name,
            for_whom=for_whom(row.owner_name),
            **due(due_at),
        )
        audit.record(actor, [told], now=now)
        save(incident, now=now)
    return row


@rank.protected
def end_task(
    actor: Actor, ref: str | int, number: int, *, state: str = "done", result: str = "", now: datetime
) -> Task:
    """A task is done, or dropped. Raises Refused for one that ended otherwise before."""
    if state not in ENDED:
        raise Invalid({"state": f"It is one of {', '.join(ENDED)}."})
    said = clean(result).strip()[:LONGEST]
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ANNOTATE, now=now)
        row = Task.objects.filter(incident=incident, number=number).first()
        if row is None:
            raise NotFound(f"{incident.ref} has no task {number}.")
        if row.ended_at is not None:
            if row.state == state:
                return row
            raise Refused(f"Task {number} is {row.state} already.", reason=f"already_{row.state}")
        row.state, row.result, row.ended_at = state, said, now
        row.save(update_fields=["state", "result", "ended_at"])
        audit.record(actor, [fact(incident, Kind.TASK_ENDED, number=number, state=state, result=said)], now=now)
        save(incident, now=now)
    return row


@rank.protected
def form_sub_team(
    actor: Actor,
    ref: str | int,
    *,
    name: str,
    leader: str,
    task: str,
    members: Sequence[str] = (),
    due_at: datetime | None = None,
    now: datetime,
) -> SubTeam:
    """Form a sub-team: its members report to the leader, so that fewer people report to the coordinator.

    Raises Invalid without a name or a task and for somebody who is in another sub-team, NotFound for an unknown
    person, Refused for a name that is taken.
    """
    called = line(name)[:63]
    if not called:
        raise Invalid({"name": "Give it a name people can say."})
    said = words(task, "task", missing="Say what it is for.")
    ahead(due_at, "due_at", now=now)
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ASSIGN, now=now)
        head = people.person(leader.strip().lstrip("@"))
        own = [people.person(one.strip().lstrip("@")) for one in members if one.strip()]
        others = list({one.pk: one for one in own if one.pk != head.pk}.values())
        _require_free(incident, called, [head.pk, *(one.pk for one in others)])
        row = SubTeam.objects.create(
            incident=incident,
            name=called,
            leader=head,
            task=said,
            due_at=due_at,
            formed_by=actor.ident,
            formed_at=now,
        )
        row.members.set(others)
        told = fact(
            incident,
            Kind.SUB_TEAM_FORMED,
            name=called,
            leader=head.label,
            leader_username=head.username,
            members=[one.username for one in others],
            task=said,
            **due(due_at),
        )
        audit.record(actor, [told], now=now)
        save(incident, now=now)
    return row


def _require_free(incident: Incident, name: str, persons: Sequence[int]) -> None:
    present = list(SubTeam.objects.filter(incident=incident, ended_at=None).prefetch_related("members"))
    if any(one.name.lower() == name.lower() for one in present):
        raise Refused(
            f"There is a sub-team {name} already.", reason="name_taken", remedy="End it, or take another name."
        )
    for group in present:
        busy = {group.leader_id, *(one.pk for one in group.members.all())} & set(persons)
        if busy:
            raise Invalid({"members": f"Somebody of these is in the sub-team {group.name} already."})


@rank.protected
def end_sub_team(actor: Actor, ref: str | int, name: str, *, result: str = "", now: datetime) -> SubTeam:
    """A sub-team is no longer needed; its people report to the coordinator again."""
    said = clean(result).strip()[:LONGEST]
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ASSIGN, now=now)
        row = _sub_team(incident, name)
        row.ended_at, row.result = now, said
        row.save(update_fields=["ended_at", "result"])
        audit.record(actor, [fact(incident, Kind.SUB_TEAM_ENDED, name=row.name, result=said)], now=now)
        save(incident, now=now)
    return row


def _sub_team(incident: Incident, name: str) -> SubTeam:
    found = SubTeam.objects.filter(incident=incident, ended_at=None, name__iexact=line(name)).first()
    if found is None:
        raise NotFound(f"{incident.ref} has no sub-team {line(name)!r}.")
    return found


@rank.protected
def report_condition(
    actor: Actor,
    ref: str | int,
    *,
    condition: str,
    actions: str = "",
    needs: str = "",
    about: str = "",
    now: datetime,
) -> ConditionReport:
    """Say how things stand somewhere (`about`: a system, a team), what is being done, and what is needed."""
    said = words(condition, "condition", missing="Say how things stand.")
    doing, wanted = clean(actions).strip()[:LONGEST], clean(needs).strip()[:LONGEST]
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ANNOTATE, now=now)
        place = line(about) or actor.display_name or actor.ident
        row = ConditionReport.objects.create(
            incident=incident, about=place, condition=said, actions=doing, needs=wanted, by=actor.ident, at=now
        )
        told = fact(
            incident,
            Kind.CONDITION_REPORTED,
            about=place,
            condition=said,
            actions=doing or "none",
            needs=wanted or "nothing",
        )
        audit.record(actor, [told], now=now)
        save(incident, now=now)
    return row
