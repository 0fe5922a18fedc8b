"""The report of alert fatigue over JSON and on the command line."""

from __future__ import annotations

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.domains import slo_worlds, worlds
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell
from tocsin.core.access import SYSTEM
from tocsin.people import actions as people
from tocsin.platform import clock as clocks

pytestmark = pytest.mark.django_db(transaction=True)


def test_ratios_of_nothing_are_null_and_a_period_that_is_none_is_refused() -> None:
    worlds.process(now=clocks.now())
    rita = Caller("rita", role="reader", now=clocks.now())
    found = rita.must("GET", "/api/v1/alert-fatigue?period=90d")
    assert (found["total"]["alerts"], found["total"]["alerts_per_breach"], found["slos"]) == (0, None, [])
    assert rita.ask("GET", "/api/v1/alert-fatigue?period=soon")[0] == 422


def test_the_command_prints_a_row_for_all_slos(live_server: LiveServer) -> None:
    now = clocks.now()
    worlds.process(now=now)
    slo_worlds.objective(now=now)
    worlds.administrator("root", now=now)
    _, token = people.create_token(SYSTEM, username="root", name="tests", now=now)
    shell = Shell(live_server.url, token)
    assert "all SLOs\t0\t0" in shell.run("report", "alert-fatigue", "--period", "90d").stdout
    assert shell.json("report", "alert-fatigue")["total"]["breaches"] == 0
