"""The reckoning of a file over a recorded series: contract SLO-2, boundaries exact."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tocsin.config.evaluate_csv import reckon
from tocsin.core.errors import Invalid

START = datetime(2026, 3, 2, tzinfo=UTC)
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: get-data
  annotations: {{tocsin.dev/snooze: {snooze}}}
spec:
  service: data
  indicatorRef: anything
  timeWindow: [{{duration: {window}, {kind}}}]
  budgetingMethod: {method}
  objectives: [{{target: {target}{more}}}]
  alertPolicies:
    - kind: AlertPolicy
      metadata: {{name: burn}}
      spec:
        conditions:
          - kind: AlertCondition
            metadata: {{name: fast}}
            spec:
              severity: page
              condition: {{kind: burnrate, threshold: {threshold}, lookbackWindow: 1h, alertAfter: {after}{op}}}
        notificationTargets: [{{targetRef: mail}}]
"""


def _slo(**fields: str) -> str:
    settings = {
        "snooze": "120m",
        "window": "28d",
        "kind": "isRolling: true",
        "method": "Occurrences",
        "target": "0.997",
        "more": "",
        "threshold": "2",
        "after": "0m",
        "op": "",
    }
    return SLO.format(**{**settings, **fields})


def _series(
    bad: list[int], *, total: int = 1000, step: timedelta = timedelta(minutes=1), start: datetime = START
) -> str:
    """One row a minute; the first one ends a minute after `start`."""
    rows = [f"{(start + (at + 1) * step).isoformat()},{total - one},{total}" for at, one in enumerate(bad)]
    return "\n".join(["timestamp,good,total", *rows])


def _reckon(slo: str, series: str, every: timedelta = timedelta(minutes=5)) -> dict[str, Any]:
    answer = reckon(slo, series, every=every)
    json.dumps(answer)
    return answer


def _minutes(text: str | None) -> float | None:
    if text is None:
        return None
    return (datetime.fromisoformat(text) - START) / timedelta(minutes=1) - 60


@pytest.mark.parametrize(
    ("bad", "minutes", "opened", "closed"),
    [(10, 45, [40], [70]), (10, 300, [40], [325]), (6, 120, [], []), (1000, 1, [5], [65])],
    ids=["V15", "V16", "V18", "V17"],
)
def test_conditions_open_and_close_at_the_published_minutes(
    bad: int, minutes: int, opened: list[int], closed: list[int]
) -> None:
    answer = _reckon(_slo(), _series([0] * 60 + [bad] * minutes + [0] * 90))
    assert [_minutes(alert["opened"]) for alert in answer["alerts"]] == opened
    assert [_minutes(alert["closed"]) for alert in answer["alerts"]] == closed
    assert all(alert["condition"] == "fast" for alert in answer["alerts"])


def test_points_stand_at_every_multiple_from_the_first_row_to_the_last() -> None:
    answer = _reckon(_slo(), _series([0] * 12))
    assert [point["at"] for point in answer["points"]] == ["2026-03-02T00:05:00Z", "2026-03-02T00:10:00Z"]
    assert set(answer["points"][0]) == {"at", "burn", "remaining", "priority_by_remaining", "priority_by_velocity"}
    assert answer["slo"] == "get-data"


def test_burn_and_remaining_are_those_of_lookback_and_window() -> None:
    answer = _reckon(_slo(), _series([0] * 60 + [3] * 60))
    last = answer["points"][-1]
    assert last["burn"] == 1.0
    assert last["remaining"] == 0.5
    assert answer["points"][11]["burn"] == 0.0


def test_without_traffic_there_is_no_burn_and_an_open_condition_closes() -> None:
    rows = _series([0] * 5 + [1000] * 5).splitlines()
    rows.append(f"{(START + timedelta(hours=3)).isoformat()},10,10")
    answer = _reckon(_slo(), "\n".join(rows))
    (alert,) = answer["alerts"]
    assert alert["closed"] == "2026-03-02T01:10:00Z"
    silent = next(point for point in answer["points"] if point["at"] == "2026-03-02T01:30:00Z")
    assert silent["burn"] is None
    assert silent["remaining"] is not None
    assert silent["priority_by_remaining"] is None


@pytest.mark.parametrize(("op", "opens"), [("", False), (", op: gt", False), (", op: gte", True), (", op: lte", True)])
def test_a_threshold_is_met_exactly(op: str, opens: bool) -> None:
    """Twenty percent errors under a target of ninety percent burn at 2, where floats say a hair more."""
    answer = _reckon(_slo(target="0.9", op=op), _series([20] * 10, total=100))
    assert bool(answer["alerts"]) is opens


def test_a_condition_must_have_held_at_every_evaluation_for_its_time() -> None:
    series = [0] * 60 + [100] * 5 + [0] * 60 + [100] * 30
    answer = _reckon(_slo(after="15m", threshold="1"), _series(series))
    assert [_minutes(alert["opened"]) for alert in answer["alerts"]] == [20, 85]
    answer = _reckon(_slo(after="15m", threshold="30"), _series([0] * 60 + [1000] * 12 + [0] * 60))
    opened = [_minutes(alert["opened"]) for alert in answer["alerts"]]
    assert opened == [25]


def test_an_opening_soon_after_a_told_one_is_not_told() -> None:
    burst = [1000] + [0] * 69
    answer = _reckon(_slo(snooze="120m"), _series(burst * 3 + [0] * 60))
    assert [alert["notified"] for alert in answer["alerts"]] == [True, False, True]
    assert [alert["notified"] for alert in _reckon(_slo(snooze="0m"), _series(burst * 3))["alerts"]] == [True] * 3


def test_priority_by_what_is_left_speaks_only_while_the_hour_burns() -> None:
    for bad, expected in ((600, 4), (1200, 3), (1800, 2), (2400, 1), (599, None)):
        answer = _reckon(_slo(), _series([0] * 997 + [bad - 2 * (bad // 3), bad // 3, bad // 3]))
        point = answer["points"][-1]
        assert (point["remaining"], point["priority_by_remaining"]) == (pytest.approx(1 - bad / 3000), expected)


def test_nothing_left_is_no_special_case_for_this_verb() -> None:
    answer = _reckon(_slo(), _series([1000] * 10 + [0] * 120))
    assert answer["points"][-1]["remaining"] < 0
    assert answer["points"][-1]["priority_by_remaining"] is None


@pytest.mark.req("R-9.2.5-2")
@pytest.mark.parametrize(
    ("bad", "priority"),
    [([76], 1), ([75], 2), ([51, 0, 0, 0, 0, 0, 0], 2), ([50], 3), ([26] + [0] * 16, 4), ([25], None)],
)
def test_priority_by_velocity_is_strict(bad: list[int], priority: int | None) -> None:
    """A hundred thousand events of thirty days grant a hundred failures at 99.9 %."""
    before = f"{(START - timedelta(days=5)).isoformat()},{100_000 - len(bad) * 1000},{100_000 - len(bad) * 1000}"
    rows = _series(bad).splitlines()
    end = START + len(bad) * timedelta(minutes=1)
    answer = _reckon(_slo(target="0.999"), "\n".join([rows[0], before, *rows[1:]]), every=timedelta(minutes=1))
    assert answer["points"][-1]["at"] == end.isoformat().replace("+00:00", "Z")
    assert answer["points"][-1]["priority_by_velocity"] == priority


def test_a_calendar_window_begins_anew_in_its_own_zone() -> None:
    kind = "calendar: {startTime: 2026-03-01 00:00:00, timeZone: Europe/Berlin}"
    start = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
    answer = _reckon(_slo(window="1d", kind=kind, target="0.9"), _series([100] * 30 + [0] * 30, start=start))
    by_time = {point["at"][11:16]: point["remaining"] for point in answer["points"]}
    assert by_time["23:00"] == 0.0
    assert by_time["23:05"] == 1.0


def test_values_become_time_slices() -> None:
    more = ", op: lte, value: 200, timeSliceTarget: 0.75, timeSliceWindow: 5m"
    values = [200, 200, 200, 201, *[150] * 4, 201, 201, 100, 100]
    at = [1, 2, 3, 4, 6, 7, 8, 9, 16, 17, 18, 20]
    rows = [
        f"{(START + timedelta(minutes=minute)).isoformat()},{value}" for minute, value in zip(at, values, strict=True)
    ]
    answer = _reckon(_slo(method="Timeslices", more=more, target="0.5"), "\n".join(["timestamp,value", *rows]))
    burns = [(point["at"][11:16], point["burn"]) for point in answer["points"]]
    # The slice that ends at 00:15 holds no value and does not count; that of 00:20 meets two of four.
    assert burns == [("00:05", 0.0), ("00:10", 0.0), ("00:15", 0.0), ("00:20", pytest.approx(2 / 3))]


def test_events_become_time_slices_too() -> None:
    more = ", timeSliceTarget: 0.95, timeSliceWindow: 1m"
    answer = _reckon(_slo(method="Timeslices", more=more, target="0.9"), _series([50, 51, 0, 0, 0]))
    assert answer["points"][0]["burn"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("series", "words"),
    [
        ("", "first line"),
        ("time,good,total\n", "first line"),
        ("timestamp,good,total\n", "no rows"),
        ("timestamp,good,total\nyesterday,1,1", "line 2"),
        ("timestamp,good,total\n2026-03-02T00:00:00,1,1", "offset"),
        ("timestamp,good,total\n2026-03-02T00:00:00Z,1", "cells"),
        ("timestamp,good,total\n2026-03-02T00:00:00Z,NaN,1", "no number"),
        ("timestamp,good,total\n2026-03-02T00:00:00Z,1e999,1", "no number"),
        ("timestamp,good,total\n2026-03-02T00:00:00Z,2,1", "between 0 and total"),
        ("timestamp,good,total\n2026-03-02T00:00:00Z,-1,1", "between 0 and total"),
        ("timestamp,value\n2026-03-02T00:00:00Z,1", "time slices"),
    ],
)
def test_a_series_that_cannot_be_read_is_refused(series: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        reckon(_slo(), series, every=timedelta(minutes=5))


def test_a_file_without_exactly_one_valid_slo_is_refused() -> None:
    with pytest.raises(Invalid, match="line 11"):
        reckon(_slo(target="1.0"), _series([0]), every=timedelta(minutes=5))
    with pytest.raises(Invalid, match="exactly one"):
        reckon("apiVersion: openslo/v1\nkind: Service\nmetadata: {name: a}\n", _series([0]), every=timedelta(minutes=5))


def test_the_verb_prints_one_document_and_refuses_with_exit_1(tmp_path: Path) -> None:
    from tocsin.cli.main import cli

    (tmp_path / "slo.yaml").write_text(_slo())
    (tmp_path / "series.csv").write_text(_series([0] * 60 + [10] * 60))
    command = [
        "slo",
        "evaluate",
        "--json",
        "--slo",
        str(tmp_path / "slo.yaml"),
        "--series",
        str(tmp_path / "series.csv"),
    ]
    done = CliRunner().invoke(cli, [*command, "--every", "5m"])
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["alerts"]) == 1
    (tmp_path / "series.csv").write_text("nonsense")
    refused = CliRunner().invoke(cli, [*command, "--every", "5m"])
    assert refused.exit_code == 1
    assert "Traceback" not in refused.output
    assert CliRunner().invoke(cli, [*command, "--every", "soon"]).exit_code == 2
