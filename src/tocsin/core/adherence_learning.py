"""Checks of what was done about the cause, and what was learned: AC13, and AC17 to AC20."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from tocsin.core.adherence_outcomes import Outcome, failed, not_applicable, not_due, passed, together, waived
from tocsin.core.adherence_record import Event, Record, listed
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.core.postmortem_rules import PostmortemState, meeting_due, postmortem_need

ITEM_DONE = Kind.POSTMORTEM_ITEM_DONE
ITEM_EXPLAINED = Kind.POSTMORTEM_ITEM_EXPLAINED
ITEM_REOPENED = Kind.POSTMORTEM_ITEM_REOPENED
ACTION_REVIEWED = Kind.ACTION_REVIEWED

_SETTLED = {"done", "dropped"}
_EVERYWHERE = timedelta(hours=36)
"""From the beginning of a date in UTC until that date is over in every zone of the world."""


def ac13_hotfix_recorded(record: Record) -> Outcome:
    priority = record.priority
    if priority is None or not priority.criteria.hotfix_immediately:
        return not_applicable("Its priority did not ask for a fix at once.")
    done = [one for one in _fulfilled(record, ObligationKind.HOTFIX) if one.text("reference")]
    if done:
        return passed(f"The fix is recorded: {done[-1].text('reference')}.", done[-1].seq)
    waiver = record.waived_obligations.get(ObligationKind.HOTFIX.value)
    if waiver is not None:
        return waived("The fix was waived.", waiver)
    ended = record.ended
    if ended is None:
        return not_due("The fix is still to be rolled out.")
    limit = ended.at + record.grace
    if record.as_of <= limit:
        return not_due("The fix is still to be recorded.", ended.seq, due_at=limit)
    return failed("It is over, and no fix is recorded.", ended.seq)


def _fulfilled(record: Record, kind: ObligationKind) -> list[Event]:
    return [one for one in record.of(Kind.OBLIGATION_FULFILLED) if one.get("obligation_kind") == kind.value]


def ac17_postmortem_in_time(record: Record) -> Outcome:
    """Held means reviewed: that is when the meeting has taken place and its text is agreed."""
    if not _postmortem_required(record):
        return not_applicable("The process did not ask for a postmortem.")
    ended = record.ended
    if ended is None:
        return not_due("The postmortem comes after the end.")
    waiver = record.waived_obligations.get(ObligationKind.POSTMORTEM.value)
    due_at = _meeting_due(record, ended)
    limit = due_at + record.grace
    held = _held(record)
    day = f"{due_at:%Y-%m-%d %H:%M} UTC"
    if held is not None and held.at <= limit:
        return passed("The postmortem was held in time.", ended.seq, held.seq)
    if waiver is not None:
        return waived("The postmortem was waived.", waiver, ended.seq)
    if held is not None:
        return failed(f"The postmortem was due by {day} and was held later.", ended.seq, held.seq)
    if record.as_of > limit:
        return failed(f"The postmortem was due by {day} and was not held.", ended.seq)
    return not_due(f"The postmortem is due by {day}.", ended.seq, due_at=limit)


def _postmortem_required(record: Record) -> bool:
    ranks = [one.rank for one in record.priorities if one.rank is not None and one.event.seq not in record.taken_back]
    final = record.priorities[-1].rank if record.priorities else None
    return postmortem_need(record.process, final_priority=final, highest_priority=min(ranks, default=None)).required


def _meeting_due(record: Record, ended: Event) -> datetime:
    """The time that was set with the draft, which knows the holidays of the team; else counted from Monday to Friday."""
    told = [one.text("meeting_due_at") for one in record.of(Kind.POSTMORTEM_DRAFTED)]
    if told and told[-1]:
        return datetime.fromisoformat(told[-1])
    final = record.priorities[-1].rank if record.priorities else None
    return meeting_due(record.process, priority=final, severity=record.severity, resolved_at=ended.at)


def _held(record: Record) -> Event | None:
    moved = [one for one in record.of(Kind.POSTMORTEM_MOVED) if one.get("new") == PostmortemState.REVIEWED.value]
    found = [*moved, *_fulfilled(record, ObligationKind.POSTMORTEM)]
    return min(found, key=lambda event: event.seq, default=None)


def ac18_postmortem_items_done(record: Record) -> Outcome:
    drafted = record.of(Kind.POSTMORTEM_DRAFTED)
    if not drafted:
        return not_applicable("There is no postmortem.")
    wanted = {item.code for item in record.process.postmortem.lifecycle}
    if not wanted:
        return not_applicable("The process lists nothing to do around a postmortem.")
    done = _settled_items(record)
    missing = wanted - set(done)
    if not missing:
        return passed("Everything around the postmortem is done or explained.", *(done[code] for code in wanted))
    why = f"Neither done nor explained: {listed(missing)}."
    closed = [one for one in record.of(Kind.POSTMORTEM_MOVED) if one.get("new") == PostmortemState.CLOSED.value]
    return failed(why, drafted[0].seq, closed[-1].seq) if closed else not_due(why, drafted[0].seq)


def _settled_items(record: Record) -> dict[str, int]:
    """What is done or explained, with the entry that says so; the last word on an item counts."""
    found: dict[str, int] = {}
    for one in record.of(ITEM_DONE, ITEM_EXPLAINED, ITEM_REOPENED):
        if one.kind == ITEM_DONE or (one.kind == ITEM_EXPLAINED and one.text("reason")):
            found[one.text("item")] = one.seq
        elif one.kind == ITEM_REOPENED:
            found.pop(one.text("item"), None)
    return found


@dataclass(slots=True)
class _Item:
    """An action item as its entries tell it. `seqs` are all of them; a review is `held` by an entry in time."""

    title: str
    driver: str
    review: date | None
    status: str = "proposed"
    seqs: list[int] = field(default_factory=list[int])
    held: list[int] = field(default_factory=list[int])
    missed: list[date] = field(default_factory=list[date])

    @property
    def gaps(self) -> list[str]:
        return [*([] if self.driver else ["a driver"]), *([] if self.review else ["a review date"])]


def ac19_actions_have_driver_and_review_date(record: Record) -> Outcome:
    items = [one for one in _items(record) if one.status != "dropped"]
    return together((_complete(record, one) for one in items), nothing="There are no action items.")


def _complete(record: Record, item: _Item) -> Outcome:
    if not item.gaps:
        return passed("Each action item has a driver and a review date.", *item.seqs)
    why = f"{item.title} lacks {' and '.join(item.gaps)}."
    states = [one.get("new") for one in record.of(Kind.POSTMORTEM_MOVED)]
    ended = record.ended
    if states and states[-1] != PostmortemState.DRAFT.value:
        return failed(why, *item.seqs)
    if ended is None:
        return not_due(why, *item.seqs)
    limit = _meeting_due(record, ended) + record.grace
    return failed(why, *item.seqs) if record.as_of > limit else not_due(why, *item.seqs, due_at=limit)


def ac20_reviews_on_their_dates(record: Record) -> Outcome:
    """By the review date an item was done, dropped, or looked at and given another date."""
    parts: list[Outcome] = []
    for item in _items(record):
        day = item.review
        open_until = _over(day) if day is not None and item.status not in _SETTLED else None
        missed = [*item.missed, *([day] if day and open_until and record.as_of > open_until else [])]
        if missed:
            days = listed(one.isoformat() for one in missed)
            parts.append(failed(f"{item.title} was not reviewed by {days}.", *item.seqs))
        elif open_until is not None:
            why = f"{item.title} is to be reviewed on {day}."
            parts.append(not_due(why, *item.seqs, due_at=open_until))
        elif item.held:
            parts.append(passed("Reviews of action items were held on their dates.", *item.held))
    return together(parts, nothing="No review of an action item was due.")


def _over(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC) + _EVERYWHERE


def _items(record: Record) -> Iterable[_Item]:
    items: dict[str, _Item] = {}
    for event in record.of(Kind.ACTION_ADDED, Kind.ACTION_CHANGED, ACTION_REVIEWED):
        key = event.text("action")
        item = items.get(key)
        if item is None:
            item = items[key] = _Item(event.text("title"), event.text("driver"), _day(event.text("review")))
        elif event.kind == Kind.ACTION_CHANGED or event.text("review"):
            _change(item, event)
        elif item.review is not None and event.at <= _over(item.review):
            item.held.append(event.seq)
        item.seqs.append(event.seq)
    return items.values()


def _change(item: _Item, event: Event) -> None:
    """A changed item. Its review is held when it is settled in time, or put off in time to another date."""
    status = event.text("status") or item.status
    review = _day(event.text("review")) if event.get("review") is not None else item.review
    settles = status in _SETTLED and item.status not in _SETTLED
    moves = item.review is not None and review != item.review
    if item.review is not None and item.status not in _SETTLED and (settles or moves):
        if event.at <= _over(item.review):
            item.held.append(event.seq)
        else:
            item.missed.append(item.review)
    item.title = event.text("title") or item.title
    item.driver = event.text("driver") if event.get("driver") is not None else item.driver
    item.status, item.review = status, review


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
