"""tocsin wiring: from where numbers and alerts come to whose phone rings, and what leads nowhere."""

from __future__ import annotations

import sys

import click

from tocsin.cli.client import Client
from tocsin.cli.output import show


@click.command("wiring")
@click.option(
    "--format", "form", type=click.Choice(["text", "dot", "mermaid", "json"]), default="text", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--team", default="", help="Only what belongs to the alerts of this team.")
@click.option("--fail", is_flag=True, help="Exit 1 when something leads nowhere.")
def wiring(form: str, as_json: bool, team: str, fail: bool) -> None:
    """Print the wiring: sources, SLOs, priorities, teams, escalations, rotations, people, channels."""
    client = Client()
    if as_json or form == "json":
        show(client.get("/wiring", team=team), as_json=True)
    else:
        click.echo(client.download("/wiring", format=form, **({"team": team} if team else {})).decode(), nl=False)
    if fail and client.get("/wiring", team=team)["orphans"]:
        sys.exit(1)
