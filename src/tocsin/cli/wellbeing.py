"""tocsin incident people ...: who takes part, what is asked for them, hand-overs and thanks."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import duration, output_options, show

SHOWN = ("incident", "people", "prompts", "first_time_together", "relief", "hand_overs", "team")
LINES = ("person", "name", "team", "roles", "time_zone", "present", "introduced", "night_there", "hours")
OFFER = ("id", "role", "from", "to", "done", "open", "risks", "next_update", "accepted_at", "withdrawn_at")


@click.command()
@click.argument("incident_id")
@click.option("--prompts", is_flag=True, help="The prompts you may see, with the keys to answer them by.")
@output_options
def people(incident_id: str, prompts: bool, output: str, as_json: bool) -> None:
    """Who takes part: card, local night, and the hours you may see.

    You see your own hours and prompts. Whoever coordinates the running incident sees those of everybody.
    """
    found = Client().get(f"/incidents/{quoted(incident_id)}/people")
    if as_json or output in {"json", "yaml"}:
        show(found, output=output, as_json=as_json)
    elif prompts:
        show(found["prompts"], ("key", "aspect", "weight", "state", "text"), output=output)
    else:
        show([_line(one) for one in found["people"]], LINES, output=output)


def _line(person: dict[str, Any]) -> dict[str, Any]:
    told = person["hours"]
    hours = f"{told['minutes'] // 60} h {told['minutes'] % 60} min" if told else None
    return {**person, "hours": hours}


@click.command("answer-prompt")
@click.argument("incident_id")
@click.argument("key")
@click.option("--later", help="Defer it for so long instead: 30m, 2h.")
@output_options
def answer_prompt(incident_id: str, key: str, later: str | None, output: str, as_json: bool) -> None:
    """Say that a prompt is done, or defer it. The log tells that a prompt was answered, and nothing else."""
    body: dict[str, Any] = {"key": key, "answer": "deferred" if later else "done"}
    if later:
        body["wait_minutes"] = int(duration(later).total_seconds()) // 60
    found = Client().post(f"/incidents/{quoted(incident_id)}/people/prompts", body)
    show(found, SHOWN, output=output, as_json=as_json)


@click.command()
@click.argument("incident_id")
@click.option("--text", default="", help="What else others should know.")
@output_options
def introduce(incident_id: str, text: str, output: str, as_json: bool) -> None:
    """Post your card: name, team, role, time zone."""
    found = Client().post(f"/incidents/{quoted(incident_id)}/people/introduce", {"text": text})
    show(found, SHOWN, output=output, as_json=as_json)


@click.command("hand-over")
@click.argument("incident_id")
@click.argument("role")
@click.argument("person")
@click.option("--done", required=True, help="What has been done.")
@click.option("--open", "still_open", required=True, help="What is open.")
@click.option("--risks", required=True, help="What could go wrong.")
@click.option("--next-update", required=True, help="When the next update is due, or that none is.")
@output_options
def hand_over(
    incident_id: str, role: str, person: str, still_open: str, output: str, as_json: bool, **told: str
) -> None:
    """Offer your role to somebody; it changes hands when they accept."""
    body = {"role": role, "to": person, "open": still_open, **told}
    found = Client().post(f"/incidents/{quoted(incident_id)}/hand-overs", body)
    show(found, OFFER, output=output, as_json=as_json)


@click.command("accept-hand-over")
@click.argument("hand_over_id", type=int)
@output_options
def accept_hand_over(hand_over_id: int, output: str, as_json: bool) -> None:
    """Take over the role that was offered to you (`tocsin incident people N --json` gives the id)."""
    show(Client().post(f"/hand-overs/{hand_over_id}/accept", {}), OFFER, output=output, as_json=as_json)


@click.command()
@click.argument("incident_id")
@click.option("--thanks", required=True, help="What everybody who took part is told.")
@output_options
def dissolve(incident_id: str, thanks: str, output: str, as_json: bool) -> None:
    """Thank everybody and dissolve the response team; refused while something is owed."""
    found = Client().post(f"/incidents/{quoted(incident_id)}/people/dissolve", {"thanks": thanks})
    show(found, SHOWN, output=output, as_json=as_json)


COMMANDS = (people, answer_prompt, introduce, hand_over, accept_hand_over, dissolve)
