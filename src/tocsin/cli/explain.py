"""tocsin slo explain: the sums behind the numbers of an SLO."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import output_options, show


@click.command("explain")
@click.argument("name")
@click.option("--breach", type=int, help="One of its breaches, by the number that `slo show` and the page give.")
@output_options
def explain_slo(name: str, breach: int | None, output: str, as_json: bool) -> None:
    """Rule, windows, counts, queries and sums: why each number of an SLO is what it is."""
    found = Client().get(f"/slos/{quoted(name)}/explain", breach=breach)
    if as_json or output != "table":
        show(found, output=output, as_json=as_json)
        return
    click.echo(f"{found['slo']} at {found['at']}, version {found['revision']}, rule {found['rule']['name']}")
    if found.get("breach"):
        click.echo(_stamp(found["breach"]))
    for title, key in (("Breach", "breach_sum"), ("Budget", "budget_sum")):
        _sum(title, found[key])
    click.echo("\nWindows")
    show([_window(one) for one in found["windows"]], ("window", "bad", "of", "burn rate"))
    for told in found["alerts"]:
        click.echo(f"\n{'To page' if told['urgency'] == 'page' else 'For a ticket'}: {told['text']}")
    for one in found["queries"]:
        click.echo(f"{one['what']}: {one['query']}")
    for note in found["notes"]:
        click.echo(f"note: {note}", err=True)


def _stamp(breach: dict[str, Any]) -> str:
    priority = breach["priority"] if breach["priority"] is not None else breach["priority_state"]
    because = f", {breach['because']}" if breach["because"] else ""
    return f"breach {breach['id']} at {breach['at']}, priority {priority}{because}"


def _sum(title: str, steps: list[dict[str, str]]) -> None:
    if steps:
        click.echo(f"\n{title}")
        for step in steps:
            click.echo(f"  {step['what']}: {step['sum']}")


def _window(one: dict[str, Any]) -> dict[str, Any]:
    minutes = one["seconds"] // 60
    span = (
        f"{minutes // 1440} d"
        if minutes % 1440 == 0
        else f"{minutes // 60} h"
        if minutes % 60 == 0
        else f"{minutes} min"
    )
    burn = "no data" if one["burn_rate"] is None else f"{one['burn_rate']:.4g}"
    return {"window": span, "bad": one["bad"], "of": one["valid"], "burn rate": burn}
