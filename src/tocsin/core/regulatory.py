"""Clocks of authorities: whether an incident is a major one, which reports are owed, by when, and what is late.

People decide, the software counts. Which authority asks for what is data of the process (`regulatory_clocks`); a
regime that is off asks for nothing.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tocsin.core.adherence_record import Event
from tocsin.core.cadence import initial_report_due
from tocsin.core.facts import Kind
from tocsin.core.regulatory_settings import INITIAL, INTERMEDIATE, REPORTS, Regime


@dataclass(frozen=True, slots=True)
class Classified:
    """What a person found: from `at` on it counts as major for that regime, or no longer."""

    seq: int
    at: datetime
    by: str
    major: bool
    aware_at: datetime
    reason: str = ""
    met: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A report that is owed or was sent. `again` is a further one in between, which nobody has to wait for."""

    kind: str
    due_at: datetime | None
    sent_at: datetime | None = None
    seq: int | None = None
    reference: str = ""
    again: bool = False

    def is_late(self, *, now: datetime) -> bool:
        return self.due_at is not None and (self.sent_at or now) > self.due_at


def classified(code: str, events: Sequence[Event]) -> Classified | None:
    """The last word on whether the incident is major for that regime; None when nobody has looked."""
    told = [one for one in events if one.kind == Kind.REGULATORY_CLASSIFIED and one.text("regime") == code]
    if not told:
        return None
    last = told[-1]
    # It counts from when it was first found to be major without a break; looking once more moves no clock.
    first = last
    for one in reversed(told):
        if not _major(one):
            break
        first = one
    aware = first.text("aware_at")
    return Classified(
        first.seq if _major(last) else last.seq,
        first.at if _major(last) else last.at,
        last.actor,
        _major(last),
        datetime.fromisoformat(aware) if aware else first.at,
        last.text("reason"),
        tuple(sorted(last.words("met"))),
    )


def _major(event: Event) -> bool:
    """Entries say it; one that does not is a finding that it is major."""
    return event.get("major") is not False


def reports(regime: Regime, events: Sequence[Event]) -> tuple[Report, ...]:
    """What was sent and the next that is owed, in order; nothing where it is not major or the regime is off."""
    found = classified(regime.code, events)
    return tuple(_reports(regime, found, _sent(regime.code, events))) if regime.on and found and found.major else ()


def _sent(code: str, events: Sequence[Event]) -> list[Event]:
    return [one for one in events if one.kind == Kind.REGULATORY_REPORTED and one.text("regime") == code]


def _reports(regime: Regime, found: Classified, sent: Sequence[Event]) -> Iterator[Report]:
    due: datetime | None = initial_report_due(
        found.aware_at,
        found.at,
        after_classification=regime.after_classification,
        after_awareness=regime.after_awareness,
    )
    by_kind = {kind: [one for one in sent if one.text("report") == kind] for kind in REPORTS}
    for kind in REPORTS:
        told = by_kind[kind]
        if not told:
            yield Report(kind, due)
            return
        yield _told(kind, due, told[0])
        if kind == INITIAL:
            due = sent_at(told[0]) + regime.after_initial
        elif kind == INTERMEDIATE:
            yield from (_told(kind, None, one) for one in told[1:])
            due = after_months(sent_at(told[-1]), regime.final_after_months)


def _told(kind: str, due_at: datetime | None, event: Event) -> Report:
    again = due_at is None
    return Report(kind, due_at, sent_at(event), event.seq, event.text("reference"), again)


def sent_at(event: Event) -> datetime:
    """When a report went out; it is written down later than that, often."""
    said = event.text("sent_at")
    return datetime.fromisoformat(said) if said else event.at


def after_months(at: datetime, months: int) -> datetime:
    """The same day and time so many months later; the 31st becomes a short month's last day."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)


def next_report(found: Sequence[Report]) -> Report | None:
    """What is owed next; None when everything was sent."""
    return next((one for one in found if one.sent_at is None), None)
