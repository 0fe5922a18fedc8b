"""tocsin priority list and export: what every breach means, and the definitions to publish elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.cli.client import Client
from tocsin.cli.output import output_options, show
from tocsin.cli.server import process
from tocsin.cli.slos import priority

__all__ = ["priority"]

COLUMNS = ("priority_code", "slo", "team", "service", "since", "by", "raised_to")


@priority.command("list")
@click.option("--team", help="Only SLOs of this team.")
@click.option("--service", help="Only SLOs of this service.")
@click.option("--priority", "wanted", help="A code, a rank, none (on purpose) or unset (nobody has decided).")
@click.option("--search", "q", help="Words in the names, the use case or the reason.")
@click.option("--csv", "as_csv", is_flag=True, help="A table file with every column, the same as the page offers.")
@output_options
def list_priorities(
    team: str | None,
    service: str | None,
    wanted: str | None,
    q: str | None,
    as_csv: bool,
    output: str,
    as_json: bool,
) -> None:
    """Every SLO with its priority, who decided it, and since when."""
    asked = {"team": team or "", "service": service or "", "priority": wanted or "", "q": q or ""}
    if as_csv:
        click.echo(Client().download("/priorities/slos", **asked, format="csv").decode(), nl=False)
        return
    show(Client().get("/priorities/slos", **asked), COLUMNS, output=output, as_json=as_json)


def write(content: bytes, target: str | None) -> None:
    """Into the file named, else to stdout."""
    if target is None:
        click.echo(content.decode(), nl=False)
        return
    Path(target).write_bytes(content)
    click.echo(f"Written to {target}.", err=True)


def _export(part: str, form: str, target: str | None, number: int | None = None) -> None:
    asked = {"part": part, "format": form, **({"number": number} if number is not None else {})}
    write(Client().download("/process/export", **asked), target)


_FORMAT = click.option(
    "--format", "form", type=click.Choice(["markdown", "html"]), default="markdown", show_default=True
)
_TARGET = click.option("--to", "target", type=click.Path(dir_okay=False), help="Write this file instead of stdout.")


@priority.command("export")
@_FORMAT
@_TARGET
def export_priorities(form: str, target: str | None) -> None:
    """What the priorities mean and how to use them, as a page for the wiki."""
    _export("priorities", form, target)


@process.command("export")
@_FORMAT
@_TARGET
@click.option("--version", "number", type=int, help="Another version than the one in force.")
def export_process(form: str, target: str | None, number: int | None) -> None:
    """The whole process as a document: priorities, severities, matrix, roles, ten answers."""
    _export("process", form, target, number)
