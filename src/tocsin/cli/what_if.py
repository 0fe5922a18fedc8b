"""tocsin slo test, tocsin priority whatif and fallback: the recorded past of an SLO under another target, rule or priority."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import output_options, show

NUMBERS = (
    ("pages_by_day", "pages by day"),
    ("pages_by_night", "pages by night"),
    ("reminders", "told again"),
    ("updates_owed", "updates owed"),
    ("messages_owed", "messages to groups"),
    ("postmortems_owed", "postmortems owed"),
    ("work_items", "work items"),
    ("incidents", "incidents"),
    ("runs_of_breaches", "runs of breaches"),
)


@click.command("test")
@click.argument("name")
@click.option("--target", help="Another target, for example 99.5.")
@click.option("--rule", help="tocsin, workbook, depletion, or a JSON file with a rule and its settings.")
@click.option("--priority", help="Another priority of its breaches, or none.")
@click.option("--group", "groups", multiple=True, help="Who would hear of it.")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 90))
@output_options
def test_slo(
    name: str,
    target: str | None,
    rule: str | None,
    priority: str | None,
    groups: tuple[str, ...],
    days: int,
    output: str,
    as_json: bool,
) -> None:
    """Replay what was recorded of an SLO, as it stands and as you suppose it. Changes nothing."""
    body = {"target": target, "rule": _rule(rule), "priority": priority, "groups": list(groups) or None, "days": days}
    _told(Client().post(f"/slos/{quoted(name)}/whatif", body), output=output, as_json=as_json)


@click.command("whatif")
@click.argument("name")
@click.argument("priority")
@click.option("--group", "groups", multiple=True, help="Who would hear of it.")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 90))
@output_options
def what_if(name: str, priority: str, groups: tuple[str, ...], days: int, output: str, as_json: bool) -> None:
    """What the breaches of an SLO would have asked for at PRIORITY (or none). Changes nothing."""
    body = {"priority": priority, "groups": list(groups) or None, "days": days}
    _told(Client().post(f"/slos/{quoted(name)}/whatif", body), output=output, as_json=as_json)


def _rule(given: str | None) -> Any:
    if given is None or not given.endswith(".json"):
        return given
    try:
        return json.loads(Path(given).read_text(encoding="utf-8"))
    except (OSError, ValueError) as failure:
        raise click.ClickException(f"{given}: cannot be read as a rule in JSON ({failure})") from None


def _told(found: dict[str, Any], *, output: str, as_json: bool) -> None:
    if as_json or output != "table":
        show(found, output=output, as_json=as_json)
        return
    for sentence in found["words"]:
        click.echo(sentence)
    click.echo()
    rows = [
        {"over the same days": words, "as it stands": found["today"][key], "supposed": found["supposed"][key]}
        for key, words in NUMBERS
    ]
    show(rows, ("over the same days", "as it stands", "supposed"))
    click.echo()
    click.echo(found["coverage"]["text"])
    for warning in found["warnings"]:
        click.echo(f"warning: {warning}", err=True)


@click.command("fallback")
@click.argument("name")
@click.argument("table", type=click.Choice(["off", "remaining", "velocity"]))
@click.option("--reason", default="", help="Why, for the history of the SLO.")
@output_options
def fallback(name: str, table: str, reason: str, output: str, as_json: bool) -> None:
    """Choose the mechanical, exploratory table that speaks while nobody has decided on an SLO."""
    found = Client().put(f"/slos/{quoted(name)}/fallback", {"fallback": table, "reason": reason})
    show(found, ("slo", "fallback", "label"), output=output, as_json=as_json)
    for warning in found["warnings"]:
        click.echo(f"warning: {warning}", err=True)
