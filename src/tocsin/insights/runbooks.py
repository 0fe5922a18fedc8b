"""The runbook of an SLO as Tocsin can write it: what breaks, how it is measured, who is woken, what helped before.

It ends with the SLO's current priority and where that is explained, as every rendering of a runbook does.
"""

from __future__ import annotations

from datetime import datetime

from tocsin.audit.models import Entry
from tocsin.catalog import queries as catalog
from tocsin.core.access import Actor
from tocsin.core.facts import Kind
from tocsin.incidents.models import Incident
from tocsin.incidents.priority_words import priority_words
from tocsin.incidents.runbooks import path_of
from tocsin.oncall import queries as oncall
from tocsin.platform.addresses import public_url
from tocsin.platform.documents import Block, Heading, Link, List, Text
from tocsin.process import queries as process
from tocsin.slo import queries as slo
from tocsin.slo.models import Objective

LATEST = 3


def runbook(actor: Actor, objective: Objective, *, now: datetime) -> list[Block]:
    """The blocks of the runbook, the current priority last."""
    return [
        Heading(1, f"Runbook: {objective.label}"),
        *_what(objective),
        *_steps(objective),
        *_needs(objective),
        *_who(objective, now=now),
        *_before(objective),
        *_priority(actor, objective, now=now),
    ]


def _what(one: Objective) -> list[Block]:
    kind = f"{one.sli_kind} of " if one.sli_kind else ""
    where = f" at {one.endpoint}" if one.endpoint else ""
    target = f"{(one.target * 100).normalize():f}% over {one.period.days or 1} days"
    measured = f"Measured: {kind}{one.service.label}{where}; the SLO is {target}."
    return [*([Text(f"When it is breached: {one.use_case}.")] if one.use_case else []), Text(measured)]


def _steps(one: Objective) -> list[Block]:
    url = one.runbook_url or one.service.runbook_url
    head = Heading(2, "What to do")
    if url:
        return [head, Link("The steps are written down here", url)]
    return [
        head,
        Text("Nobody has written the steps down yet. Put their address into the annotation tocsin.dev/runbook."),
    ]


def _needs(one: Objective) -> list[Block]:
    needed = [service.label for service in catalog.depends_on(one.service)]
    return [Heading(2, "Look there, too"), List(tuple(needed))] if needed else []


def _who(one: Objective, *, now: datetime) -> list[Block]:
    decided = slo.assignment_at(one, now)
    policy = (decided and oncall.policy_named(decided.escalation_policy)) or oncall.policy_for(one.service)
    if policy is None:
        return []
    steps = tuple(", ".join(step.get("targets", ())) or "nobody" for step in policy["steps"])
    return [Heading(2, "Who is woken"), List(steps, numbered=True)] if steps else []


def _before(one: Objective) -> list[Block]:
    rows = list(Incident.objects.filter(objective=one, resolved_at__isnull=False).order_by("-resolved_at")[:LATEST])
    if not rows:
        return []
    entries = Entry.objects.filter(incident__in=[row.ref for row in rows], kind=Kind.INCIDENT_RESOLVED).order_by("seq")
    notes = {entry.incident: str((entry.data or {}).get("note") or "") for entry in entries}
    said = (
        f"{row.ref}, {row.created_at:%Y-%m-%d}: {notes.get(row.ref) or 'nobody wrote down what helped'}" for row in rows
    )
    return [Heading(2, "What helped before"), List(tuple(said))]


def _priority(actor: Actor, one: Objective, *, now: datetime) -> list[Block]:
    definition = process.current()
    row = next((found for found in slo.assignments(actor, one) if found.valid_until is None), None)
    rank, state = (row.priority, row.decision) if row else (None, "unset")
    words = priority_words(definition, rank, state)
    since = f", decided by {row.assigned_by} on {row.valid_from:%Y-%m-%d}" if row else ""
    groups = ", ".join(group.name for group in row.groups.all()) if row else ""
    return [
        Heading(2, "Current priority"),
        *([Text(f"Told: {groups}.")] if groups else []),
        Text(f"As of {now:%Y-%m-%d %H:%M} UTC."),
        Link(f"{words}{since}", f"{public_url()}{path_of(one)}#priority"),
    ]
