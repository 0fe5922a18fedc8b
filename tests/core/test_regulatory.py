"""The clocks of an authority: what is major, what is owed by when, and which word counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.core.process_samples import PROCESS
from tocsin.core.adherence_record import Event
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.core.process_definition import parse_process, to_document
from tocsin.core.regulatory import after_months, classified, next_report, reports
from tocsin.core.regulatory_settings import Criterion, Regime

HOUR = timedelta(hours=1)
REGIME = Regime(
    code="bank",
    name="Bank authority",
    on=True,
    after_classification=4 * HOUR,
    after_awareness=24 * HOUR,
    after_initial=72 * HOUR,
    final_after_months=1,
    thresholds=2,
    criteria=(
        Criterion("core", "Core services?", needed=True),
        Criterion("breach", "Broken into?", enough=True),
        Criterion("clients", "Many clients?"),
        Criterion("costs", "Costly?"),
    ),
)
FRIDAY = datetime(2026, 3, 6, 14, 0, tzinfo=UTC)


def found(seq: int, at: datetime, *, aware: datetime = FRIDAY, major: bool | None = None) -> Event:
    data: dict[str, Any] = {"regime": "bank", "aware_at": aware.isoformat()}
    return Event(seq, at, Kind.REGULATORY_CLASSIFIED, "ada", data if major is None else data | {"major": major})


def sent(seq: int, report: str, at: datetime, *, told: datetime | None = None) -> Event:
    data = {"regime": "bank", "report": report, "sent_at": at.isoformat()}
    return Event(seq, told or at, Kind.REGULATORY_REPORTED, "ada", data)


def on(day: int, clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("classified_at", "due_at"),
    [(on(6, "16:30"), on(6, "20:30")), (on(7, "12:30"), on(7, "14:00")), (on(8, "09:00"), on(8, "13:00"))],
)
def test_the_first_report_is_due_after_the_finding_and_after_becoming_aware(
    classified_at: datetime, due_at: datetime
) -> None:
    [one] = reports(REGIME, [found(1, classified_at)])
    assert (one.kind, one.due_at, one.sent_at) == ("initial", due_at, None)


def test_each_report_sets_the_clock_of_the_next_by_when_it_went_out() -> None:
    log = [found(1, on(6, "16:30")), sent(2, "initial", on(6, "20:00"), told=on(6, "23:00"))]
    first, second = reports(REGIME, log)
    assert not first.is_late(now=on(20, "00:00"))
    assert (second.kind, second.due_at) == ("intermediate", on(9, "20:00"))
    assert second.is_late(now=on(9, "20:01"))
    assert not second.is_late(now=on(9, "20:00"))
    log += [sent(3, "intermediate", on(9, "19:00")), sent(4, "intermediate", on(10, "08:00"))]
    *_, again, final = reports(REGIME, log)
    assert again.again
    assert not again.is_late(now=on(30, "00:00"))
    assert (final.kind, final.due_at) == ("final", datetime(2026, 4, 10, 8, 0, tzinfo=UTC))
    log.append(sent(5, "final", datetime(2026, 4, 10, 8, 1, tzinfo=UTC)))
    done = reports(REGIME, log)
    assert done[-1].is_late(now=on(30, "00:00"))
    assert next_report(done) is None


def test_looking_at_it_again_moves_no_clock_and_taking_it_back_ends_them() -> None:
    log = [found(1, on(6, "16:30")), found(2, on(6, "18:00"))]
    assert reports(REGIME, log)[0].due_at == on(6, "20:30")
    log.append(found(3, on(6, "19:00"), major=False))
    assert reports(REGIME, log) == ()
    last = classified("bank", log)
    assert last is not None
    assert (last.major, last.seq) == (False, 3)
    log.append(found(4, on(6, "19:30")))
    assert reports(REGIME, log)[0].due_at == on(6, "23:30")


def test_a_regime_that_is_off_or_that_nobody_looked_at_owes_nothing() -> None:
    off = Regime("bank", "Bank", False, 4 * HOUR, 24 * HOUR, 72 * HOUR, 1)
    assert reports(off, [found(1, on(6, "16:30"))]) == ()
    assert reports(REGIME, []) == ()
    assert classified("bank", []) is None


@pytest.mark.parametrize(
    ("met", "major"),
    [
        ({"core", "breach"}, True),
        ({"core", "clients", "costs"}, True),
        ({"core", "clients"}, False),
        ({"breach", "clients", "costs"}, False),
        (set[str](), False),
    ],
)
def test_the_criteria_suggest(met: set[str], major: bool) -> None:
    assert REGIME.is_major(met) is major


def test_the_last_day_of_a_month_stays_one() -> None:
    assert after_months(datetime(2026, 1, 31, 9, tzinfo=UTC), 1) == datetime(2026, 2, 28, 9, tzinfo=UTC)
    assert after_months(datetime(2026, 12, 15, 9, tzinfo=UTC), 1) == datetime(2027, 1, 15, 9, tzinfo=UTC)


def test_the_shipped_regime_is_off_and_has_its_criteria_as_data() -> None:
    from tocsin.process.defaults import default_document

    [shipped] = parse_process(default_document()).regimes
    assert not shipped.on
    assert (shipped.thresholds, len(shipped.criteria)) == (2, 8)
    assert shipped.is_major({"critical_services", "duration", "geography"})


def test_a_faulty_section_is_refused_with_its_place() -> None:
    bad = to_document(PROCESS) | {"regulatory_clocks": {"bank": {"initial": {"after_classification_hours": "soon"}}}}
    with pytest.raises(Invalid) as refused:
        parse_process(bad)
    assert any("regulatory_clocks" in where for where in refused.value.fields)
