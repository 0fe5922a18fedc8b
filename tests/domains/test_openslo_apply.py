"""Files into the installation: all or nothing, dry or in earnest, the same again changing nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest

from tests.domains import worlds
from tests.domains.slo_worlds import NOON
from tocsin.audit.models import Entry
from tocsin.catalog.models import Service
from tocsin.config.apply import apply_files, apply_texts
from tocsin.config.plan import Plan
from tocsin.core.access import SYSTEM, Role
from tocsin.core.errors import NotAllowed
from tocsin.core.slo_windows import CalendarUnit
from tocsin.slo import queries, snapshots
from tocsin.slo.models import DataSource, Objective, ObjectiveState, PriorityAssignment

pytestmark = pytest.mark.django_db

SERVICES = """\
apiVersion: openslo/v1
kind: Service
metadata:
  name: logon
  displayName: Log-on
  annotations:
    tocsin.dev/team: identity
    tocsin.dev/runbook: https://wiki.example.com/logon
    tocsin.dev/depends-on: "user-store"
spec:
  description: Everything a person needs to sign in.
---
apiVersion: openslo/v1
kind: Service
metadata: {name: user-store}
---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: prometheus-eu}
spec:
  type: Prometheus
  connectionDetails:
    url: http://prometheus:9090
    every: 5s
    headers: {X-Scope-OrgID: eu}
"""
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: logon-availability
  displayName: People can log on
  annotations:
    tocsin.dev/use-case: Nobody can log on
    tocsin.dev/short-window: 5m
    tocsin.dev/snooze: 120m
    tocsin.dev/priority: P2
    tocsin.dev/groups: customer-support, management
spec:
  service: logon
  indicatorRef: logon-ok
  timeWindow:
    - duration: 4w
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.9995
  alertPolicies:
    - alertPolicyRef: fast-burn
"""
REST = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: logon-ok}
spec:
  ratioMetric:
    counter: true
    good:
      metricSource:
        metricSourceRef: prometheus-eu
        spec: {query: 'sum(http_requests_total{job="logon",code!~"5.."})'}
    total:
      metricSource:
        metricSourceRef: prometheus-eu
        spec: {query: 'sum(http_requests_total{job="logon"})'}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast-burn}
spec:
  alertWhenBreaching: true
  conditions:
    - kind: AlertCondition
      metadata: {name: burn-14-1h}
      spec:
        severity: page
        condition: {kind: burnrate, threshold: 14.4, lookbackWindow: 1h, alertAfter: 0m}
  notificationTargets:
    - targetRef: tocsin
"""
FILES = {"services.yaml": SERVICES, "slo.yaml": SLO, "rest.yaml": REST}


@pytest.fixture(autouse=True)
def _world(db: None) -> None:
    worlds.process()
    worlds.team("identity")


def _apply(files: dict[str, str], *, dry_run: bool = False, now: datetime = NOON) -> Plan:
    return apply_texts(SYSTEM, files, dry_run=dry_run, now=now)


def test_services_sources_slos_and_priorities_arrive_together() -> None:
    plan = _apply(FILES)
    assert plan.errors == []
    expected = {"Service logon", "Service user-store", "DataSource prometheus-eu", "SLO logon-availability"}
    assert set(plan.created) == expected
    objective = queries.objective(SYSTEM, "logon-availability")
    assert objective.target == Decimal("0.9995")
    assert objective.period == timedelta(days=28)
    assert objective.renotify_after == timedelta(hours=2)
    assert objective.total_query == 'sum(http_requests_total{job="logon"})'
    assert objective.source == DataSource.objects.get(name="prometheus-eu", every=timedelta(seconds=5))
    assert objective.origin == "slo.yaml:1"
    assert objective.rule == {
        "name": "burnrate",
        "conditions": [
            {
                "op": "gt",
                "threshold": "14.4",
                "lookback_seconds": 3600,
                "alert_after_seconds": 0,
                "severity": "page",
                "urgency": "page",
                "short_seconds": 300,
            }
        ],
        "snooze_seconds": 7200,
    }
    assignment = queries.assignment_at(objective, NOON)
    assert assignment is not None
    assert assignment.priority == 2
    assert {group.code for group in assignment.groups.all()} == {"customer-support", "management"}


def test_applying_the_same_again_changes_nothing_and_writes_nothing() -> None:
    _apply(FILES)
    entries = Entry.objects.count()
    plan = _apply(FILES, now=NOON + timedelta(minutes=1))
    assert (plan.created, plan.changed, plan.errors) == ([], [], [])
    assert len(plan.unchanged) == 4
    assert Entry.objects.count() == entries
    assert Objective.objects.get().revision == 1


def test_a_changed_target_is_a_new_revision() -> None:
    _apply(FILES)
    plan = _apply({**FILES, "slo.yaml": SLO.replace("0.9995", "0.999")}, now=NOON + timedelta(minutes=1))
    assert plan.changed == ["SLO logon-availability"]
    assert Objective.objects.get().revision == 2
    assert Entry.objects.latest("seq").data["fields"] == {"target": "0.999"}


def test_an_slo_that_only_moved_in_its_file_is_unchanged() -> None:
    _apply(FILES)
    plan = _apply({**FILES, "slo.yaml": "# a comment\n" + SLO})
    assert plan.changed == []
    assert (Objective.objects.get().origin, Objective.objects.get().revision) == ("slo.yaml:2", 1)


@pytest.mark.req("R-9.2.1-8")
def test_a_dry_run_says_what_would_happen_and_leaves_no_trace() -> None:
    entries = Entry.objects.count()
    plan = _apply(FILES, dry_run=True)
    assert "SLO logon-availability" in plan.created
    assert not Objective.objects.exists()
    assert Entry.objects.count() == entries


def test_with_one_error_nothing_is_written_and_every_error_is_told() -> None:
    broken = SLO.replace("name: logon-availability", "name: other").replace("P2", "P9")
    plan = _apply({**FILES, "broken.yaml": broken, "fine.yaml": SERVICES.replace("identity", "nobody-knows")})
    assert not Service.objects.filter(name="logon").exists()
    assert [problem.path for problem in plan.errors] == ["fine.yaml", "fine.yaml", "fine.yaml"]
    plan = _apply({**FILES, "broken.yaml": broken})
    assert [(problem.path, problem.line) for problem in plan.errors] == [("broken.yaml", 10)]
    assert "There is no priority 'P9'" in plan.errors[0].message
    assert not Objective.objects.exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("target: 0.9995", "target: 0", "target"),
        ("target: 0.9995", "target: 0.99999999999", "decimal places"),
        ("indicatorRef: logon-ok", "indicatorRef: nothing", "no SLI"),
        ("fast-burn", "slow-burn", "no AlertPolicy"),
        ("120m", "two hours", "write"),
        ("priority: P2", "priority: high", "no priority"),
        ("groups: customer-support", "groups: nobody", "stakeholder group"),
        ("short-window: 5m", "rule: psychic", "unknown rule"),
        ("short-window: 5m", "fallback: sometimes", "fallback"),
        ("budgetingMethod: Occurrences", "budgetingMethod: RatioTimeslices", ""),
    ],
)
def test_what_cannot_run_is_an_error_of_the_document(old: str, new: str, words: str) -> None:
    assert old in SLO
    plan = _apply({**FILES, "slo.yaml": SLO.replace(old, new)})
    assert plan.errors
    assert words in " ".join(problem.message for problem in plan.errors)
    assert {problem.path for problem in plan.errors} == {"slo.yaml"}


def test_a_query_that_is_no_promql_is_refused() -> None:
    plan = _apply(
        {**FILES, "rest.yaml": REST.replace('sum(http_requests_total{job="logon"})', "sum(http_requests_total")}
    )
    (error,) = plan.errors
    assert (error.path, error.line) == ("rest.yaml", 14)
    assert "query: is no PromQL at line 1, column 4: unclosed left parenthesis" in error.message


def test_an_slo_may_name_a_service_that_no_file_holds() -> None:
    plan = _apply(
        {"slo.yaml": SLO.replace("service: logon", "service: TheServiceName"), "rest.yaml": REST, "s.yaml": SERVICES}
    )
    assert plan.errors == []
    assert "Service TheServiceName" in plan.created
    assert any("TheServiceName" in warning.message for warning in plan.warnings)


def test_several_objectives_of_one_slo_are_told_apart_by_name() -> None:
    two = SLO.replace(
        "    - target: 0.9995", "    - {displayName: Strict, target: 0.999}\n    - {displayName: Loose, target: 0.9}"
    )
    assert _apply({**FILES, "slo.yaml": two}).errors == []
    assert sorted(Objective.objects.values_list("name", flat=True)) == [
        "logon-availability-loose",
        "logon-availability-strict",
    ]


def test_a_calendar_month_stays_a_month() -> None:
    window = """\
          timeWindow:
            - duration: 1M
              calendar: {startTime: 2026-01-31 00:00:00, timeZone: Europe/Berlin}
        """
    text = SLO.replace(
        "  timeWindow:\n    - duration: 4w\n      isRolling: true\n",
        dedent(window).replace("timeWindow", "  timeWindow").replace("    -", "      -", 1),
    )
    plan = _apply({**FILES, "slo.yaml": text})
    assert plan.errors == [], plan.errors
    objective = Objective.objects.get()
    calendar = snapshots.calendar_of(objective)
    assert calendar is not None
    assert (calendar.count, calendar.unit) == (1, CalendarUnit.MONTH)
    span = snapshots.period_of(objective, now=datetime.fromisoformat("2026-03-10T12:00:00+00:00"))
    assert span.starts_at.isoformat() == "2026-02-27T23:00:00+00:00"
    assert span.ends_at.isoformat() == "2026-03-30T22:00:00+00:00"


def test_time_slices_arrive_with_their_length_and_target() -> None:
    text = SLO.replace("Occurrences", "Timeslices").replace(
        "- target: 0.9995", "- {target: 0.9995, timeSliceTarget: 0.95, timeSliceWindow: 5}"
    )
    assert _apply({**FILES, "slo.yaml": text}).errors == []
    objective = Objective.objects.get()
    assert (objective.slice_window, objective.slice_target) == (timedelta(minutes=5), Decimal("0.95"))


PRIORITIES = """\
apiVersion: tocsin/v1alpha1
kind: PriorityMap
metadata: {name: identity, team: identity}
spec:
  slos:
    - slo: logon-availability
      priority: 4
      groups: [customer-support]
      raise: [{when: "breaches > 3 in 1h", to: 2}]
"""


@pytest.mark.req("R-9.2.1-8")
def test_a_priority_map_decides_in_bulk() -> None:
    plan = _apply(
        {**FILES, "slo.yaml": SLO.replace("    tocsin.dev/priority: P2\n", ""), "priorities.yaml": PRIORITIES}
    )
    assert plan.errors == []
    assignment = PriorityAssignment.objects.get(valid_until=None)
    assert assignment.priority == 4
    assert assignment.raise_rule == {"more_than": 3, "within_seconds": 3600, "to": 2, "count": "episodes"}


def test_a_priority_map_accepts_a_deliberate_none() -> None:
    none = (
        PRIORITIES[: PRIORITIES.index("      priority")] + "      priority: none\n      because: No user waits for it\n"
    )
    assert _apply({**FILES, "priorities.yaml": none}).errors == []
    assignment = PriorityAssignment.objects.get(valid_until=None)
    assert (assignment.decision, assignment.reason) == ("none", "No user waits for it")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("priority: 4", "priority: 12", 7),
        ("breaches > 3 in 1h", "often", 9),
        ("to: 2", "to: 4", 6),
        ("slo: logon-availability", "slo: missing", 6),
        ("team: identity", "team: tickets", 6),
        ("groups:", "people:", 8),
    ],
)
def test_a_wrong_priority_map_is_refused_with_its_line(old: str, new: str, line: int) -> None:
    plan = _apply({**FILES, "priorities.yaml": PRIORITIES.replace(old, new)})
    assert [(problem.path, problem.line) for problem in plan.errors] == [("priorities.yaml", line)]
    assert not Objective.objects.exists()


def test_kinds_that_are_known_but_not_applied_yet_are_passed_over_with_a_word() -> None:
    text = "apiVersion: tocsin/v1alpha1\nkind: SeveritySet\nmetadata: {name: org}\nspec: {}\n"
    plan = _apply({"severities.yaml": text})
    assert (plan.errors, len(plan.warnings)) == ([], 1)


def test_an_object_that_two_files_define_is_refused() -> None:
    plan = _apply({"a.yaml": SERVICES, "b.yaml": SERVICES})
    assert [problem.path for problem in plan.errors] == ["b.yaml", "b.yaml", "b.yaml"]


def test_a_retired_slo_comes_back_when_its_file_does() -> None:
    from tocsin.slo import actions

    _apply(FILES)
    actions.retire_objective(SYSTEM, "logon-availability", now=NOON)
    assert ObjectiveState.objects.get().next_at is None
    plan = _apply(FILES)
    assert plan.changed == ["SLO logon-availability"]
    assert Objective.objects.get().retired_at is None
    assert ObjectiveState.objects.get().next_at is not None


def test_whoever_may_not_write_is_refused() -> None:
    reader = worlds.actor("rita", role=Role.READER.value)
    with pytest.raises(NotAllowed):
        apply_texts(reader, FILES, dry_run=True, now=NOON)


def test_folders_are_read_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "teams").mkdir()
    for name, text in {
        "services.yaml": SERVICES,
        "teams/slo.yml": SLO,
        "teams/rest.yaml": REST,
        "notes.md": "x",
    }.items():
        (tmp_path / name).write_text(text)
    plan = apply_files(SYSTEM, [tmp_path], dry_run=False, now=NOON)
    assert plan.errors == []
    assert plan.as_document()["created"]


def test_the_demos_own_files_are_accepted(now: datetime) -> None:
    from importlib.resources import files

    folder = files("tocsin.demo") / "files"
    texts = {
        path.name: path.read_text()
        for path in folder.iterdir()
        if path.name.endswith(".yaml") and path.name not in ("company.yaml", "adoption.yaml")
    }
    for team in ("identity", "tickets", "payments", "notifications", "platform"):
        worlds.team(team)
    plan = _apply({**texts})
    assert [problem for problem in plan.errors if "stakeholder group" not in problem.message] == []
