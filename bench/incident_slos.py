"""Incidents that came of SLOs, for the world of `incident_pages`: with alert, breach, wake-up chain and counted minutes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

EVERY = 3
"""Each incident whose number divides by this came of an SLO."""
MINUTE = timedelta(minutes=1)


def objectives(services: Sequence[Any], now: datetime) -> list[Any]:
    """An SLO of each service, looked at a minute ago."""
    from tocsin.slo.models import Objective, ObjectiveState

    made = [
        Objective.objects.create(
            name=f"answers-{service.name}", service=service, target=Decimal("0.999"), period=timedelta(days=30),
            good_query="good", total_query="total", evaluate_every=MINUTE, renotify_after=timedelta(hours=2),
            created_at=now,
        )
        for service in services
    ]  # fmt: skip
    ObjectiveState.objects.bulk_create(ObjectiveState(objective=one, health="burning") for one in made)
    return made


def around(rows: Sequence[Any], *, now: datetime) -> None:
    """Alert, breach and chain of each incident of an SLO, and the minutes of those that are open."""
    from tocsin.alerts.models import Alert
    from tocsin.incidents.models import Escalation, IncidentAlert, IncidentBreach
    from tocsin.slo.models import Breach

    of_slos = [row for row in rows if row.objective_id is not None]
    alerts = Alert.objects.bulk_create((_alert(row) for row in of_slos), batch_size=500)
    IncidentAlert.objects.bulk_create(
        [IncidentAlert(incident=row, alert=one, attached_at=row.created_at) for row, one in zip(of_slos, alerts, strict=True)],
        batch_size=2000,
    )  # fmt: skip
    breaches = Breach.objects.bulk_create((_breach(row) for row in of_slos), batch_size=1000)
    IncidentBreach.objects.bulk_create(
        [IncidentBreach(incident=row, breach=one) for row, one in zip(of_slos, breaches, strict=True)], batch_size=2000
    )
    Escalation.objects.bulk_create((_chain(row, now=now) for row in of_slos), batch_size=1000)
    _minutes({row.objective_id for row in of_slos}, now=now)


def _alert(row: Any) -> Any:
    from tocsin.alerts.models import Alert

    return Alert(
        objective_id=row.objective_id, service_id=row.service_id, fingerprint=f"{row.number:064d}",
        dedup_key=f"slo-{row.number}", name="Answers fail", summary=row.title,
        annotations={"explanation": "2.1 % of answers failed in 5 min, 0.1 % may fail"}, priority=row.priority,
        priority_state="set", state="firing" if row.is_open else "resolved", starts_at=row.created_at,
        resolved_at=row.resolved_at, received_at=row.created_at, last_received_at=row.created_at,
    )  # fmt: skip


def _breach(row: Any) -> Any:
    from tocsin.slo.models import Breach

    return Breach(
        objective_id=row.objective_id, at=row.created_at, window=5 * MINUTE, valid=10_000, bad=210,
        priority=row.priority, priority_state="set", priority_rule="assignment",
    )  # fmt: skip


def _chain(row: Any, *, now: datetime) -> Any:
    """Somebody has it; where it is open, they are asked anew only if nothing is written down."""
    from tocsin.core.escalation import Cause, Escalation, Phase
    from tocsin.incidents import models, snapshots

    next_at = now + 10 * MINUTE if row.is_open else None
    position = Escalation(
        phase=Phase.ACKNOWLEDGED if row.is_open else Phase.ENDED, next_at=next_at, cause=Cause.STARTED,
        loop=0, step=0, repeats_left=0, paged_at=row.created_at, fallback_told=False,
    )  # fmt: skip
    steps = [{"wait_minutes": 5, "targets": ["user:p1"]}, {"wait_minutes": 5, "targets": ["user:p2"]}]
    return models.Escalation(
        incident=row, policy={"name": "identity", "repeat": 0, "steps": steps}, next_at=next_at,
        position=snapshots.position_document(position), state="running" if row.is_open else "stopped",
    )  # fmt: skip


def _minutes(objectives: set[int], *, now: datetime) -> None:
    from tocsin.slo.models import Bucket

    last = int(now.timestamp()) // 60
    Bucket.objects.bulk_create(
        [
            Bucket(objective_id=one, width=60, start=minute * 60, good=1_900, bad=minute % 60)
            for one in objectives
            for minute in range(last - 90, last + 30)
        ],
        batch_size=2000,
    )
