"""Resource alerts in a priority map: registered, decided on and planned to be replaced, from files and into files."""

from __future__ import annotations

import pytest

from tests.domains import slo_worlds, worlds
from tests.domains.worlds import NOW
from tocsin.config.apply import apply_texts
from tocsin.config.export import export
from tocsin.config.plan import Plan
from tocsin.core.access import SYSTEM
from tocsin.slo import queries
from tocsin.slo.models import ResourceAlert

pytestmark = pytest.mark.django_db

HEAD = """apiVersion: tocsin/v1alpha1
kind: PriorityMap
metadata: {name: m, team: tickets}
spec:
  slos: []
  resourceAlerts:
"""
CPU = (
    "    - {alert: cpu-above-90, service: checkout, alertName: 'CPU>90% on host ABC', metric: cpu, interim: true,"
    " priority: P3, groups: [customer-support], because: Until the SLO is there, replaceWith: checkout-latency}\n"
)


@pytest.fixture(autouse=True)
def _house(db: None) -> None:
    worlds.process()
    worlds.service("checkout", of_team="tickets")
    slo_worlds.objective("checkout-latency", service="checkout")


def applied(entries: str, **options: bool) -> Plan:
    return apply_texts(SYSTEM, {"map.yaml": HEAD + entries}, dry_run=options.get("dry_run", False), now=NOW)


def test_an_entry_registers_the_alert_decides_on_it_and_plans_its_end() -> None:
    plan = applied(CPU)
    assert plan.errors == []
    assert plan.created == ["priority of resource alert cpu-above-90"]
    row = ResourceAlert.objects.get()
    assert (row.name, row.alert_name, row.metric, row.interim) == ("cpu-above-90", "CPU>90% on host ABC", "cpu", True)
    assert row.state == "planned"
    assert row.steps.latest("pk").reason == "To be replaced by checkout-latency."
    decided = queries.alert_assignments_at([row.pk], NOW)[row.pk]
    assert (decided.priority, decided.reason) == (3, "Until the SLO is there")
    assert [group.code for group in decided.groups.all()] == ["customer-support"]


@pytest.mark.parametrize(("written", "meant"), [("true", True), ("True", True), ("false", False)])
def test_interim_is_read_as_files_write_it(written: str, meant: bool) -> None:
    applied(CPU.replace("interim: true", f"interim: {written}"))
    assert ResourceAlert.objects.get().interim is meant


def test_the_same_again_changes_nothing_and_an_entry_may_name_a_registered_alert_alone() -> None:
    applied(CPU)
    again = applied(CPU)
    assert (again.errors, again.created, again.changed) == ([], [], [])
    assert again.unchanged == ["priority of resource alert cpu-above-90"]
    changed = applied("    - {alert: cpu-above-90, priority: none, because: Nobody waits}\n")
    assert (changed.errors, changed.changed) == ([], ["priority of resource alert cpu-above-90"])
    assert ResourceAlert.objects.get().alert_name == "CPU>90% on host ABC"


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ("    - {alert: disk-full, priority: 3}\n", "There is no resource alert 'disk-full'. To register it"),
        (CPU.replace("checkout-latency", "nothing"), "There is no SLO called 'nothing' in use"),
        (CPU.replace("P3", "P9"), "P9"),
        (CPU.replace("checkout,", "payments,"), "There is no service called 'payments'"),
        (CPU + CPU.replace("cpu-above-90", "cpu-too-high"), "is registered as cpu-above-90"),
        ("    - {alert: cpu, priority: 3, replacedWith: checkout-latency}\n", "replaceWith"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_nothing_is_kept(entries: str, words: str) -> None:
    plan = applied(entries)
    assert words in plan.errors[0].message
    assert plan.errors[0].line == 6 + entries.count("\n")
    assert not ResourceAlert.objects.exists()


def test_an_alert_of_another_team_is_refused() -> None:
    worlds.service("payments", of_team="payments")
    plan = applied(CPU.replace("checkout,", "payments,"))
    assert "cpu-above-90 belongs to team payments, not to tickets." in plan.errors[0].message
    assert not ResourceAlert.objects.exists()


def test_files_that_were_written_say_the_same_and_a_dry_run_keeps_nothing() -> None:
    assert applied(CPU, dry_run=True).created == ["priority of resource alert cpu-above-90"]
    assert not ResourceAlert.objects.exists()
    applied(CPU)
    written = export(SYSTEM, now=NOW).files["priorities-tickets.yaml"]
    assert "alertName: CPU>90% on host ABC" in written
    again = apply_texts(SYSTEM, {"map.yaml": written}, dry_run=False, now=NOW)
    assert (again.errors, again.changed, again.created) == ([], [], [])
    assert "priority of resource alert cpu-above-90" in again.unchanged
