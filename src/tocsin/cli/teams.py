"""tocsin team activate, end, readiness, say, stage: how a team comes to SLOs and to its incident policy."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import output_options, show
from tocsin.cli.people import team

__all__ = ["team"]


@team.command("activate")
@click.argument("name")
@output_options
def activate(name: str, output: str, as_json: bool) -> None:
    """Put a team's incident policy in force; refused with the name of every missing record."""
    show(Client().post(f"/teams/{quoted(name)}/policy/activate"), output=output, as_json=as_json)


@team.command("end-policy")
@click.argument("name")
@click.option("--reason", required=True)
@output_options
def end_policy(name: str, reason: str, output: str, as_json: bool) -> None:
    """Take a team's incident policy out of force."""
    show(Client().post(f"/teams/{quoted(name)}/policy/end", {"reason": reason}), output=output, as_json=as_json)


@team.command("stage")
@click.argument("name")
@click.argument("stage", type=click.Choice(["initial", "mature"]))
@output_options
def set_stage(name: str, stage: str, output: str, as_json: bool) -> None:
    """Say at which stage a team is: initial (SLOs first) or mature (each SLO has a priority)."""
    show(Client().put(f"/teams/{quoted(name)}/stage", {"stage": stage}), output=output, as_json=as_json)


@team.command("readiness")
@click.argument("name", required=False)
@output_options
def readiness(name: str | None, output: str, as_json: bool) -> None:
    """Whether it is time for a team to prioritise its breaches: four verdicts, for one TEAM or for all."""
    if name is None:
        found = Client().get("/readiness")
        columns = ("name", "stage", "ready", "policy_active", "missing", "incomplete_slos")
        show(found, columns, output=output, as_json=as_json)
        return
    _show_progress(Client().get(f"/teams/{quoted(name)}/readiness"), output=output, as_json=as_json)


@team.command("say")
@click.argument("name")
@click.argument("point", type=click.Choice(["slo_iterations", "wants_priorities"]))
@click.argument("answer", type=click.Choice(["yes", "no"]))
@click.option("--reason", required=True, help="What makes you say so.")
@output_options
def say(name: str, point: str, answer: str, reason: str, output: str, as_json: bool) -> None:
    """Answer for the team what no record shows: earlier rounds of SLOs, and whether it wants priorities."""
    body = {"point": point, "holds": answer == "yes", "reason": reason}
    found = Client().post(f"/teams/{quoted(name)}/readiness", body)
    _show_progress(found, output=output, as_json=as_json)


def _show_progress(found: dict[str, Any], *, output: str, as_json: bool) -> None:
    if as_json or output != "table":
        show(found, output=output, as_json=as_json)
        return
    click.echo(f"{found['display_name']}: {'ready' if found['ready'] else 'not ready yet'}, stage {found['stage']}")
    for one in found["verdicts"]:
        said = f" (said by {one['said_by']})" if one["said_by"] else ""
        click.echo(f"{'yes' if one['holds'] else 'no'}\t{one['question']}\t{one['because']}{said}")
    click.echo(f"policy: {'in force since ' + found['policy_since'] if found['policy_active'] else 'not in force'}")
    if found["missing"]:
        click.echo(f"missing: {', '.join(found['missing'])}")
    if found["incomplete_slos"]:
        click.echo(f"without a priority: {', '.join(found['incomplete_slos'])}")
