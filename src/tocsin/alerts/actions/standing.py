"""What an alert that starts is given from its surroundings: service, priority, silences. Asked once a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property

from tocsin.alerts import queries
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.models import Integration
from tocsin.audit import actions as audit
from tocsin.catalog import queries as catalog
from tocsin.catalog.models import Service
from tocsin.core import silences
from tocsin.core.access import SYSTEM
from tocsin.core.facts import Kind
from tocsin.core.priorities import AssignMode, PriorityState, from_foreign, incident_priority, moment_priority
from tocsin.core.process_parts import PriorityCatalogue
from tocsin.process import queries as process
from tocsin.slo import queries as slos
from tocsin.slo import snapshots as slos_as_core
from tocsin.slo.queries import Registered


class Standing:
    """The surroundings of the alerts of one sender at `now`."""

    def __init__(self, integration: Integration | None, *, now: datetime) -> None:
        self.integration = integration
        self._now = now
        self._services: dict[str, Service] = {}

    def service(self, named: str) -> Service:
        """The service called `named`, else the sender's, else the catch-all."""
        if named not in self._services:
            own = self.integration.service if self.integration is not None else None
            self._services[named] = catalog.find_service(named) or own or catalog.catch_all()
        return self._services[named]

    def registered(self, service: Service, name: str) -> Registered | None:
        """The resource alert that a team registered under this name, None for one nobody knows."""
        return self._registered.get((service.pk, name))

    def priority(self, labels: Mapping[str, str], known: Registered | None = None) -> tuple[int | None, str]:
        """(rank, state): what the team decided for this alert beforehand, else what the label `priority` says in any
        tool's words, else the sender's default, else unset.
        """
        if known is not None and known.assignment is not None:
            breach = moment_priority(slos_as_core.assignment_of(known.assignment))
            decided = incident_priority(breach, AssignMode(known.assignment.assign_mode))
            return decided.rank, decided.state.value
        rank = from_foreign(self._catalogue, labels.get("priority", ""))
        if rank is None and self.integration is not None:
            rank = self.integration.default_priority
        return rank, (PriorityState.UNSET if rank is None else PriorityState.SET).value

    def quiet_by(self, labels: Mapping[str, str], known: Registered | None, priority_state: str) -> str:
        """What keeps an alert that starts quiet: its replacement, the decision `none`, a silence; empty when nothing."""
        if known is not None and known.alert.replaced_by is not None:
            return f"{queries.QUIET_BY_REPLACEMENT}{known.alert.replaced_by.name}"
        return queries.QUIET_BY_PRIORITY if priority_state == PriorityState.NONE else self.silenced_by(labels)

    def silenced_by(self, labels: Mapping[str, str]) -> str:
        """What keeps an alert with these labels quiet, as `Alert.suppressed_by` says it; empty when nothing does."""
        held = silences.decide(self._silences, labels, now=self._now)
        return f"{queries.QUIET_BY_SILENCE}{held.silenced_by[0]}" if held.silenced_by else ""

    @cached_property
    def _catalogue(self) -> PriorityCatalogue:
        return process.current().catalogue

    @cached_property
    def _registered(self) -> Mapping[tuple[int, str], Registered]:
        return slos.registered_at(self._now)

    @cached_property
    def _silences(self) -> list[silences.Silence]:
        return queries.active_silences(self._now)


def record_suppressed(changes: Sequence[AlertChange], *, now: datetime) -> None:
    """Write down each alert that was kept quiet, and by what: it has no incident whose timeline would tell."""
    facts = [
        audit.Fact(
            kind=Kind.ALERT_SUPPRESSED,
            data={"alert": str(change.alert.pk), "name": change.alert.name, "rule": change.alert.suppressed_by},
        )
        for change in changes
        if change.kind is ChangeKind.SUPPRESSED
    ]
    audit.record(SYSTEM, facts, now=now)
