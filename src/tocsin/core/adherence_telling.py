"""Checks of who was told, and when: AC09 to AC12, AC21 and AC24."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from tocsin.core.adherence_outcomes import Outcome, failed, not_applicable, not_due, passed, together
from tocsin.core.adherence_promises import Kept, outcome, promises
from tocsin.core.adherence_record import Event, Record
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import Audience, ObligationKind
from tocsin.core.regulatory import Report, classified, reports
from tocsin.core.regulatory_settings import Regime

UPDATE_APPROVED = Kind.UPDATE_APPROVED
REGULATORY_CLASSIFIED = Kind.REGULATORY_CLASSIFIED
REGULATORY_REPORTED = Kind.REGULATORY_REPORTED

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
        own = [one for one in approvals if _is_of(one, event) and one.seq < event.seq]
        fit = [one for one in own if one.actor != event.actor]
        if fit:
            parts.append(passed("What went outside was approved first.", event.seq, fit[-1].seq))
        elif own:
            parts.append(failed("Who sent it outside approved it alone.", event.seq, own[-1].seq))
        else:
            parts.append(failed("An update went outside without an approval.", event.seq))
    return together(parts, nothing="Nothing went to a group outside that needs an approval.")


def _is_of(approval: Event, sent: Event) -> bool:
    """What is approved is a draft, before it is an update; what went out says which draft it is word for word."""
    return any(sent.get(name) is not None and approval.get(name) == sent.get(name) for name in ("update", "draft"))


def _needs_approval(record: Record, event: Event) -> bool:
    guarded = {ring.number for ring in record.process.rings if ring.needs_approval}
    rings = event.get("rings")
    if isinstance(rings, list):
        return bool(guarded & set(cast("list[int]", rings)))
    codes = event.words("codes")
    return any(group.ring in guarded for group in record.process.groups if group.code in codes)


def ac24_regulatory_clocks_met(record: Record) -> Outcome:
    """Where the process has clocks of an authority and a person found that they apply, each report was in time."""
    regimes = [one for one in record.process.regimes if one.on]
    if not regimes:
        return not_applicable("The process has no clocks of an authority.")
    parts = [one for regime in regimes for one in _reports(record, regime)]
    return together(parts, nothing="Nobody found that an authority has to be told.")


def _reports(record: Record, regime: Regime) -> Iterator[Outcome]:
    found = classified(regime.code, record.events)
    if found is None:
        return
    for one in reports(regime, record.events):
        if not one.again:
            yield _report(record, f"The {one.kind} report ({regime.name})", one, found.seq)


def _report(record: Record, words: str, report: Report, found: int) -> Outcome:
    late = report.is_late(now=record.as_of)
    if report.seq is not None:
        why = f"{words} was sent late." if late else f"{words} was sent in time."
        return (failed if late else passed)(why, found, report.seq)
    day = f"{report.due_at:%Y-%m-%d %H:%M} UTC"
    if late:
        return failed(f"{words} was due at {day} and was not sent.", found)
    return not_due(f"{words} is due at {day}.", found, due_at=report.due_at)
