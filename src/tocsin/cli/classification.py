"""tocsin incident priority, severity, size, suggestion, undo ...: how an incident is classified."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import output_options, show

CHANGED = ("id", "title", "status", "priority", "priority_state", "severity", "complex")
PREVIEW = (
    "accepted", "needs_reason", "why", "late", "effects", "asks", "pages", "releases", "begins", "moves", "ends",
)  # fmt: skip
KNOWN = ("id", "priority", "severity", "complex", "users_share", "teams_needed", "teams", "criteria", "suggestions")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would follow; nothing changes.")
EXCEPTION = click.option(
    "--exception", is_flag=True, help="Set it although the two do not go together; needs a reason and stays on record."
)


def _change(incident_id: str, verb: str, body: dict[str, Any], *, dry_run: bool, output: str, as_json: bool) -> None:
    query = "?dry_run=true" if dry_run else ""
    found = Client().post(f"/incidents/{quoted(incident_id)}/{verb}{query}", body)
    show(found, PREVIEW if dry_run else CHANGED, output=output, as_json=as_json)


@click.command("set-priority")
@click.argument("incident_id")
@click.argument("priority")
@click.option("--reason", default="", help="Why; it becomes part of the record. Needed unless it is a dry run.")
@click.option("--learnt", default="", help="What is known now and was not before.")
@EXCEPTION
@DRY_RUN
@output_options
def set_priority(
    incident_id: str,
    priority: str,
    reason: str,
    learnt: str,
    exception: bool,
    dry_run: bool,
    output: str,
    as_json: bool,
) -> None:
    """Raise or lower the priority."""
    if not (reason or dry_run):
        raise click.UsageError("Missing option '--reason': say why; it becomes part of the record.")
    body = {"priority": priority, "reason": reason, "learnt": learnt, "exception": exception}
    _change(incident_id, "priority", body, dry_run=dry_run, output=output, as_json=as_json)


@click.command("set-severity")
@click.argument("incident_id")
@click.argument("severity")
@click.option("--reason", default="", help="Needed for an exception and for a pair with a condition.")
@EXCEPTION
@DRY_RUN
@output_options
def set_severity(
    incident_id: str, severity: str, reason: str, exception: bool, dry_run: bool, output: str, as_json: bool
) -> None:
    """Say how the response is organised; the roles and the experts of all named teams are asked at once."""
    body = {"severity": severity, "reason": reason, "exception": exception}
    _change(incident_id, "severity", body, dry_run=dry_run, output=output, as_json=as_json)


@click.command("size")
@click.argument("incident_id")
@click.option("--users", help="Share of users affected: 45% or 0.45; `unknown` takes it back.")
@click.option("--teams", help="How many teams are needed; `unknown` takes it back.")
@click.option("--team", "named", multiple=True, help="A team that is needed, by name; may be given again.")
@click.option("--sign", "signs", multiple=True, help="A sign of complexity: CODE for yes, CODE=no for no.")
@output_options
def size(
    incident_id: str,
    users: str | None,
    teams: str | None,
    named: tuple[str, ...],
    signs: tuple[str, ...],
    output: str,
    as_json: bool,
) -> None:
    """What is known of its size, and what that suggests. Without options it only shows."""
    client, address = Client(), f"/incidents/{quoted(incident_id)}"
    body: dict[str, Any] = {}
    if users is not None:
        body["users_share"] = _share(users)
    if teams is not None:
        body["teams_needed"] = None if teams == "unknown" else _number(teams)
    if signs:
        told = client.get(f"{address}/classification")["signs"]
        body["signs"] = {one["code"]: one["answer"] for one in told if one["answer"] is not None} | _signs(signs)
    found = client.post(f"{address}/scope", body) if body else client.get(f"{address}/classification")
    for team in named:
        found = client.post(f"{address}/teams", {"team": team})
    show(found, KNOWN, output=output, as_json=as_json)


def _share(text: str) -> str | None:
    if text == "unknown":
        return None
    number, percent, _ = text.partition("%")
    try:
        return str(float(number) / 100) if percent else number.strip()
    except ValueError:
        raise click.BadParameter(f"{text!r} is no share; give 45% or 0.45.", param_hint="--users") from None


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no number of teams.", param_hint="--teams") from None


def _signs(given: tuple[str, ...]) -> dict[str, bool]:
    found = {}
    for one in given:
        code, _, answer = one.partition("=")
        if answer not in {"", "yes", "no"}:
            raise click.BadParameter(f"{one!r}: say CODE, CODE=yes or CODE=no.", param_hint="--sign")
        found[code] = answer != "no"
    return found


@click.command("suggestion")
@click.argument("incident_id")
@click.argument("subject", type=click.Choice(["severity", "priority", "complex"]))
@click.argument("answer", type=click.Choice(["accept", "decline"]))
@click.option("--reason", default="", help="Needed to keep a severity that the known facts speak against.")
@output_options
def suggestion(incident_id: str, subject: str, answer: str, reason: str, output: str, as_json: bool) -> None:
    """Accept what is suggested, which makes the change, or decline it."""
    body = {"accept": answer == "accept", "reason": reason}
    found = Client().post(f"/incidents/{quoted(incident_id)}/suggestions/{subject}", body)
    show(found, KNOWN, output=output, as_json=as_json)


@click.command("ask-role")
@click.argument("incident_id")
@click.argument("role")
@output_options
def ask_role(incident_id: str, role: str, output: str, as_json: bool) -> None:
    """Ask whoever is on call for a role to join, whatever the severity calls."""
    found = Client().post(f"/incidents/{quoted(incident_id)}/roles/{quoted(role)}/ask", {})
    show(found, KNOWN, output=output, as_json=as_json)


@click.command("undo")
@click.argument("incident_id")
@output_options
def undo(incident_id: str, output: str, as_json: bool) -> None:
    """Take back the last change of priority or severity, or the resolution, within 30 s. What was sent stays sent."""
    show(Client().post(f"/incidents/{quoted(incident_id)}/undo", {}), CHANGED, output=output, as_json=as_json)


def add_to(incident: click.Group) -> None:
    """Add these words to the group `incident`."""
    for command in (set_priority, set_severity, size, suggestion, ask_role, undo):
        incident.add_command(command)
    incident.add_command(set_priority, "priority")
    incident.add_command(set_severity, "severity")
