"""tocsin process propose, review, remark, publish, withdraw: how the process changes."""

from __future__ import annotations

import click

from tocsin.cli.client import Client
from tocsin.cli.output import instant, output_options, read_document, show
from tocsin.cli.server import process

__all__ = ["process"]

COLUMNS = ("number", "state", "author", "effective_at", "based_on", "note")


@process.command("versions")
@output_options
def versions(output: str, as_json: bool) -> None:
    """Every version: drafts, those in review or waiting, the one in force, and those before it."""
    show(Client().get("/process/versions"), COLUMNS, output=output, as_json=as_json)


@process.command("version")
@click.argument("number", type=int)
@output_options
def version(number: int, output: str, as_json: bool) -> None:
    """One version: what it changes, what is advised, what was said about it."""
    columns = (*COLUMNS, "changes", "advice", "remarks")
    show(Client().get(f"/process/versions/{number}"), columns, output=output, as_json=as_json)


@process.command("propose")
@click.argument("file")
@click.option("--note", required=True, help="Why, in a sentence.")
@click.option("--number", type=int, help="Change this draft instead of making a new one.")
@output_options
def propose(file: str, note: str, number: int | None, output: str, as_json: bool) -> None:
    """Draft a change: FILE (YAML or JSON, - is standard input) holds the sections that change.

    Begin with what is in force: tocsin process -o yaml
    """
    sections = read_document(file)
    if isinstance(sections, dict) and isinstance(sections.get("document"), dict):
        sections = sections["document"]  # what `tocsin process` prints
    if not isinstance(sections, dict):
        raise click.ClickException("Begin with the names of sections, for example priorities:")
    answer = Client().post("/process/proposals", {"sections": sections, "note": note, "number": number})
    for advice in answer["advice"]:
        click.echo(f"{advice['where']}: {advice['message']}", err=True)
    show(answer, COLUMNS, output=output, as_json=as_json)


@process.command("review")
@click.argument("number", type=int)
@click.option("--until", "moment", help="Until when those invited may answer (RFC 3339); left out, a week.")
@output_options
def review(number: int, moment: str | None, output: str, as_json: bool) -> None:
    """Lay a draft open for review; everyone who has been on call so far is invited."""
    body = {"ends_at": instant(moment).isoformat() if moment else None}
    show(Client().post(f"/process/proposals/{number}/review", body), COLUMNS, output=output, as_json=as_json)


@process.command("remark")
@click.argument("number", type=int)
@click.option("--agree/--object", "agrees", default=None, help="Take a side; leave both out to remark only.")
@click.option("--text", default="")
@output_options
def remark(number: int, agrees: bool | None, text: str, output: str, as_json: bool) -> None:
    """Say what you think of a proposal in review."""
    body = {"text": text, "agrees": agrees}
    show(Client().post(f"/process/proposals/{number}/remarks", body), output=output, as_json=as_json)


@process.command("publish")
@click.argument("number", type=int)
@click.option("--at", "moment", help="When it takes effect (RFC 3339); left out, at once.")
@output_options
def publish(number: int, moment: str | None, output: str, as_json: bool) -> None:
    """Put a reviewed proposal in force, now or later."""
    body = {"effective_at": instant(moment).isoformat() if moment else None}
    show(Client().post(f"/process/proposals/{number}/publish", body), COLUMNS, output=output, as_json=as_json)


@process.command("withdraw")
@click.argument("number", type=int)
@click.option("--reason", required=True)
@output_options
def withdraw(number: int, reason: str, output: str, as_json: bool) -> None:
    """Give a proposal up, also one that waits for its time."""
    body = {"reason": reason}
    show(Client().post(f"/process/proposals/{number}/withdraw", body), COLUMNS, output=output, as_json=as_json)
