"""tocsin incident authorities ...: whether an authority has to hear of an incident, and which reports went out."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import output_options, show

LINE = ("regime", "report", "due_at", "sent_at", "late", "reference")


@click.command("authorities")
@click.argument("incident_id")
@output_options
def authorities(incident_id: str, output: str, as_json: bool) -> None:
    """What each authority of the process is owed, by when, and what was late."""
    found = Client().get(f"/incidents/{quoted(incident_id)}/authorities")
    _shown(found, output=output, as_json=as_json)


@click.command("classify-for")
@click.argument("incident_id")
@click.argument("regime")
@click.option("--major/--not-major", required=True, help="Whether it is a major incident; its clocks run from now.")
@click.option("--met", multiple=True, help="A criterion that is met; once for each.")
@click.option("--reason", default="", help="Asked where the criteria suggest otherwise.")
@click.option(
    "--aware-at", help="When it was noticed: 2026-07-01T09:30:00Z. The beginning of the incident unless given."
)
@output_options
def classify(incident_id: str, regime: str, output: str, as_json: bool, **told: Any) -> None:
    """Say whether an incident is a major one for an authority (its code in the process)."""
    path = f"/incidents/{quoted(incident_id)}/authorities/{quoted(regime)}/finding"
    _shown(Client().post(path, told | {"met": list(told["met"])}), output=output, as_json=as_json)


@click.command("report-to")
@click.argument("incident_id")
@click.argument("regime")
@click.argument("report", type=click.Choice(["initial", "intermediate", "final"]))
@click.option("--reference", default="", help="Under which number the authority has it.")
@click.option("--sent-at", help="When it went out: 2026-07-01T09:30:00Z. Now unless given.")
@output_options
def report(incident_id: str, regime: str, output: str, as_json: bool, **told: Any) -> None:
    """Write down that a report to an authority went out."""
    path = f"/incidents/{quoted(incident_id)}/authorities/{quoted(regime)}/reports"
    _shown(Client().post(path, told), output=output, as_json=as_json)


def _shown(found: dict[str, Any], *, output: str, as_json: bool) -> None:
    if as_json or output in {"json", "yaml"}:
        show(found, output=output, as_json=as_json)
    else:
        rows = [one | {"regime": regime["regime"]} for regime in found["items"] for one in regime["reports"]]
        show(rows, LINE, output=output)


COMMANDS = (authorities, classify, report)
