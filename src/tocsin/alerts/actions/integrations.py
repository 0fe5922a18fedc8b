"""Who may send: integrations and their keys."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.alerts.models import Integration
from tocsin.audit import actions as audit
from tocsin.catalog import queries as catalog
from tocsin.catalog.models import Service
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind
from tocsin.core.priorities import required_priority
from tocsin.platform import ids, text
from tocsin.process import queries as process

KINDS = (
    "alertmanager",
    "events-v2",
    "opsgenie",
    "grafana",
    "cloudevents",
    "sli",
    "otlp",
    "remote-write",
    "heartbeat",
)


def add_integration(
    actor: Actor,
    *,
    kind: str,
    service: str | None = None,
    name: str = "",
    default_priority: int | None = None,
    now: datetime,
) -> tuple[Integration, str]:
    """A new sender and its key (32 characters), which is shown this once.

    Raises NotFound for a service nobody has and Invalid for an unknown kind or priority.
    """
    owner = catalog.known_service(service) if service else None
    require(actor, Right.INTEGRATION_WRITE, team=_team(owner))
    if kind not in KINDS:
        raise Invalid({"kind": f"There is no integration of kind {kind!r}; the kinds are {', '.join(KINDS)}."})
    if default_priority is not None:
        required_priority(process.current().catalogue, default_priority)
    key = ids.new_key()
    with transaction.atomic():
        row = Integration.objects.create(
            name=text.one_line(text.clean(name), limit=150) or kind,
            kind=kind,
            service=owner,
            key_digest=ids.digest(key),
            key_hint=key[:4],
            default_priority=default_priority,
            created_at=now,
        )
        audit.record(actor, [audit.Fact(kind=Kind.INTEGRATION_CREATED, data=_told(row))], now=now)
    return row, key


def revoke_integration(actor: Actor, integration_id: int, *, now: datetime) -> Integration:
    """Its key stops working within a second; what it sent stays. Raises NotFound."""
    with transaction.atomic():
        row = Integration.objects.select_related("service__team").filter(pk=integration_id).first()
        if row is None:
            raise NotFound(f"There is no integration {integration_id}.")
        require(actor, Right.INTEGRATION_WRITE, team=_team(row.service))
        if row.revoked_at is None:
            row.revoked_at = now
            row.save(update_fields=["revoked_at"])
            audit.record(actor, [audit.Fact(kind=Kind.INTEGRATION_REVOKED, data=_told(row))], now=now)
    return row


def _team(service: Service | None) -> str | None:
    return service.team.name if service is not None and service.team is not None else None


def _told(row: Integration) -> dict[str, object]:
    return {
        "integration": str(row.pk),
        "name": row.name,
        "kind": row.kind,
        "service": row.service.name if row.service else None,
        "hint": row.key_hint,
    }
