"""SLOs by words alone: apply with a reason, history, export, earlier priorities, retire; refusals in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edges.test_cli import Shell, shell

__all__ = ["shell"]

pytestmark = pytest.mark.django_db(transaction=True)

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout, annotations: {tocsin.dev/priority: P2}}
spec:
  service: shop
  indicator: {metadata: {name: ok}, spec: {ratioMetric: {good: {metricSource: {spec: {}}}, total: {metricSource: {spec: {}}}}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""


def test_an_slo_lives_through_its_changes_by_words_alone(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "slo.yaml"
    file.write_text(SLO)
    assert shell.run("apply", str(file), "--reason", "First agreed").exit_code == 0
    file.write_text(SLO.replace("0.99", "0.995"))
    assert shell.run("apply", str(file), "--reason", "Customers expect more").exit_code == 0
    told = shell.run("slo", "history", "checkout").stdout
    assert "2  changed" in told
    assert "Customers expect more" in told
    assert "target: 0.99 -> 0.995" in told
    assert shell.json("slo", "history", "checkout")["items"][1]["reason"] == "First agreed"

    folder = tmp_path / "out"
    exported = shell.run("slo", "export", "-o", str(folder))
    assert exported.exit_code == 0, exported.output
    assert sorted(one.name for one in folder.iterdir()) == [
        "priorities-no-team.yaml",
        "services.yaml",
        "slos-shop.yaml",
    ]
    again = shell.run("apply", str(folder))
    assert "changed:" not in again.stdout.replace("unchanged:", "")
    assert "created:" not in again.stdout
    assert shell.run("slo", "export", "-o", str(folder)).exit_code == 1
    assert "is there already" in shell.run("slo", "export", "-o", str(folder)).stderr

    old = tmp_path / "old.csv"
    old.write_text("slo,priority\ncheckout,Sev 1\n")
    plan = shell.run("import", "priorities", str(old), "--mapping", "Sev 1=P1", "--dry-run")
    assert plan.stdout == "changed: priority of checkout: P1 (was Sev 1)\n"
    assert shell.json("slo", "show", "checkout")["priority"] == 2
    assert shell.run("import", "priorities", str(old), "--mapping", "Sev 1=P1").exit_code == 0
    assert shell.json("slo", "show", "checkout")["priority"] == 1

    assert shell.run("slo", "retire", "checkout").exit_code == 2
    assert shell.json("slo", "retire", "checkout", "--reason", "The shop closed")["retired_at"]
    assert "The shop closed" in shell.run("slo", "history", "checkout").stdout


def test_refusals_are_one_line_and_an_exit_code(shell: Shell, tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("slo,priority\nnobody,Sev 1\n")
    refused = shell.run("import", "priorities", str(old), "--mapping", "Sev 1=P1")
    assert (refused.exit_code, refused.stderr) == (1, "old.csv:2: There is no SLO in use called 'nobody'.\n")
    assert shell.run("import", "priorities", str(old), "--mapping", "Sev 1").exit_code == 2
    assert shell.run("slo", "history", "nobody").exit_code == 1
    assert shell.run("slo", "export", "nobody", "-o", str(tmp_path / "x")).exit_code == 1
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(SLO.replace("  service: shop", "  servcie: shop"))
    answer = shell.run("apply", str(wrong))
    assert answer.exit_code == 1
    assert f"{wrong}:5: spec.servcie: unknown field 'servcie'; did you mean 'service'?" in answer.stderr
