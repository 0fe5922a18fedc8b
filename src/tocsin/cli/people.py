"""tocsin user, team, service, integration, webhook, subscriber, group: who and what is there."""

from __future__ import annotations

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import duration, output_options, show


@click.group()
def user() -> None:
    """Persons, how they are reached, and their way in."""


@user.command("add")
@click.argument("name")
@click.option("--email", default="")
@click.option("--display-name", default="")
@click.option("--role", default="responder", show_default=True)
@click.option("--time-zone", default="UTC", show_default=True)
@output_options
def add_user(name: str, output: str, as_json: bool, **facts: str) -> None:
    """Add a person; a mail address makes them reachable."""
    show(Client().post("/people", {"name": name, **facts}), output=output, as_json=as_json)


@user.command("list")
@output_options
def list_users(output: str, as_json: bool) -> None:
    """Everybody."""
    show(Client().get("/people"), ("name", "display_name", "email", "role", "active"), output=output, as_json=as_json)


@user.command("login-url")
@click.argument("name")
@output_options
def login_url(name: str, output: str, as_json: bool) -> None:
    """An address that signs a browser in as this person, once."""
    show(Client().post(f"/people/{quoted(name)}/login-link"), output=output, as_json=as_json)


@user.command("contact")
@click.argument("name")
@click.option("--channel", required=True, help="email or webhook.")
@click.option("--address", required=True)
@click.option("--secret", default="", help="Signs webhooks (whsec_...).")
@click.option("--delay", default=None, help="How long after the page this way is tried: 3m.")
@output_options
def contact(name: str, channel: str, address: str, secret: str, delay: str | None, output: str, as_json: bool) -> None:
    """Add a way to reach a person."""
    body = {"channel": channel, "address": address, "secret": secret}
    seconds = int(duration(delay).total_seconds()) if delay else None
    show(
        Client().post(f"/people/{quoted(name)}/contacts", {**body, "delay_seconds": seconds}),
        output=output,
        as_json=as_json,
    )


@user.command("fallback")
@click.argument("email")
@output_options
def fallback(email: str, output: str, as_json: bool) -> None:
    """Who is told when nobody can be reached."""
    show(Client().put("/settings/fallback-contact", {"email": email}), output=output, as_json=as_json)


@click.group()
def token() -> None:
    """API tokens."""


@token.command("create")
@click.argument("name")
@click.option("--user", "person", required=True)
@output_options
def create_token(name: str, person: str, output: str, as_json: bool) -> None:
    """A new token; its text is shown this once."""
    show(Client().post(f"/people/{quoted(person)}/tokens", {"name": name}), output=output, as_json=as_json)


@click.group()
def team() -> None:
    """Teams."""


@team.command("add")
@click.argument("name")
@click.option("--display-name", default="")
@click.option("--time-zone", default="UTC", show_default=True)
@output_options
def add_team(name: str, output: str, as_json: bool, **facts: str) -> None:
    """Add a team."""
    show(Client().post("/teams", {"name": name, **facts}), output=output, as_json=as_json)


@team.command("member")
@click.argument("team_name")
@click.argument("person")
@click.option("--owner", is_flag=True, help="May change the team's SLOs, rotations and services.")
@output_options
def add_member(team_name: str, person: str, owner: bool, output: str, as_json: bool) -> None:
    """Put a person into a team."""
    body = {"person": person, "is_owner": owner}
    show(Client().post(f"/teams/{quoted(team_name)}/members", body), output=output, as_json=as_json)


@team.command("list")
@output_options
def list_teams(output: str, as_json: bool) -> None:
    """All teams."""
    show(Client().get("/teams"), output=output, as_json=as_json)


@click.group()
def service() -> None:
    """Services: what teams own and operate."""


@service.command("add")
@click.argument("name")
@click.option("--display-name", default="")
@click.option("--team")
@click.option("--description", default="")
@click.option("--runbook", "runbook_url", default="")
@click.option("--depends-on", multiple=True)
@output_options
def add_service(name: str, output: str, as_json: bool, depends_on: tuple[str, ...], **facts: str | None) -> None:
    """Add a service."""
    body = {"name": name, "depends_on": list(depends_on), **facts}
    show(Client().post("/services", body), output=output, as_json=as_json)


@service.command("list")
@output_options
def list_services(output: str, as_json: bool) -> None:
    """All services."""
    show(
        Client().get("/services"), ("name", "display_name", "team", "maintenance_since"), output=output, as_json=as_json
    )


@service.command("set")
@click.argument("name")
@click.option("--escalation", required=True, help="The escalation policy that wakes people for it.")
@output_options
def set_service(name: str, escalation: str, output: str, as_json: bool) -> None:
    """Say who is woken for a service."""
    show(Client().put(f"/services/{quoted(name)}/escalation", {"policy": escalation}), output=output, as_json=as_json)


@service.command("maintenance")
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
@output_options
def maintenance(name: str, state: str, output: str, as_json: bool) -> None:
    """Keep new incidents of a service quiet for a while."""
    show(Client().put(f"/services/{quoted(name)}/maintenance", {"on": state == "on"}), output=output, as_json=as_json)


@click.group()
def integration() -> None:
    """Senders of alerts and counts."""


@integration.command("add")
@click.option("--kind", required=True, help="alertmanager or sli.")
@click.option("--service")
@click.option("--name", default="")
@click.option("--priority", "default_priority", help="For alerts that bring none: 1 or P1.")
@output_options
def add_integration(output: str, as_json: bool, **facts: str | None) -> None:
    """Make a key for a sender; it is shown this once."""
    show(Client().post("/integrations", facts), output=output, as_json=as_json)


@integration.command("list")
@output_options
def list_integrations(output: str, as_json: bool) -> None:
    """All senders and when they were last heard."""
    show(
        Client().get("/integrations"), ("id", "kind", "name", "service", "last_seen_at"), output=output, as_json=as_json
    )


@integration.command("revoke")
@click.argument("integration_id")
@output_options
def revoke_integration(integration_id: str, output: str, as_json: bool) -> None:
    """Make a key worthless at once."""
    show(Client().delete(f"/integrations/{quoted(integration_id)}"), output=output, as_json=as_json)


@click.group()
def subscriber() -> None:
    """Addresses that hear of a service's incidents by themselves."""


@subscriber.command("add")
@click.option("--email", required=True)
@click.option("--service", required=True)
@output_options
def add_subscriber(email: str, service: str, output: str, as_json: bool) -> None:
    """Subscribe an address to a service."""
    show(Client().post("/subscribers", {"email": email, "service": service}), output=output, as_json=as_json)


@subscriber.command("list")
@output_options
def list_subscribers(output: str, as_json: bool) -> None:
    """Who hears of what."""
    show(Client().get("/subscribers"), output=output, as_json=as_json)


@click.group()
def group() -> None:
    """Stakeholder groups."""


@group.command("list")
@output_options
def list_groups(output: str, as_json: bool) -> None:
    """All groups with ring and members."""
    show(Client().get("/groups"), ("code", "name", "ring", "is_management", "members"), output=output, as_json=as_json)


@group.command("add")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--ring", type=int, default=1, show_default=True)
@click.option("--management", "is_management", is_flag=True)
@click.option("--purpose", default="")
@output_options
def add_group(code: str, output: str, as_json: bool, **facts: object) -> None:
    """Add a group."""
    show(Client().post("/groups", {"code": code, **facts}), output=output, as_json=as_json)


@group.command("member")
@click.argument("code")
@click.option("--email", required=True)
@click.option("--name", default="")
@output_options
def add_group_member(code: str, email: str, name: str, output: str, as_json: bool) -> None:
    """Add an address to a group."""
    show(
        Client().post(f"/groups/{quoted(code)}/members", {"email": email, "name": name}), output=output, as_json=as_json
    )


@click.group()
def webhook() -> None:
    """Where signed events are posted."""


@webhook.command("add")
@click.option("--url", required=True)
@click.option("--secret", required=True, help="whsec_ and base64 of 24 to 64 bytes.")
@click.option("--events", default="incident.*", show_default=True)
@output_options
def add_webhook(url: str, secret: str, events: str, output: str, as_json: bool) -> None:
    """Post signed events to an address."""
    show(Client().post("/webhooks", {"url": url, "secret": secret, "events": events}), output=output, as_json=as_json)


@webhook.command("rotate")
@click.argument("webhook_id")
@click.option("--secret", required=True)
@click.option("--overlap", default="24h", show_default=True)
@output_options
def rotate_webhook(webhook_id: str, secret: str, overlap: str, output: str, as_json: bool) -> None:
    """A new secret; the old one signs too until the overlap ends."""
    body = {"secret": secret, "overlap_seconds": int(duration(overlap).total_seconds())}
    show(Client().post(f"/webhooks/{quoted(webhook_id)}/rotate", body), output=output, as_json=as_json)


@webhook.command("deliveries")
@click.argument("webhook_id")
@output_options
def webhook_deliveries(webhook_id: str, output: str, as_json: bool) -> None:
    """Each try and what came of it."""
    found = Client().get(f"/webhooks/{quoted(webhook_id)}/deliveries")
    show(found["items"], ("id", "status", "at", "detail"), output=output, as_json=as_json)
