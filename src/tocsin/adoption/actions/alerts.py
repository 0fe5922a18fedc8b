"""Registering a resource alert: where no SLI we can measure could replace it, the backlog gets a wish for one."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.adoption.actions.wishes import append_wish
from tocsin.adoption.models import Wish, WishKind
from tocsin.adoption.queries.capabilities import sli_for
from tocsin.core.access import Actor
from tocsin.slo import actions as slos
from tocsin.slo.models import ResourceAlert


def register_alert(
    actor: Actor,
    *,
    alert_name: str,
    service: str,
    name: str = "",
    metric: str = "",
    use_case: str = "",
    runbook_url: str = "",
    interim: bool = False,
    now: datetime,
) -> ResourceAlert:
    """Register a resource alert or change what is known of it; see `slo.actions.save_resource_alert`."""
    with transaction.atomic():
        row = slos.save_resource_alert(
            actor,
            alert_name=alert_name,
            service=service,
            name=name,
            metric=metric,
            use_case=use_case,
            runbook_url=runbook_url,
            interim=interim,
            now=now,
        )
        if not interim and sli_for(row) is None and not Wish.objects.filter(resource_alert=row).exists():
            text = f"An SLI that could replace the resource alert {row.alert_name} of {row.service.label}."
            append_wish(actor, kind=WishKind.NEW_SLI, text=text, team=row.service.team, alert=row, now=now)
    return row
