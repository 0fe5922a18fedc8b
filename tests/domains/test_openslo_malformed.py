"""Documents that are wrong, each in a file of its own: the refusal names file, line, field, why, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.domains import worlds
from tests.domains.slo_worlds import NOON
from tocsin.config.apply import apply_files
from tocsin.core.access import SYSTEM
from tocsin.slo.models import Objective
from tocsin.slo.promql_faults import fault

FOLDER = Path(__file__).parent / "malformed"
SOURCE = """\
apiVersion: openslo/v1
kind: DataSource
metadata: {name: prometheus}
spec: {type: Prometheus, connectionDetails: {url: 'http://prometheus:9090'}}
"""

# (file, line, field, why, what to do where the reason does not say it by itself)
WRONG = [
    ("misspelt-field", 6, "spec.servcie", "unknown field 'servcie'", "did you mean 'service'?"),
    ("unknown-field", 7, "spec.colour", "unknown field 'colour'", "here belong"),
    ("old-version", 1, "apiVersion", "'openslo/v1alpha'", "is not openslo/v1"),
    ("wrong-kind", 2, "kind", "'Slo'", "is not one of SLO, SLI"),
    ("name-in-capitals", 4, "metadata.name", "'Checkout'", "lower-case letters, digits and -"),
    ("key-twice", 7, "spec.service", "given twice (first on line 6)", "keep one of them"),
    ("no-method", 6, "spec.budgetingMethod", "'budgetingMethod' is missing", "required field"),
    ("unknown-method", 25, "spec.budgetingMethod", "'Sometimes'", "one of Occurrences, Timeslices, RatioTimeslices"),
    ("perfect-target", 28, "spec.objectives[0].target", "leaves no error budget", "a target lies below 1"),
    ("target-in-percent", 28, "spec.objectives[0].target", "99.9 is not below 1", ""),
    ("quoted-target", 28, "spec.objectives[0].target", "must be a number", ""),
    ("two-targets", 29, "spec.objectives[0].targetPercent", "cannot stand beside target", ""),
    ("duration-in-words", 23, "spec.timeWindow[0].duration", "'28 days' is no duration", "for example 4w"),
    ("two-windows", 23, "spec.timeWindow", "must hold exactly 1 item", ""),
    ("calendar-missing", 24, "spec.timeWindow[0].calendar", "a window that is not rolling needs a calendar", ""),
    ("unknown-zone", 24, "spec.timeWindow[0].calendar.timeZone", "'Mars/Olympus' is no time zone", "IANA"),
    ("time-with-zone", 24, "spec.timeWindow[0].calendar.startTime", "is no time", "write YYYY-MM-DD hh:mm:ss"),
    ("good-and-bad", 12, "spec.indicator.spec.ratioMetric.bad", "cannot stand beside good", ""),
    ("raw-without-type", 11, "spec.indicator.spec.ratioMetric.rawType", "raw needs rawType", "success or failure"),
    (
        "slices-without-length",
        27,
        "spec.objectives[0].timeSliceWindow",
        "required with budgetingMethod RatioTimeslices",
        "",
    ),
    (
        "unknown-operator",
        41,
        "spec.alertPolicies[0].spec.conditions[0].spec.condition.op",
        "'>' is not one of",
        "lte, gte, lt, gt",
    ),
    (
        "negative-threshold",
        42,
        "spec.alertPolicies[0].spec.conditions[0].spec.condition.threshold",
        "-1 is below 0",
        "",
    ),
    (
        "no-lookback",
        40,
        "spec.alertPolicies[0].spec.conditions[0].spec.condition.lookbackWindow",
        "'lookbackWindow' is missing",
        "required",
    ),
    ("nobody-to-tell", 46, "spec.alertPolicies[0].spec.notificationTargets", "must hold at least 1 item", ""),
    ("yaml-tag", 6, "", "uses the tag", "tags are not allowed"),
    ("open-quote", 6, "", "is no YAML", ""),
    (
        "broken-query",
        21,
        "total.metricSource.spec.query",
        "is no PromQL at line 1, column 4: unclosed left parenthesis",
        "",
    ),
    ("query-of-another-time", 16, "good.metricSource.spec.query", "looks at another time (offset or @)", ""),
    (
        "misspelt-function",
        18,
        "good.metricSource.spec.query",
        "is no PromQL at line 2, column 3: unknown function with name 'rtae'",
        "",
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "line", "field", "why", "advice"), WRONG, ids=[one[0] for one in WRONG])
def test_a_wrong_document_is_refused_with_its_line_field_reason_and_remedy(
    name: str, line: int, field: str, why: str, advice: str, tmp_path: Path
) -> None:
    worlds.process()
    source = tmp_path / "source.yaml"
    source.write_text(SOURCE)
    path = FOLDER / f"{name}.yaml"
    plan = apply_files(SYSTEM, [path, source], dry_run=False, now=NOON)
    found = plan.errors[0]
    assert (found.path, found.line) == (str(path), line)
    assert found.message.startswith(f"{field}: " if field else ("uses", "is no YAML"))
    assert why in found.message
    assert advice in found.message
    assert not Objective.objects.exists()


def test_every_file_in_the_folder_is_looked_at() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(one[0] for one in WRONG)
    assert len(WRONG) >= 20


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("sum(a", "line 1, column 4"),
        ("sum(rate(a[5m]) / b", "line 1, column 4"),
        ("sum(rate(a[5z]))", "line 1, column 12"),
        ("sum(a))", "line 1, column 7"),
        ("foo{a=b}", "line 1, column 7"),
        ("sum(a) +\n  bar{", "line 2, column 6"),
        ("nofunc(a)", "line 1, column 1"),
        ("a b", "line 1, column 3"),
        ("sum(a) by (", "line 1, column 11"),
        ("sum(\n  a\n  b\n)", "line 3, column 3"),
        ('a{x="(", y=~"("}', "line 1, column 13"),
        ("", "line 1, column 1"),
    ],
)
def test_the_fault_of_a_query_is_shown_where_it_is(query: str, where: str) -> None:
    found = fault(query)
    assert found is not None
    assert found.startswith(f"is no PromQL at {where}: ")


@pytest.mark.parametrize("query", ["sum(a)", 'sum(rate(a{x="(["}[5m])) # (', "1"])
def test_a_query_that_is_one_has_no_fault(query: str) -> None:
    assert fault(query) is None
