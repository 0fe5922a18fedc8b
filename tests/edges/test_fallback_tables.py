"""The two budget tables: off until somebody switches one on, with what can never speak said beforehand."""

from __future__ import annotations

import html
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from tests.domains import slo_worlds, worlds
from tests.domains.worlds import NOW
from tests.edges.api_client import Caller
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM
from tocsin.oncall import actions as oncall
from tocsin.people import actions as people_actions
from tocsin.people import queries as people
from tocsin.platform.clock import WoundClock
from tocsin.slo.models import Objective, PriorityAssignment
from tocsin.wiring.main import cli

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/slos/log-on/log-on-availability"


@pytest.fixture
def slo(clock: WoundClock) -> Objective:
    worlds.process()
    worlds.person("ada", in_team="identity", is_owner=True)
    worlds.service("log-on", of_team="identity")
    return slo_worlds.objective("log-on-availability", service="log-on", evaluate_every=timedelta(minutes=5))


def signed_in(client: Client, name: str = "ada") -> Client:
    client.force_login(people.person(name), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.req("R-9.2.5-5")
def test_the_page_says_which_rows_can_never_speak_before_one_is_switched_on(client: Client, slo: Objective) -> None:
    page = html.unescape(signed_in(client).get(PAGE).content.decode())
    reach = page.split('data-testid="fallback-reach"')[1].split("</ul>")[0]
    for needed in ("6,048", "2,016", "672", "504"):
        assert f"a burn rate above {needed}, a total outage burns at 333.3" in reach
    assert "mechanical, exploratory" in page


def test_a_table_is_switched_on_and_off_with_a_version_and_an_entry_each(client: Client, slo: Objective) -> None:
    signed_in(client)
    entries = Entry.objects.count()
    for table in ("remaining", "velocity", ""):
        client.post(f"{PAGE}/fallback", {"fallback": table})
        slo.refresh_from_db()
        assert slo.fallback == table
    assert slo.revision == 4
    assert slo.versions.count() == 4
    assert Entry.objects.count() == entries + 3
    client.post(f"{PAGE}/fallback", {"fallback": ""})
    assert Entry.objects.count() == entries + 3
    assert client.post(f"{PAGE}/fallback", {"fallback": "guess"}).status_code == 422


def test_who_may_not_change_the_slo_may_not_switch(client: Client, slo: Objective) -> None:
    worlds.person("guest", role="reader")
    assert signed_in(client, "guest").post(f"{PAGE}/fallback", {"fallback": "velocity"}).status_code == 403
    assert "fallback-form" not in client.get(PAGE).content.decode()
    slo.refresh_from_db()
    assert slo.fallback == ""


def test_the_api_and_the_terminal_switch_and_tell_what_is_out_of_reach(
    slo: Objective, clock: WoundClock, live_server: LiveServer
) -> None:
    mara = Caller("mara", in_team="identity", is_owner=True, now=clock.now())
    found = mara.must("PUT", "/api/v1/slos/log-on-availability/fallback", {"fallback": "velocity"})
    assert (found["fallback"], found["label"], len(found["warnings"])) == ("velocity", "mechanical, exploratory", 4)
    assert mara.ask("PUT", "/api/v1/slos/log-on-availability/fallback", {"fallback": "guess"})[0] == 422
    assert mara.ask("PUT", "/api/v1/slos/nowhere/fallback", {"fallback": "velocity"})[0] == 404
    worlds.administrator("root", now=clock.now())
    _, token = people_actions.create_token(SYSTEM, username="root", name="tests", now=clock.now())
    env = {"TOCSIN_URL": live_server.url, "TOCSIN_TOKEN": token}
    told = CliRunner().invoke(cli, ["priority", "fallback", "log-on-availability", "off", "--json"], env=env)
    assert json.loads(told.stdout)["fallback"] is None
    told = CliRunner().invoke(cli, ["priority", "fallback", "log-on-availability", "velocity"], env=env)
    assert told.exit_code == 0
    assert "cannot be reached at even traffic" in told.stderr


@pytest.mark.req("R-9.2.3-10")
def test_the_form_takes_how_incidents_start_and_shows_it_again(client: Client, slo: Objective) -> None:
    oncall.save_policy(SYSTEM, {"name": "night", "steps": [{"wait_minutes": 5, "targets": ["user:ada"]}]}, now=NOW)
    typed = {"priority": "3", "severity": "critical", "escalation_policy": "night"}
    answer = signed_in(client).post(f"{PAGE}/priority", typed)
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "Nearest allowed" in page
    assert '<option value="night" selected>' in page
    assert not PriorityAssignment.objects.exists()
    gone = client.post(f"{PAGE}/priority", {**typed, "severity": "error", "escalation_policy": "day"})
    assert "There is no escalation policy 'day'" in html.unescape(gone.content.decode())
    assert client.post(f"{PAGE}/priority", {**typed, "severity": "error"}).status_code == 302
    page = client.get(PAGE).content.decode()
    assert "Starts with severity error." in page
    assert '<option value="error" selected>' in page


def test_a_frequency_that_could_never_be_met_is_refused_in_the_form_with_its_reason(
    client: Client, slo: Objective
) -> None:
    typed = {"priority": "4", "more_than": "3", "hours": "0.25", "raise_to": "2"}
    answer = signed_in(client).post(f"{PAGE}/priority", typed)
    assert answer.status_code == 422
    assert "would never be raised" in answer.content.decode()
    assert not PriorityAssignment.objects.exists()
    assert client.post(f"{PAGE}/priority", {**typed, "hours": "1"}).status_code == 302
    held = PriorityAssignment.objects.get()
    assert held.raise_rule == {"more_than": 3, "within_seconds": 3600, "to": 2, "count": "episodes"}
    assert held.valid_from == NOW
