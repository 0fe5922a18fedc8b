"""One typed line of the desk, from whatever door it came: read in core, done by the action that it means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tocsin.core.access import Actor
from tocsin.core.quick_entry import EntryKind, QuickEntry, read_line
from tocsin.core.wall_time import zone
from tocsin.incidents.actions.deciding import acknowledge_decision, record_decision, report_decision
from tocsin.incidents.actions.incident_row import person_behind
from tocsin.incidents.actions.noting import annotate
from tocsin.incidents.actions.questioning import answer_question, ask_question
from tocsin.incidents.actions.tasking import end_task, give_task, report_condition


@dataclass(frozen=True, slots=True)
class Written:
    """What a line became: its kind, its number where it has one, and a sentence for whoever typed it."""

    kind: EntryKind
    number: int | None
    said: str


def enter_line(actor: Actor, ref: str | int, line: str, *, source_id: str = "", now: datetime) -> Written:
    """Write down what one line means. Wall times in it are those of the person who typed it.

    Raises Invalid under "line" for what cannot be read, and whatever the action behind it refuses.
    """
    person = person_behind(actor)
    entry = read_line(line, zone=zone(person.time_zone if person else "UTC"), now=now)
    number = _done(actor, ref, entry, source_id=source_id, now=now)
    return Written(entry.kind, number, _said(entry.kind, number))


def _done(actor: Actor, ref: str | int, entry: QuickEntry, *, source_id: str, now: datetime) -> int | None:
    """The number of what was written; None for notes and conditions, which have none."""
    owner = entry.names[0] if entry.names else ""
    number = entry.number or 0
    match entry.kind:
        case EntryKind.DECISION:
            return record_decision(
                actor,
                ref,
                text=entry.text,
                addressees=entry.names,
                about=entry.about,
                execute_by=entry.due_at,
                source_id=source_id,
                now=now,
            ).number
        case EntryKind.QUESTION:
            return ask_question(actor, ref, text=entry.text, owner=owner, due_at=entry.due_at, now=now).number
        case EntryKind.TASK:
            return give_task(actor, ref, text=entry.text, owner=owner, due_at=entry.due_at, now=now).number
        case EntryKind.ANSWER:
            return answer_question(actor, ref, number, answer=entry.text, now=now).number
        case EntryKind.REPORT:
            return report_decision(actor, ref, number, report=entry.text, now=now).number
        case EntryKind.RECEIVED:
            return acknowledge_decision(actor, ref, number, who=entry.text, now=now).number
        case EntryKind.TASK_DONE:
            return end_task(actor, ref, number, result=entry.text, now=now).number
        case EntryKind.CONDITION:
            condition, doing, needs = entry.parts
            report_condition(actor, ref, condition=condition, actions=doing, needs=needs, about=entry.text, now=now)
        case EntryKind.NOTE:
            annotate(actor, ref, text=entry.text, source_id=source_id, now=now)
    return None


def _said(kind: EntryKind, number: int | None) -> str:
    return {
        EntryKind.NOTE: "Noted.",
        EntryKind.DECISION: f"Decision {number} is written down.",
        EntryKind.QUESTION: f"Question {number} is open.",
        EntryKind.TASK: f"Task {number} is given.",
        EntryKind.CONDITION: "How things stand is written down.",
        EntryKind.ANSWER: f"Question {number} is answered.",
        EntryKind.REPORT: f"What came of decision {number} is reported.",
        EntryKind.RECEIVED: f"Decision {number} was taken in.",
        EntryKind.TASK_DONE: f"Task {number} is done.",
    }[kind]
