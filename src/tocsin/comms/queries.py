"""Reads about what was said to whom."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from tocsin.comms.models import Subscriber, Update, UpdateDraft, WebhookEndpoint
from tocsin.core.access import Actor, Right, require
from tocsin.incidents import queries as incidents
from tocsin.platform import ids
from tocsin.platform.models import Delivery


def updates(actor: Actor, ref: str | int) -> QuerySet[Update]:
    """The updates of one incident, oldest first."""
    incident = incidents.incident(actor, ref)
    return incident.updates.prefetch_related("groups").order_by("sent_at", "id")


def drafts(actor: Actor, ref: str | int) -> QuerySet[UpdateDraft]:
    """The drafts of updates that wait, oldest first."""
    incident = incidents.incident(actor, ref)
    return incident.update_drafts.filter(ended_at__isnull=True).order_by("written_at", "id")


def subscribers(actor: Actor, *, service: str | None = None) -> QuerySet[Subscriber]:
    """Who hears by itself of a service's incidents (all services when none is named)."""
    require(actor, Right.INCIDENT_READ)
    found = Subscriber.objects.filter(ended_at__isnull=True).select_related("service")
    return found.filter(service__name=service) if service else found


def subscription(secret: str) -> Subscriber | None:
    """The subscription, ended or not, whose link holds `secret`; None for a secret nobody was given."""
    return Subscriber.objects.select_related("service").filter(unsubscribe_digest=ids.digest(secret)).first()


def webhooks(actor: Actor) -> QuerySet[WebhookEndpoint]:
    require(actor, Right.SETTINGS_WRITE)
    return WebhookEndpoint.objects.order_by("id")


def webhook_deliveries(actor: Actor, webhook_id: int, *, limit: int = 200) -> list[Delivery]:
    """Each try to reach an endpoint and what came of it, newest first."""
    require(actor, Right.SETTINGS_WRITE)
    tries = Delivery.objects.filter(message__subject_kind="webhook", message__subject_id=str(webhook_id))
    return list(tries.select_related("message").order_by("-at", "-id")[:limit])


def signing_secrets(endpoint_id: str, *, now: datetime) -> tuple[str, ...]:
    """The secrets that sign a post to this endpoint now: the present one, and the former one during a rotation.

    None for an endpoint that is switched off or was never there.
    """
    rows = WebhookEndpoint.objects.filter(disabled_at=None)
    endpoint = rows.filter(pk=int(endpoint_id)).first() if endpoint_id.isdigit() else None
    if endpoint is None:
        return ()
    former = endpoint.former_secret if endpoint.former_until and now < endpoint.former_until else ""
    return tuple(secret for secret in (endpoint.secret, former) if secret)
