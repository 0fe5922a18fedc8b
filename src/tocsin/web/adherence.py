"""Do we do what we wrote: the scorecard of the process, one rule of it, and the checks of one incident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe

from tocsin.audit.models import Entry
from tocsin.core.access import Right
from tocsin.core.adherence import CHECKS
from tocsin.core.adherence_outcomes import Outcome, Verdict
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind, sentence
from tocsin.core.report_periods import Period, parse_period, quarter_of
from tocsin.incidents import actions, queries
from tocsin.incidents.models import Incident
from tocsin.insights import adherence, scorecard
from tocsin.insights.scorecard import Card, Count, Row
from tocsin.web import asking, form_pages, incident_forms, incident_page

FORM = require_http_methods(["GET", "HEAD", "POST"])
ON_A_PAGE = 25


@dataclass(frozen=True, slots=True)
class Mark:
    """How a verdict looks: its word, its sign (never colour alone), and its class."""

    word: str
    sign: str
    css: str


MARKS: Mapping[Verdict, Mark] = {
    Verdict.PASSED: Mark("passed", "✓", "pass"),
    Verdict.FAILED: Mark("missed", "✕", "miss"),
    Verdict.WAIVED: Mark("exception", "e", "exception"),
    Verdict.NOT_APPLICABLE: Mark("does not apply", "–", "none"),
    Verdict.NOT_DUE: Mark("not due yet", "…", "waiting"),
    Verdict.NOT_CHECKED: Mark("not checked", "?", "unseen"),
}


@dataclass(frozen=True, slots=True)
class Tick:
    """One incident in the row of a rule. `under` is the version of the process that begins to hold with it."""

    card: Card
    mark: Mark
    under: int | None


@dataclass(frozen=True, slots=True)
class Share:
    """Passed of judged, and in words what was counted apart."""

    count: Count
    apart: str

    @property
    def is_unseen(self) -> bool:
        return not self.count.judged and self.count.not_checked > 0


@dataclass(frozen=True, slots=True)
class Line:
    row: Row
    quarter: Share
    month: Share
    ticks: tuple[Tick, ...]


@require_safe
def card(request: HttpRequest) -> HttpResponse:
    """Each rule of the process over the quarter, its last month, and the last incidents one by one."""
    now = asking.now(request)
    quarter = _quarter(request, now)
    found = scorecard.scorecard(asking.actor(request), quarter, now=now)
    fresh = _fresh_versions(found.last)
    context = {
        "found": found,
        "lines": [_line(row, fresh) for row in sorted(found.rows, key=_worst_first)],
        "fresh": fresh,
        "marks": MARKS.values(),
        **_neighbours(quarter, now),
    }
    return render(request, "web/adherence.html", context)


def _quarter(request: HttpRequest, now: datetime) -> Period:
    """The quarter asked for; this one when none is, or when what was asked for is none."""
    try:
        asked = parse_period(request.GET.get("quarter", ""), now=now)
    except Invalid:
        return quarter_of(now)
    return quarter_of(asked.start)


def _neighbours(quarter: Period, now: datetime) -> dict[str, Any]:
    following = quarter_of(quarter.end)
    return {
        "quarter": quarter,
        "before": quarter_of(quarter.start - timedelta(days=1)).name,
        "after": following.name if following.start <= now else "",
    }


def _worst_first(row: Row) -> tuple[bool, float, str]:
    """Rules with the largest share of misses first, those without a judgement last."""
    count = row.quarter
    return not count.judged, -count.failed / count.judged if count.judged else 0.0, row.code


def _line(row: Row, fresh: Mapping[int, int]) -> Line:
    ticks = tuple(Tick(card, MARKS[verdict], fresh.get(card.number)) for card, verdict in row.marks)
    return Line(row, _share(row.quarter), _share(row.month), ticks)


def _fresh_versions(last: tuple[Card, ...]) -> dict[int, int]:
    """Number of an incident -> the version that holds with it, where that differs from the one before."""
    return {card.number: card.version for former, card in pairwise(last) if card.version != former.version}


def _share(count: Count) -> Share:
    words = (
        (count.waived, "exception" if count.waived == 1 else "exceptions"),
        (count.not_due, "not due"),
        (count.not_checked, "not checked"),
        (count.not_applicable, "does not apply" if count.not_applicable == 1 else "do not apply"),
    )
    return Share(count, ", ".join(f"{number} {word}" for number, word in words if number))


@require_safe
def rule(request: HttpRequest, code: str) -> HttpResponse:
    """One rule of the process: the incidents of a quarter, misses first, each with its reason."""
    now = asking.now(request)
    quarter = _quarter(request, now)
    cards, counts = scorecard.of_rule(asking.actor(request), code, quarter, now=now)
    wanted = request.GET.get("verdict", "")
    kept = [one for one in cards if not wanted or one.verdicts[code].value == wanted]
    at = _offset(request.GET.get("from", ""), len(kept))
    shown = kept[at : at + ON_A_PAGE]
    context = {
        "check": CHECKS[code],
        "findings": [
            (one.card, MARKS[one.outcome.verdict], one.outcome) for one in scorecard.explained(shown, code, now=now)
        ],
        "tabs": [("", "All", len(cards)), *((one.value, MARKS[one].word, counts[one]) for one in MARKS if counts[one])],
        "wanted": wanted,
        "pages": _pages(quarter, wanted, at, len(kept)),
        **_neighbours(quarter, now),
    }
    return render(request, "web/adherence_rule.html", context)


def _offset(text: str, count: int) -> int:
    at = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    return at - at % ON_A_PAGE if at < count else 0


def _pages(quarter: Period, wanted: str, at: int, count: int) -> dict[str, Any]:
    def to(offset: int) -> str:
        return urlencode({"quarter": quarter.name, "verdict": wanted, "from": offset})

    return {
        "before": to(at - ON_A_PAGE) if at else "",
        "after": to(at + ON_A_PAGE) if at + ON_A_PAGE < count else "",
        "first": at + 1,
        "last": min(at + ON_A_PAGE, count),
        "count": count,
    }


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A check of one incident with the entries behind it, in words."""

    code: str
    title: str
    mark: Mark
    outcome: Outcome
    entries: tuple[tuple[Entry, str], ...]
    can_waive: bool
    can_withdraw: bool


@require_safe
def of_incident(request: HttpRequest, number: int) -> HttpResponse:
    """The checks of one incident: verdict, why, and the entries that show it."""
    actor = asking.actor(request)
    found = adherence.of_incident(actor, number, now=asking.now(request))
    row = found.incident
    may = actor.may(Right.CHECK_WAIVE, team=row.team.name if row.team else None)
    lines = [_check_line(code, outcome, found, may=may) for code, outcome in found.outcomes.items()]
    verdicts = [outcome.verdict for outcome in found.outcomes.values()]
    context = {
        "incident": row,
        "lines": lines,
        "counts": [(mark, verdicts.count(verdict)) for verdict, mark in MARKS.items() if verdicts.count(verdict)],
        "names": incident_page.names(actor),
        "as_of": found.as_of,
    }
    return render(request, "web/incident_adherence.html", context)


_WAIVABLE = {Verdict.FAILED, Verdict.NOT_DUE, Verdict.NOT_CHECKED}


def _check_line(code: str, outcome: Outcome, found: adherence.IncidentChecks, *, may: bool) -> CheckLine:
    entries = tuple((found.entries[seq], _words(found.entries[seq])) for seq in outcome.evidence)
    by_check = any(entry.kind == Kind.CHECK_WAIVED for entry, _ in entries)
    return CheckLine(
        code,
        CHECKS[code].title,
        MARKS[outcome.verdict],
        outcome,
        entries,
        can_waive=may and outcome.verdict in _WAIVABLE,
        can_withdraw=may and outcome.verdict is Verdict.WAIVED and by_check,
    )


def _words(entry: Entry) -> str:
    return sentence(entry.kind, entry.data) or entry.kind


@FORM
def waive(request: HttpRequest, number: int, code: str) -> HttpResponse:
    """A miss is not held against an incident, and somebody says why."""
    form = incident_forms.CheckWaiver(request.POST or None)

    def act(filled: dict[str, Any]) -> Incident:
        return actions.waive_check(
            asking.actor(request), number, check=code, reason=filled["reason"], now=asking.now(request)
        )

    return _form(request, number, code, form, act, heading="Not held against the incident", button="Keep as exception")


@FORM
def withdraw(request: HttpRequest, number: int, code: str) -> HttpResponse:
    """An exception counts no more, and somebody says why."""
    form = incident_forms.WaiverWithdrawal(request.POST or None)

    def act(filled: dict[str, Any]) -> Incident:
        return actions.withdraw_waiver(
            asking.actor(request), number, check=code, reason=filled["reason"], now=asking.now(request)
        )

    return _form(request, number, code, form, act, heading="Let it count again", button="Withdraw the exception")


def _form(
    request: HttpRequest,
    number: int,
    code: str,
    form: incident_forms.CheckWaiver | incident_forms.WaiverWithdrawal,
    act: form_pages.Act,
    *,
    heading: str,
    button: str,
) -> HttpResponse:
    row = queries.incident(asking.actor(request), number)
    if code not in CHECKS:
        raise NotFound(f"There is no check {code}.")
    context = {"incident": row, "check": CHECKS[code], "heading": heading, "button": button}
    then = f"/i/{number}/adherence#{code}"
    return form_pages.answer(request, form, act, template="web/adherence_form.html", context=context, then=then)


urlpatterns = [
    path("process/adherence", card, name="adherence"),
    path("process/adherence/<str:code>", rule, name="adherence-rule"),
    path("i/<int:number>/adherence", of_incident, name="incident-adherence"),
    path("i/<int:number>/adherence/<str:code>/waive", waive, name="adherence-waive"),
    path("i/<int:number>/adherence/<str:code>/withdraw", withdraw, name="adherence-withdraw"),
]
