"""Checks of how the response was organised: AC05 to AC08, AC14 to AC16, and AC22."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tocsin.core.adherence_outcomes import Outcome, failed, not_applicable, not_due, passed, together, waived
from tocsin.core.adherence_record import Event, Holding, Record, Span, listed, role_runs
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.core.process_parts import RoleNeed
from tocsin.core.roles import required_roles

CHANNEL_OPENED = "channel.opened"
DECISION_RECORDED = Kind.DECISION_RECORDED
DECISION_REPORTED = Kind.DECISION_REPORTED
HANDOVER_RECORDED = "handover.recorded"
WELLBEING_ANSWERED = "wellbeing.answered"
RANK_REFUSED = "rank.refused"
RANK_OVERRIDDEN = "rank.overridden"

TAKING = (
    Kind.INCIDENT_ACKNOWLEDGED,
    Kind.INCIDENT_INVESTIGATING,
    Kind.INCIDENT_IDENTIFIED,
    Kind.INCIDENT_MITIGATED,
)
"""Whoever acknowledges an incident or moves it on is on it; the chain stops."""

_NEVER_COORDINATED = "Its severity asked for no coordination."


def ac05_acknowledged_within_the_chain(record: Record) -> Outcome:
    """Somebody of the escalation policy took it before the chain was at its end, each time it was opened."""
    return together((_answered(record, span) for span in record.spans), nothing="Nobody had to be paged for long.")


def _answered(record: Record, span: Span) -> Outcome:
    def during(*kinds: str) -> list[Event]:
        # By number as well: what ended the span bears the same time as what came with it.
        last = span.end.seq if span.end else None
        return [one for one in record.of(*kinds) if one.seq >= span.begin.seq and (last is None or one.seq <= last)]

    pages = during(Kind.PAGE_CREATED)
    gone = during(Kind.ESCALATION_EXHAUSTED)
    taken = next(iter(during(*TAKING)), None)
    if taken is None and span.end is not None and span.end.get("by_person") is True:
        taken = span.end
    first = [pages[0].seq] if pages else []
    if gone and (taken is None or gone[0].seq < taken.seq):
        return failed("The chain was at its end before anybody took it.", *first, gone[0].seq)
    if not pages:
        return not_applicable("Nobody was paged.")
    if taken is not None:
        return passed("Somebody took it while the chain was running.", *first, taken.seq)
    if span.end is not None:
        return not_applicable("It ended while the chain was still running.")
    return not_due("The chain is running.", *first)


def ac06_roles_filled_in_time(record: Record) -> Outcome:
    """Each role that the severity called was held by the end of its time limit, or not needed for so long."""
    process = record.process
    called = {
        code: {one.role: one.fill_within for one in required_roles(process, code)} for code in process.severities.codes
    }
    limits = {role: limit for roles in called.values() for role, limit in roles.items()}
    names = {code: frozenset(roles) for code, roles in called.items()}
    runs = role_runs(record, names)
    parts = (
        _filled(record, role, begin, end, calling, due_at=record.earliest(begin) + limits[role])
        for role, begin, end, calling in runs
    )
    return together(parts, nothing="No role was called for long enough to be filled.")


def _filled(
    record: Record, role: str, begin: datetime, end: datetime | None, calling: Event, *, due_at: datetime
) -> Outcome:
    limit = due_at + record.grace
    until = limit if end is None else min(limit, end)
    held = next((one for one in record.holdings if one.role == role and one.overlaps(begin, until)), None)
    definition = record.process.roles.by_code(role)
    name = definition.display_name if definition else role
    if held is not None:
        return passed("The roles that the severity calls were filled in time.", calling.seq, held.taken.seq)
    waiver = record.waived_obligations.get(f"{ObligationKind.FILL_ROLE.value}:{role}")
    if waiver is not None:
        return waived(f"{name} was waived.", waiver, calling.seq)
    if end is not None and end <= limit:
        return not_applicable(f"{name} was no longer called when the time was up.")
    if record.as_of <= limit:
        return not_due(f"{name} is to be filled.", calling.seq, due_at=limit)
    later = next((one.taken.seq for one in record.holdings if one.role == role and one.taken.at > limit), None)
    return failed(f"{name} was not filled in time.", calling.seq, *([later] if later else []))


def ac07_dedicated_roles_not_doubled(record: Record) -> Outcome:
    """Whoever held a dedicated role held no other role of the response at the same time."""
    dedicated: set[int] = set()
    doubled: dict[str, set[int]] = {}
    for at, severity in _looks(record):
        cells = record.process.roles.by_severity.get(severity, {})
        by_person: dict[str, list[Holding]] = {}
        for one in record.holdings:
            if one.overlaps(at, at) and _counts(record, one.role):
                by_person.setdefault(one.who, []).append(one)
        for who, own in by_person.items():
            whole = [one.taken.seq for one in own if cells.get(one.role) is RoleNeed.DEDICATED]
            dedicated.update(whole)
            if whole and len(own) > 1:
                doubled.setdefault(who, set()).update(one.taken.seq for one in own)
    if doubled:
        seqs = [seq for found in doubled.values() for seq in found]
        return failed("A role that takes a whole person was held together with another one.", *seqs)
    if not dedicated:
        return not_applicable("No role that takes a whole person was held.")
    return passed("Roles that take a whole person stood alone.", *dedicated)


def _looks(record: Record) -> Iterator[tuple[datetime, str]]:
    """The moments at which holdings or their meaning change, with the severity of that moment."""
    moments = {event.at for event in record.of(Kind.ROLE_TAKEN, Kind.ROLE_RELEASED)}
    moments |= {one.at for one in record.severities}
    for at in sorted(moments):
        stands = [one.severity for one in record.severities if one.at <= at]
        if stands:
            yield at, stands[-1]


def _counts(record: Record, role: str) -> bool:
    definition = record.process.roles.by_code(role)
    return definition is not None and not definition.optional


def ac08_channel_opened(record: Record) -> Outcome:
    return _once_coordinated(
        record, CHANNEL_OPENED, done="A channel was opened.", missing="No channel was opened for the response."
    )


def ac16_wellbeing_answered(record: Record) -> Outcome:
    return _once_coordinated(
        record,
        WELLBEING_ANSWERED,
        done="The well-being list was answered.",
        missing="The well-being list was not answered.",
    )


def _once_coordinated(record: Record, kind: str, *, done: str, missing: str) -> Outcome:
    began = record.coordinated
    if began is None:
        return not_applicable(_NEVER_COORDINATED)
    found = record.of(kind)
    if found:
        return passed(done, began.seq, found[0].seq)
    return not_due(missing, began.seq) if record.ended is None else failed(missing, began.seq, record.ended.seq)


def ac14_decisions_have_addressees_and_results(record: Record) -> Outcome:
    notes = [one for one in record.of(Kind.INCIDENT_NOTED) if one.get("kind") == "decision"]
    if not notes and not record.of(DECISION_RECORDED):
        return not_applicable("No decision was noted.")
    reported = {one.get("decision") for one in record.of(DECISION_REPORTED)}
    parts = [failed("A decision was noted without addressees.", one.seq) for one in notes]
    for one in record.of(DECISION_RECORDED):
        if not one.get("addressees"):
            parts.append(failed("A decision names nobody who is to carry it out.", one.seq))
        elif one.seq in reported:
            parts.append(passed("Decisions name who carries them out, and what came of them.", one.seq))
        elif record.ended is None:
            parts.append(not_due("What came of a decision is still to be reported.", one.seq))
        else:
            parts.append(failed("What came of a decision was never reported.", one.seq))
    return together(parts, nothing="No decision was noted.")


_HANDOVER_SAYS = ("done", "open", "risks", "next_update")


def ac15_handovers_complete(record: Record) -> Outcome:
    """Each time a role went from one person to another, a record says how things stood, and the next one accepted."""
    told = record.of(HANDOVER_RECORDED)
    parts: list[Outcome] = []
    for former, following in _changes_of_hands(record):
        name, seqs = f"{former.who} to {following.who} ({former.role})", (former.taken.seq, following.taken.seq)
        own = [one for one in told if one.get("role_code") == former.role and one.get("to") == following.who]
        gaps = [name for name in _HANDOVER_SAYS if not own or not own[-1].text(name)]
        if not own:
            parts.append(failed(f"The hand-over from {name} was not recorded.", *seqs))
        elif gaps or own[-1].get("accepted") is not True:
            lacks = listed([*gaps, *([] if own[-1].get("accepted") is True else ["acceptance"])])
            parts.append(failed(f"The hand-over from {name} lacks {lacks}.", *seqs, own[-1].seq))
        else:
            parts.append(passed("Hand-overs are recorded and accepted.", *seqs, own[-1].seq))
    return together(parts, nothing="No role changed hands.")


def _changes_of_hands(record: Record) -> Iterator[tuple[Holding, Holding]]:
    """Holdings of a role that another person took up while the incident was open."""
    for former in record.holdings:
        if former.released is None or not _counts(record, former.role):
            continue
        after = [
            one
            for one in record.holdings
            if one.role == former.role and one.who != former.who and one.taken.seq > former.released.seq
        ]
        if after and any(span.holds(former.released.at) and span.holds(after[0].taken.at) for span in record.spans):
            yield former, after[0]


def ac22_rank_protection_respected(record: Record) -> Outcome:
    began = record.coordinated
    if began is None:
        return not_applicable(_NEVER_COORDINATED)
    overridden = record.of(RANK_OVERRIDDEN)
    if overridden:
        why = "Somebody without a role of the response took decisions out of its hands."
        return failed(why, *(one.seq for one in overridden))
    refused = [one.seq for one in record.of(RANK_REFUSED)]
    if record.ended is None:
        return not_due("This is judged when the incident is over.", began.seq, *refused)
    return passed("Nobody outside the response directed it.", began.seq, *refused)
