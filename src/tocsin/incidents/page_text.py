"""What a page says. Written for somebody who was asleep: priority, service, the fact, since when, what to answer.

The first forty characters stand alone, because that is what a locked phone shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tocsin.core.wall_time import wall_of, zone
from tocsin.platform.text import one_line

_SERVICE = 20
_SUBJECT = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What a page tells. `code` is the priority as people say it; `url` is the page's own link.

    `priority` is the priority with its name, `priority_url` where it is explained.
    """

    code: str
    ref: str
    service: str
    what: str
    since_at: datetime
    time_zone: str
    url: str
    runbook_url: str = ""
    priority: str = ""
    priority_url: str = ""


@dataclass(frozen=True, slots=True)
class PageText:
    subject: str
    text: str


def wall(at: datetime, *, time_zone: str, now: datetime) -> str:
    """The wall time of `at` in a zone, with the zone's name, and with the day unless it is today."""
    where = zone(time_zone)
    wall = wall_of(at, where)
    name = at.astimezone(where).strftime("%Z")
    day = "" if wall.date() == wall_of(now, where).date() else f"{wall.day} {wall:%b} "
    return f"{day}{wall:%H:%M} {name}"


def fact_line(facts: PageFacts, *, now: datetime) -> str:
    """Priority, service, fact, since when: "P1 Log-on: 38% of log-ons fail, since 02:58 CET"."""
    began = f", since {wall(facts.since_at, time_zone=facts.time_zone, now=now)}"
    head = f"{facts.code} {one_line(facts.service, limit=_SERVICE)}: "
    return head + one_line(facts.what, limit=_SUBJECT - len(head) - len(began)) + began


def page(facts: PageFacts, *, now: datetime) -> PageText:
    """You are on call and this is for you."""
    line = fact_line(facts, now=now)
    text = [line, "", f"You are on call for {one_line(facts.service)}.", *_answer(facts)]
    return PageText(line, "\n".join(text))


def escalated(facts: PageFacts, *, after: str, now: datetime) -> PageText:
    """Nobody before you has answered, or somebody passed it on, so it is yours now. `after` says which."""
    line = fact_line(facts, now=now)
    text = [line, "", f"{facts.ref} is with you now. {after}", *_answer(facts)]
    return PageText(line, "\n".join(text))


def fallback(facts: PageFacts, *, now: datetime) -> PageText:
    """The chain is at its end and nobody has answered: you are the last one who can act."""
    line = fact_line(facts, now=now)
    told = "Nobody has answered. You are told because you are the fallback contact; no one else will be."
    return PageText(line, "\n".join([line, "", told, *_answer(facts)]))


def role(facts: PageFacts, *, display_name: str, responsibilities: tuple[str, ...]) -> PageText:
    """The process asks for a role, and you are on call for it."""
    name = display_name.lower()
    subject = f"{facts.code} {one_line(facts.service, limit=_SERVICE)}: please join {facts.ref} as {name}"
    first_things = [f"- {one_line(duty)}" for duty in responsibilities[:3]]
    text = [
        f"Please join {facts.ref} as {name}.",
        one_line(facts.what),
        "",
        "First things to do:",
        *first_things,
        "",
        f"Yes or no, without signing in: {facts.url}",
        "No is fine: then the next one can be asked.",
    ]
    return PageText(subject, "\n".join(text))


def asked(facts: PageFacts, *, by: str, to: str, why: str, now: datetime) -> PageText:
    """Another team, or management, is asked for help: who asks, and for what."""
    line = fact_line(facts, now=now)
    text = [
        line,
        "",
        f"{one_line(by)} asks {one_line(to)}: {one_line(why)}",
        "",
        f"Say that you look after it, without signing in: {facts.url}",
        "Not you? Say so there; then somebody else can be asked.",
    ]
    return PageText(line, "\n".join(text))


def stand_down(facts: PageFacts, *, who: str) -> PageText:
    """You were paged and need not do anything any more. `who` has it; empty when it is over."""
    what = f"{who} has it" if who else "working again"
    return PageText(f"{facts.ref}: {what}", f"{one_line(facts.what)}\n\n{what}. Thank you. Nothing for you to do.")


def called_off(facts: PageFacts) -> PageText:
    """You were asked to join, and whoever asked has taken it back."""
    return PageText(
        f"{facts.ref}: you are not needed after all",
        f"{one_line(facts.what)}\n\nThe request to join was taken back. Thank you. Nothing for you to do.",
    )


def looks_healthy(facts: PageFacts) -> PageText:
    """The alert ended while somebody has the incident: only a person resolves it."""
    subject = f"{facts.ref}: {one_line(facts.service, limit=_SERVICE)} looks healthy again"
    text = [
        "The alert has ended. Nothing is resolved without a person.",
        "",
        f"Resolve it or leave it open: {facts.url}",
    ]
    return PageText(subject, "\n".join(text))


def grown(facts: PageFacts, *, how: str) -> PageText:
    """To whoever has the incident: it is worse. No page, for somebody who is on it already."""
    subject = f"{facts.ref}: {one_line(facts.service, limit=_SERVICE)} is worse"
    return PageText(subject, f"{one_line(facts.what)}\n\nWorse: {how}.\n\nThe incident: {facts.url}")


def late(ref: str, service: str, *, what: str, due: str, url: str) -> PageText:
    """Something you owe has not happened in time."""
    subject = f"{ref}: {what} was due at {due}"
    text = [f"{one_line(service)}: {what} was due at {due} and has not happened.", "", f"Do it or move it: {url}"]
    return PageText(subject, "\n".join(text))


def report_late(ref: str, title: str, *, authority: str, report: str, due: str, url: str) -> PageText:
    """An authority waits for a report; or it went out and nobody wrote that down."""
    subject = f"{ref}: the {report} report to {one_line(authority)} was due at {due}"
    text = [
        one_line(title),
        "",
        f"The {report} report to {one_line(authority)} was due at {due}. Nobody has written down that it went out.",
        "",
        f"Send it, then write down when. Sent already? Write it down: {url}",
    ]
    return PageText(subject, "\n".join(text))


def _answer(facts: PageFacts) -> list[str]:
    lines = ["", f"I'm on it, or pass on: {facts.url}", "Passing on is fine; the next one is asked at once."]
    runbook = [f"Runbook: {facts.runbook_url}"] if facts.runbook_url else []
    priority = [f"Priority: {facts.priority}, {facts.priority_url}"] if facts.priority else []
    return [*lines, *runbook, *priority]


def decision_due(ref: str, text: str, *, what: str, due: str, url: str) -> PageText:
    """A decision is for you and its time is up. It asks for a word, nothing is stopped by it."""
    subject = f"{ref}: please {what}"
    lines = [
        f"A decision in {ref} is for you:",
        one_line(text, limit=300),
        "",
        f"Please {what}. It was due at {due}.",
        "How it is done is your choice. If it cannot be done, say so; that is an answer, too.",
        "",
        url,
    ]
    return PageText(subject, "\n".join(lines))
