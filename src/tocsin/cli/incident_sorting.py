"""tocsin incident: sort it, merge it, take it apart again, say that it was none."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import output_options, show

SHOWN = ("id", "title", "state", "service", "category", "environment", "scope", "outside_our_control", "merged_into")


def links_for_people(found: dict[str, Any]) -> dict[str, Any]:
    """An incident as a terminal shows it: what it is connected with, in a few words each."""
    told = dict(found.get("links") or {})
    if not told:
        return found
    told["breaches"] = [f"{one['path']} {one['at']}" for one in told.get("breaches", ())[:5]]
    told["changes"] = [f"{one['at']} {one['summary']}" for one in told.get("changes", ())[:5]]
    told["fixes"] = [one["reference"] for one in told.get("fixes", ())]
    return {**found, "links": {name: value for name, value in told.items() if value}}


def _post(incident_id: str, verb: str, body: dict[str, Any], output: str, as_json: bool) -> None:
    found = Client().post(f"/incidents/{quoted(incident_id)}/{verb}", body)
    show(found, SHOWN, output=output, as_json=as_json)


@click.command()
@click.argument("incident_id")
@click.option("--service", help="Which service it was.")
@click.option("--category", help="The class of its cause: deploy, capacity, dependency.")
@click.option("--environment", help="Where: production, staging.")
@click.option("--scope", help="Which regions or tenants feel it.")
@click.option("--outside/--in-our-control", "outside_our_control", default=None, help="Whose cause it is.")
@click.option("--reason", default="", help="Asked with --outside.")
@output_options
def categorize(incident_id: str, output: str, as_json: bool, **told: Any) -> None:
    """Sort an incident; what you leave out stays as it is."""
    body = {name: value for name, value in told.items() if value is not None}
    _post(incident_id, "categories", body, output, as_json)


@click.command()
@click.argument("incident_id")
@click.argument("into")
@output_options
def merge(incident_id: str, into: str, output: str, as_json: bool) -> None:
    """Let an incident go on in another one, which is shown."""
    _post(incident_id, "merge", {"into": into}, output, as_json)


@click.command()
@click.argument("incident_id")
@click.option("--reason", default="")
@output_options
def unmerge(incident_id: str, reason: str, output: str, as_json: bool) -> None:
    """They were two things after all: it goes on by itself, where it stood."""
    _post(incident_id, "unmerge", {"reason": reason}, output, as_json)


@click.command()
@click.argument("incident_id")
@click.option("--reason", required=True, help="Why it was no incident.")
@output_options
def cancel(incident_id: str, reason: str, output: str, as_json: bool) -> None:
    """Say that it was no incident. Its number stays."""
    _post(incident_id, "cancel", {"reason": reason}, output, as_json)


COMMANDS = (categorize, merge, unmerge, cancel)
