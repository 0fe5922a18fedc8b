"""Files of Sloth and of Pyrra as OpenSLO: what becomes of each, what cannot be, and that Tocsin takes what is written."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tests.domains import worlds
from tests.domains.slo_worlds import NOON
from tocsin.cli.main import cli
from tocsin.config.apply import apply_texts
from tocsin.config.imports import Imported, Options, from_pyrra, from_sloth
from tocsin.config.imports.pyrra import seconds_of
from tocsin.core.access import SYSTEM
from tocsin.core.condition_rule import ConditionRule
from tocsin.slo import queries, snapshots
from tocsin.slo.models import Objective

FOREIGN = Path(__file__).parent / "foreign"
OPTIONS = Options(url="http://prometheus:9090")
MINUTE = timedelta(minutes=1)


def _texts(*names: str) -> dict[str, str]:
    return {name: (FOREIGN / name).read_text() for name in names}


def _left_out(found: Imported) -> dict[str, str]:
    return {one.title: one.why for one in found.left_out}


def _notes(found: Imported) -> dict[str, tuple[str, ...]]:
    return {draft.name: draft.notes for draft, _ in found.converted}


def _applied(found: Imported) -> dict[str, Objective]:
    worlds.process()
    plan = apply_texts(SYSTEM, dict(found.files), dry_run=False, now=NOON)
    assert plan.errors == []
    return {one.name: one for one in Objective.objects.select_related("service", "source")}


def _limits(slo: Objective) -> list[tuple[str, Fraction, int, int, int]]:
    """(urgency, threshold, long and short minutes, minutes it must hold) of each condition."""
    rule = snapshots.rule_of(slo)
    assert isinstance(rule, ConditionRule)
    return [
        (
            one.urgency.value,
            one.threshold,
            one.lookback // MINUTE,
            (one.short or one.lookback) // MINUTE,
            one.alert_after // MINUTE,
        )
        for one in rule.conditions
    ]


@pytest.mark.django_db
def test_what_sloth_asks_for_runs_as_it_did_there() -> None:
    slos = _applied(from_sloth(_texts("sloth.yaml"), OPTIONS))
    assert sorted(slos) == [
        "ticket-shop-checkout-availability",
        "ticket-shop-checkout-latency",
        "ticket-shop-printer-satisfaction",
        "ticket-shop-probe",
    ]
    slo = slos["ticket-shop-checkout-availability"]
    assert (slo.target, slo.period, slo.service.name) == (Decimal("0.999"), timedelta(days=30), "ticket-shop")
    assert slo.bad_query == 'sum(rate(http_requests_total{job="shop",handler="/checkout",code=~"(5..|429)"}[5m]))'
    assert slo.total_query == 'sum(rate(http_requests_total{job="shop",handler="/checkout"}[5m]))'
    assert slo.source is not None
    assert (slo.source.name, slo.source.url) == ("prometheus", "http://prometheus:9090")
    assert slo.runbook_url == "https://wiki.example.com/checkout"
    assert slo.document["metadata"]["labels"] == {"owner": "sales", "tier": "1", "category": "availability"}
    assert _limits(slo) == [
        ("page", Fraction("14.4"), 60, 5, 0),
        ("page", 6, 360, 30, 0),
        ("ticket", 3, 1440, 120, 0),
        ("ticket", 1, 4320, 360, 0),
    ]
    assert [limit[0] for limit in _limits(slos["ticket-shop-checkout-latency"])] == ["ticket", "ticket"]


@pytest.mark.django_db
def test_a_ratio_of_sloth_is_asked_for_as_it_is_and_what_alerts_of_nothing_opens_nothing() -> None:
    found = from_sloth(_texts("sloth.yaml"), OPTIONS)
    slos = _applied(found)
    raw = slos["ticket-shop-printer-satisfaction"]
    assert (raw.raw_type, "[5m]" in raw.raw_query, raw.total_query) == ("failure", True, "")
    decision = queries.assignment_at(raw, NOON)
    assert decision is not None
    assert decision.decision == "none"
    probe = slos["ticket-shop-probe"]
    assert probe.raw_query.startswith("(sum(sum_over_time(probe_failed")
    assert any("count no counters" in note for note in _notes(found)[probe.name])


def test_what_sloth_says_that_cannot_be_is_left_out_with_its_reason() -> None:
    found = from_sloth(_texts("sloth.yaml", "sloth-kubernetes.yaml"), OPTIONS)
    left = _left_out(found)
    assert set(left) == {
        "ticket-shop/plugged",
        "ticket-shop/perfect",
        "ticket-shop/broken",
        "AlertWindows",
        "ConfigMap",
    }
    assert "sloth-common/http" in left["ticket-shop/plugged"]
    assert "is no PromQL" in left["ticket-shop/broken"]
    assert "ticket-search-requests-availability" in _notes(found)
    assert sorted(found.files) == [
        "services.yaml",
        "slos-ticket-search.yaml",
        "slos-ticket-shop.yaml",
        "sources.yaml",
    ]
    (origin,) = [one.origin for one in found.left_out if one.title == "ticket-shop/perfect"]
    assert origin == "sloth.yaml:67"


def test_another_period_moves_the_thresholds_so_that_the_shares_of_the_budget_stay() -> None:
    found = from_sloth(_texts("sloth-kubernetes.yaml"), Options(period=timedelta(days=28)))
    assert "threshold: 13.44" in found.files["slos-ticket-search.yaml"]
    assert "sources.yaml" not in found.files


@pytest.mark.django_db
def test_what_pyrra_asks_for_runs_as_it_did_there() -> None:
    found = from_pyrra(_texts("pyrra.yaml"), OPTIONS)
    slos = _applied(found)
    assert sorted(slos) == ["ingress-errors", "ingress-latency", "probes", "rpc-latency"]
    ratio = slos["ingress-errors"]
    assert (ratio.target, ratio.period, ratio.service.name) == (Decimal("0.999"), timedelta(days=28), "shop")
    assert (ratio.bad_query, ratio.total_query) == (
        'sum(ingress_requests{ingress="shop",status=~"5.."})',
        'sum(ingress_requests{ingress="shop"})',
    )
    assert _limits(ratio) == [
        ("page", 14, 60, 5, 2),
        ("page", 7, 360, 30, 15),
        ("ticket", 2, 1440, 120, 60),
        ("ticket", 1, 5760, 360, 180),
    ]
    assert _limits(slos["rpc-latency"])[0] == ("page", 14, 15, 1, 1)
    assert slos["ingress-latency"].service.name == "front"
    assert slos["ingress-latency"].good_query.startswith("sum(ingress_duration_seconds_bucket")
    assert slos["rpc-latency"].raw_query.startswith("histogram_fraction(0, 0.2, sum(rate(rpc_duration")
    assert (slos["probes"].raw_query, slos["probes"].raw_type) == ('avg(probe_success{job="blackbox"})', "success")
    assert "it was an SLO for each method; it is one over all of them" in _notes(found)["ingress-errors"]
    assert set(_left_out(found)) == {"never", "timeless", "nothing"}


@pytest.mark.parametrize(
    ("text", "seconds"), [("200ms", 0.2), ("2w", 1_209_600), ("1h30m", 5400), ("1.5h", None), ("", None), ("5", None)]
)
def test_durations_of_prometheus(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


@given(st.text(max_size=300))
def test_no_text_makes_an_importer_fail(text: str) -> None:
    for convert in (from_sloth, from_pyrra):
        assert convert({"any.yaml": text}, OPTIONS).files == {}


def _import(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["import", *map(str, words)])


def test_the_command_prints_a_plan_and_writes_all_or_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    result = _import("sloth", FOREIGN / "sloth.yaml", "-o", folder, "--dry-run")
    assert (result.exit_code, folder.exists()) == (0, False)
    assert "4 SLOs would be written" in result.output
    result = _import("sloth", FOREIGN / "sloth.yaml", "-o", folder)
    assert result.exit_code == 0
    assert "converted: ticket-shop/checkout-availability" in result.output
    assert "left out: ticket-shop/plugged" in result.output
    assert sorted(one.name for one in folder.iterdir()) == ["services.yaml", "slos-ticket-shop.yaml"]
    assert CliRunner().invoke(cli, ["slo", "validate", str(folder)]).exit_code == 0
    before = {one.name: one.read_text() for one in folder.iterdir()}
    result = _import("pyrra", FOREIGN / "pyrra.yaml", "-o", folder)
    assert (result.exit_code, "is there already" in result.output) == (1, True)
    assert {one.name: one.read_text() for one in folder.iterdir()} == before
    assert _import("pyrra", FOREIGN / "pyrra.yaml", "-o", folder, "--force").exit_code == 0


def test_a_file_that_is_broken_stops_all_of_them_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("version: prometheus/v1\nservice: [x\n")
    result = _import("sloth", FOREIGN / "sloth.yaml", broken, "-o", tmp_path / "out")
    assert (result.exit_code, (tmp_path / "out").exists()) == (1, False)
    assert f"{broken}:3: is no YAML" in result.output


def test_the_plan_is_there_for_programs_too(tmp_path: Path) -> None:
    result = _import("pyrra", FOREIGN / "pyrra.yaml", "-o", tmp_path, "--json")
    plan = json.loads(result.stdout)
    assert (plan["written"], plan["files"]) == (True, ["services.yaml", "slos-front.yaml", "slos-shop.yaml"])
    assert _import("sloth", FOREIGN / "pyrra.yaml", "-o", tmp_path / "none", "--json").exit_code == 1
