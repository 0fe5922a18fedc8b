"""The scorecard: each rule of the process over a quarter, a month, and the last incidents one by one.

Verdicts are computed from the log when asked for. What an incident's log says is kept in memory under the hash of its
last entry: the hash names everything before it, so what is kept is right or not found.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, QuerySet

from tocsin.audit.models import Entry
from tocsin.core.access import Actor, Right, require
from tocsin.core.adherence import CHECKS, recheck_at
from tocsin.core.adherence_outcomes import Outcome, Verdict
from tocsin.core.errors import NotFound
from tocsin.core.report_periods import Period, month_of
from tocsin.incidents.models import Incident, State
from tocsin.incidents.queries import PREFIX
from tocsin.insights import adherence
from tocsin.insights.adherence_evidence import Tally
from tocsin.process.models import ProcessVersion

LAST = 10
MOST_EXCEPTIONS = 50
_KEPT = 20_000
_MOMENT = timedelta(microseconds=1)
_VOID = (State.MERGED, State.CANCELLED)
_COLUMNS = ("pk", "number", "title", "created_at", "process_version_id", "kind", "state")


@dataclass(frozen=True, slots=True)
class Card:
    """One incident as the scorecard shows it."""

    number: int
    title: str
    created_at: datetime
    version: int
    exercise: bool
    void: bool
    verdicts: dict[str, Verdict]

    @property
    def ref(self) -> str:
        return f"{PREFIX}{self.number}"


@dataclass(frozen=True, slots=True)
class Count:
    """What became of one rule over a time. `passed` of `judged`; the others are counted apart."""

    passed: int
    failed: int
    waived: int
    not_applicable: int
    not_due: int
    not_checked: int

    @property
    def judged(self) -> int:
        return self.passed + self.failed


@dataclass(frozen=True, slots=True)
class Row:
    """One rule of the process. `marks` are the last incidents, oldest first."""

    code: str
    title: str
    quarter: Count
    month: Count
    marks: tuple[tuple[Card, Verdict], ...]


@dataclass(frozen=True, slots=True)
class ExceptionMade:
    """A miss that the owner of the process does not hold against an incident, or an obligation that was waived."""

    card: Card
    code: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class VersionChange:
    """From `at` on, incidents began under this version of the process."""

    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Scorecard:
    quarter: Period
    month: Period
    as_of: datetime
    rows: tuple[Row, ...]
    last: tuple[Card, ...]
    exceptions: tuple[ExceptionMade, ...]
    more_exceptions: int
    changes: tuple[VersionChange, ...]
    incidents: int
    in_month: int
    exercises: int
    void: int
    misses: tuple[tuple[int, int], ...]
    """How many incidents missed how many rules: (misses, incidents), fewest misses first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of one incident."""

    card: Card
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Known:
    """The verdicts that a log up to one hash gives, from `at` on, until `until` (None: for good)."""

    verdicts: dict[str, Verdict]
    at: datetime
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        return self.at <= now and (self.until is None or now <= self.until)


class _Memory:
    """The verdicts asked for last, by the hash of the last entry."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str, now: datetime) -> dict[str, Verdict] | None:
        with self._lock:
            found = self._known.get(digest)
            if found is None or not found.holds(now):
                return None
            self._known.move_to_end(digest)
            return found.verdicts

    def put(self, digest: str, known: _Known) -> None:
        with self._lock:
            self._known[digest] = known
            self._known.move_to_end(digest)
            while len(self._known) > self._size:
                self._known.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._known.clear()


MEMORY = _Memory(_KEPT)
_MISSES_FIRST = (
    Verdict.FAILED,
    Verdict.WAIVED,
    Verdict.PASSED,
    Verdict.NOT_DUE,
    Verdict.NOT_CHECKED,
    Verdict.NOT_APPLICABLE,
)


def scorecard(actor: Actor, quarter: Period, *, now: datetime) -> Scorecard:
    """The scorecard of one quarter, with its latest month and the last incidents that had begun in it by then."""
    require(actor, Right.INCIDENT_READ)
    month = month_of(min(now, quarter.end - _MOMENT))
    cards = cards_of(Incident.objects.filter(created_at__gte=quarter.start, created_at__lt=quarter.end), now=now)
    real = [card for card in cards if not card.exercise and not card.void]
    last = _last(real, quarter, now=now)
    counted, counted_month = _tally(real), _tally(card for card in real if month.holds(card.created_at))
    exceptions = [(card, code) for card in real for code, verdict in card.verdicts.items() if verdict is Verdict.WAIVED]
    shown = sorted(exceptions, key=lambda pair: -pair[0].number)[:MOST_EXCEPTIONS]
    return Scorecard(
        quarter=quarter,
        month=month,
        as_of=now,
        rows=tuple(
            Row(
                code,
                check.title,
                _count(counted, code),
                _count(counted_month, code),
                tuple((card, card.verdicts[code]) for card in last),
            )
            for code, check in CHECKS.items()
        ),
        last=tuple(last),
        exceptions=tuple(_explained(shown, now=now)),
        more_exceptions=len(exceptions) - len(shown),
        changes=_changes(real),
        incidents=len(real),
        in_month=counted_month.incidents,
        exercises=sum(card.exercise for card in cards),
        void=sum(card.void and not card.exercise for card in cards),
        misses=_misses(real),
    )


def of_rule(actor: Actor, code: str, quarter: Period, *, now: datetime) -> tuple[list[Card], Counter[Verdict]]:
    """The incidents of a quarter by what one rule says of them, misses first, newest first; and how many of each.

    Raises NotFound for a rule there is none of.
    """
    require(actor, Right.INCIDENT_READ)
    if code not in CHECKS:
        raise NotFound(f"There is no check {code}; they are {min(CHECKS)} to {max(CHECKS)}.")
    rows = Incident.objects.filter(created_at__gte=quarter.start, created_at__lt=quarter.end, kind="real")
    cards = cards_of(rows.exclude(state__in=_VOID), now=now)
    cards.sort(key=lambda card: (_MISSES_FIRST.index(card.verdicts[code]), -card.number))
    return cards, Counter(card.verdicts[code] for card in cards)


def explained(cards: Iterable[Card], code: str, *, now: datetime) -> list[Finding]:
    """What one rule says of some incidents, in words, read from the log anew: for one page of them."""
    return [Finding(made.card, made.outcome) for made in _explained([(card, code) for card in cards], now=now)]


def cards_of(rows: QuerySet[Incident], *, now: datetime) -> list[Card]:
    """Incidents with their verdicts as of `now`, oldest first; a few logs in memory at a time."""
    numbers = dict(ProcessVersion.objects.values_list("pk", "number"))
    cards: list[Card] = []
    for some in adherence.batches(rows.order_by("created_at", "number").values(*_COLUMNS), size=500):
        verdicts = _verdicts([(f"{PREFIX}{row['number']}", row["process_version_id"]) for row in some], now=now)
        cards += [_card(row, numbers, verdicts) for row in some]
    return cards


def _card(row: dict[str, Any], numbers: dict[int, int], verdicts: dict[str, dict[str, Verdict]]) -> Card:
    return Card(
        number=row["number"],
        title=row["title"],
        created_at=row["created_at"],
        version=numbers[row["process_version_id"]],
        exercise=row["kind"] == "exercise",
        void=row["state"] in _VOID,
        verdicts=verdicts[f"{PREFIX}{row['number']}"],
    )


def _verdicts(rows: Sequence[tuple[str, int]], *, now: datetime) -> dict[str, dict[str, Verdict]]:
    digests = _digests([ref for ref, _ in rows])
    found: dict[str, dict[str, Verdict]] = {}
    missing: list[tuple[str, int]] = []
    for ref, version in rows:
        kept = MEMORY.get(digests[ref], now) if ref in digests else None
        if kept is None:
            missing.append((ref, version))
        else:
            found[ref] = kept
    if missing:
        definitions = adherence.definitions(version for _, version in missing)
        for ref, outcomes in adherence.outcomes_of(missing, definitions, as_of=now):
            found[ref] = {code: outcome.verdict for code, outcome in outcomes.items()}
            if ref in digests:
                MEMORY.put(digests[ref], _Known(found[ref], now, recheck_at(outcomes)))
    return found


def _digests(refs: list[str]) -> dict[str, str]:
    """The hash of the last entry of each incident."""
    last = Entry.objects.filter(incident__in=refs).order_by().values("incident").annotate(last=Max("seq"))
    seqs = [row["last"] for row in last]
    return dict(Entry.objects.filter(seq__in=seqs).values_list("incident", "hash"))


def _last(real: list[Card], quarter: Period, *, now: datetime) -> list[Card]:
    """The last incidents up to the end of the quarter; earlier ones fill up where it had few."""
    if len(real) >= LAST:
        return real[-LAST:]
    usual = Incident.objects.filter(created_at__lt=quarter.start, kind="real").exclude(state__in=_VOID)
    wanted = list(usual.order_by("-created_at", "-number").values_list("pk", flat=True)[: LAST - len(real)])
    earlier = cards_of(Incident.objects.filter(pk__in=wanted), now=now) if wanted else []
    return [*earlier, *real]


def _misses(cards: list[Card]) -> tuple[tuple[int, int], ...]:
    counts = Counter(list(card.verdicts.values()).count(Verdict.FAILED) for card in cards)
    return tuple(sorted(counts.items()))


def _tally(cards: Iterable[Card]) -> Tally:
    tally = Tally.empty()
    for card in cards:
        tally.add(card.verdicts, exercise=card.exercise)
    return tally


def _count(tally: Tally, code: str) -> Count:
    counts = tally.counts[code]
    return Count(
        counts[Verdict.PASSED],
        counts[Verdict.FAILED],
        counts[Verdict.WAIVED],
        counts[Verdict.NOT_APPLICABLE],
        counts[Verdict.NOT_DUE],
        counts[Verdict.NOT_CHECKED],
    )


def _explained(pairs: list[tuple[Card, str]], *, now: datetime) -> Iterable[ExceptionMade]:
    """Exceptions with who and why, which is read from the log anew: there are few."""
    if not pairs:
        return
    numbers = {card.number for card, _ in pairs}
    rows = Incident.objects.filter(number__in=numbers).values_list("number", "process_version_id")
    versions = [(f"{PREFIX}{number}", version) for number, version in rows]
    definitions = adherence.definitions(version for _, version in versions)
    outcomes = dict(adherence.outcomes_of(versions, definitions, as_of=now))
    for card, code in pairs:
        yield ExceptionMade(card, code, outcomes[card.ref][code])


def _changes(cards: list[Card]) -> tuple[VersionChange, ...]:
    """Where incidents began under another version of the process than those before."""
    found: list[VersionChange] = []
    for card in cards:
        if not found or found[-1].number != card.version:
            found.append(VersionChange(card.version, card.created_at))
    return tuple(found)
