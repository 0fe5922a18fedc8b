"""Say whether an authority has to hear of an incident, and that a report went out. Both stand in the log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import stamp
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.regulatory import Classified, classified, sent_at
from tocsin.core.regulatory_settings import FINAL, INTERMEDIATE, REPORTS, Regime
from tocsin.incidents import snapshots
from tocsin.incidents.actions import late_reports, rank
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.course import regulatory_events
from tocsin.incidents.models import Incident
from tocsin.platform.text import clean

_LONGEST = 1000
_REFERENCE = 300


@rank.protected
def classify_for_authority(
    actor: Actor,
    ref: str | int,
    regime: str,
    *,
    major: bool,
    met: Iterable[str] = (),
    reason: str = "",
    aware_at: datetime | None = None,
    now: datetime,
) -> Incident:
    """Say that an incident is major for an authority (`regime`), or is not; the criteria that are `met` are kept.

    Its clocks run from this moment, and from `aware_at`, when it was noticed (the beginning of the incident unless it
    is given). Raises NotFound for a regime that the process does not have switched on, Invalid without a reason where
    the decision is another than the criteria suggest.
    """
    codes = sorted(set(met))
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        rule = _regime(incident, regime)
        noticed = aware_at or incident.created_at
        why = clean(reason).strip()[:_LONGEST]
        _check(rule, codes, major=major, reason=why, aware_at=noticed, now=now)
        said = fact(
            incident,
            Kind.REGULATORY_CLASSIFIED,
            regime=rule.code,
            name=rule.name,
            major=major,
            finding="a major incident, its clocks run" if major else "no major incident",
            met=codes,
            suggested=rule.is_major(codes),
            reason=why,
            aware_at=stamp(noticed),
        )
        audit.record(actor, [said], now=now)
        late_reports.follow_log(actor, incident, rule)
        save(incident, now=now)
    return incident


@rank.protected
def report_to_authority(
    actor: Actor,
    ref: str | int,
    regime: str,
    *,
    report: str,
    reference: str = "",
    sent: datetime | None = None,
    now: datetime,
) -> Incident:
    """Write down that the initial, an intermediate or the final report went out (at `sent`, now unless it is given).

    Raises NotFound as above, Invalid by field, Refused where the incident is not major or a report comes out of turn.
    """
    at = sent or now
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        rule = _regime(incident, regime)
        events = regulatory_events(incident.ref)
        found = classified(rule.code, events)
        if found is None or not found.major:
            raise Refused(f"{incident.ref} is not a major incident for {rule.name}.", reason="not_major")
        told = [one for one in events if one.kind == Kind.REGULATORY_REPORTED and one.text("regime") == rule.code]
        _check_report(report, at, [(one.text("report"), sent_at(one)) for one in told], found, now=now)
        said = fact(
            incident,
            Kind.REGULATORY_REPORTED,
            occurred_at=at,
            regime=rule.code,
            name=rule.name,
            report=report,
            sent_at=stamp(at),
            reference=clean(reference).strip()[:_REFERENCE],
        )
        audit.record(actor, [said], now=now)
        late_reports.follow_log(actor, incident, rule)
        save(incident, now=now)
    return incident


def _regime(incident: Incident, code: str) -> Regime:
    regimes = snapshots.process_of(incident).regimes
    found = next((one for one in regimes if one.code == code.strip() and one.on), None)
    if found is None:
        version = incident.process_version.number
        raise NotFound(f"Version {version} of the process has no clocks of {code!r} switched on.")
    return found


def _check(rule: Regime, codes: list[str], *, major: bool, reason: str, aware_at: datetime, now: datetime) -> None:
    faults = {}
    unknown = set(codes) - {one.code for one in rule.criteria}
    if unknown:
        faults["met"] = f"{rule.name} has no criteria {', '.join(sorted(unknown))}."
    if not reason and rule.criteria and rule.is_major(codes) != major:
        faults["reason"] = "The criteria suggest otherwise. Say in a few words why you decide so."
    if aware_at.tzinfo is None:
        faults["aware_at"] = "Give it with a zone: 2026-07-01T09:30:00Z."
    elif aware_at > now:
        faults["aware_at"] = "That has not happened yet."
    if faults:
        raise Invalid(faults)


def _check_report(
    report: str, at: datetime, told: list[tuple[str, datetime]], found: Classified, *, now: datetime
) -> None:
    if report not in REPORTS:
        raise Invalid({"report": f"It is one of {', '.join(REPORTS)}."})
    if at.tzinfo is None:
        raise Invalid({"sent_at": "Give it with a zone: 2026-07-01T09:30:00Z."})
    if at > now or at < found.aware_at:
        raise Invalid({"sent_at": "It is after you became aware of the incident, and not later than now."})
    kinds = [kind for kind, _ in told]
    if FINAL in kinds or (report in kinds and report != INTERMEDIATE):
        raise Refused(f"The {FINAL if FINAL in kinds else report} report was sent.", reason="already_sent")
    before = REPORTS[: REPORTS.index(report)]
    missing = [kind for kind in before if kind not in kinds]
    if missing:
        raise Refused(f"The {missing[0]} report comes first.", reason="out_of_turn")
