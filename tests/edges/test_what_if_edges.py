"""What-if over JSON and on the command line: today beside the supposed, in words; refusals name the field."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pytest_django.live_server_helper import LiveServer

from tests.domains import slo_worlds, worlds
from tests.edges.api_client import Caller
from tocsin.core.access import SYSTEM
from tocsin.people import actions as people
from tocsin.platform.clock import WoundClock
from tocsin.slo import actions
from tocsin.slo.models import Objective, PriorityAssignment
from tocsin.wiring.main import cli

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/slos/log-on-availability/whatif"


@pytest.fixture
def slo(clock: WoundClock) -> Objective:
    """An outage of ten minutes an hour ago, judged as it went."""
    now = clock.now()
    worlds.process(now=now)
    worlds.service("log-on", of_team="identity", now=now)
    made = slo_worlds.objective("log-on-availability", service="log-on", target=Decimal("0.99"), now=now)
    actions.assign_priority(SYSTEM, objective=made, decision="set", priority=1, now=now - timedelta(hours=9))
    slo_worlds.run(made, now - timedelta(hours=3), [0] * 110 + [800] * 10 + [0] * 60)
    return made


@pytest.fixture
def mara(slo: Objective, clock: WoundClock) -> Caller:
    return Caller("mara", in_team="identity", now=clock.now())


def test_a_question_is_answered_in_numbers_and_words_and_changes_nothing(mara: Caller) -> None:
    answer = mara.must("POST", PATH, {"target": "50", "days": 7})
    assert answer["today"]["pages"] == 1
    assert answer["supposed"]["pages"] == 0
    assert answer["words"][0].startswith("No page in 7 days, instead of 1 page")
    assert answer["coverage"]["known_hours"] == 4
    assert "unknown, not good" in answer["coverage"]["text"]
    assert [one["priority"] for one in answer["choices"]] == [1, 2, 3, 4, None]
    assert answer["since"].endswith("Z")
    assert PriorityAssignment.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"target": "a lot"}, "target"),
        ({"target": 100}, "target"),
        ({"target": "NaN"}, "target"),
        ({"rule": "guess"}, "rule"),
        ({"rule": {"name": "depletion", "window_seconds": 61}}, "rule.window_seconds"),
        ({"priority": "P9"}, "priority"),
        ({"groups": ["nobody"]}, "groups"),
        ({"days": 0}, "days"),
        ({"renotify_after_minutes": 0}, "renotify_after_minutes"),
        ({"raise_rule": {"to": "x"}}, "raise_rule"),
        ({"fallback": "guess"}, "fallback"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(mara: Caller, body: dict[str, Any], field: str) -> None:
    status, problem = mara.ask("POST", PATH, body)
    assert status == 422
    assert field in json.dumps(problem)


@pytest.fixture
def run(live_server: LiveServer, slo: Objective, clock: WoundClock) -> Any:
    worlds.administrator("root", now=clock.now())
    _, token = people.create_token(SYSTEM, username="root", name="tests", now=clock.now())

    def words(*given: str) -> Result:
        return CliRunner().invoke(cli, list(given), env={"TOCSIN_URL": live_server.url, "TOCSIN_TOKEN": token})

    return words


def test_the_terminal_says_it_in_words_and_as_a_table(run: Any, tmp_path: Path) -> None:
    told = run("slo", "test", "log-on-availability", "--target", "50", "--days", "7")
    assert told.exit_code == 0, told.output
    assert "No page in 7 days, instead of 1 page" in told.stdout
    assert "updates owed" in told.stdout
    rule = tmp_path / "rule.json"
    rule.write_text('{"name": "depletion", "threshold_percent": 400}')
    found = json.loads(run("slo", "test", "log-on-availability", "--rule", str(rule), "--json").stdout)
    assert found["supposed"]["pages"] == 1
    asked = run("priority", "whatif", "log-on-availability", "P3", "--json", "--days", "7")
    assert json.loads(asked.stdout)["supposed"]["postmortems_owed"] == 0
    assert json.loads(asked.stdout)["today"]["postmortems_owed"] == 1


def test_a_wrong_question_is_one_line_and_an_exit_code(run: Any, tmp_path: Path) -> None:
    for words, said in (
        (("slo", "test", "log-on-availability", "--target", "zero"), "no number"),
        (("slo", "test", "nowhere"), "no SLO called"),
        (("slo", "test", "log-on-availability", "--rule", str(tmp_path / "none.json")), "cannot be read"),
        (("priority", "whatif", "log-on-availability", "P7"), "no priority"),
    ):
        answer = run(*words)
        assert answer.exit_code == 1
        assert said in answer.stderr
        assert "Traceback" not in answer.output
