"""tocsin postmortem ..., tocsin action ...: learning."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import day, output_options, show

ITEM = ("id", "incident", "title", "driver", "review", "status", "url")
TENSION = ("id", "text", "noted_by", "shared_with", "objects", "noted_at", "settled_at")
LINE = ("item", "phase", "do", "who", "state", "reason", "by")


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
@click.option("--override", default="", help="Why the meeting starts although a tension between people is open.")
@output_options
def move(incident_id: str, state: str, override: str, output: str, as_json: bool) -> None:
    """Change its status; what is missing is named."""
    path = f"/incidents/{quoted(incident_id)}/postmortem/state/{state}"
    show(Client().post(path, {"override": override}), output=output, as_json=as_json)


@postmortem.command("checklist")
@click.argument("incident_id")
@output_options
def checklist(incident_id: str, output: str, as_json: bool) -> None:
    """What is to be done before, during and after the meeting, and what of it is."""
    found = Client().get(f"/incidents/{quoted(incident_id)}/postmortem/checklist")
    show(found["items"], LINE, output=output, as_json=as_json)


@postmortem.command("mark")
@click.argument("incident_id")
@click.argument("item")
@click.option("--explain", default="", help="Why it is left out.")
@click.option("--open", "open_again", is_flag=True, help="It is open again.")
@output_options
def mark(incident_id: str, item: str, explain: str, open_again: bool, output: str, as_json: bool) -> None:
    """Say that an item of the checklists (B1) is done, or why it is left out."""
    if explain and open_again:
        raise click.UsageError("An item is left out or open, not both.")
    state = "open" if open_again else "explained" if explain else "done"
    path = f"/incidents/{quoted(incident_id)}/postmortem/checklist/{quoted(item)}"
    found = Client().post(path, {"state": state, "reason": explain})
    show(found["items"], LINE, output=output, as_json=as_json)


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


@action.command("review")
@click.argument("action_id", type=int)
@click.option("--verdict", type=click.Choice(["done", "not_done", "dropped"]), required=True)
@click.option("--with", "participants", multiple=True, help="Who else took part; once for each.")
@click.option("--next", "next_review", callback=day, help="When you look at it again: 2026-12-01.")
@click.option("--note", default="")
@output_options
def review(action_id: int, output: str, as_json: bool, **told: Any) -> None:
    """Say how it stood when people looked at it together; what is not done gets another date."""
    body = told | {"participants": list(told["participants"])}
    show(Client().post(f"/actions/{action_id}/review", body), ITEM, output=output, as_json=as_json)


@click.command("tensions")
@click.argument("incident_id")
@output_options
def tensions(incident_id: str, output: str, as_json: bool) -> None:
    """The tensions between people that you may read; others see only how many are open."""
    found = Client().get(f"/incidents/{quoted(incident_id)}/people/issues")
    show(found if as_json else found["items"], TENSION, output=output, as_json=as_json)


@click.command("note-tension")
@click.argument("incident_id")
@click.argument("text")
@click.option("--share-with", "shared_with", default="", help="Somebody else who may read it: a coach, say.")
@click.option("--objects", is_flag=True, help="The postmortem meeting must not start before it is settled.")
@output_options
def note_tension(incident_id: str, output: str, as_json: bool, **told: Any) -> None:
    """Note in confidence that something stands between people. The log says only that there is something."""
    show(
        Client().post(f"/incidents/{quoted(incident_id)}/people/issues", told), TENSION, output=output, as_json=as_json
    )


@click.command("settle-tension")
@click.argument("incident_id")
@click.argument("tension_id", type=int)
@output_options
def settle_tension(incident_id: str, tension_id: int, output: str, as_json: bool) -> None:
    """Say that a tension is settled."""
    path = f"/incidents/{quoted(incident_id)}/people/issues/{tension_id}/settle"
    show(Client().post(path), TENSION, output=output, as_json=as_json)


OF_AN_INCIDENT = (tensions, note_tension, settle_tension)
