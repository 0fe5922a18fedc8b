"""The resource alerts of a priority map: which there are, what each means, and which SLO is to replace it.

An entry that names the service and how the sender calls the alert registers it; any other is about a registered one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from tocsin.adoption import actions as adoption
from tocsin.config.kinds import entry_spec
from tocsin.core.access import Actor
from tocsin.core.alert_replacement import Replacement
from tocsin.core.errors import Invalid
from tocsin.oncall import queries as oncall
from tocsin.process import queries as process
from tocsin.slo import actions, queries
from tocsin.slo.models import Objective, ResourceAlert
from tocsin.slo.openslo import Document
from tocsin.slo.openslo.nodes import Node


def entries(
    actor: Actor, document: Document, *, now: datetime
) -> Iterator[tuple[str, str, Callable[[], object], bool]]:
    """(title, origin, what to do, whether it was decided before) for each resource alert of a priority map."""
    team = document.node.text_at("metadata", "team")
    for entry in document.node.items_at("spec", "resourceAlerts"):
        name = entry.text_at("alert")
        known = ResourceAlert.objects.filter(name=name).first()
        decided = known is not None and known.pk in queries.alert_assignments_at([known.pk], now)

        def act(name: str = name, entry: Node = entry) -> None:
            row = _registered(actor, name, entry, team, now=now)
            _assign(actor, row, entry, now=now)
            _plan(actor, row, entry.text_at("replaceWith"), now=now)

        yield f"priority of resource alert {name}", f"{document.file}:{entry.line}", act, decided


def _registered(actor: Actor, name: str, entry: Node, team: str, *, now: datetime) -> ResourceAlert:
    service, told = entry.text_at("service"), entry.text_at("alertName")
    exists = ResourceAlert.objects.filter(name=name).exists()
    if not exists and not (service and told):
        raise Invalid(
            {"alert": f"There is no resource alert {name!r}. To register it, give its service and alertName."}
        )
    if service and told:
        interim = entry.get("interim")
        row = adoption.register_alert(
            actor,
            alert_name=told,
            service=service,
            name="" if exists else name,
            metric=entry.text_at("metric"),
            use_case=entry.text_at("useCase"),
            runbook_url=entry.text_at("runbook"),
            interim=interim is not None and interim.boolean is True,
            now=now,
        )
        if row.name != name:
            raise Invalid({"alert": f"{told} of {service} is registered as {row.name}."})
    row = queries.resource_alert(actor, name)
    owner = row.service.team.name if row.service.team else ""
    if team and owner and owner != team:
        raise Invalid({"alert": f"{name} belongs to team {owner}, not to {team}."})
    return row


def _assign(actor: Actor, row: ResourceAlert, entry: Node, *, now: datetime) -> None:
    spec = entry_spec(entry)
    actions.assign_priority(
        actor,
        resource_alert=row,
        decision=spec.decision,
        priority=process.rank_named(spec.code) if spec.code else None,
        groups=spec.groups,
        reason=spec.reason,
        assign_mode=spec.assign_mode,
        severity=spec.severity,
        escalation_policy=oncall.known_policy(spec.escalation_policy),
        now=now,
    )


def _plan(actor: Actor, row: ResourceAlert, slo: str, *, now: datetime) -> None:
    """Note that an SLO is to replace it. One that is replaced or retired already stays so."""
    if not slo:
        return
    if not Objective.objects.filter(name=slo, retired_at=None).exists():
        raise Invalid({"replaceWith": f"There is no SLO called {slo!r} in use."})
    if row.state == Replacement.ACTIVE:
        reason = f"To be replaced by {slo}."
        actions.move_resource_alert(actor, row.name, Replacement.PLANNED, reason=reason, now=now)
