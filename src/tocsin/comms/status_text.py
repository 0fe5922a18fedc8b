"""What subscribers read: the process's own templates, without anybody at the keyboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tocsin.comms import writing
from tocsin.comms.models import UpdateKind
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.status_pace import StatusReason, StatusStep
from tocsin.incidents.models import Incident, State
from tocsin.platform.text import one_line

_TEMPLATE: Mapping[StatusReason, UpdateKind] = {
    StatusReason.DECLARED: UpdateKind.OPENING,
    StatusReason.REOPENED: UpdateKind.OPENING,
    StatusReason.DUE: UpdateKind.PROGRESS,
    StatusReason.PRIORITY_CHANGED: UpdateKind.PROGRESS,
    StatusReason.ENDED: UpdateKind.CLOSING,
}


@dataclass(frozen=True, slots=True)
class StatusText:
    subject: str
    text: str
    service: str


def write(incident: Incident, process: ProcessDefinition, step: StatusStep, *, former: int | None) -> StatusText:
    """The mail of one step; `former` is the priority (rank) that subscribers were told last."""
    service = one_line(writing.service_of(incident))
    code = writing.priority_name(process, incident.priority, incident.priority_state)
    lines = [_body(incident, process, step, former)]
    if step.next_at is None and step.reason is not StatusReason.ENDED:
        lines.append("You will hear again when it is over.")
    since = f"{incident.ref}, since {writing.clock_text(incident.created_at)} UTC. Priority: {code}. All times are UTC."
    return StatusText(_subject(incident, step, code), "\n".join([*lines, "", since]), service)


def _subject(incident: Incident, step: StatusStep, code: str) -> str:
    service = one_line(writing.service_of(incident), limit=60)
    if step.reason is StatusReason.ENDED:
        return f"{service} {_end(incident)}"
    if step.reason is StatusReason.PRIORITY_CHANGED:
        return f"{service} is now {code}: {one_line(incident.title, limit=150)}"
    said = {StatusReason.DUE: " update", StatusReason.REOPENED: " again"}.get(step.reason, "")
    return f"{service}{said}: {one_line(incident.title, limit=150)}"


def _end(incident: Incident) -> str:
    if incident.state == State.MERGED and incident.merged_into is not None:
        return f"goes on as part of {incident.merged_into.ref}"
    return "had no incident after all" if incident.state == State.CANCELLED else "is working again"


def _body(incident: Incident, process: ProcessDefinition, step: StatusStep, former: int | None) -> str:
    if incident.state in {State.MERGED, State.CANCELLED} and step.reason is StatusReason.ENDED:
        return f"{one_line(writing.service_of(incident))} {_end(incident)}."
    kind = _TEMPLATE[step.reason]
    text = writing.template_text(incident, process, kind, next_update_at=step.next_at)
    if step.reason is not StatusReason.PRIORITY_CHANGED:
        return text
    changed = writing.priority_change_text(incident, process, former=former)
    return f"{changed} {text}" if changed else text
