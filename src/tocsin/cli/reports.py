"""tocsin report: what the records show over a time. Each report is a verb of this group."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import period as moments
from tocsin.cli.output import show
from tocsin.cli.server import whole_days

COLUMNS = ("id", "title", "passed", "judged", "failed", "waived", "not_applicable", "not_due", "not_checked")


@click.group()
def report() -> None:
    """What the records show over a time."""


@report.command("adherence")
@click.option("--period", help="A year, a quarter, a month, or days back: 2026, 2026-Q3, 2026-08, 90d.")
@click.option("--from", "start", help="Instead of a period: a moment, or a date: 2026-01-01.")
@click.option("--to", "end", help="A moment, or a date, its whole day (UTC) included.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv", "md"]), default="table", help="How to print it."
)
@click.option("--json", "as_json", is_flag=True, help="Each verdict with the entries behind it, as one document.")
def adherence(period: str | None, start: str | None, end: str | None, form: str, as_json: bool) -> None:
    """Was the process followed? Passed of judged for each check; never one figure over all of them.

    Without a period it is this quarter. Boundaries are UTC.
    """
    asked = _asked(period, start, end)
    if as_json or form == "json":
        show(Client().get("/adherence", **asked, detail=True), output="json")
        return
    if form in {"csv", "md"}:
        click.echo(Client().download("/adherence", **asked, format=form).decode(), nl=False)
        return
    found = Client().get("/adherence", **asked)
    rows = [row | {"judged": row["passed"] + row["failed"]} for row in found["checks"]]
    show(rows, COLUMNS)
    apart = f", and {found['exercises']} exercises apart" if found["exercises"] else ""
    click.echo(f"{found['incidents']} incidents from {found['from']} to {found['to']}{apart}.", err=True)


FATIGUE_COLUMNS = (
    "slo",
    "breaches",
    "alerts",
    "alerts_per_breach",
    "acted_on",
    "not_actionable",
    "not_actionable_share",
)


@report.command("alert-fatigue")
@click.option("--period", help="A year, a quarter, a month, or days back: 2026, 2026-Q3, 2026-08, 90d.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def alert_fatigue(period: str | None, as_json: bool) -> None:
    """Do alerts ask for people only when people are needed? Alerts beside breaches, SLO by SLO.

    Not actionable: the incident ended without anybody having taken it, or was none. Without a period it is this quarter.
    """
    found = Client().get("/alert-fatigue", **_asked(period, None, None))
    if as_json:
        show(found, output="json")
        return
    show([*found["slos"], {"slo": "all SLOs", **found["total"]}], FATIGUE_COLUMNS)


def _asked(period: str | None, start: str | None, end: str | None) -> dict[str, str]:
    if period and (start or end):
        raise click.UsageError("Give --period, or --from and --to, not both.")
    if bool(start) != bool(end):
        raise click.UsageError("--from and --to go together.")
    if start and end:
        begin, finish = moments(*whole_days(start, end))
        return {"from": begin.isoformat(), "to": finish.isoformat()}
    return {"period": period} if period else {}


INCIDENT_COLUMNS = ("id", "verdict", "title", "why", "events", "waived_by", "waiver_reason")


@click.command("adherence")
@click.argument("ref")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def of_incident(ref: str, as_json: bool) -> None:
    """The checks of the process on one incident, each with the log entries behind it."""
    _show(Client().get(f"/incidents/{quoted(ref)}/adherence"), as_json=as_json)


@click.command("waive-check")
@click.argument("ref")
@click.argument("check")
@click.option("--reason", required=True, help="Why it is not held against the incident. It stays in the record.")
@click.option("--withdraw", is_flag=True, help="Let it count again instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def waive_check(ref: str, check: str, reason: str, withdraw: bool, as_json: bool) -> None:
    """A miss that CHECK (AC07) finds is not held against the incident. The owner of the process decides."""
    verb = "withdraw" if withdraw else "waive"
    path = f"/incidents/{quoted(ref)}/adherence/{quoted(check)}/{verb}"
    _show(Client().post(path, {"reason": reason}), as_json=as_json)


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    show(found if as_json else found["checks"], INCIDENT_COLUMNS, as_json=as_json)
