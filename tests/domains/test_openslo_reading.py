"""OpenSLO files: what is accepted, what is refused and on which line, and what is hostile."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.platform import clock
from tocsin.slo.openslo import ParsedFile, parse, validate

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: logon-availability
  displayName: People can log on
  labels: {tier: one, team: [identity, platform]}
  annotations:
    tocsin.dev/use-case: Nobody can log on
    example.com/dashboard: https://grafana.example/d/1
spec:
  service: logon
  description: Requests that do not end in a server error.
  indicator:
    metadata: {name: logon-ok}
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            metricSourceRef: prometheus
            spec: {query: 'sum(http_requests_total{job="logon",code!~"5.."})'}
        total:
          metricSource:
            metricSourceRef: prometheus
            spec: {query: 'sum(http_requests_total{job="logon"})'}
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - displayName: Log-on works
      target: 0.999
  alertPolicies:
    - alertPolicyRef: fast-burn
"""


def _errors(file: ParsedFile) -> list[tuple[int, str]]:
    return [(problem.line, problem.path) for problem in file.errors]


def _changed(old: str, new: str) -> ParsedFile:
    assert old in SLO
    return parse(SLO.replace(old, new), "slo.yaml")


def test_a_plain_slo_is_valid_and_read() -> None:
    file = parse(SLO, "slo.yaml")
    assert file.valid, file.errors
    (document,) = file.documents
    assert (document.kind, document.name, document.line) == ("SLO", "logon-availability", 1)
    assert document.data["spec"]["objectives"][0] == {"displayName": "Log-on works", "target": 0.999}


def test_every_kind_of_the_specification_is_read() -> None:
    text = """\
        apiVersion: openslo/v1
        kind: DataSource
        metadata: {name: prometheus}
        spec:
          type: Prometheus
          connectionDetails: {url: 'http://prometheus:9090', any: [{thing: goes}]}
        ---
        apiVersion: openslo/v1
        kind: Service
        metadata: {name: logon}
        ---
        apiVersion: openslo/v1
        kind: SLI
        metadata: {name: latency}
        spec:
          thresholdMetric:
            metricSource: {type: CloudWatch, spec: {dimensions: [{name: CanaryName, value: web}]}}
        ---
        apiVersion: openslo/v1
        kind: SLO
        metadata: {name: logon-latency}
        spec:
          service: logon
          indicatorRef: latency
          timeWindow:
            - duration: 1M
              calendar: {startTime: 2022-01-01 12:00:00, timeZone: America/New_York}
              isRolling: false
          budgetingMethod: Timeslices
          objectives:
            - {op: lte, value: 200, targetPercent: 99.5, timeSliceTarget: 0.95, timeSliceWindow: 1m}
          alertPolicies: [by-bare-name]
        ---
        apiVersion: openslo/v1
        kind: AlertPolicy
        metadata: {name: by-bare-name}
        spec:
          alertWhenBreaching: true
          conditions: [{conditionRef: fast}]
          notificationTargets: [{targetRef: mail}]
        ---
        apiVersion: openslo/v1
        kind: AlertCondition
        metadata: {name: fast}
        spec:
          severity: page
          condition: {kind: burnrate, threshold: 14.4, lookbackWindow: 1h, alertAfter: 5m}
        ---
        apiVersion: openslo/v1
        kind: AlertNotificationTarget
        metadata: {name: mail}
        spec: {target: email}
        """
    file = parse(dedent(text), "all.yaml")
    assert file.errors == []
    assert len(file.documents) == 7


def test_a_list_of_objects_is_as_good_as_several_documents() -> None:
    service = {"apiVersion": "openslo/v1", "kind": "Service", "metadata": {"name": "logon"}}
    other = {**service, "metadata": {"name": "search"}}
    for text, path in (
        (json.dumps([service, other]), "list.json"),
        (json.dumps(service) + "\n" + json.dumps(other), "two.json"),
        ("- apiVersion: openslo/v1\n  kind: Service\n  metadata: {name: logon}\n", "list.yaml"),
    ):
        file = parse(text, path)
        assert file.valid, file.errors
        assert file.documents[0].name == "logon"


@pytest.mark.parametrize(
    ("old", "new", "line", "path"),
    [
        ("openslo/v1", "openslo/v2", 1, "apiVersion"),
        ("apiVersion: openslo/v1\n", "", 1, "apiVersion"),
        ("kind: SLO", "kind: Slo", 2, "kind"),
        ("kind: SLO\n", "", 1, "kind"),
        ("name: logon-availability", "name: Logon Availability", 4, "metadata.name"),
        ("name: logon-availability", f"name: {'a' * 64}", 4, "metadata.name"),
        ("name: logon-availability", "name: logon-", 4, "metadata.name"),
        ("displayName: People can log on", "nickname: x", 5, "metadata.nickname"),
        ("team: [identity, platform]", "team: {a: b}", 6, "metadata.labels.team"),
        ("tier: one", "-tier: one", 6, "metadata.labels.-tier"),
        ("example.com/dashboard", "example.com/dash/board", 9, "metadata.annotations.example.com/dash/board"),
        ("  service: logon\n", "", 11, "spec.service"),
        ("  service: logon", "  service: logon\n  service: logon", 12, "spec.service"),
        ("  service: logon", "  servce: logon", 11, "spec.servce"),
        ("Requests that do not end in a server error.", "x" * 1051, 12, "spec.description"),
        ("counter: true", "counter: yes", 17, "spec.indicator.spec.ratioMetric.counter"),
        ("        good:", "        bad: {metricSource: {spec: {}}}\n        good:", 18, "spec.indicator.spec.ratioMetric.bad"),
        ("        total:", "        totals:", 22, "spec.indicator.spec.ratioMetric.totals"),
        ("spec: {query: 'sum(http_requests_total{job=\"logon\"})'}", "spec: {a: 1, a: 2}", 25, "spec.indicator.spec.ratioMetric.total.metricSource.spec.a"),
        ("duration: 28d", "duration: 28 days", 27, "spec.timeWindow[0].duration"),
        ("duration: 28d", "duration: 0d", 27, "spec.timeWindow[0].duration"),
        ("isRolling: true", "isRolling: false", 28, "spec.timeWindow[0].calendar"),
        ("Occurrences", "Sometimes", 29, "spec.budgetingMethod"),
        ("Occurrences", "Timeslices", 31, "spec.objectives[0].timeSliceTarget"),
        ("target: 0.999", "target: 1.0", 32, "spec.objectives[0].target"),
        ("target: 0.999", "target: 1", 32, "spec.objectives[0].target"),
        ("target: 0.999", "target: 1.5", 32, "spec.objectives[0].target"),
        ("target: 0.999", "target: -0.1", 32, "spec.objectives[0].target"),
        ("target: 0.999", "target: '0.999'", 32, "spec.objectives[0].target"),
        ("target: 0.999", "target: .nan", 32, "spec.objectives[0].target"),
        ("target: 0.999", "target: .inf", 32, "spec.objectives[0].target"),
        ("target: 0.999", "target: 1e999", 32, "spec.objectives[0].target"),
        ("target: 0.999", "targetPercent: 100", 32, "spec.objectives[0].targetPercent"),
        ("target: 0.999", "target: 0.999\n      targetPercent: 99.9", 33, "spec.objectives[0].targetPercent"),
        ("target: 0.999", "op: lte", 31, "spec.objectives[0]"),
        ("- alertPolicyRef: fast-burn", "- conditionRef: fast-burn", 34, "spec.alertPolicies[0].conditionRef"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line_and_path(old: str, new: str, line: int, path: str) -> None:
    assert (line, path) in _errors(_changed(old, new))


def test_a_percentage_of_just_below_a_hundred_is_fine_and_stays_exact() -> None:
    assert _changed("target: 0.999", "targetPercent: 99.9999999").valid


def test_a_slo_without_any_indicator_is_refused() -> None:
    start, end = SLO.index("  indicator:"), SLO.index("  timeWindow:")
    file = parse(SLO[:start] + SLO[end:], "slo.yaml")
    assert [problem.path for problem in file.errors] == ["spec.objectives[0].indicator"]


def test_one_bad_document_refuses_its_whole_file_and_every_error_is_told() -> None:
    text = SLO + "---\napiVersion: openslo/v1\nkind: Service\nmetadata: {name: UPPER}\nspec: {colour: red}\n"
    file = parse(text, "two.yaml")
    assert not file.valid
    assert _errors(file) == [(38, "metadata.name"), (39, "spec.colour")]


def test_the_specifications_own_odd_operator_is_a_warning() -> None:
    condition = """\
        apiVersion: openslo/v1
        kind: AlertCondition
        metadata: {name: fast}
        spec:
          severity: page
          condition:
            kind: burnrate
            op: lte
            threshold: 2
            lookbackWindow: 1h
        """
    file = parse(dedent(condition), "condition.yaml")
    assert file.valid
    assert [(problem.line, problem.path) for problem in file.warnings] == [(8, "spec.condition.op")]


def test_an_annotation_of_ours_that_means_nothing_is_a_warning() -> None:
    file = _changed("tocsin.dev/use-case", "tocsin.dev/usecase")
    assert [(problem.line, problem.path) for problem in file.warnings] == [
        (8, "metadata.annotations.tocsin.dev/usecase")
    ]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: !!python/object/apply:os.system [x]\n", 2, "tag"),
        ("a: !custom x", 1, "tag"),
        (BOMB, 5, "more than"),
        ("a: &a [*a]", 1, "inside itself"),
        ("a: *nothing", 1, "no anchor"),
        ("\n".join(" " * depth + "a:" for depth in range(100)), 32, "levels deep"),
        ("a: " + "[" * 100_000, 1, ""),
        ("a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}]\n" for n in range(2000)), 31, "levels deep"),
        ("---\n{}\n" * 200_000, 1, ""),
        ("k: v\n" * 500_000, 1, "larger"),
        ("a: 1\nb: \x07", 2, "character"),
        ("a: b: c", 1, "no YAML"),
        ("a: 'open", 1, "no YAML"),
        ("? [a, b]\n: c", 1, "key"),
        ("", 1, "no document"),
        ("just words", 1, "map"),
    ],
)
def test_hostile_or_broken_yaml_is_refused_quickly_with_its_line(text: str, line: int, words: str) -> None:
    begin = clock.monotonic()
    file = parse(text, "hostile.yaml")
    assert clock.monotonic() - begin < 10
    assert not file.valid
    assert words in file.errors[0].message
    if words:
        assert file.errors[0].line == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"apiVersion": "openslo/v1",\n "kind": "Service",\n "kind": "Service",\n "metadata": {"name": "a"}}', 3),
        ('{"apiVersion": "openslo/v1", "kind": "Service",\n "metadata": {"name": "a"},\n\n "colour": 1}', 4),
        ('{"a":\n ' + '{"a": ' * 100_000, 2),
        ('{"apiVersion": "openslo/v1",}', 1),
        ("{\n'a': 1}", 2),
        ('{"a": NaN}', 1),
        ('{"a": "x\ny"}', 1),
        ("[1, 2", 1),
    ],
)
def test_wrong_json_is_refused_with_its_line(text: str, line: int) -> None:
    file = parse(text, "file.json")
    assert file.errors[0].line == line


def test_an_anchor_used_within_reason_is_fine() -> None:
    text = SLO.replace("team: [identity, platform]", "team: &owners [identity], also: *owners")
    assert parse(text, "slo.yaml").valid


def test_bytes_that_are_no_utf8_are_refused_with_their_line() -> None:
    assert _errors(parse(b"a: 1\nb: \xff\n", "latin.yaml")) == [(2, "")]


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    for path in ("any.yaml", "any.json"):
        assert not parse(text, path).valid


def _dict(tmp_path: Path, **files: str) -> dict[str, object]:
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return validate([tmp_path])


def test_a_reference_that_none_of_the_files_holds_is_a_warning_that_names_it(tmp_path: Path) -> None:
    answer = _dict(tmp_path, slo=SLO, service="apiVersion: openslo/v1\nkind: Service\nmetadata: {name: logon}\n")
    files = {Path(file["path"]).name: file for file in answer["files"]}  # type: ignore[attr-defined]
    assert files["slo.yaml"]["valid"] is True
    assert files["service.yaml"]["warnings"] == []
    found = [(warning["line"], warning["message"]) for warning in files["slo.yaml"]["warnings"]]
    assert found == [
        (20, "no DataSource called 'prometheus' in these files"),
        (24, "no DataSource called 'prometheus' in these files"),
        (34, "no AlertPolicy called 'fast-burn' in these files"),
    ]


def test_the_answer_of_validation_has_the_contracts_shape(tmp_path: Path) -> None:
    (file,) = _dict(tmp_path, bad=SLO.replace("target: 0.999", "target: 1"))["files"]  # type: ignore[attr-defined, misc]
    assert set(file) == {"path", "valid", "documents", "errors", "warnings"}
    assert (file["valid"], file["documents"]) == (False, 1)
    assert file["errors"] == [
        {"line": 32, "path": "spec.objectives[0].target", "message": "1 leaves no error budget; a target lies below 1"}
    ]
    json.dumps(file)


def test_a_query_that_could_not_be_asked_is_a_warning_with_its_line(tmp_path: Path) -> None:
    (file,) = _dict(tmp_path, slo=SLO.replace('code!~"5.."})', 'code!~"5.."}'))["files"]  # type: ignore[attr-defined, misc]
    assert file["valid"] is True
    found = [one for one in file["warnings"] if one["path"].endswith("metricSource.spec.query")]
    assert [one["path"].split(".")[0] for one in found] == ["good"]
    assert SLO.splitlines()[found[0]["line"] - 1].strip().startswith("spec: {query:")


def test_a_file_that_cannot_be_read_is_an_error_of_that_file(tmp_path: Path) -> None:
    (file,) = validate([tmp_path / "missing.yaml"])["files"]
    assert file["valid"] is False
    assert "cannot be read" in file["errors"][0]["message"]
