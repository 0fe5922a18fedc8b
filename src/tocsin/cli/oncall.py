"""tocsin oncall ..., tocsin escalation ...: who is woken."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import output_options, period, read_document, show

SHIFT = ("start", "end", "users", "override")


@click.group()
def oncall() -> None:
    """Who is on call, who will be, and swaps."""


@oncall.command("now")
@output_options
def now(output: str, as_json: bool) -> None:
    """Who is on call in each rotation."""
    show(Client().get("/oncall"), ("name", "role", "team", "users", "until"), output=output, as_json=as_json)


@oncall.command("preview")
@click.option("--schedule", required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--from", "start", required=True)
@click.option("--to", "end", required=True)
@output_options
def preview(schedule: str, start: str, end: str, output: str, as_json: bool) -> None:
    """Reckon the shifts of a schedule file, without a server."""
    from tocsin.core import on_call_now
    from tocsin.core.errors import Invalid
    from tocsin.core.schedule_document import parse_schedule

    begin, finish = period(start, end)
    document = read_document(schedule)
    try:
        parsed = parse_schedule(document if isinstance(document, dict) else {})
    except Invalid as wrong:
        raise click.ClickException(f"{schedule}: {wrong.message}") from None
    found = on_call_now.shifts(parsed, start=begin, end=finish)
    rows = [
        {"start": _z(one.start), "end": _z(one.end), "users": list(one.users), "override": one.override}
        for one in found
    ]
    show({"shifts": rows} if as_json or output == "json" else rows, SHIFT, output=output, as_json=as_json)


@oncall.command("shifts")
@click.argument("rotation")
@click.option("--from", "start", required=True)
@click.option("--to", "end", required=True)
@output_options
def shifts(rotation: str, start: str, end: str, output: str, as_json: bool) -> None:
    """The shifts of a rotation."""
    begin, finish = period(start, end)
    found = Client().get(f"/oncall/{quoted(rotation)}/shifts", **{"from": _z(begin), "to": _z(finish)})
    show(found if as_json or output == "json" else found["shifts"], SHIFT, output=output, as_json=as_json)


@oncall.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@output_options
def import_rotation(path: str, output: str, as_json: bool) -> None:
    """Create or replace a rotation from a schedule file."""
    answer = Client().post("/oncall", read_document(path))
    for warning in answer.get("warnings", ()):
        click.echo(f"note: {warning}", err=True)
    show(answer, output=output, as_json=as_json)


@oncall.command("override")
@click.option("--schedule", required=True, help="The rotation.")
@click.option("--user", "users", required=True, multiple=True)
@click.option("--from", "start", required=True)
@click.option("--to", "end", required=True)
@click.option("--priority", type=int, default=0, show_default=True)
@output_options
def override(
    schedule: str, users: tuple[str, ...], start: str, end: str, priority: int, output: str, as_json: bool
) -> None:
    """Let somebody stand in for a while."""
    begin, finish = period(start, end)
    body = {"users": list(users), "start": _z(begin), "end": _z(finish), "priority": priority}
    show(Client().post(f"/oncall/{quoted(schedule)}/overrides", body), output=output, as_json=as_json)


@oncall.command("gaps")
@click.option("--from", "start", required=True)
@click.option("--to", "end", required=True)
@output_options
def gaps(start: str, end: str, output: str, as_json: bool) -> None:
    """When nobody is on call."""
    begin, finish = period(start, end)
    found = Client().get("/oncall/gaps", **{"from": _z(begin), "to": _z(finish)})
    show(found, ("rotation", "start", "end"), output=output, as_json=as_json)


@click.group()
def escalation() -> None:
    """Escalation policies: who is asked after whom."""


@escalation.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@output_options
def import_policy(path: str, output: str, as_json: bool) -> None:
    """Create or replace a policy from its file."""
    show(Client().post("/escalation-policies", read_document(path)), output=output, as_json=as_json)


@escalation.command("list")
@output_options
def list_policies(output: str, as_json: bool) -> None:
    """All policies and their services."""
    show(Client().get("/escalation-policies"), ("name", "repeat", "team", "services"), output=output, as_json=as_json)


def _z(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
