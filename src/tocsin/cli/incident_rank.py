"""tocsin incident: see one at a glance, look on, ask for a role and answer who asks, ask people in."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import for_cell, output_options, show

ASKED = ("id", "role", "from", "to", "reason", "due_at", "answer")
GIVEN = ("id", "role", "from", "to", "done", "open", "risks", "next_update", "accepted_at")
SUMMARY = ("id", "title", "status", "state", "priority", "severity", "service", "latest", "next_update_due_at", "roles")
_LAST = 5
_WIDTH = 100


def at_a_glance(found: dict[str, Any]) -> list[str]:
    """An incident on one screen: how it stands, who holds which role, what is due next, what happened last."""
    who = found.get("acknowledged_by") or "nobody yet"
    head = [
        f"{found['id']}  {_priority(found)} {found['severity']}  {found['state']}",
        for_cell(found["title"]),
        f"service {found['service'] or '-'}, since {found['created_at']}, taken by {who}",
    ]
    return [line[:_WIDTH] for line in [*head, "", *_roles(found), "", *_owed(found), "", *_latest(found)]]


def _priority(found: dict[str, Any]) -> str:
    return f"priority {found.get('priority_words') or found.get('priority') or found['priority_state']}"


def _roles(found: dict[str, Any]) -> list[str]:
    held: dict[str, list[str]] = {}
    for one in found.get("roles", ()):
        if one["until"] is None:
            held.setdefault(one["role"], []).append(one["person"])
    empty = {
        one["key"].partition(":")[2]
        for one in found.get("obligations", ())
        if one["kind"] == "fill_role" and one["state"] == "open"
    }
    lines = [f"  {role.replace('_', ' ')}: {', '.join(people)}" for role, people in held.items()]
    lines += [f"  {role.replace('_', ' ')}: EMPTY" for role in sorted(empty - set(held))]
    return ["Roles", *(lines or ["  nobody holds a role"])]


def _owed(found: dict[str, Any]) -> list[str]:
    owed = [one for one in found.get("obligations", ()) if one["state"] == "open"]
    owed.sort(key=lambda one: (one["due_at"] is None, one["due_at"] or ""))
    lines = [_duty(one) for one in owed[:_LAST]]
    more = [f"  and {len(owed) - _LAST} more: tocsin incident show {found['id']} --all"] if len(owed) > _LAST else []
    return ["Next duty", *(lines or ["  nothing is owed"]), *more]


def _duty(one: dict[str, Any]) -> str:
    what = one["kind"].replace("_", " ") + (f" to {one['audience']}" if one["audience"] else "")
    whose = one["owner"] or one["owner_role"].replace("_", " ") or "nobody"
    return f"  {one['due_at'] or 'no due time':<20}  {what}, {whose} (no. {one['id']})"


def _latest(found: dict[str, Any]) -> list[str]:
    lines = [f"  {one['at']:<20}  {for_cell(one['text'])}" for one in found.get("timeline", ())[-_LAST:]]
    return ["Last on the timeline", *lines]


@click.command("observe")
@click.argument("incident_id")
@click.option("--leave", is_flag=True, help="Stop looking on.")
@output_options
def observe(incident_id: str, leave: bool, output: str, as_json: bool) -> None:
    """Join to look on. It gives no right to assign, page or send; ask for a role for that."""
    verb = "observe/leave" if leave else "observe"
    found = Client().post(f"/incidents/{quoted(incident_id)}/{verb}", {})
    show(found, ("id", "title", "state"), output=output, as_json=as_json)


@click.command("take-over")
@click.argument("incident_id")
@click.argument("role")
@click.option("--reason", required=True, help="Why; whoever holds the role reads it.")
@output_options
def take_over(incident_id: str, role: str, reason: str, output: str, as_json: bool) -> None:
    """Ask whoever holds a role for it; it changes hands when they accept."""
    found = Client().post(f"/incidents/{quoted(incident_id)}/take-overs", {"role": role, "reason": reason})
    show(found, ASKED, output=output, as_json=as_json)


@click.command("answer-take-over")
@click.argument("take_over_id", type=int)
@click.option("--keep", is_flag=True, help="Keep the role; without it the role is given.")
@click.option("--note", default="", help="A word to whoever asked, with --keep.")
@click.option("--done", default="", help="What has been done.")
@click.option("--open", "still_open", default="", help="What is open.")
@click.option("--risks", default="", help="What could go wrong.")
@click.option("--next-update", default="", help="When the next update is due, or that none is.")
@output_options
def answer_take_over(
    take_over_id: int, keep: bool, note: str, still_open: str, output: str, as_json: bool, **told: str
) -> None:
    """Give your role to whoever asks, with how things stand; or keep it."""
    if keep:
        found = Client().post(f"/take-overs/{take_over_id}/decline", {"note": note})
        show(found, ASKED, output=output, as_json=as_json)
        return
    found = Client().post(f"/take-overs/{take_over_id}/accept", {"open": still_open, **told})
    show(found, GIVEN, output=output, as_json=as_json)


@click.command("take-overs")
@click.argument("incident_id")
@output_options
def take_overs(incident_id: str, output: str, as_json: bool) -> None:
    """Who asks whom for which role."""
    show(Client().get(f"/incidents/{quoted(incident_id)}/take-overs"), ASKED, output=output, as_json=as_json)


@click.command("pull-in")
@click.argument("incident_id")
@click.argument("person")
@click.option("--reason", required=True, help="What you need of them.")
@click.option("--role", default="", help="To join as; without it, to do the work.")
@output_options
def pull_in(incident_id: str, person: str, reason: str, role: str, output: str, as_json: bool) -> None:
    """Page somebody to help, on call or not."""
    body = {"person": person, "reason": reason, "role": role}
    show(Client().post(f"/incidents/{quoted(incident_id)}/pull-in", body), output=output, as_json=as_json)


@click.command()
@click.argument("incident_id")
@click.option("--subscribe", is_flag=True, help="Also hear of its service by mail.")
@output_options
def summary(incident_id: str, subscribe: bool, output: str, as_json: bool) -> None:
    """What management needs: how it stands, the latest word, when the next one comes."""
    client = Client()
    if subscribe:
        client.post(f"/incidents/{quoted(incident_id)}/summary/subscribe", {})
    show(client.get(f"/incidents/{quoted(incident_id)}/summary"), SUMMARY, output=output, as_json=as_json)


@click.command("channel")
@click.argument("incident_id")
@output_options
def open_channel(incident_id: str, output: str, as_json: bool) -> None:
    """Open the channel of the response, where the process leaves that to people."""
    found = Client().post(f"/incidents/{quoted(incident_id)}/channel", {})
    show(found, ("id", "title", "severity", "state"), output=output, as_json=as_json)


COMMANDS = (open_channel, observe, take_over, take_overs, answer_take_over, pull_in, summary)
