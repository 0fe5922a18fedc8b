"""Check the words of a stakeholder update and of a record: promises, repetition, length, blame."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from tocsin.core.process_parts import BlameForm, MessageSettings, NotificationSettings


class UpdateKind(StrEnum):
    OPENING = "opening"
    PROGRESS = "progress"
    CLOSING = "closing"


class Weight(StrEnum):
    """A refusal keeps the message from being sent; a warning is shown to its writer."""

    REFUSE = "refuse"
    WARN = "warn"


class WordingRule(StrEnum):
    EMPTY = "empty"
    NEXT_UPDATE_MISSING = "next_update_missing"
    NEXT_UPDATE_NOT_AHEAD = "next_update_not_ahead"
    NEXT_UPDATE_TOO_LATE = "next_update_too_late"
    PROMISES_AN_END = "promises_an_end"
    SAME_AS_BEFORE = "same_as_before"
    TOO_LONG = "too_long"
    TOO_SOON = "too_soon"
    WHOLE_SERVICE_WORD = "whole_service_word"
    NAME_FOR_OUTSIDERS = "name_for_outsiders"
    BLAME = "blame"


@dataclass(frozen=True)
class Finding:
    """One remark about a text: the rule, its weight, a sentence for the writer and the words it is about."""

    rule: WordingRule
    weight: Weight
    message: str
    words: str = ""


@dataclass(frozen=True)
class UpdateDraft:
    """An update that is about to be sent, with what the checks need to know of its surroundings.

    `cadence` is the longest time the priority allows until the next update, None when it sets none. `internal_names`
    are people, hosts and suppliers that outsiders must not read.
    """

    kind: UpdateKind
    text: str
    next_update_at: datetime | None = None
    cadence: timedelta | None = None
    previous_text: str = ""
    previous_sent_at: datetime | None = None
    short_medium: bool = False
    for_outsiders: bool = False
    whole_service_down: bool = False
    internal_names: tuple[str, ...] = ()


def lint_update(
    draft: UpdateDraft, messages: MessageSettings, notification: NotificationSettings, *, now: datetime
) -> tuple[Finding, ...]:
    """Everything to say about an update before it is sent at `now`; refusals first."""
    found = [
        *_next_update(draft, notification, now),
        *_words(draft, messages),
        *_repetition(draft, messages, now),
        *lint_blame(draft.text, messages.blame),
    ]
    return tuple(sorted(found, key=lambda finding: finding.weight is Weight.WARN))


def is_refused(findings: Iterable[Finding]) -> bool:
    """Whether one of the findings keeps the message from being sent."""
    return any(finding.weight is Weight.REFUSE for finding in findings)


def _next_update(draft: UpdateDraft, notification: NotificationSettings, now: datetime) -> Iterable[Finding]:
    if draft.kind is UpdateKind.CLOSING or not notification.next_update_required:
        return
    if draft.next_update_at is None:
        text = "Say when the next update comes; only a closing message may leave it out."
        yield Finding(WordingRule.NEXT_UPDATE_MISSING, Weight.REFUSE, text)
    elif draft.next_update_at <= now:
        text = "The next update has to lie ahead."
        yield Finding(WordingRule.NEXT_UPDATE_NOT_AHEAD, Weight.REFUSE, text)
    elif draft.cadence is not None and draft.next_update_at > now + draft.cadence:
        text = "The next update is promised for later than the priority allows."
        yield Finding(WordingRule.NEXT_UPDATE_TOO_LATE, Weight.REFUSE, text)


def _words(draft: UpdateDraft, messages: MessageSettings) -> Iterable[Finding]:
    limit = messages.max_characters_short if draft.short_medium else messages.max_characters
    if not draft.text.strip():
        yield Finding(WordingRule.EMPTY, Weight.REFUSE, "There is nothing to send yet.")
    if len(draft.text) > limit:
        text = f"{len(draft.text)} characters; {limit} is the most that gets read."
        yield Finding(WordingRule.TOO_LONG, Weight.WARN, text)
    if draft.kind is not UpdateKind.CLOSING:
        for form in _found(draft.text, messages.end_time_promises):
            text = "Promise the next update, not the end."
            yield Finding(WordingRule.PROMISES_AN_END, Weight.WARN, text, form)
    if not draft.whole_service_down:
        for word in _found(draft.text, messages.whole_service_words):
            text = "Use this word only when the whole service is down; else say what does not work."
            yield Finding(WordingRule.WHOLE_SERVICE_WORD, Weight.WARN, text, word)
    if draft.for_outsiders:
        for name in _found(draft.text, draft.internal_names):
            text = "Outsiders do not read names of people, hosts or suppliers."
            yield Finding(WordingRule.NAME_FOR_OUTSIDERS, Weight.REFUSE, text, name)


def _repetition(draft: UpdateDraft, messages: MessageSettings, now: datetime) -> Iterable[Finding]:
    same = _plain(draft.text) == _plain(draft.previous_text) and bool(draft.text.strip())
    if same:
        text = "This says the same as last time. Add something useful, such as a workaround."
        yield Finding(WordingRule.SAME_AS_BEFORE, Weight.WARN, text)
    soon = draft.previous_sent_at is not None and now - draft.previous_sent_at < messages.min_between_updates
    if soon and draft.kind is UpdateKind.PROGRESS and same:
        text = "The last update is only just out, and there are no new facts."
        yield Finding(WordingRule.TOO_SOON, Weight.WARN, text)


def lint_blame(text: str, forms: Iterable[BlameForm]) -> tuple[Finding, ...]:
    """Forms of words that look for a guilty person, with what to write instead. Advice, never a refusal."""
    return _blame(text, tuple(forms))


@lru_cache(maxsize=8192)
def _blame(text: str, forms: tuple[BlameForm, ...]) -> tuple[Finding, ...]:
    """Kept, because the same notes are looked at whenever somebody opens the incident."""
    return tuple(
        Finding(WordingRule.BLAME, Weight.WARN, f"Looks for a guilty person: {form.instead}.", form.form)
        for form in forms
        if _contains(text, form.form)
    )


def _found(text: str, phrases: Iterable[str]) -> tuple[str, ...]:
    return tuple(phrase for phrase in phrases if _contains(text, phrase))


def _contains(text: str, phrase: str) -> bool:
    pattern = _pattern(phrase)
    return pattern is not None and pattern.search(text.replace("\u2019", "'")) is not None


@lru_cache(maxsize=1024)
def _pattern(phrase: str) -> re.Pattern[str] | None:
    """What finds a phrase between word borders; None for one without words."""
    # Word borders by neighbouring word characters, because a phrase may itself begin with an apostrophe.
    before = r"(?<!\w)" if phrase[:1].isalnum() else ""
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    return re.compile(f"{before}{words}(?!\\w)", re.IGNORECASE) if words else None


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
