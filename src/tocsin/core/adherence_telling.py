"""Checks of who was told, and when: AC09 to AC12, AC21 and AC24."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from tocsin.core.adherence_outcomes import Outcome, failed, not_applicable, not_checked, not_due, passed, together
from tocsin.core.adherence_promises import Kept, outcome, promises
from tocsin.core.adherence_record import Event, Record
from tocsin.core.cadence import initial_report_due
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import Audience, ObligationKind

UPDATE_APPROVED = "update.approved"
REGULATORY_CLASSIFIED = "regulatory.classified"
REGULATORY_REPORTED = "regulatory.reported"

_WORDS = {Audience.GROUPS: "the groups", Audience.MANAGEMENT: "management"}


def ac09_groups_told_in_time(record: Record) -> Outcome:
    kinds = {ObligationKind.UPDATE_OPENING: "First update to the groups", ObligationKind.CHOOSE_GROUPS: "Choosing them"}
    parts = (outcome(record, one, kinds[one.kind]) for one in promises(record, Audience.GROUPS) if one.kind in kinds)
    return together(parts, nothing="No stakeholder group had to be told.")


def ac10_management_told(record: Record) -> Outcome:
    parts = (
        outcome(record, one, "First update to management")
        for one in promises(record, Audience.MANAGEMENT)
        if one.kind is ObligationKind.UPDATE_OPENING
    )
    return together(parts, nothing="Its priority did not ask to tell management.")


def ac11_updates_within_cadence(record: Record) -> Outcome:
    parts = [
        outcome(record, one, f"Update to {_WORDS[audience]}")
        for audience in Audience
        for one in promises(record, audience)
        if one.kind is ObligationKind.UPDATE_PROGRESS
    ]
    return together(parts, nothing="No update was due between the first and the last.")


def ac12_closing_sent(record: Record) -> Outcome:
    """Those who were told of the beginning were told of the end; how soon is said, and not judged."""
    return together(_closings(record), nothing="Nobody had been told, so nobody had to hear of the end.")


def _closings(record: Record) -> Iterator[Outcome]:
    for audience in Audience:
        found = promises(record, audience)
        closings = [one for one in found if one.kind is ObligationKind.UPDATE_CLOSING]
        for one in closings:
            if one.event is not None and one.kept in (Kept.KEPT, Kept.LATE):
                minutes = max(0, int((one.event.at - one.due_at).total_seconds() // 60))
                yield passed(f"The end was told to {_WORDS[audience]} {minutes} min after it.", one.event.seq)
            else:
                yield outcome(record, one, f"The end told to {_WORDS[audience]}")
        if found and not closings and record.ended is None:
            yield not_due("The end is told when it has come.")


def ac21_external_statements_approved(record: Record) -> Outcome:
    """What went to a ring that needs approval had been approved, by somebody else than who sent it."""
    approvals = record.of(UPDATE_APPROVED)
    parts: list[Outcome] = []
    for event in record.of(Kind.UPDATE_SENT):
        if not _needs_approval(record, event):
            continue
        own = [one for one in approvals if one.get("update") == event.get("update") and one.seq < event.seq]
        fit = [one for one in own if one.actor != event.actor]
        if fit:
            parts.append(passed("What went outside was approved first.", event.seq, fit[-1].seq))
        elif own:
            parts.append(failed("Who sent it outside approved it alone.", event.seq, own[-1].seq))
        else:
            parts.append(failed("An update went outside without an approval.", event.seq))
    return together(parts, nothing="Nothing went to a group outside that needs an approval.")


def _needs_approval(record: Record, event: Event) -> bool:
    guarded = {ring.number for ring in record.process.rings if ring.needs_approval}
    rings = event.get("rings")
    if isinstance(rings, list):
        return bool(guarded & set(cast("list[int]", rings)))
    codes = event.words("codes")
    return any(group.ring in guarded for group in record.process.groups if group.code in codes)


def ac24_regulatory_clocks_met(record: Record) -> Outcome:
    """Where the process has clocks of an authority and a person found that they apply, each report was in time."""
    clocks = record.process.document.get("regulatory_clocks")
    if not isinstance(clocks, Mapping) or not clocks:
        return not_applicable("The process has no clocks of an authority.")
    if not record.records(REGULATORY_CLASSIFIED):
        return not_checked("Nothing records whether an authority has to be told.")
    known = cast("Mapping[str, Any]", clocks)
    parts: list[Outcome] = []
    for event in record.of(REGULATORY_CLASSIFIED):
        regime = event.text("regime")
        clock = known.get(regime)
        if isinstance(clock, Mapping):
            parts += _reports(record, event, regime, cast("Mapping[str, Any]", clock))
    return together(parts, nothing="Nobody found that an authority has to be told.")


def _reports(record: Record, classified: Event, regime: str, clock: Mapping[str, Any]) -> Iterator[Outcome]:
    sent: dict[str, Event] = {}
    for one in record.of(REGULATORY_REPORTED):
        if one.get("regime") == regime:
            sent.setdefault(one.text("report"), one)
    initial = cast("Mapping[str, Any]", clock.get("initial") or {})
    due_at = initial_report_due(
        _aware_at(record, classified),
        classified.at,
        after_classification=timedelta(hours=float(initial.get("after_classification_hours", 4))),
        after_awareness=timedelta(hours=float(initial.get("cap_after_aware_hours", 24))),
    )
    for name, following in (("initial", "intermediate"), ("intermediate", "final"), ("final", "")):
        yield _report(record, f"The {name} report ({regime})", due_at, sent.get(name), classified)
        if name not in sent or not following:
            return
        due_at = _following_due(sent[name].at, following, cast("Mapping[str, Any]", clock.get(following) or {}))


def _aware_at(record: Record, classified: Event) -> datetime:
    said = classified.text("aware_at")
    if said:
        return datetime.fromisoformat(said)
    return record.began.at if record.began else classified.at


def _following_due(after: datetime, name: str, clock: Mapping[str, Any]) -> datetime:
    if name == "intermediate":
        return after + timedelta(hours=float(clock.get("after_initial_hours", 72)))
    months = int(clock.get("after_last_intermediate_months", 1))
    year, month = divmod(after.year * 12 + after.month - 1 + months, 12)
    day = min(after.day, calendar.monthrange(year, month + 1)[1])
    return after.replace(year=year, month=month + 1, day=day)


def _report(record: Record, words: str, due_at: datetime, sent: Event | None, classified: Event) -> Outcome:
    if sent is not None:
        why = f"{words} was sent in time." if sent.at <= due_at else f"{words} was sent late."
        return (passed if sent.at <= due_at else failed)(why, classified.seq, sent.seq)
    if record.as_of > due_at:
        return failed(f"{words} was due at {due_at:%Y-%m-%d %H:%M} UTC and was not sent.", classified.seq)
    return not_due(f"{words} is due at {due_at:%Y-%m-%d %H:%M} UTC.", classified.seq, due_at=due_at)
