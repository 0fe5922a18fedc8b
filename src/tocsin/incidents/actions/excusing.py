"""A check of the process is not held against an incident, or is again: who says so, and why, stays in the log.

Not the people of the response but the owner of the process decides on it (`Right.CHECK_WAIVE`).
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.queries import of_kinds
from tocsin.core.access import Actor, Right, require
from tocsin.core.adherence import CHECKS
from tocsin.core.errors import Invalid, Refused
from tocsin.core.facts import Kind
from tocsin.incidents.actions.incident_row import fact, held, save, team_name
from tocsin.incidents.models import Incident
from tocsin.platform.text import clean

_LONGEST = 1000


def waive_check(actor: Actor, ref: str | int, *, check: str, reason: str, now: datetime) -> Incident:
    """Say that what `check` (its id, AC07) finds missing is not held against the incident.

    What passed or does not apply stays as it is. Raises Invalid for an unknown check or without a reason, Refused when
    it is waived already.
    """
    return _say(actor, ref, Kind.CHECK_WAIVED, check=check, reason=reason, now=now)


def withdraw_waiver(actor: Actor, ref: str | int, *, check: str, reason: str, now: datetime) -> Incident:
    """The waiver of a check counts no more; both stay in the log. Refused when the check is not waived."""
    return _say(actor, ref, Kind.CHECK_WAIVER_WITHDRAWN, check=check, reason=reason, now=now)


def _say(actor: Actor, ref: str | int, kind: Kind, *, check: str, reason: str, now: datetime) -> Incident:
    code, why = _checked(check, reason)
    with transaction.atomic():
        incident = held(ref)
        require(actor, Right.CHECK_WAIVE, team=team_name(incident))
        _require_change(incident, code, kind)
        save(incident, now=now)
        told = fact(incident, kind, check=code, title=CHECKS[code].title, reason=why)
        audit.record(actor, [told], now=now)
    return incident


def _checked(check: str, reason: str) -> tuple[str, str]:
    code, why = check.strip().upper(), clean(reason).strip()[:_LONGEST]
    faults = {}
    if code not in CHECKS:
        faults["check"] = f"There is no check {check!r}; they are {min(CHECKS)} to {max(CHECKS)}."
    if not why:
        faults["reason"] = "Say in a few words why. It stays in the record."
    if faults:
        raise Invalid(faults)
    return code, why


def _require_change(incident: Incident, code: str, kind: Kind) -> None:
    kinds = (Kind.CHECK_WAIVED, Kind.CHECK_WAIVER_WITHDRAWN)
    told = of_kinds([incident.ref], kinds)
    last = next(
        (one.kind for one in reversed(told) if one.data and one.data.get("check") == code), Kind.CHECK_WAIVER_WITHDRAWN
    )
    if last == kind:
        words = "is waived already" if kind is Kind.CHECK_WAIVED else "is not waived"
        raise Refused(f"{code} of {incident.ref} {words}.", reason="nothing_to_change")
