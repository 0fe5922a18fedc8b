"""Which updates an incident owed to an audience, and what became of each: replayed from the log.

What was owed at a moment is asked of the same code that made the obligation then (`obligation_updates`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from tocsin.core.adherence_outcomes import Outcome, failed, not_due, passed, waived
from tocsin.core.adherence_record import Event, Record
from tocsin.core.cadence import is_late, late_at
from tocsin.core.facts import Kind
from tocsin.core.obligation_case import Case
from tocsin.core.obligation_facts import (
    Audience,
    AudienceFacts,
    Obligation,
    ObligationFacts,
    ObligationKind,
    PriorityChange,
    SeverityChange,
)
from tocsin.core.obligation_updates import updates
from tocsin.core.postmortem_rules import BusinessDays

TELLING = (Kind.UPDATE_SENT, Kind.GROUPS_CHOSEN, Kind.OBLIGATION_WAIVED)
"""The kinds of entries that say who was to be told and who was, beside the life and the classification."""

_CALENDAR = BusinessDays()  # no update counts business days


class Kept(StrEnum):
    KEPT = "kept"
    LATE = "late"
    MISSED = "missed"
    OPEN = "open"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Promise:
    """One thing owed to an audience. `asked` is the entry it comes from: a priority, or the update before.

    `event` is the update that kept it (perhaps late), or the entry with which it was missed for good.
    """

    key: str
    kind: ObligationKind
    due_at: datetime
    kept: Kept
    asked: Event
    event: Event | None = None

    @property
    def evidence(self) -> tuple[int, ...]:
        return (self.asked.seq,) if self.event is None else (self.asked.seq, self.event.seq)


@lru_cache(maxsize=4)
def promises(record: Record, audience: Audience) -> tuple[Promise, ...]:
    """Everything that was owed to `audience`, in order of time; what is still open comes last.

    What lapsed in time (the incident ended before it was due) is left out. Four checks ask for the same in a row.
    """
    found: dict[str, Promise] = {}
    heard = AudienceFacts(audience)
    last: Event | None = None
    for moment in _moments(record):
        owed = _owed(record, audience, heard, before=moment)
        for one in owed:
            kept = _judge(record, one, moment, audience, last)
            if kept is not None and _says_more(kept, found.get(one.key)):
                found[one.key] = kept
        if audience in _served(record, moment):
            heard, last = _after(heard, moment, owed), moment
    for one in _owed(record, audience, heard, before=None):
        if one.due_at is not None and one.key not in found:
            found[one.key] = _standing(record, one, _asked(record, last, None))
    return tuple(found.values())


def _says_more(kept: Promise, former: Promise | None) -> bool:
    """What was missed when the incident moved on may still have come, late."""
    return former is None or (former.kept is Kept.MISSED and kept.kept is Kept.LATE)


def outcome(record: Record, promise: Promise, words: str) -> Outcome:
    """A promise as part of a verdict; `words` say what was promised ("First update to management")."""
    seqs = promise.evidence
    due = _clock(promise.due_at)
    if promise.kept is Kept.WAIVED:
        return waived(f"{words} was waived.", record.waived_obligations[promise.key], *seqs)
    if promise.kept is Kept.OPEN:
        return not_due(f"{words} is due at {due}.", *seqs, due_at=late_at(promise.due_at, record.grace))
    if promise.kept is Kept.KEPT:
        return passed(f"{words} came in time.", *seqs)
    if promise.kept is Kept.LATE and promise.event is not None:
        minutes = int((promise.event.at - promise.due_at).total_seconds() // 60)
        return failed(f"{words} was due at {due} and came {minutes} min later.", *seqs)
    return failed(f"{words} was due at {due} and did not come.", *seqs)


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _moments(record: Record) -> Iterator[Event]:
    """The entries at which something is kept, missed, or no longer asked."""
    kinds = (Kind.UPDATE_SENT, Kind.PRIORITY_CHANGED, Kind.GROUPS_CHOSEN, Kind.INCIDENT_RESOLVED)
    yield from record.of(*kinds, Kind.INCIDENT_MERGED, Kind.INCIDENT_CANCELLED)


def _asked(record: Record, last: Event | None, before: Event | None) -> Event:
    """What made it owed: the last update, or the priority that held by then."""
    stands = [one.event for one in record.priorities if before is None or one.event.seq < before.seq]
    latest = stands[-1] if stands else record.events[0]
    return latest if last is None or latest.seq > last.seq else last


def _judge(record: Record, one: Obligation, moment: Event, audience: Audience, last: Event | None) -> Promise | None:
    """What `moment` does to what was owed just before it; None when nothing."""
    if one.due_at is None:
        return None
    asked = _asked(record, last, moment)
    if one.key in record.waived_obligations:
        return Promise(one.key, one.kind, one.due_at, Kept.WAIVED, asked)
    late = is_late(one.due_at, record.grace, now=moment.at)
    chose = one.kind is ObligationKind.CHOOSE_GROUPS and moment.kind in {Kind.GROUPS_CHOSEN, Kind.UPDATE_SENT}
    told = one.kind is not ObligationKind.CHOOSE_GROUPS and audience in _served(record, moment)
    if chose or told:
        return Promise(one.key, one.kind, one.due_at, Kept.LATE if late else Kept.KEPT, asked, moment)
    # A closing is owed on after other changes; whatever else is late when the incident moves on was missed for good.
    if late and moment.kind != Kind.UPDATE_SENT and one.kind is not ObligationKind.UPDATE_CLOSING:
        return Promise(one.key, one.kind, one.due_at, Kept.MISSED, asked, moment) if _ends(moment) else None
    return None


def _ends(moment: Event) -> bool:
    return moment.kind in {
        Kind.INCIDENT_RESOLVED,
        Kind.INCIDENT_MERGED,
        Kind.INCIDENT_CANCELLED,
        Kind.PRIORITY_CHANGED,
    }


def _standing(record: Record, one: Obligation, asked: Event) -> Promise:
    due_at = one.due_at or record.as_of
    if one.key in record.waived_obligations:
        return Promise(one.key, one.kind, due_at, Kept.WAIVED, asked)
    late = is_late(due_at, record.grace, now=record.as_of)
    return Promise(one.key, one.kind, due_at, Kept.MISSED if late else Kept.OPEN, asked)


def _owed(record: Record, audience: Audience, heard: AudienceFacts, *, before: Event | None) -> list[Obligation]:
    """What was owed to the audience just before an entry; None asks for what is owed at the end of the record."""
    case = Case(_facts(record, heard, before=before), record.process, _CALENDAR)
    names = [audience.value, ""] if audience is Audience.GROUPS else [audience.value]
    return [one for one in updates(case) if one.audience in names]


def _facts(record: Record, heard: AudienceFacts, *, before: Event | None) -> ObligationFacts:
    at = record.as_of if before is None else before.at

    def known(event: Event) -> bool:
        return before is None or event.seq < before.seq

    groups, management = _groups(record, [event for event in record.events if known(event)])
    spans = [span for span in record.spans if known(span.begin)]
    last = spans[-1] if spans else None
    ended = last.end if last is not None and last.end is not None and known(last.end) else None
    began_at = record.began.at if record.began else at
    return ObligationFacts(
        created_at=began_at,
        priorities=tuple(PriorityChange(one.at, one.state, one.rank) for one in record.priorities if known(one.event)),
        severities=tuple(SeverityChange(one.at, one.severity) for one in record.severities if known(one.event)),
        groups=groups,
        management_added=management,
        audiences=(heard,),
        resolved_at=ended.at if ended else None,
        reopened_at=last.begin.at if last is not None and len(spans) > 1 else None,
        response_starts_at=record.response_starts(at),
        waived=frozenset(record.waived_obligations),
        exercise=record.is_exercise,
        void=record.void is not None,
    )


def _groups(record: Record, known: list[Event]) -> tuple[tuple[str, ...], bool]:
    """The groups chosen by then, without management, and whether management was chosen beside them."""
    codes: set[str] = set()
    management = {group.code for group in record.process.groups if group.management}
    for event in known:
        management |= event.words("management")
        if event.kind == Kind.GROUPS_CHOSEN:
            codes = event.words("codes")
        elif event.kind == Kind.UPDATE_SENT:
            codes |= event.words("codes") - management
        elif event is record.began:
            codes = event.words("groups")
    return tuple(sorted(codes - management)), bool(codes & management)


def _served(record: Record, moment: Event) -> frozenset[str]:
    """The audiences that had heard as a whole with this update. Older entries only name the groups."""
    if moment.kind != Kind.UPDATE_SENT:
        return frozenset()
    if moment.get("audiences") is not None:
        return frozenset(moment.words("audiences"))
    management = {group.code for group in record.process.groups if group.management}
    codes = moment.words("codes")
    heard = {Audience.MANAGEMENT: codes & management, Audience.GROUPS: codes - management}
    return frozenset(audience.value for audience, told in heard.items() if told)


def _after(heard: AudienceFacts, moment: Event, owed: list[Obligation]) -> AudienceFacts:
    """What the audience has heard after an update."""
    numbers = [int(one.key.rpartition(":")[2]) for one in owed if one.audience == heard.audience.value]
    promised = moment.text("next_update_at")
    closing = moment.get("update_kind") == "closing"
    return replace(
        heard,
        sent_count=max([heard.sent_count, *numbers]) + 1,
        last_sent_at=moment.at,
        promised_at=datetime.fromisoformat(promised) if promised else None,
        closing_sent_at=moment.at if closing else heard.closing_sent_at,
    )
