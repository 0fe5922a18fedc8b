"""What one message about an alert means: a start, a repeat, an end, or something to be set aside with a reason.

Senders resend, reorder, lose messages and have clocks of their own. The rules, in short: a repeat adds nothing; an end
resolves; an end that nobody knows is remembered for a while, so that its own late beginning opens nothing; whatever says
that it fires now, and is no such latecomer, is heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.core.reasons import Reason

RESOLVE_TIMEOUT = timedelta(minutes=5)
"""How long an alert without an announced end counts as firing after the last word about it (Alertmanager's default)."""
REMEMBERED = timedelta(minutes=5)
"""How long after an end a start that lies before it is taken for a late message. Then it is heard: better twice than never."""


class AlertKind(StrEnum):
    """What a message does."""

    OPENED = "opened"
    REPEAT = "repeat"
    RESOLVED = "resolved"
    STALE_TRIGGER = "stale_trigger"
    STALE_RESOLVE = "stale_resolve"
    IGNORED_REPEATED_RESOLVE = "ignored_repeated_resolve"
    IGNORED_UNKNOWN_RESOLVE = "ignored_unknown_resolve"
    REFUSED = "refused"


class AlertReason(Reason):
    """Why a message is taken as it is."""

    NEW = "new", "The alert started."
    STARTED_AGAIN = "started_again", "The alert started again after its end."
    STILL_REPORTED = "still_reported", "The alert is still reported long after its end was."
    BACK_AFTER_SILENCE = "back_after_silence", "The source, which had fallen silent, reports the alert again."
    ALREADY_FIRING = "already_firing", "The alert is already open."
    END_SAID = "end_said", "The source says that the alert ended."
    LATE_START = "late_start", "A late message: the alert it tells of has ended."
    LATE_END = "late_end", "A late message: it ends an earlier alert, not the open one."
    ALREADY_ENDED = "already_ended", "The alert has already ended."
    NEVER_SEEN = "never_seen", "The end of an alert that was not seen; it is remembered for a while."
    ENDS_BEFORE_START = "ends_before_start", "The alert ends before it starts."


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a message says. A missing time, or the zero time of year 1, is None once `said` has read it.

    `ended` is for formats that say "resolve" in a word rather than by a time in the past.
    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """The latest episode of the alert's key. `end_said` is False when it ended (or will) by our time-out alone.

    `start_said` is False when its start is our own clock's, because the source named none.
    """

    firing: bool
    starts_at: datetime
    ends_at: datetime
    start_said: bool = True
    end_said: bool = True


@dataclass(frozen=True, slots=True)
class AlertDecision:
    """What to do, and the times to store. `ends_at` is the announced end while firing, the end itself otherwise."""

    kind: AlertKind
    reason: AlertReason
    starts_at: datetime
    ends_at: datetime
    start_said: bool
    end_said: bool


def said(instant: datetime | None) -> datetime | None:
    """A time as the sender meant it: the zero time of year 1 stands for none at all."""
    return None if instant is None or instant.year <= 1 else instant


def decide(
    existing: KnownAlert | None,
    incoming: Incoming,
    *,
    now: datetime,
    resolve_timeout: timedelta = RESOLVE_TIMEOUT,
    remembered: timedelta = REMEMBERED,
) -> AlertDecision:
    """What a message that arrives at `now` does to the latest episode of its key, or to none.

    A start in the future is the fault of the sender's clock and counts as now. Half open: an end at `now` has passed.
    """
    start, end = said(incoming.starts_at), said(incoming.ends_at)
    settled = _settled(start, end, ended=incoming.ended, now=now, resolve_timeout=resolve_timeout)
    if start is not None and end is not None and end < start:
        return _decision(settled, AlertKind.REFUSED, AlertReason.ENDS_BEFORE_START)
    if settled.firing:
        return _started(existing, settled, now=now, remembered=remembered)
    return _ended(existing, settled)


def _settled(
    start: datetime | None, end: datetime | None, *, ended: bool, now: datetime, resolve_timeout: timedelta
) -> KnownAlert:
    """The message with all its times filled in, as an episode of its own."""
    ends_at = min(end or now, now) if ended else end or now + resolve_timeout
    starts_at = min(start or now, now, ends_at)
    return KnownAlert(
        firing=ends_at > now,
        starts_at=starts_at,
        ends_at=ends_at,
        start_said=start is not None,
        end_said=end is not None or ended,
    )


def _started(existing: KnownAlert | None, heard: KnownAlert, *, now: datetime, remembered: timedelta) -> AlertDecision:
    if existing is None:
        return _decision(heard, AlertKind.OPENED, AlertReason.NEW)
    if existing.firing:
        # The episode keeps its own start: a source that begins to count anew has not made a new cause.
        repeat = KnownAlert(True, existing.starts_at, heard.ends_at, existing.start_said, heard.end_said)
        return _decision(repeat, AlertKind.REPEAT, AlertReason.ALREADY_FIRING)
    if heard.starts_at >= existing.ends_at:
        return _decision(heard, AlertKind.OPENED, AlertReason.STARTED_AGAIN)
    if not existing.end_said:
        return _decision(heard, AlertKind.OPENED, AlertReason.BACK_AFTER_SILENCE)
    if now - existing.ends_at >= remembered:
        return _decision(heard, AlertKind.OPENED, AlertReason.STILL_REPORTED)
    return _decision(heard, AlertKind.STALE_TRIGGER, AlertReason.LATE_START)


def _ended(existing: KnownAlert | None, heard: KnownAlert) -> AlertDecision:
    if existing is None:
        return _decision(heard, AlertKind.IGNORED_UNKNOWN_RESOLVE, AlertReason.NEVER_SEEN)
    if not existing.firing:
        return _decision(heard, AlertKind.IGNORED_REPEATED_RESOLVE, AlertReason.ALREADY_ENDED)
    # Only between two starts that the source itself named can it be told which alert an end belongs to.
    if existing.start_said and heard.start_said and heard.ends_at < existing.starts_at:
        return _decision(heard, AlertKind.STALE_RESOLVE, AlertReason.LATE_END)
    ends_at = max(heard.ends_at, existing.starts_at)
    return _decision(
        KnownAlert(False, existing.starts_at, ends_at, existing.start_said, True),
        AlertKind.RESOLVED,
        AlertReason.END_SAID,
    )


def _decision(episode: KnownAlert, kind: AlertKind, reason: AlertReason) -> AlertDecision:
    return AlertDecision(kind, reason, episode.starts_at, episode.ends_at, episode.start_said, episode.end_said)


class EndKind(StrEnum):
    """What the end of an alert does to its incident."""

    RESOLVE = "resolve"
    ASK = "ask"
    MARK = "mark"
    NOTHING = "nothing"


class EndReason(Reason):
    """Why the end of an alert does that."""

    ENDED = "ended", "The alert ended."
    ENDED_BUT_TAKEN = "ended_but_taken", "The alert ended; the person who took the incident is asked to resolve it."
    SILENT = "silent", "The source no longer reports the alert."
    SILENT_AND_GRAVE = "silent_and_grave", "The source no longer reports the alert; that is no proof that it is over."
    STILL_FIRING = "still_firing", "The announced end of the alert has not come."


@dataclass(frozen=True, slots=True)
class EndDecision:
    """What happens to the incident of an alert."""

    kind: EndKind
    reason: EndReason


def end_of_alert(alert: KnownAlert, *, now: datetime, grave: bool, taken: bool) -> EndDecision:
    """What an alert's end, said or timed out, does to its incident at `now`.

    `grave` marks the priorities that the process does not let a machine resolve; `taken` says that a person has
    acknowledged the incident.
    """
    if alert.ends_at > now:
        return EndDecision(EndKind.NOTHING, EndReason.STILL_FIRING)
    if not alert.end_said:
        return (
            EndDecision(EndKind.MARK, EndReason.SILENT_AND_GRAVE)
            if grave
            else EndDecision(EndKind.RESOLVE, EndReason.SILENT)
        )
    if grave and taken:
        return EndDecision(EndKind.ASK, EndReason.ENDED_BUT_TAKEN)
    return EndDecision(EndKind.RESOLVE, EndReason.ENDED)
