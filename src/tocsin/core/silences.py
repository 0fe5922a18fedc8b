"""Silences: which alerts are kept quiet at a moment, by which silence, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tocsin.core.errors import Invalid
from tocsin.core.matchers import Matcher, all_hold, holds
from tocsin.core.reasons import Reason


class SilenceState(StrEnum):
    """Where a silence stands (Alertmanager's words)."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


class SilenceReason(Reason):
    """Why an alert is quiet, or not."""

    SILENCED = "silenced", "A silence matches the alert."
    HEARD = "heard", "No silence that is active matches the alert."


@dataclass(frozen=True, slots=True)
class Silence:
    """All matchers must hold; it is active in [starts_at, ends_at)."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SilenceDecision:
    """The silences that keep an alert quiet, in the order given, and when the last of them ends (None without any)."""

    silenced_by: tuple[str, ...]
    until: datetime | None
    reason: SilenceReason


def silence_state(silence: Silence, *, now: datetime) -> SilenceState:
    """Whether a silence is still to come, active or over at `now`."""
    if now < silence.starts_at:
        return SilenceState.PENDING
    return SilenceState.ACTIVE if now < silence.ends_at else SilenceState.EXPIRED


def active_silences(silences: Iterable[Silence], *, now: datetime) -> tuple[Silence, ...]:
    """The silences that are active at `now`."""
    return tuple(silence for silence in silences if silence_state(silence, now=now) is SilenceState.ACTIVE)


def decide(silences: Iterable[Silence], labels: Mapping[str, str], *, now: datetime) -> SilenceDecision:
    """Which silences keep an alert with these labels quiet at `now`. Ask again at every send: silences come and end."""
    found = [silence for silence in active_silences(silences, now=now) if all_hold(silence.matchers, labels)]
    if not found:
        return SilenceDecision((), None, SilenceReason.HEARD)
    until = max(silence.ends_at for silence in found)
    return SilenceDecision(tuple(silence.id for silence in found), until, SilenceReason.SILENCED)


def check_silence(matchers: Sequence[Matcher], *, starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raise `Invalid` for a silence that would silence everything, or nothing."""
    problems: dict[str, str] = {}
    if not matchers:
        problems["matchers"] = "A silence needs at least one matcher."
    elif all(holds(matcher, {}) for matcher in matchers):
        problems["matchers"] = "At least one matcher must not match the empty value, or everything would be silenced."
    if ends_at <= starts_at:
        problems["endsAt"] = "The end must be after the start."
    elif ends_at <= now:
        problems["endsAt"] = "The end must be in the future."
    if problems:
        raise Invalid(problems)
