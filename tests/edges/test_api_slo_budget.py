"""The budget step by step over JSON: three spans, unknown is null, a span nobody has is refused with the list."""

from __future__ import annotations

import pytest

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE
from tests.edges.api_client import Caller
from tocsin.platform.clock import WoundClock

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/slos/log-on-availability/budget"


@pytest.fixture
def mara(clock: WoundClock) -> Caller:
    now = clock.now()
    worlds.process(now=now)
    worlds.service("log-on", of_team="identity", now=now)
    made = slo_worlds.objective("log-on-availability", service="log-on", now=now)
    slo_worlds.push(made, now - MINUTE, good=9999, bad=1, now=now)
    slo_worlds.judge(made, now)
    return Caller("mara", in_team="identity", now=now)


@pytest.mark.parametrize(("span", "count"), [("day", 24), ("period", 4), ("year", 13)])
def test_each_span_has_its_steps_and_unknown_is_null(mara: Caller, span: str, count: int) -> None:
    steps = mara.must("GET", f"{PATH}?span={span}")["steps"]
    assert len(steps) == count
    assert steps[0]["remaining"] is None
    assert (steps[-1]["bad"], steps[-1]["valid"]) == (1, 10_000)
    assert 0 < steps[-1]["remaining"] < 1
    assert all(one["ends_at"].endswith("Z") for one in steps)


def test_a_span_nobody_has_is_refused_with_those_there_are(mara: Caller) -> None:
    status, problem = mara.ask("GET", f"{PATH}?span=century")
    assert status == 422
    assert "day, period, year" in str(problem)


def test_the_ledger_says_what_became_of_each_period(mara: Caller) -> None:
    found = mara.must("GET", "/api/v1/slos/log-on-availability/ledger")
    assert (found["slo"], found["rolling"], found["period_days"]) == ("log-on-availability", True, 28)
    [running] = found["items"]
    assert (running["closed"], running["valid"], running["bad"]) == (False, 10_000, 1)
    assert running["spent"] == pytest.approx(1 / 30)
    assert running["eaten_by"] == []
    assert running["outside_breaches"]["bad"] == 1
    assert mara.ask("GET", "/api/v1/slos/nobody/ledger")[0] == 404
