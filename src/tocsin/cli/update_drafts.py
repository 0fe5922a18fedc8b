"""tocsin update draft, drafts, approve, drop: words for an update that are not sent yet."""

from __future__ import annotations

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import output_options, show

SHOWN = ("id", "written_at", "written_by", "approved_by", "subject", "text")


@click.command("draft")
@click.argument("incident_id")
@click.option("--text", required=True, help="What people should read.")
@click.option("--subject", default="", help="What one reads without opening it.")
@output_options
def write_draft(incident_id: str, text: str, subject: str, output: str, as_json: bool) -> None:
    """Propose words for an update. Nobody is told; whoever tells stakeholders sends it."""
    body = {"text": text, "subject": subject}
    show(Client().post(f"/incidents/{quoted(incident_id)}/updates/drafts", body), SHOWN, output=output, as_json=as_json)


@click.command("drafts")
@click.argument("incident_id")
@output_options
def list_drafts(incident_id: str, output: str, as_json: bool) -> None:
    """Drafts that wait, with who wrote and who approved them."""
    found = Client().get(f"/incidents/{quoted(incident_id)}/updates/drafts")
    show(found, SHOWN, output=output, as_json=as_json)


@click.command("approve")
@click.argument("incident_id")
@click.argument("draft", type=int)
@click.option("--text", default="", help="Approve these words in place of the draft's own.")
@output_options
def approve_draft(incident_id: str, draft: int, text: str, output: str, as_json: bool) -> None:
    """Say that a draft may go out. `tocsin update send INC --draft N --next 1h` sends it."""
    found = Client().post(f"/incidents/{quoted(incident_id)}/updates/drafts/{draft}/approve", {"text": text})
    show(found, SHOWN, output=output, as_json=as_json)


@click.command("drop")
@click.argument("incident_id")
@click.argument("draft", type=int)
def drop_draft(incident_id: str, draft: int) -> None:
    """A draft is not needed."""
    Client().delete(f"/incidents/{quoted(incident_id)}/updates/drafts/{draft}")
    click.echo(f"Dropped draft {draft}.", err=True)


COMMANDS = (write_draft, list_drafts, approve_draft, drop_draft)
