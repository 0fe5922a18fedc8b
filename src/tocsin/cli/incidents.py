"""tocsin incident ..., tocsin now, tocsin update ...: the daily words."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli import classification
from tocsin.cli.client import Client, quoted
from tocsin.cli.incident_course import for_people
from tocsin.cli.incident_rank import at_a_glance
from tocsin.cli.incident_sorting import links_for_people
from tocsin.cli.output import duration, output_options, show

COLUMNS = ("id", "priority", "severity", "state", "service", "title", "created_at")
WHOLE = (
    "id", "title", "status", "priority", "priority_state", "severity", "service", "created_at", "acknowledged_by",
    "resolved_at", "impact_state", "cause", "workaround", "first_stakeholder_notice_at", "first_customer_report_at",
    "ahead", "phases", "escalations", "caused_by_upstream", "dependents", "links", "roles", "obligations", "timeline",
)  # fmt: skip
PAGING = (*WHOLE[:10], "state", "snoozed_until")


@click.group()
def incident() -> None:
    """Declare, take, classify and resolve incidents."""


@incident.command("list")
@click.option("--all", "every", is_flag=True, help="Resolved ones too.")
@click.option("--status", help="triggered, acknowledged or resolved.")
@click.option("--service")
@click.option("--team")
@click.option("--severity")
@click.option("--category")
@click.option("--origin", help="slo, resource or human.")
@click.option("--impact", help="actual, or potential for near misses.")
@click.option("--environment")
@click.option("--scope", help="A region or tenant, or a part of its name.")
@click.option("--sli", help="A kind of SLI: availability, latency.")
@click.option("--limit", type=int, default=200, show_default=True)
@output_options
def list_incidents(every: bool, output: str, as_json: bool, limit: int, **filters: str | None) -> None:
    """What is open, gravest first."""
    client = Client()
    found = client.get("/incidents", all=every, limit=limit, **filters)
    items = list(found["items"])
    while every and found.get("next") and len(items) < limit:
        found = client.get("/incidents", all=every, limit=limit, cursor=found["next"], **filters)
        items += found["items"]
    show(items[:limit], COLUMNS, output=output, as_json=as_json)


@incident.command("show")
@click.argument("incident_id")
@click.option("--all", "whole", is_flag=True, help="Everything that is known of it, not one screen.")
@output_options
def show_incident(incident_id: str, whole: bool, output: str, as_json: bool) -> None:
    """One incident on one screen: state, who holds which role, next duty, what happened last."""
    found = Client().get(f"/incidents/{quoted(incident_id)}")
    plain = as_json or output in {"json", "yaml", "name"}
    if not (plain or whole):
        click.echo("\n".join(at_a_glance(found)))
        return
    show(found if plain else links_for_people(for_people(found)), WHOLE, output=output, as_json=as_json)


@incident.command()
@click.option("--title", required=True, help="What is wrong, in the words of those who feel it.")
@click.option("--service", required=True, help="Which service.")
@click.option("--description", default="")
@click.option("--priority", help="1 or P1; `none` for none on purpose.")
@click.option("--severity")
@click.option("--caused-by", help="What it follows from upstream: INC-7, or slo:NAME.")
@click.option("--reason", help="Why this priority and severity; else the description explains them.")
@click.option(
    "--exception", is_flag=True, help="Declare it although the two do not go together; needs a reason, stays on record."
)
@click.option("--potential", is_flag=True, help="It could happen, it has not yet.")
@click.option("--exercise", is_flag=True, help="Practice: the real process, nobody outside hears.")
@output_options
def declare(output: str, as_json: bool, potential: bool, exercise: bool, **facts: Any) -> None:
    """Declare an incident: a title and a service are enough."""
    body = {name: value for name, value in facts.items() if value is not None}
    body["impact_state"] = "potential" if potential else "actual"
    body["kind"] = "exercise" if exercise else "real"
    show(Client().post("/incidents", body), WHOLE[:8], output=output, as_json=as_json)


def _act(
    incident_id: str,
    verb: str,
    body: dict[str, Any],
    output: str,
    as_json: bool,
    columns: tuple[str, ...] = WHOLE[:10],
) -> None:
    found = Client().post(f"/incidents/{quoted(incident_id)}/{verb}", body)
    show(found, columns, output=output, as_json=as_json)


@incident.command()
@click.argument("incident_id")
@click.option("--user", help="For whom (administrators only); else for you.")
@output_options
def ack(incident_id: str, user: str | None, output: str, as_json: bool) -> None:
    """I'm on it: take the incident, paging stops."""
    _act(incident_id, "acknowledge", {"person": user}, output, as_json)


@incident.command()
@click.argument("incident_id")
@click.option("--note", default="", help="How it ended.")
@click.option("--service", help="Which service it was, if that was not known.")
@click.option("--category", default="other", show_default=True, help="What kind of incident it was.")
@output_options
def resolve(incident_id: str, output: str, as_json: bool, **facts: Any) -> None:
    """It works again."""
    _act(incident_id, "resolve", facts, output, as_json)


@incident.command()
@click.argument("incident_id")
@click.option("--for", "span", required=True, help="How long: 15m, 2h.")
@output_options
def snooze(incident_id: str, span: str, output: str, as_json: bool) -> None:
    """Pause paging; afterwards the first step is paged."""
    _act(incident_id, "snooze", {"seconds": int(duration(span).total_seconds())}, output, as_json, PAGING)


classification.add_to(incident)


@incident.command()
@click.argument("incident_id")
@click.argument("text")
@output_options
def note(incident_id: str, text: str, output: str, as_json: bool) -> None:
    """Add a line to the timeline."""
    _act(incident_id, "notes", {"text": text}, output, as_json)


@incident.command()
@click.argument("incident_id")
@click.argument("role")
@click.argument("person")
@output_options
def role(incident_id: str, role: str, person: str, output: str, as_json: bool) -> None:
    """Give somebody a role in the incident."""
    _act(incident_id, "roles", {"role": role, "person": person}, output, as_json)


@incident.command()
@click.argument("obligation_id", type=int)
@click.option("--reason", required=True)
@output_options
def waive(obligation_id: int, reason: str, output: str, as_json: bool) -> None:
    """Decide not to do what the process asks, and say why."""
    show(Client().post(f"/obligations/{obligation_id}/waive", {"reason": reason}), output=output, as_json=as_json)


@click.command("now")
@output_options
def now_command(output: str, as_json: bool) -> None:
    """What needs somebody: open incidents, gravest first."""
    show(Client().get("/incidents"), COLUMNS, output=output, as_json=as_json)


@click.group()
def update() -> None:
    """Tell stakeholders, and see what is promised."""


@update.command("send")
@click.argument("incident_id")
@click.option("--text", default="", help="What people notice and what is being done.")
@click.option("--next", "span", help="When the next update comes: 2h. Needed unless it is the closing one.")
@click.option("--kind", type=click.Choice(["opening", "progress", "closing"]))
@click.option("--group", "groups", multiple=True, help="Only these groups.")
@click.option("--no-change", is_flag=True, help="Nothing new; moves the clock.")
@click.option("--draft", type=int, help="Send this draft: tocsin update drafts.")
@output_options
def send_update(
    incident_id: str,
    text: str,
    span: str | None,
    kind: str | None,
    groups: tuple[str, ...],
    no_change: bool,
    draft: int | None,
    output: str,
    as_json: bool,
) -> None:
    """Send an update to the incident's stakeholder groups."""
    facts = {"text": text, "kind": kind, "no_change": no_change, "draft": draft}
    _send(incident_id, span=span, groups=groups, output=output, as_json=as_json, **facts)


@update.command("no-change")
@click.argument("incident_id")
@click.option("--next", "span", required=True, help="When the next update comes: 2h.")
@output_options
def no_change(incident_id: str, span: str, output: str, as_json: bool) -> None:
    """Say that nothing is new and when the next update comes."""
    _send(incident_id, text="", span=span, kind=None, groups=(), no_change=True, output=output, as_json=as_json)


def _send(
    incident_id: str, *, span: str | None, groups: tuple[str, ...], output: str, as_json: bool, **facts: Any
) -> None:
    body = {
        **facts,
        "groups": list(groups) or None,
        "next_in_seconds": int(duration(span).total_seconds()) if span else None,
    }
    show(Client().post(f"/incidents/{quoted(incident_id)}/updates", body), output=output, as_json=as_json)


@update.command("list")
@click.argument("incident_id")
@output_options
def list_updates(incident_id: str, output: str, as_json: bool) -> None:
    """What was said."""
    found = Client().get(f"/incidents/{quoted(incident_id)}/updates")
    show(found, ("sent_at", "kind", "groups", "text", "next_update_at"), output=output, as_json=as_json)


@update.command("due")
@output_options
def due(output: str, as_json: bool) -> None:
    """What is promised, soonest first."""
    show(
        Client().get("/promises"),
        ("due_at", "late", "incident", "kind", "audience", "owner_role"),
        output=output,
        as_json=as_json,
    )
