"""The course of an incident as JSON: steps of the response, escalations, what is known, who heard first."""

from __future__ import annotations

from typing import Any

from tocsin.api.shapes import at
from tocsin.core.incident_escalations import EscalationMade
from tocsin.core.incident_findings import Finding
from tocsin.core.incident_phases import PhaseCourse
from tocsin.incidents.course import Course


def course(found: Course) -> dict[str, Any]:
    first = found.first_word
    return {
        "phases": [phase(one) for one in found.phases],
        "escalations": [escalation(one) for one in found.escalations],
        "cause": finding(found.findings.cause) | {"work_item": found.findings.cause.work_item or None},
        "workaround": finding(found.findings.workaround),
        "first_stakeholder_notice_at": at(first.first_stakeholder_notice_at),
        "first_customer_report_at": at(first.first_customer_report_at),
        "ahead": first.ahead,
    }


def phase(one: PhaseCourse) -> dict[str, Any]:
    """`entered_at` is of the first stay, `left_at` of the last and null while it lasts."""
    return {
        "phase": one.phase.value,
        "entered_at": at(one.entered_at),
        "left_at": at(one.left_at),
        "running": one.is_running,
        "reentries": one.reentries,
        "stays": [
            {
                "entered_at": at(stay.entered_at),
                "left_at": at(stay.left_at),
                "entered_by": stay.entered_by,
                "left_by": stay.left_by,
            }
            for stay in one.stays
        ],
    }


def escalation(one: EscalationMade) -> dict[str, Any]:
    """`id` is the log entry that made it; answering takes it."""
    return {
        "id": one.seq,
        "kind": one.direction.value,
        "at": at(one.at),
        "by": one.by,
        "from": one.asked_from,
        "to": one.asked_to,
        "reason": one.reason,
        "persons": list(one.names),
        "acknowledged_at": at(one.acknowledged_at),
        "acknowledged_by": one.acknowledged_by or None,
    }


def finding(one: Finding) -> dict[str, Any]:
    return {"state": one.knowledge.value, "text": one.text or None, "said_at": at(one.at), "said_by": one.by or None}
