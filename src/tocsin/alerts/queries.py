"""Reads about alerts, who sends them, and what is silenced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from tocsin.alerts import snapshots
from tocsin.alerts.models import Alert, AlertState, Integration, Silence
from tocsin.core import silences as core_silences
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import NotFound
from tocsin.platform import ids

QUIET_BY_SILENCE = "silence:"
"""How `Alert.suppressed_by` begins when a silence keeps the alert quiet; the silence's id follows."""
QUIET_BY_PRIORITY = "priority none"
SILENT_SOURCE = "silent source"
"""The label `kind` of our own alert about a source that has gone silent; its label `services` names who is blind."""
QUIET_BY_REPLACEMENT = "replaced by "
"""Followed by the name of the SLO that has taken the place of a resource alert."""


def integration_for_key(key: str) -> Integration | None:
    """The integration whose key this is; None for an unknown or revoked one."""
    if not key or "\x00" in key:
        return None
    found = Integration.objects.select_related("service__team")
    return found.filter(key_digest=ids.digest(key), revoked_at__isnull=True).first()


def integration(number: int) -> Integration | None:
    """The integration with this id, also when it has been revoked since: what it sent before still counts."""
    return Integration.objects.select_related("service__team").filter(pk=number).first()


def integrations(actor: Actor, *, include_revoked: bool = False) -> QuerySet[Integration]:
    """Every sender by name; their keys are shown to nobody."""
    require(actor, Right.ALERT_READ)
    rows = Integration.objects.select_related("service").order_by("name", "pk")
    return rows if include_revoked else rows.filter(revoked_at__isnull=True)


def alerts(
    actor: Actor, *, state: str | None = AlertState.FIRING, service: str | None = None, quiet: bool | None = None
) -> QuerySet[Alert]:
    """Alerts, newest first; `quiet` selects those that something keeps (or nothing keeps) from opening an incident."""
    require(actor, Right.ALERT_READ)
    rows = Alert.objects.select_related("service", "objective", "integration").filter(occurrences__gt=0)
    if state:
        rows = rows.filter(state=state)
    if service:
        rows = rows.filter(service__name=service)
    if quiet is not None:
        rows = rows.filter(~Q(suppressed_by="") if quiet else Q(suppressed_by=""))
    return rows.order_by("-received_at", "-id")


def foreign_alerts(actor: Actor) -> QuerySet[Alert]:
    """The alerts of other tools that fire, as Alertmanager's API lists them: by fingerprint."""
    return alerts(actor).filter(objective__isnull=True).order_by("fingerprint", "id")


def silences(actor: Actor) -> QuerySet[Silence]:
    """Every silence, the one that ends last first."""
    require(actor, Right.ALERT_READ)
    return Silence.objects.order_by("-ends_at", "-id")


def silence(actor: Actor, uuid: str) -> Silence:
    """The silence with this id. Raises NotFound."""
    require(actor, Right.ALERT_READ)
    return known_silence(uuid)


def known_silence(uuid: str) -> Silence:
    """The silence with this id, for actions. Raises NotFound."""
    try:
        found = Silence.objects.filter(uuid=UUID(uuid)).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound(f"There is no silence {uuid[:64]!r}.")
    return found


def active_silences(now: datetime) -> list[core_silences.Silence]:
    """The silences that hold at `now`, as core reads them."""
    rows = Silence.objects.filter(starts_at__lte=now, ends_at__gt=now).order_by("id")
    return [snapshots.silence(row) for row in rows]


def silenced_by(alert: Alert, *, now: datetime, among: Iterable[core_silences.Silence] | None = None) -> str:
    """What `suppressed_by` has to say of `alert` at `now` because of silences; empty when none holds."""
    held = core_silences.decide(active_silences(now) if among is None else among, alert.labels, now=now)
    return f"{QUIET_BY_SILENCE}{held.silenced_by[0]}" if held.silenced_by else ""


def is_silenced(labels: Mapping[str, str], *, now: datetime) -> bool:
    """Whether a silence that holds at `now` matches `labels`; asked again at every page."""
    return bool(core_silences.decide(active_silences(now), labels, now=now).silenced_by)
