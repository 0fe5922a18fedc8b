"""Checks about one person of a response: hours, rest, nights, shifts, and whether others know who it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tocsin.core.wellbeing_findings import Finding, Look, Weight, hours, instant_key
from tocsin.core.wellbeing_record import Participant, Stretch, is_night, joined, rest_between, touches_night

WEEK = timedelta(days=7)
SHIFT = timedelta(hours=12)
_AT_ONCE = timedelta(minutes=1)
# A break in somebody's day that is shorter than this is still the same stretch of a working day when rest is looked for.
_NO_REST = timedelta(minutes=15)


def card_missing(look: Look) -> Iterator[Finding]:
    """WB-S1: somebody joined a while ago and others do not know who it is."""
    for one in look.record.present:
        if one.introduced_at is None and look.now - one.joined_at > look.limits.card_within:
            text = f"{one.name} joined {hours(look.now - one.joined_at)} ago and has not been introduced."
            yield Finding("WB-S1", f"WB-S1:{one.username}", text, about=one.username)


def nothing_to_do(look: Look) -> Iterator[Finding]:
    """WB-E2: nothing was heard of somebody for long; they may be free to leave."""
    for one in look.record.present:
        since = max(one.active_at or one.joined_at, one.joined_at)
        if not one.coordinates and look.now - since >= look.limits.quiet_for:
            text = f"Nothing from {one.name} for {hours(look.now - since)}. Still needed, or free to leave?"
            yield Finding("WB-E2", f"WB-E2:{one.username}:{instant_key(since)}", text, about=one.username)


def hours_in_the_response(look: Look) -> Iterator[Finding]:
    """WB-M1: the hours of this stint against break, hand-over and limit, and those of the working day."""
    for one in look.record.present:
        stint = one.stint
        if stint is None:
            continue
        yield from _stint(look, one, stint)
        begun = work_day_began(one, rest=look.limits.rest)
        if look.now - begun >= look.limits.work_day:
            spent = hours(look.now - begun)
            text = (
                f"{one.name} began {spent} ago and has had no {hours(look.limits.rest)} of rest since. Hand over now."
            )
            yield Finding("WB-M1", f"WB-M1:day:{one.username}:{instant_key(begun)}", text, Weight.RED, one.username)


def _stint(look: Look, one: Participant, stint: Stretch) -> Iterator[Finding]:
    spent, who, begun = look.now - stint.start, one.username, instant_key(stint.start)
    if spent >= look.limits.stint:
        limit = hours(look.limits.stint)
        text = f"{one.name} has been on this for {hours(spent)}; the limit is {limit}. Hand over now."
        yield Finding("WB-M1", f"WB-M1:limit:{who}:{begun}", text, Weight.RED, who)
    elif spent >= look.limits.hand_over_after:
        text = f"{one.name} has been on this for {hours(spent)}. Offer a hand-over."
        yield Finding("WB-M1", f"WB-M1:handover:{who}:{begun}", text, Weight.PROMPT, who)
    since = max(stint.start, one.break_at or stint.start)
    if look.now - since >= look.limits.break_after:
        text = f"{one.name} has had no break for {hours(look.now - since)}. Offer one."
        yield Finding("WB-M1", f"WB-M1:break:{who}:{instant_key(since)}", text, Weight.PROMPT, who, is_break=True)


def all_work(one: Participant) -> list[Stretch]:
    """What the person did in all incidents, in order."""
    return joined((*one.work, *one.other_work), gap=_NO_REST)


def work_day_began(one: Participant, *, rest: timedelta) -> datetime:
    """When the work began that no whole rest has interrupted since."""
    began, *earlier = reversed(all_work(one))
    for former in earlier:
        if former.end is not None and began.start - former.end >= rest:
            break
        began = former
    return began.start


def rest_too_short(look: Look) -> Iterator[Finding]:
    """WB-M2: the last work reached into the person's night, and the rest after it was too short."""
    limits = look.limits
    for one in look.record.present:
        *earlier, current = all_work(one)
        if not earlier or earlier[-1].end is None:
            continue
        last, ended = earlier[-1], earlier[-1].end
        found = rest_between(ended, current.start, needed=limits.rest)
        night = touches_night(last, one.time_zone, begins=limits.night_from, ends=limits.night_to, now=look.now)
        if found.too_short and night and look.now < found.earliest:
            until = instant_key(found.earliest)
            text = (
                f"{one.name} rested {hours(found.length)} after work at night; {hours(limits.rest)} would end at {{}}."
            )
            yield Finding("WB-M2", f"WB-M2:{one.username}:{until}", _at(text, found.earliest), Weight.RED, one.username)


def _at(text: str, at: datetime) -> str:
    return text.format(f"{at:%Y-%m-%d %H:%M} UTC")


def night_pages(look: Look) -> Iterator[Finding]:
    """WB-M3: woken too often within a week."""
    for one in look.record.present:
        woken = nights_woken(one.pages, one.time_zone, look)
        if woken and len(woken) >= look.limits.night_pages_per_week:
            text = f"{one.name} was paged {len(woken)} times at night within a week. Offer relief."
            yield Finding("WB-M3", f"WB-M3:{one.username}:{instant_key(woken[-1])}", text, about=one.username)


def nights_woken(pages: tuple[datetime, ...], time_zone: str, look: Look) -> list[datetime]:
    """The pages of the last seven days that came at night; several within a minute woke once."""
    limits, found = look.limits, list[datetime]()
    for at in sorted(at for at in pages if look.now - WEEK < at <= look.now):
        night = is_night(at, time_zone, begins=limits.night_from, ends=limits.night_to)
        if night and (not found or at - found[-1] > _AT_ONCE):
            found.append(at)
    return found


def shifts_in_a_row(look: Look) -> Iterator[Finding]:
    """WB-M4: one shift on call after another without a shift off."""
    for one in look.record.present:
        row = run_of_shifts(one.shifts, now=look.now)
        if len(row) > look.limits.shifts_in_a_row:
            text = f"{one.name} is in shift {len(row)} in a row. Swap the next one."
            yield Finding("WB-M4", f"WB-M4:{one.username}:{instant_key(row[-1].start)}", text, about=one.username)


def run_of_shifts(shifts: tuple[Stretch, ...], *, now: datetime) -> list[Stretch]:
    """The present shift and those right before it, oldest first; empty when nobody is on call now."""
    begun = sorted({one for one in shifts if one.start <= now})
    if not begun or (begun[-1].end is not None and begun[-1].end <= now):
        return []
    row = [begun.pop()]
    while begun and begun[-1].end is not None and begun[-1].end >= row[0].start:
        row.insert(0, begun.pop())
    return row


def incidents_in_a_shift(look: Look) -> Iterator[Finding]:
    """WB-M5: more incidents within twelve hours than one person can care for."""
    for one in look.record.present:
        begun = sorted(at for at in one.incidents if look.now - SHIFT < at <= look.now)
        if len(begun) > look.limits.incidents_per_shift:
            text = f"This is incident {len(begun)} for {one.name} within {hours(SHIFT)}. Ask somebody else to take it."
            yield Finding("WB-M5", f"WB-M5:{one.username}:{instant_key(begun[-1])}", text, about=one.username)
