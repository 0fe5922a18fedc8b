"""tocsin chat, tocsin adapter: what connects with other tools, tried without harm, and whose account it is."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import output_options, show
from tocsin.platform.text import for_terminal

_COLUMNS = ("code", "serves", "way", "set_up", "in_use", "last_at", "last_good", "last_detail")
_LOOKS, _BETWEEN = 60, 0.5
_OVER = frozenset({"sent", "failed", "expired", "cancelled"})


@click.group()
def chat() -> None:
    """Rooms for incidents: try the chat tool, and say whose account it is."""


@click.group()
def adapter() -> None:
    """Everything that connects Tocsin with other tools."""


@adapter.command("list")
@output_options
def list_adapters(output: str, as_json: bool) -> None:
    """Every adapter, whether it is set up, and what it last came to."""
    show(Client().get("/adapters"), _COLUMNS, output=output, as_json=as_json)


@adapter.command("test")
@click.argument("code")
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send nothing.")
@output_options
def test_adapter(code: str, dry_run: bool, output: str, as_json: bool) -> None:
    """Send a test through an adapter and wait for what becomes of it; exit 1 when it does not arrive."""
    _test(code, dry_run=dry_run, output=output, as_json=as_json)


@chat.command("test")
@click.option("--adapter", "code", required=True, help="matrix, slack, mattermost, teams or file.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send nothing.")
@output_options
def test_chat(code: str, dry_run: bool, output: str, as_json: bool) -> None:
    """Make the test room of a chat tool and say something in it; exit 1 when it does not arrive."""
    _test(code, dry_run=dry_run, output=output, as_json=as_json)


def _test(code: str, *, dry_run: bool, output: str, as_json: bool) -> None:
    client = Client()
    plain = output == "table" and not as_json
    if dry_run:
        found = client.get(f"/adapters/{quoted(code)}/dry-run")
        if not plain:
            show(found, ("what", "body"), output=output, as_json=as_json)
        for one in found["items"] if plain else []:
            click.echo(for_terminal(one["what"]))
            if one["body"]:
                click.echo(for_terminal(one["body"]))
        return
    keys = client.post(f"/adapters/{quoted(code)}/test")["keys"]
    found = [_outcome(client, key) for key in keys]
    show({"items": found}, ("key", "state", "error"), output=output, as_json=as_json)
    failed = [one for one in found if one["state"] != "sent"]
    if failed:
        raise click.ClickException(failed[0]["error"] or f"the test is still {failed[0]['state']}; it is tried again")


def _outcome(client: Client, key: str) -> Any:
    """What became of it after its first try; a test that is tried again is told of as it stands."""
    from tocsin.platform.clock import pause

    answer: Any = {}
    for _ in range(_LOOKS):
        answer = client.get(f"/adapters/tests/{quoted(key)}")
        if answer["state"] in _OVER or answer["tries"]:
            break
        pause(_BETWEEN)
    return answer


@chat.command("accounts")
@output_options
def accounts(output: str, as_json: bool) -> None:
    """Whose account is whose, and which links still wait for their code."""
    columns = ("adapter", "account", "user", "state", "expires_at")
    show(Client().get("/chat/accounts"), columns, output=output, as_json=as_json)


@chat.command("link")
@click.option("--adapter", "code", required=True, help="matrix, slack or mattermost.")
@click.option("--account", required=True, help="As the tool names it: @mara:example.org, U012AB3CD.")
@click.option("--user", required=True, help="Whose account it is.")
@output_options
def link(code: str, account: str, user: str, output: str, as_json: bool) -> None:
    """Let what an account commands be done as a person, with that person's rights.

    Your own account proves it: you get a code, valid for ten minutes, to write from that account. An administrator
    links at once.
    """
    body = {"adapter": code, "account": account, "user": user}
    answer = Client().post("/chat/accounts", body)
    if answer["state"] == "pending" and output == "table" and not as_json:
        click.echo(for_terminal(f"From {answer['account']}, {answer['where']}, write until {answer['expires_at']}:"))
        click.echo(for_terminal(f"    {answer['write']}"))
        return
    show(answer, output=output, as_json=as_json)


@chat.command("unlink")
@click.option("--adapter", "code", required=True)
@click.option("--account", required=True)
def unlink(code: str, account: str) -> None:
    """The account commands nothing any more."""
    Client().delete(f"/chat/accounts/{quoted(code)}/{quoted(account)}")
    click.echo(f"{account} is nobody's now.", err=True)
