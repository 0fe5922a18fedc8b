"""What a consumer's own people read when something they use breaks: the fact, both priorities, what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from tocsin.alerts.models import Alert
from tocsin.comms import writing
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents.models import Incident
from tocsin.platform.addresses import public_url
from tocsin.platform.text import one_line
from tocsin.slo.models import BreachSubscription, Objective


@dataclass(frozen=True, slots=True)
class NoticeText:
    subject: str
    text: str


def begins(
    row: BreachSubscription, incident: Incident | None, alert: Alert | None, *, definition: ProcessDefinition
) -> NoticeText:
    """It breaches. The first line stands alone; the link to an incident of one's own comes with everything filled in."""
    view, slo = row.view, row.objective
    own = writing.priority_name(definition, view.priority, view.decision)
    since = f", since {writing.clock_text(alert.starts_at)} UTC" if alert else ""
    lines = [f"{_service(slo)}: {one_line(alert.summary or slo.label) if alert else one_line(slo.label)}{since}.", ""]
    lines += [f"{one_line(view.consumer_label)} sees this as {own}: {one_line(view.reason)}"]
    lines += [f"Meanwhile: {one_line(view.degrades_to)}"] if view.degrades_to else []
    lines += ["", *_provider(incident, slo, definition)]
    lines += ["Open an incident of your own, with your priority and your words:", dependent_url(row, incident), ""]
    lines += [f"You get this because {one_line(view.consumer_label)} asked for it. To change that: {_view_url(slo)}"]
    return NoticeText(f"{_service(slo)}: {one_line(slo.label, limit=100)} fails; you see it as {own}", "\n".join(lines))


def _provider(incident: Incident | None, slo: Objective, definition: ProcessDefinition) -> list[str]:
    owner = one_line(slo.service.team.label) if slo.service.team else "Its owner"
    if incident is None:
        return [f"{owner} has no open incident for it.", ""]
    code = writing.priority_name(definition, incident.priority, incident.priority_state)
    return [f"{owner} handles it as {incident.ref}, {code}: {public_url()}/i/{incident.number}", ""]


def ends(row: BreachSubscription, told_at: datetime, *, now: datetime) -> NoticeText:
    """It is well again; an incident of the consumer's own stays open until the consumer says so."""
    slo = row.objective
    minutes = max(1, round((now - told_at).total_seconds() / 60))
    lines = [
        f"{_service(slo)}: {one_line(slo.label)} is met again, {minutes} min after you were told.",
        "",
        "An incident you opened yourselves stays open until you resolve it.",
    ]
    return NoticeText(f"{_service(slo)}: {one_line(slo.label, limit=100)} is well again", "\n".join(lines))


def dependent_url(row: BreachSubscription, incident: Incident | None) -> str:
    """The form of an incident of the consumer's own, with cause, service and its own priority filled in."""
    asked = {"caused_by": incident.ref if incident else f"slo:{row.objective.name}"}
    if row.view.service is not None:
        asked["service"] = row.view.service.name
    if row.view.priority is not None:
        asked["priority"] = str(row.view.priority)
    return f"{public_url()}/i/new?{urlencode(asked)}"


def _view_url(slo: Objective) -> str:
    return f"{public_url()}/priorities/views/{slo.name}"


def _service(slo: Objective) -> str:
    return one_line(slo.service.label, limit=60)
