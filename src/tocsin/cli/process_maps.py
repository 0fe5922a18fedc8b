"""tocsin explain process: the process in the words of others, ITIL or an audit framework."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client
from tocsin.cli.output import instant, output_options, show
from tocsin.platform.text import for_terminal

FRAMEWORKS = ("soc2", "iso27001", "dora")


@click.command("process")
@click.option("--map", "which", type=click.Choice(["itil", *FRAMEWORKS]), required=True, help="In whose words.")
@click.option("--from", "start", help="Count evidence from here on (RFC 3339); of a framework only.")
@click.option("--to", "end", help="Count evidence up to here.")
@output_options
def explain_process(which: str, start: str | None, end: str | None, output: str, as_json: bool) -> None:
    """The steps of ITIL with the features that serve them, or the controls of an audit framework with their evidence.

    What nothing serves or answers is said as a gap.
    """
    if which not in FRAMEWORKS:
        found = Client().get("/process/maps/itil")
    else:
        span = {"from": start and instant(start).isoformat(), "to": end and instant(end).isoformat()}
        found = Client().get("/process/maps/frameworks", framework=which, **span)
    if as_json or output != "table":
        show(found, output=output, as_json=as_json)
        return
    for one in found["items"]:
        if which in FRAMEWORKS:
            _control(one)
        else:
            _step(one, "")
    click.echo("\n".join(f"GAP: {gap}" for gap in found["gaps"]) or "No gap.")


def _step(one: dict[str, Any], indent: str) -> None:
    states = f" ({', '.join(one['states'])})" if one["states"] else ""
    click.echo(f"{indent}{for_terminal(one['step'])}{for_terminal(states)}")
    for it in one["features"]:
        click.echo(f"{indent}  - {for_terminal(it['feature'])}: {it['where']}")
    for part in one["parts"]:
        _step(part, f"{indent}  ")


def _control(one: dict[str, Any]) -> None:
    click.echo(f"{for_terminal(one['control'])}: {for_terminal(one['asks'])}")
    for it in one["evidence"]:
        entries = "" if it["entries"] is None else f", {it['entries']} log entries"
        click.echo(f"  - {for_terminal(it['name'])} ({for_terminal(it['command'])}{entries})")
