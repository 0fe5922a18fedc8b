"""Exported files say what was applied: applying them changes nothing here and makes the same elsewhere."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import NOON
from tests.domains.test_openslo_apply import FILES
from tocsin.audit.models import Entry
from tocsin.config.apply import apply_texts
from tocsin.config.export import Exported, export
from tocsin.core.access import SYSTEM
from tocsin.core.errors import NotFound
from tocsin.slo import actions, versioning
from tocsin.slo.models import DataSource, Objective, ObjectiveVersion
from tocsin.slo.openslo.writing import to_yaml
from tocsin.slo.openslo.yaml_reading import read_yaml

LATER = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _world(db: None) -> None:
    worlds.process()
    worlds.team("identity")


def _unchanged(found: Exported, *, extra: int = 0) -> None:
    """Apply what was exported: every object is there already, and the log does not grow."""
    entries, versions = Entry.objects.count(), ObjectiveVersion.objects.count()
    plan = apply_texts(SYSTEM, found.files, dry_run=False, now=LATER)
    assert (plan.errors, plan.created, plan.changed) == ([], [], [])
    assert len(plan.unchanged) >= Objective.objects.filter(retired_at=None).count() + extra
    assert (Entry.objects.count(), ObjectiveVersion.objects.count()) == (entries, versions)


# --- a random installation, said in OpenSLO


def _metric(rng: random.Random, query: str, *, ref: str = "prometheus-eu") -> str:
    return f"{{metricSource: {{metricSourceRef: {ref}, spec: {{query: '{query}', step: {rng.choice(['1m', '007', '1.10', 'yes'])}}}}}}}"


def _indicator(rng: random.Random) -> tuple[str, bool]:
    """The spec of an SLI, and whether it is a threshold."""
    kind = rng.choice(["good", "bad", "raw", "threshold", "push"])
    if kind == "threshold":
        return f"{{thresholdMetric: {_metric(rng, 'latency_seconds')}}}", True
    if kind == "raw":
        return (
            f"{{ratioMetric: {{raw: {_metric(rng, 'errors:ratio')}, rawType: {rng.choice(['success', 'failure'])}}}}}",
            False,
        )
    if kind == "push":
        return "{ratioMetric: {good: {metricSource: {spec: {}}}, total: {metricSource: {spec: {}}}}}", False
    pair = f"{kind}: {_metric(rng, 'sum(rate(some_total[5m]))')}, total: {_metric(rng, 'sum(all_total)')}"
    return f"{{ratioMetric: {{counter: true, {pair}}}}}", False


def _policy(rng: random.Random, number: int) -> str:
    condition = (
        f"{{kind: burnrate, op: {rng.choice(['gt', 'gte', 'lt', 'lte'])}, threshold: {rng.choice(['14.40', '2', '0.5', '6'])}, "
        f"lookbackWindow: {rng.choice(['5m', '1h', '3d'])}, alertAfter: {rng.choice(['0m', '5m', '1h'])}}}"
    )
    spec = f"{{severity: {rng.choice(['page', 'ticket', 'P3'])}, condition: {condition}}}"
    return (
        f"{{kind: AlertPolicy, metadata: {{name: policy-{number}}}, spec: {{conditions: [{{kind: AlertCondition, "
        f"metadata: {{name: c-{number}}}, spec: {spec}}}], notificationTargets: [{{targetRef: tocsin}}]}}}}"
    )


def _slo(rng: random.Random, number: int) -> tuple[str, bool]:
    spec, threshold = _indicator(rng)
    method = rng.choice(["Occurrences", "Timeslices", "RatioTimeslices"])
    more = ", op: lte, value: 0.25" if threshold else ""
    if method != "Occurrences":
        more += ", timeSliceWindow: 5m" + (", timeSliceTarget: 0.95" if method == "Timeslices" else "")
    targets = ["target: 0.999", "targetPercent: 99.5", "target: 0.9"]
    count = 1 if threshold else rng.choice([1, 1, 2])
    objectives = ", ".join(f"{{displayName: Aim {at}, {rng.choice(targets)}{more}}}" for at in range(count))
    window = rng.choice(
        [
            "{duration: 28d, isRolling: true}",
            "{duration: 1M, calendar: {startTime: 2026-01-31 00:00:00, timeZone: Europe/Berlin}, isRolling: false}",
        ]
    )
    policies = ", ".join(_policy(rng, at) for at in range(rng.choice([0, 1, 2])))
    annotations = ", ".join(
        rng.sample(
            [
                "tocsin.dev/use-case: 'Nobody: pays'",
                "tocsin.dev/snooze: 30m",
                "example.com/x: '1.10'",
                "tocsin.dev/evaluate-every: 2m",
            ],
            k=rng.choice([0, 1, 3]),
        )
    )
    words = rng.choice(["Said # in words", "  spaced  ", "zwei\\nlines", "007", "Ümläut 🎟"])
    text = f"""\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: slo-{number}
  displayName: "{words}"
  labels: {{tier: 1, version: 1.10, team: [a, b]}}
  annotations: {{{annotations}}}
spec:
  service: logon
  description: "{words}"
  indicator: {{metadata: {{name: sli-{number}}}, spec: {spec}}}
  timeWindow: [{window}]
  budgetingMethod: {method}
  objectives: [{objectives}]
  alertPolicies: [{policies}]
"""
    return text, count > 1


@pytest.mark.parametrize("seed", range(4))
def test_whatever_was_applied_is_exported_so_that_applying_it_changes_nothing(seed: int) -> None:
    rng = random.Random(seed)
    slos = [_slo(rng, number)[0] for number in range(12)]
    plan = apply_texts(SYSTEM, {**FILES, "many.yaml": "---\n".join(slos)}, dry_run=False, now=NOON)
    assert plan.errors == []
    for row in Objective.objects.order_by("pk")[:6]:
        rank = rng.choice([1, 2, 3, 4])
        actions.assign_priority(SYSTEM, objective=row, decision="set", priority=rank, reason="as said", now=NOON)
    found = export(SYSTEM, now=NOON)
    assert found.left_out == []
    _unchanged(found)
    again = export(SYSTEM, now=LATER)
    assert again.files == found.files


def test_the_same_comes_into_being_elsewhere() -> None:
    apply_texts(SYSTEM, FILES, dry_run=False, now=NOON)
    found = export(SYSTEM, now=NOON)
    before = versioning.settings_of(Objective.objects.get())
    renamed = {name: text.replace("logon-availability", "twin") for name, text in found.files.items()}
    DataSource.objects.update(url="http://elsewhere:9090")
    plan = apply_texts(SYSTEM, renamed, dry_run=False, now=LATER)
    assert plan.errors == []
    assert set(plan.created) == {"SLO twin", "priority of twin"}
    assert plan.changed == ["DataSource prometheus-eu"]
    assert versioning.settings_of(Objective.objects.get(name="twin")) == before


def test_what_came_from_no_file_is_written_out_too() -> None:
    slo_worlds.objective("pushed", description="Counted by itself")
    actions.save_source(SYSTEM, name="prometheus", url="http://prometheus:9090", now=NOON)
    common: dict[str, Any] = {"source": "prometheus", "now": NOON}
    slo_worlds.objective("counted", total_query="sum(a)", bad_query="sum(b)", rule={"name": "workbook"}, **common)
    slo_worlds.objective(
        "sliced",
        raw_query="r",
        raw_type="failure",
        budgeting="Timeslices",
        slice_window=timedelta(minutes=5),
        slice_target=Decimal("0.95"),
        **common,
    )
    slo_worlds.objective(
        "by-calendar",
        threshold_query="latency",
        threshold_op="lte",
        threshold_value=Decimal("0.25"),
        calendar_start=NOON,
        time_zone="Europe/Berlin",
        renotify_after=timedelta(minutes=30),
        evaluate_every=timedelta(minutes=5),
        **common,
    )
    found = export(SYSTEM, now=NOON)
    assert found.left_out == []
    _unchanged(found)


def test_what_a_file_cannot_say_is_left_out_with_its_reason() -> None:
    apply_texts(SYSTEM, FILES, dry_run=False, now=NOON)
    slo_worlds.objective("odd", rule={"name": "depletion", "threshold_percent": "300"})
    slo_worlds.objective("half", document=_two(), now=NOON)
    worlds.service("Log_In")
    found = export(SYSTEM, now=NOON)
    left = dict(found.left_out)
    assert "came from no file" in left["SLO odd"]
    assert "of which 1 are retired" in left["SLO half"]
    assert "lower-case letters" in left["Service Log_In"]
    _unchanged(found, extra=-2)


def _two() -> dict[str, Any]:
    return {"metadata": {"name": "both"}, "spec": {"objectives": [{}, {}]}}


def test_some_are_exported_by_name_with_only_what_they_need() -> None:
    apply_texts(SYSTEM, FILES, dry_run=False, now=NOON)
    slo_worlds.objective("other")
    found = export(SYSTEM, ["logon-availability"], now=NOON)
    assert sorted(found.files) == ["priorities-identity.yaml", "services.yaml", "slos-logon.yaml", "sources.yaml"]
    assert "user-store" in found.files["services.yaml"]
    assert "checkout" not in found.files["services.yaml"]
    with pytest.raises(NotFound, match="no SLO in use called 'nobody'"):
        export(SYSTEM, ["nobody"], now=NOON)


def test_a_priority_that_is_raised_and_a_deliberate_none_survive() -> None:
    apply_texts(SYSTEM, FILES, dry_run=False, now=NOON)
    slo_worlds.objective("quiet")
    rule = {"more_than": 3, "within_seconds": 3600, "to": 1}
    actions.assign_priority(
        SYSTEM,
        objective="logon-availability",
        decision="set",
        priority=3,
        raise_rule=rule,
        assign_mode="manual",
        now=NOON,
    )
    actions.assign_priority(SYSTEM, objective="quiet", decision="none", reason="No user waits", now=NOON)
    found = export(SYSTEM, now=NOON)
    assert "breaches > 3 in 1h" in found.files["priorities-identity.yaml"]
    assert "No user waits" in found.files["priorities-no-team.yaml"]
    _unchanged(found)


@pytest.mark.parametrize(
    "text",
    ["007", "1.10", "yes", "5", "null", "~", "2026-01-01", " a ", "a: b", "- x", "é\nü", "", "#x", "1e3", "0x10"],
)
def test_every_text_is_written_so_that_it_is_read_as_itself(text: str) -> None:
    (node,) = read_yaml(to_yaml([{"kind": text, "spec": {"free": [text]}}]))
    assert node.text_at("kind") == text
    assert node.items_at("spec", "free")[0].text == text
