"""tocsin postmortem ..., tocsin action ...: learning."""

from __future__ import annotations

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import day, output_options, show

ITEM = ("id", "incident", "title", "driver", "review", "status", "url")


@click.group()
def postmortem() -> None:
    """Postmortems: drafted from the record, finished by people."""


@postmortem.command("list")
@click.option("--state", help="draft, in_review, reviewed or closed.")
@output_options
def list_postmortems(state: str | None, output: str, as_json: bool) -> None:
    """All postmortems, newest incident first."""
    show(Client().get("/postmortems", state=state), ("incident", "title", "state"), output=output, as_json=as_json)


@postmortem.command("show")
@click.argument("incident_id")
@output_options
def show_postmortem(incident_id: str, output: str, as_json: bool) -> None:
    """One postmortem with its timeline and action items."""
    show(Client().get(f"/incidents/{quoted(incident_id)}/postmortem"), output=output, as_json=as_json)


@postmortem.command("start")
@click.argument("incident_id")
@output_options
def start(incident_id: str, output: str, as_json: bool) -> None:
    """Begin one by hand, also where none is required."""
    show(Client().post(f"/incidents/{quoted(incident_id)}/postmortem"), output=output, as_json=as_json)


@postmortem.command("write")
@click.argument("incident_id")
@click.argument("section")
@click.argument("text")
@output_options
def write(incident_id: str, section: str, text: str, output: str, as_json: bool) -> None:
    """Write one section."""
    path = f"/incidents/{quoted(incident_id)}/postmortem/sections/{quoted(section)}"
    show(Client().put(path, {"text": text}), output=output, as_json=as_json)


@postmortem.command("move")
@click.argument("incident_id")
@click.argument("state", type=click.Choice(["draft", "in_review", "reviewed", "closed"]))
@output_options
def move(incident_id: str, state: str, output: str, as_json: bool) -> None:
    """Change its status; what is missing is named."""
    show(Client().post(f"/incidents/{quoted(incident_id)}/postmortem/state/{state}"), output=output, as_json=as_json)


@click.group()
def action() -> None:
    """Action items: agreed work with a driver and a review date."""


@action.command("add")
@click.option("--incident", required=True)
@click.option("--title", required=True, help="What is to be done, beginning with a verb.")
@click.option("--driver", default="", help="Who gets it done.")
@click.option("--review", callback=day, help="When you look at it together: 2026-12-01.")
@click.option("--due", callback=day, help="A date: 2026-12-01.")
@click.option("--horizon", type=click.Choice(["immediate", "systemic"]), default="immediate", show_default=True)
@output_options
def add(output: str, as_json: bool, **facts: str | None) -> None:
    """Add an action item."""
    show(Client().post("/actions", facts), ITEM, output=output, as_json=as_json)


@action.command("list")
@click.option("--open", "open_only", is_flag=True)
@click.option("--driver")
@output_options
def list_actions(open_only: bool, driver: str | None, output: str, as_json: bool) -> None:
    """Action items by review date."""
    show(Client().get("/actions", open=open_only, driver=driver)["items"], ITEM, output=output, as_json=as_json)


@action.command("set")
@click.argument("action_id", type=int)
@click.option("--status", type=click.Choice(["proposed", "agreed", "in_progress", "done", "dropped"]))
@click.option("--driver")
@click.option("--review", callback=day, help="A date: 2026-12-01.")
@output_options
def change(action_id: int, output: str, as_json: bool, **facts: str | None) -> None:
    """Change an item; moving its review date counts as a postponement."""
    body = {name: value for name, value in facts.items() if value is not None}
    show(Client().patch(f"/actions/{action_id}", body), ITEM, output=output, as_json=as_json)
