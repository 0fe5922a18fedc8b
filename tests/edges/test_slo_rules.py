"""The alert rule of an SLO: whether it can fire and choosing another, over JSON, as a page and in the terminal."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.test import Client

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE
from tests.edges.api_client import Caller
from tocsin.audit.models import Entry
from tocsin.cli.main import cli
from tocsin.core.errors import NotAllowed
from tocsin.people import queries as people
from tocsin.platform.clock import WoundClock
from tocsin.slo import actions
from tocsin.slo.models import Objective
from tocsin.slo.openslo import objective_specs, parse

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/v1/slos/log-on-availability/rule"
PAGE = "/slos/log-on/log-on-availability"
FILE = """
apiVersion: openslo/v1
kind: SLO
metadata:
  name: reports
  annotations: {RULE}
spec:
  service: reports
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  indicator:
    metadata: {name: reports-sli}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: push, spec: {}}}
        total: {metricSource: {type: push, spec: {}}}
  objectives: [{target: TARGET}]
"""


@pytest.fixture
def slo(clock: WoundClock) -> Objective:
    """Ninety percent of the log-ons work; ten an hour are counted."""
    now = clock.now()
    worlds.process(now=now)
    worlds.person("ada", in_team="identity", is_owner=True, now=now)
    worlds.service("log-on", of_team="identity", now=now)
    made = slo_worlds.objective("log-on-availability", service="log-on", target=Decimal("0.8"), now=now)
    slo_worlds.push(made, now - MINUTE, good=10, bad=0, now=now)
    return made


@pytest.fixture
def ada(slo: Objective, clock: WoundClock) -> Caller:
    return Caller("ada", in_team="identity", is_owner=True, now=clock.now())


def test_a_rule_that_cannot_page_is_chosen_all_the_same_and_says_so(ada: Caller, slo: Objective) -> None:
    told = ada.must("PUT", PATH, {"rule": {"name": "workbook"}, "reason": "we know it"})
    assert (told["rule"], told["ok"]) == ("workbook", False)
    assert told["warnings"][0] == "No page can ever come of this rule."
    hour = next(one for one in told["conditions"] if one["urgency"] == "page")
    assert hour["verdict"] == "never"
    assert "burns at 5" in hour["text"]
    slo.refresh_from_db()
    assert (slo.rule, slo.revision) == ({"name": "workbook"}, 2)
    assert Entry.objects.latest("seq").data["fields"] == {"rule": {"name": "workbook"}}
    [listed] = ada.must("GET", "/api/v1/slo-reach")["items"]
    assert listed == ada.must("GET", "/api/v1/slo-reach?name=log-on-availability")["items"][0] == told


def test_the_same_again_writes_nothing(ada: Caller, slo: Objective) -> None:
    ada.must("PUT", PATH, {"rule": {"name": "tocsin"}})
    slo.refresh_from_db()
    assert slo.revision == 1


@pytest.mark.parametrize("rule", [{"name": "psychic"}, {"name": "depletion", "window_seconds": 90}, {}])
def test_a_rule_there_is_not_changes_nothing(ada: Caller, slo: Objective, rule: dict[str, object]) -> None:
    status, _ = ada.ask("PUT", PATH, {"rule": rule})
    assert status == 422
    slo.refresh_from_db()
    assert slo.revision == 1


def test_only_its_owners_choose(slo: Objective, clock: WoundClock) -> None:
    stranger = worlds.actor("eve", in_team="others", now=clock.now())
    with pytest.raises(NotAllowed):
        actions.set_rule(stranger, slo.name, {"name": "workbook"}, now=clock.now())


def test_the_page_says_whether_it_can_fire_and_takes_another_rule(client: Client, slo: Objective) -> None:
    client.force_login(people.person("ada"), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(PAGE).content.decode()
    assert "Can it fire?" in page
    assert 'data-testid="rule-form"' in page
    form = {"rule": "depletion", "threshold": "600", "window": "30", "every": "10", "reason": "it suits us"}
    after = client.post(f"{PAGE}/rule", form, follow=True).content.decode()
    assert "No page can ever come of this rule." in after
    slo.refresh_from_db()
    assert slo.rule == {"name": "depletion", "threshold_percent": "600", "window_seconds": 1800, "every_seconds": 600}
    wrong = client.post(f"{PAGE}/rule", {**form, "window": "soon"}, follow=True).content.decode()
    assert "whole minutes" in wrong


def test_what_was_chosen_is_read_back_from_the_document(slo: Objective, clock: WoundClock) -> None:
    rule = {"name": "depletion", "threshold_percent": "300", "window_seconds": 1800}
    saved = actions.set_rule(worlds.actor("ada", now=clock.now()), slo.name, rule, now=clock.now())
    [found] = objective_specs(parse(json.dumps(saved.document), "x.json").documents).objectives
    assert found.rule == rule


def lint(tmp_path: Path, target: str, rule: str) -> tuple[int, str]:
    file = tmp_path / "slo.yaml"
    file.write_text(FILE.replace("TARGET", target).replace("RULE", rule))
    found = CliRunner().invoke(cli, ["slo", "lint", str(file)])
    return found.exit_code, found.output


def test_a_file_is_judged_before_it_is_applied(tmp_path: Path) -> None:
    code, output = lint(tmp_path, "0.8", "tocsin.dev/rule: workbook")
    assert (code, "No page can ever come of this rule." in output) == (1, True), output
    code, output = lint(tmp_path, "0.999", "tocsin.dev/rule: workbook")
    assert (code, "reports (0.999, rule workbook): it can fire" in output) == (0, True), output
    code, output = lint(tmp_path, "0.999", """tocsin.dev/rule: '{"name": "depletion", "threshold_percent": 200000}'""")
    assert code == 1, output
    code, output = lint(tmp_path, "0.999", "tocsin.dev/rule: '{nonsense'")
    assert (code, "line" in output) == (1, True), output
