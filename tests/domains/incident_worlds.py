"""A service with people to wake, alerts of other tools and of our own SLOs, and a look into the outbox."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from tests.domains import worlds
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.models import Alert, AlertState, Integration
from tocsin.audit.models import Entry
from tocsin.catalog import actions as catalog
from tocsin.catalog.models import Service
from tocsin.core.access import SYSTEM, Actor
from tocsin.incidents import actions
from tocsin.incidents.models import Incident, Obligation, ObligationState, Page
from tocsin.oncall import actions as oncall
from tocsin.platform.models import OutboxMessage, OutboxState
from tocsin.process.models import StakeholderGroup
from tocsin.slo.models import Breach, Objective, PriorityAssignment
from tocsin.slo.specs import SloSignal

MONDAY_NIGHT = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@dataclass
class House:
    """The service log-on of the team identity, with ada and then ben in its chain, five minutes each; its clock."""

    now: datetime = MONDAY_NIGHT
    ada: Actor = field(init=False)
    ben: Actor = field(init=False)
    admin: Actor = field(init=False)
    service: Service = field(init=False)

    def __post_init__(self) -> None:
        worlds.process(now=self.now)
        self.admin = worlds.administrator("root", now=self.now)
        self.ada = worlds.actor("ada", in_team="identity", display_name="Ada", time_zone="Europe/Berlin", now=self.now)
        self.ben = worlds.actor("ben", in_team="identity", display_name="Ben", now=self.now)
        self.service = catalog.add_service(SYSTEM, name="log-on", display_name="Log-on", team="identity", now=self.now)
        self.chain(["user:ada"], ["user:ben"])

    def chain(self, *steps: Sequence[str], repeat: int = 0, wait: int = 5) -> None:
        """Replace the service's policy by steps of these targets."""
        document = {
            "name": "identity",
            "repeat": repeat,
            "steps": [{"wait_minutes": wait, "targets": list(targets)} for targets in steps],
        }
        oncall.save_policy(SYSTEM, document, now=self.now)
        oncall.set_service_escalation(SYSTEM, service="log-on", policy="identity", now=self.now)

    def rotation(self, name: str, role: str, username: str) -> None:
        """One person is always on call for a role of the process, in the service's team."""
        worlds.person(username, in_team="identity", now=self.now)
        layer = {
            "name": "main",
            "priority": 1,
            "start": "2026-11-02T09:00:00Z",
            "rotation": {"unit": "week", "every": 1},
            "users": [[username]],
        }
        document = {"name": name, "time_zone": "UTC", "layers": [layer]}
        oncall.save_rotation(SYSTEM, document, team="identity", role=role, now=self.now)

    def pass_time(self, by: timedelta) -> None:
        """Let time go by without the engine looking."""
        self.now += by

    def run(self, by: timedelta = timedelta(0), *, every: timedelta = MINUTE) -> None:
        """Let the engine look at each `every` until `by` has gone by."""
        end = self.now + by
        while True:
            actions.advance_escalations(now=self.now)
            actions.tell_late_obligations(now=self.now)
            if self.now >= end:
                return
            self.now = min(self.now + every, end)

    def declare(self, title: str = "38% of log-ons fail", **fields: Any) -> Incident:
        fields.setdefault("priority", 1)
        actor = fields.pop("actor", self.ben)
        return actions.declare(actor, title=title, service=fields.pop("service", "log-on"), now=self.now, **fields)

    def assert_log(self, incident: Incident, *kinds: str) -> None:
        found = kinds_of(incident)
        missing = [kind for kind in kinds if kind not in found]
        assert missing == [], f"{missing} not in {found}"


def kinds_of(incident: Incident) -> list[str]:
    """The kinds of an incident's log, in order."""
    return list(Entry.objects.filter(incident=incident.ref).order_by("seq").values_list("kind", flat=True))


def entries(incident: Incident, kind: str) -> list[dict[str, Any]]:
    rows = Entry.objects.filter(incident=incident.ref, kind=kind).order_by("seq")
    return [row.data or {} for row in rows]


def mails(kind: str = "page", *, states: Iterable[str] = (OutboxState.QUEUED,)) -> list[OutboxMessage]:
    rows = OutboxMessage.objects.filter(kind=kind, state__in=list(states))
    return list(rows.order_by("id"))


def paged() -> list[str]:
    """Who was paged by the chain, in order, whatever became of it."""
    pages = Page.objects.filter(kind="page").order_by("id").select_related("person")
    return [page.person.username if page.person else "" for page in pages]


def token_of(message: OutboxMessage) -> str:
    """The token in the link of a page."""
    found = re.search(r"/p/([\w-]+)", message.payload["text"])
    assert found is not None, message.payload["text"]
    return found.group(1)


def hand_over(now: datetime) -> None:
    """Mark what is queued as sent, as the deliverer does."""
    OutboxMessage.objects.filter(state=OutboxState.QUEUED, not_before__lte=now).update(
        state=OutboxState.SENT, sent_at=now
    )


def owed(incident: Incident) -> dict[str, datetime | None]:
    """What is open, by key, with its due time."""
    rows = Obligation.objects.filter(incident=incident, state=ObligationState.OPEN)
    return {row.key: row.due_at for row in rows}


def obligation(incident: Incident, key: str) -> Obligation:
    return Obligation.objects.get(incident=incident, key=key)


def fresh(incident: Incident) -> Incident:
    return Incident.objects.get(pk=incident.pk)


def integration(name: str = "Prometheus", *, now: datetime = MONDAY_NIGHT) -> Integration:
    found = Integration.objects.filter(name=name).first()
    return found or Integration.objects.create(
        name=name, kind="alertmanager", key_digest=f"digest-of-{name}", key_hint="abcd", created_at=now
    )


def alert(key: str = "am:1", *, now: datetime, priority: int | None = 1, **fields: Any) -> Alert:
    """A firing alert of another tool."""
    values: dict[str, Any] = {
        "integration": integration(now=now),
        "fingerprint": key,
        "dedup_key": key,
        "name": "LogOnErrors",
        "summary": "38% of log-ons fail",
        "labels": {"alertname": "LogOnErrors", "service": "log-on"},
        "service": Service.objects.filter(name="log-on").select_related("team").first(),
        "priority": priority,
        "priority_state": "unset" if priority is None else "set",
        "starts_at": now,
        "received_at": now,
        "last_received_at": now,
    }
    return Alert.objects.create(**values | fields)


def change(row: Alert, kind: ChangeKind = ChangeKind.OPENED, *, now: datetime, reason: str = "new") -> list[Incident]:
    """Let the incidents hear of one change of an alert."""
    return tell(AlertChange(row, kind, reason), now=now)


def tell(*changes: AlertChange, now: datetime) -> list[Incident]:
    with transaction.atomic():
        return actions.take_alert_changes(changes, now=now)


def end(row: Alert, *, now: datetime, reason: str = "end_said") -> list[Incident]:
    row.state, row.resolved_at = AlertState.RESOLVED, now
    row.save(update_fields=["state", "resolved_at"])
    return change(row, ChangeKind.RESOLVED, now=now, reason=reason)


def objective(service: Service, *, now: datetime, name: str = "log-on-availability") -> Objective:
    return Objective.objects.create(
        name=name,
        service=service,
        target="0.99",
        period=timedelta(days=28),
        evaluate_every=timedelta(minutes=5),
        renotify_after=timedelta(minutes=120),
        created_at=now,
    )


def signal(
    row: Objective,
    kind: str = "opened",
    *,
    now: datetime,
    priority: int | None = 2,
    state: str = "set",
    bad: int = 380,
    episode: int = 1,
    urgency: str = "page",
    groups: Sequence[str] = (),
) -> SloSignal:
    """What the evaluation of an SLO says, its breach included."""
    breach = None
    if kind in {"opened", "renotified", "grown", "reopened", "breached"}:
        breach = Breach.objects.create(
            objective=row,
            at=now,
            window=HOUR,
            valid=1000,
            bad=bad,
            episode=episode,
            priority=priority,
            priority_state=state,
        )
    return SloSignal(
        objective=row,
        urgency=urgency,
        kind=kind,
        priority=priority,
        priority_state=state,
        priority_rule="assignment",
        summary="38% of log-ons fail",
        explanation="380 of 1000 events failed in the last hour.",
        breach=breach,
        assignment=assigned(row, groups, priority=priority, now=now) if groups else None,
    )


def assigned(row: Objective, groups: Sequence[str], *, priority: int | None, now: datetime) -> PriorityAssignment:
    found = PriorityAssignment.objects.filter(objective=row, valid_until=None).first()
    if found is None:
        found = PriorityAssignment.objects.create(
            objective=row, decision="set", priority=priority, assigned_by="ada", valid_from=now
        )
    found.groups.set(StakeholderGroup.objects.filter(code__in=groups))
    return found


def slo_alert(said: SloSignal, *, now: datetime) -> Alert:
    """The firing alert that such a signal leads to."""
    row = said.objective
    key = f"slo:{row.name}:{said.urgency}"
    found = Alert.objects.filter(dedup_key=key, state=AlertState.FIRING).first()
    return found or Alert.objects.create(
        objective=row,
        service=row.service,
        fingerprint="f",
        dedup_key=key,
        name=row.label,
        summary=said.summary,
        labels={"alertname": row.label, "slo": row.name},
        annotations={"explanation": said.explanation},
        urgency=said.urgency,
        priority=said.priority,
        priority_state=said.priority_state,
        starts_at=now,
        received_at=now,
        last_received_at=now,
    )
