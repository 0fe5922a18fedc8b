"""tocsin wiring: from where numbers and alerts come to whose phone rings, and what leads nowhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from tocsin.cli.client import Client
from tocsin.cli.output import show


@click.command("wiring")
@click.option(
    "--format", "form", type=click.Choice(["text", "svg", "dot", "mermaid", "json"]), default="text", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--team", default="", help="Only what belongs to the alerts of this team.")
@click.option("--fail", is_flag=True, help="Exit 1 when something leads nowhere.")
def wiring(form: str, as_json: bool, team: str, fail: bool) -> None:
    """Print the wiring: sources, SLOs, priorities, teams, escalations, rotations, people, channels."""
    client = Client()
    if as_json or form == "json":
        show(client.get("/wiring", team=team), as_json=True)
    elif form == "svg":
        click.echo(_drawn(client.get("/wiring", team=team)))
    else:
        click.echo(client.download("/wiring", format=form, **({"team": team} if team else {})).decode(), nl=False)
    if fail and client.get("/wiring", team=team)["orphans"]:
        sys.exit(1)


def _drawn(document: Mapping[str, Any]) -> str:
    """The picture of the page as a file of its own, drawn here from what the server answered."""
    from tocsin.core.wiring_map import read_wiring
    from tocsin.web.pictures import alone
    from tocsin.web.pictures.wiring_map import wiring_picture

    picture = wiring_picture(*read_wiring(document))
    return alone.standalone(picture.desk, f"Wiring: {picture.finding}")
