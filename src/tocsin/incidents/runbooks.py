"""What every alert carries: where its runbook is, what its priority is called, and where that is explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.alerts.models import Alert
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents.models import Incident
from tocsin.incidents.priority_words import priority_words
from tocsin.platform.addresses import public_url
from tocsin.slo.models import Objective

ANNOTATIONS = ("runbook_url", "runbook")
"""Where senders of alerts put the address of a runbook."""


@dataclass(frozen=True, slots=True)
class Runbook:
    """`outside` is an address people gave, `path` our own page where there is one; `priority` reads "P1 Act now"."""

    outside: str
    path: str
    priority: str
    priority_path: str

    @property
    def url(self) -> str:
        """For messages: "" only for an incident of which nobody knows a runbook."""
        return self.outside or (f"{public_url()}{self.path}" if self.path else "")

    @property
    def priority_url(self) -> str:
        return f"{public_url()}{self.priority_path}"


def runbook_of(incident: Incident, definition: ProcessDefinition, *, alerts: Sequence[Alert] | None = None) -> Runbook:
    """The SLO's own runbook, else its service's, else the alert's, else the page we write for each SLO.

    `alerts` is what `newest_alert` tells, if it is at hand.
    """
    objective = incident.objective
    own = (objective.runbook_url if objective else "") or (incident.service.runbook_url if incident.service else "")
    return Runbook(
        outside=own or _of_alert(newest_alert(incident) if alerts is None else alerts),
        path=f"{path_of(objective)}/runbook" if objective else "",
        priority=priority_words(definition, incident.priority, incident.priority_state),
        priority_path=f"{path_of(objective)}#priority" if objective else "/priorities",
    )


def path_of(objective: Objective) -> str:
    """Where the page of an SLO is."""
    return f"/slos/{objective.service.name}/{objective.name}"


def newest_alert(incident: Incident) -> list[Alert]:
    """The alert that was attached last, alone; nothing for an incident without any."""
    links = incident.alert_links.select_related("alert").order_by("-attached_at", "-pk")
    return [link.alert for link in links[:1]]


def _of_alert(alerts: Sequence[Alert]) -> str:
    if not alerts:
        return ""
    [alert] = alerts
    if alert.resource_alert is not None and alert.resource_alert.runbook_url:
        return alert.resource_alert.runbook_url
    notes = alert.annotations
    found = (str(notes.get(name) or "").strip() for name in ANNOTATIONS)
    return next((url for url in found if url.startswith(("https://", "http://"))), "")
