"""What is known of an incident: the cause and a workaround, each for itself, and who heard of it first.

Read out of the log. A workaround restores the service without removing the cause, so neither follows from the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from tocsin.core.adherence_record import Event
from tocsin.core.facts import Kind


class Knowledge(StrEnum):
    """`UNSAID` is nobody's word yet; `UNKNOWN` is what a person said after looking."""

    UNSAID = "unsaid"
    KNOWN = "known"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """The latest word on the cause, or on a workaround. `work_item` is where somebody goes on looking."""

    knowledge: Knowledge = Knowledge.UNSAID
    text: str = ""
    work_item: str = ""
    at: datetime | None = None
    by: str = ""
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    cause: Finding = Finding()
    workaround: Finding = Finding()


def findings(events: Iterable[Event]) -> Findings:
    """What is known, from entries in the order of the log; whoever spoke last counts.

    A linked work item stays until another one is named; "cause identified" is a word on the cause as well.
    """
    found = Findings()
    for event in events:
        if event.kind == Kind.INCIDENT_CAUSE_STATED:
            found = replace(found, cause=_said(event, found.cause))
        elif event.kind == Kind.INCIDENT_WORKAROUND_STATED:
            found = replace(found, workaround=_said(event, found.workaround))
        elif event.kind == Kind.INCIDENT_IDENTIFIED and found.cause.knowledge is not Knowledge.KNOWN:
            found = replace(found, cause=_said(event, found.cause, knowledge=Knowledge.KNOWN))
    return found


def _said(event: Event, before: Finding, *, knowledge: Knowledge | None = None) -> Finding:
    told = knowledge or (Knowledge.KNOWN if event.text("state") == Knowledge.KNOWN else Knowledge.UNKNOWN)
    work_item = event.text("work_item") or before.work_item
    return Finding(told, event.text("text"), work_item, event.at, event.actor, event.seq)


class Lead(StrEnum):
    """Whether stakeholders heard before the first customer reported. `UNKNOWN` while no customer has."""

    AHEAD = "ahead"
    BEHIND = "behind"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FirstWord:
    first_stakeholder_notice_at: datetime | None = None
    first_customer_report_at: datetime | None = None

    @property
    def lead(self) -> Lead:
        """Nothing said by the time of a report is behind it; the same moment is no lead."""
        notice, report = self.first_stakeholder_notice_at, self.first_customer_report_at
        if report is None:
            return Lead.UNKNOWN
        return Lead.AHEAD if notice is not None and notice < report else Lead.BEHIND

    @property
    def ahead(self) -> bool | None:
        return None if self.lead is Lead.UNKNOWN else self.lead is Lead.AHEAD


TOLD = (Kind.UPDATE_SENT, Kind.STATUS_MAIL_QUEUED)


def first_word(events: Iterable[Event]) -> FirstWord:
    """When stakeholders first heard (an update or a status mail that had a recipient), and when a customer first reported.

    A report is told later than it happened, often, so its own time counts and not that of the entry.
    """
    notice: datetime | None = None
    report: datetime | None = None
    for event in events:
        if event.kind in TOLD and (event.get("recipients") or 0) > 0:
            notice = event.at if notice is None else min(notice, event.at)
        elif event.kind == Kind.CUSTOMER_REPORTED:
            at = _stated(event)
            report = at if report is None else min(report, at)
    return FirstWord(notice, report)


def _stated(event: Event) -> datetime:
    told = event.text("reported_at")
    return datetime.fromisoformat(told) if told else event.at
