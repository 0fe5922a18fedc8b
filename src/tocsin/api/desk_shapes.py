"""What is on a desk, as JSON."""

from __future__ import annotations

from typing import Any

from tocsin.api.shapes import at
from tocsin.incidents.desk_queries import DecisionLine, Desk
from tocsin.incidents.models import ConditionReport, Question, SubTeam, Task


def desk(found: Desk) -> dict[str, Any]:
    return {
        "incident": found.incident.ref,
        "decisions": [decision(one) for one in found.decisions],
        "questions": [question(one.row) for one in found.questions if isinstance(one.row, Question)],
        "tasks": [
            task(one.row) | {"overdue": one.late_by is not None} for one in found.tasks if isinstance(one.row, Task)
        ],
        "sub_teams": [sub_team(one.row) for one in found.teams],
        "conditions": [condition(one) for one in found.conditions],
        "direct_reports": list(found.span.reports),
        "direct_reports_limit": found.span.limit,
        "too_many_reports": found.span.too_wide,
    }


def decision(one: DecisionLine) -> dict[str, Any]:
    row = one.row
    return {
        "number": row.number,
        "text": row.text,
        "about": row.about,
        "by": row.by,
        "at": at(row.at),
        "addressees": [{"name": to.name, "received_at": at(to.received_at)} for to in one.addressees],
        "acknowledged_at": at(row.acknowledged_at),
        "execution": row.execution,
        "executed_at": at(row.executed_at),
        "report": row.report or None,
        "reported_at": at(row.reported_at),
        "reported_by": row.reported_by or None,
        "risky": row.risky,
        "objections": row.objections or None,
        "duties": [
            {"duty": duty.duty.value, "state": duty.state.value, "due_at": at(duty.due_at), "done_at": at(duty.done_at)}
            for duty in one.checks
        ],
        "entry": row.entry,
    }


def question(row: Question) -> dict[str, Any]:
    return {
        "number": row.number,
        "text": row.text,
        "owner": row.owner_name or None,
        "due_at": at(row.due_at),
        "asked_by": row.asked_by,
        "asked_at": at(row.asked_at),
        "answer": row.answer or None,
        "answered_by": row.answered_by or None,
        "answered_at": at(row.answered_at),
    }


def task(row: Task) -> dict[str, Any]:
    return {
        "number": row.number,
        "text": row.text,
        "owner": row.owner_name or None,
        "sub_team": row.sub_team.name if row.sub_team else None,
        "due_at": at(row.due_at),
        "given_by": row.given_by,
        "given_at": at(row.given_at),
        "state": row.state,
        "ended_at": at(row.ended_at),
        "result": row.result or None,
    }


def sub_team(row: SubTeam) -> dict[str, Any]:
    return {
        "name": row.name,
        "leader": row.leader.username,
        "members": sorted(one.username for one in row.members.all()),
        "task": row.task,
        "due_at": at(row.due_at),
        "formed_at": at(row.formed_at),
        "ended_at": at(row.ended_at),
        "result": row.result or None,
    }


def condition(row: ConditionReport) -> dict[str, Any]:
    return {
        "about": row.about,
        "condition": row.condition,
        "actions": row.actions,
        "needs": row.needs,
        "by": row.by,
        "at": at(row.at),
    }
