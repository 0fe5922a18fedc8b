"""tocsin slo lint: can the alert rule of an SLO ever fire? Of files without a server, else of what is running."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tocsin.cli.client import Client
from tocsin.cli.output import output_options, show
from tocsin.platform.text import for_terminal


@click.command("lint")
@click.argument("what", required=False, metavar="[NAME|PATH]")
@output_options
def lint(what: str | None, output: str, as_json: bool) -> None:
    """Say of each condition of an SLO's alert rule whether it can ever fire, and how soon in a total outage.

    PATH is an OpenSLO file or a folder of them, judged without a server and so without their traffic. NAME is an SLO in
    use; without either, all of them. Exit 1 when anything is found.
    """
    items = _of_files(Path(what)) if what and Path(what).exists() else _running(what)
    if as_json or output == "json":
        show({"items": items}, as_json=True)
    else:
        for item in items:
            _tell(item)
    sys.exit(0 if all(item["ok"] for item in items) else 1)


def _running(name: str | None) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = Client().get("/slo-reach", name=name)["items"]
    return found


def _of_files(path: Path) -> Sequence[dict[str, Any]]:
    from tocsin.config.reach import reach_of_files
    from tocsin.core.errors import Invalid

    try:
        return reach_of_files([path])
    except (Invalid, OSError) as error:
        raise click.ClickException(str(error)) from None


def _tell(item: dict[str, Any]) -> None:
    name, rule = for_terminal(str(item["slo"])), for_terminal(str(item["rule"]))
    click.echo(f"{name} ({item['target']}, rule {rule}): {'it can fire' if item['ok'] else 'look at this'}")
    for warning in item["warnings"]:
        click.echo(f"  ! {warning}")
    for one in item["conditions"]:
        click.echo(f"    {one['urgency']:6} {one['verdict']:14} {one['text']}")
