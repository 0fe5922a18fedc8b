"""Checks of how an incident was classified: AC01 to AC04, and AC23."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from tocsin.core.adherence_outcomes import Outcome, failed, not_applicable, not_checked, not_due, passed, together
from tocsin.core.adherence_record import BEGINNINGS, Event, Record
from tocsin.core.classification import PastChange, lateness
from tocsin.core.facts import Kind
from tocsin.core.incident_findings import Knowledge, findings
from tocsin.core.priorities import PriorityState
from tocsin.core.process_parts import Verdict as PairVerdict

CAUSE_STATED = Kind.INCIDENT_CAUSE_STATED
"""An entry that says whether the cause is known, unknown, or only worked around."""


def ac01_priority_decided_in_time(record: Record) -> Outcome:
    """A decision is a priority or "none"; one that the team took beforehand for the SLO counts."""
    stands = [one for one in record.priorities if one.event.seq not in record.taken_back]
    decided = next((one.event for one in stands if one.state is not PriorityState.UNSET), None)
    return _decided_in_time(record, decided, "The priority")


def ac02_priority_changes_have_reasons(record: Record) -> Outcome:
    changes = [event for event in record.of(Kind.PRIORITY_CHANGED) if event.seq not in record.taken_back]
    if not changes:
        return not_applicable("The priority was not changed.")
    remark = _late_reclassification(record, changes)
    silent = [event.seq for event in changes if not event.text("reason")]
    if silent:
        return failed(f"{len(silent)} of {len(changes)} changes of priority say no reason.", *silent, remark=remark)
    return passed("Each change of priority says why.", *(event.seq for event in changes), remark=remark)


def _late_reclassification(record: Record, changes: list[Event]) -> str:
    """A priority lowered after the end, or more than once, is worth a look; it is nobody's fault."""
    ends = [span.end.at for span in record.spans if span.end is not None]
    past = [PastChange(event.at, event.get("old_rank"), event.get("rank")) for event in changes]
    found = lateness(past, ended_at=ends[0] if ends else None)
    return f"Late re-classification: {found.text}." if found else ""


def ac03_severity_set_by_a_person_in_time(record: Record) -> Outcome:
    if record.process.severities.switched_off:
        return not_applicable("The process works without severities.")
    stands = [one for one in record.severities if one.by_person and one.event.seq not in record.taken_back]
    return _decided_in_time(record, stands[0].event if stands else None, "The severity")


def _decided_in_time(record: Record, decided: Event | None, what: str) -> Outcome:
    taken, ended = record.acknowledged, record.ended
    if taken is None:
        if ended is not None:
            return not_applicable("Nobody took it before it ended.", ended.seq)
        return not_due("Nobody has taken it yet.")
    within = record.process.catalogue.decide_within
    limit, minutes = taken.at + within, int(within.total_seconds() // 60)
    if decided is not None and decided.at <= limit:
        return passed(f"{what} was decided within {minutes} min of the acknowledgement.", taken.seq, decided.seq)
    if decided is not None:
        late = int((decided.at - taken.at).total_seconds() // 60)
        why = f"{what} was decided {late} min after the acknowledgement; the process asks for {minutes}."
        return failed(why, taken.seq, decided.seq)
    if ended is not None and ended.at <= limit:
        return not_applicable(f"It was over within {minutes} min of the acknowledgement.", taken.seq, ended.seq)
    if record.as_of > limit:
        return failed(f"{what} was not decided within {minutes} min of the acknowledgement.", taken.seq)
    return not_due(f"{what} is to be decided within {minutes} min.", taken.seq, due_at=limit)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A pair of priority and severity, the entry that made it and the one that ended it."""

    rank: int
    severity: str
    made: Event
    ended: Event | None


def ac04_pair_allowed_or_explained(record: Record) -> Outcome:
    return together(
        (_pair_outcome(record, pair) for pair in _pairs(record)), nothing="It had no priority to go with its severity."
    )


def _pair_outcome(record: Record, pair: _Pair) -> Outcome:
    rule = record.process.matrix.rule(pair.rank, pair.severity)
    found = record.process.catalogue.by_rank(pair.rank)
    words = f"{found.code if found else pair.rank} and {pair.severity}"
    if record.process.severities.switched_off:
        return passed("The process works without severities.", pair.made.seq)
    if rule is None or rule.verdict is PairVerdict.NOT_ALLOWED:
        excepted = f" Set as an exception: {pair.made.text('reason')}." if pair.made.get("exception") is True else ""
        return failed(f"{words} do not go together in this process.{excepted}", pair.made.seq)
    if rule.verdict is PairVerdict.ALLOWED:
        return passed("The pairs of priority and severity are allowed.", pair.made.seq)
    explained = _explained(record, pair)
    if explained is not None:
        return passed("The pairs of priority and severity are allowed or explained.", pair.made.seq, explained.seq)
    if pair.ended is None and record.ended is None:
        return not_due(f"{words} together need a reason while they last.", pair.made.seq)
    return failed(f"{words} together need a reason, and none was given.", pair.made.seq)


def _pairs(record: Record) -> Iterator[_Pair]:
    """The pairs that stood for more than a moment, those taken back left out."""
    events = record.of(*BEGINNINGS, Kind.PRIORITY_CHANGED, Kind.SEVERITY_CHANGED)
    rank: int | None = None
    severity = ""
    for event, following in pairwise([*events, None]):
        if event is None:
            continue
        rank = event.get("rank") if event.get("priority_state") else rank
        severity = event.text("severity") or severity
        brief = following is not None and (following.at == event.at or following.get("undo_of") == event.seq)
        if rank is not None and severity and not brief:
            yield _Pair(rank, severity, event, following)


def _explained(record: Record, pair: _Pair) -> Event | None:
    """The entry with a reason by which a person made, confirmed, or ended the pair; its notes do not count."""
    end = pair.ended.seq if pair.ended else None
    kinds = (Kind.INCIDENT_DECLARED, Kind.PRIORITY_CHANGED, Kind.SEVERITY_CHANGED, Kind.SEVERITY_CONFIRMED)
    by_person = {one.event.seq for one in record.priorities if one.by_person}
    by_person |= {one.event.seq for one in record.severities if one.by_person}
    for event in record.of(*kinds):
        within = event.seq >= pair.made.seq and (end is None or event.seq <= end)
        if within and event.seq in by_person and event.text("reason"):
            return event
    return None


def ac23_record_complete(record: Record) -> Outcome:
    """Category, service and impact are known at the end, and so is what one knows of the cause."""
    ended = record.ended
    if ended is None:
        return not_due("The record is judged when the incident is over.")
    began = record.began
    told: list[Event] = [one for one in (began, *record.of(Kind.INCIDENT_RESOLVED, Kind.INCIDENT_CATEGORIZED)) if one]
    seqs = [event.seq for event in told]
    fields = ("category", "service", "impact_state")
    missing = [name.removesuffix("_state") for name in fields if not any(event.text(name) for event in told)]
    if missing:
        return _unless_fresh(record, ended.at, f"The record lacks {', '.join(missing)}.", *seqs)
    causes = record.of(Kind.INCIDENT_IDENTIFIED, CAUSE_STATED)
    if causes:
        why = "Category, service, impact and the state of the cause are recorded."
        return passed(f"{why}{_goes_on(causes)}", *seqs, causes[-1].seq)
    if not record.records(CAUSE_STATED):
        return not_checked("Category, service and impact are recorded; what is known of the cause is not.", *seqs)
    return _unless_fresh(record, ended.at, "The record lacks what is known of the cause.", *seqs)


def _goes_on(causes: list[Event]) -> str:
    """Where somebody goes on looking for a cause that was not found."""
    cause = findings(causes).cause
    open_work = cause.work_item if cause.knowledge is Knowledge.UNKNOWN else ""
    return f" The cause is unknown; looking for it goes on in {open_work}" if open_work else ""


def _unless_fresh(record: Record, ended_at: datetime, why: str, *seqs: int) -> Outcome:
    """What is missing may be added until the grace has passed."""
    limit = ended_at + record.grace
    return failed(why, *seqs) if record.as_of > limit else not_due(why, *seqs, due_at=limit)
