"""tocsin incident: say what is known, who was told, escalate beyond the chain, close."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import instant, output_options, show

SHOWN = ("id", "title", "status", "state", "impact_state")
ESCALATED = (*SHOWN, "escalations")
KNOWN = (*SHOWN, "cause", "workaround")
TOLD = (*SHOWN, "first_stakeholder_notice_at", "first_customer_report_at", "ahead")
CLOSED = (*SHOWN, "category", "cause", "closed_at")


def for_people(found: dict[str, Any]) -> dict[str, Any]:
    """An incident as a terminal shows it: of the steps of the response those that began, without each single stay."""
    parts = ("phase", "entered_at", "left_at")
    steps = [
        {name: one[name] for name in parts}
        | ({"again": f"entered {one['reentries']} times more"} if one["reentries"] else {})
        for one in found.get("phases", ())
        if one["entered_at"]
    ]
    return {**found, "phases": steps}


def _post(
    incident_id: str, verb: str, body: dict[str, Any], columns: tuple[str, ...], output: str, as_json: bool
) -> None:
    found = Client().post(f"/incidents/{quoted(incident_id)}/{verb}", body)
    show(found, columns, output=output, as_json=as_json)


@click.command()
@click.argument("incident_id")
@click.option("--team", help="Ask this team for its skill: whoever is on call there is paged.")
@click.option("--management", is_flag=True, help="Ask management to decide or to help.")
@click.option("--to", help="With --management: this person (a user name) instead of the groups of management.")
@click.option("--reason", default="", help="What you need of them; needed with --team and --management.")
@output_options
def escalate(
    incident_id: str, team: str | None, management: bool, to: str | None, reason: str, output: str, as_json: bool
) -> None:
    """Ask the next person in the chain now, and say who that is; or another team, or management."""
    if team and management:
        raise click.UsageError("Ask a team or management, one at a time.")
    if to and not management:
        raise click.UsageError("--to goes with --management.")
    if team:
        _post(incident_id, "escalate/team", {"team": team, "reason": reason}, ESCALATED, output, as_json)
    elif management:
        _post(incident_id, "escalate/management", {"to": to or "", "reason": reason}, ESCALATED, output, as_json)
    else:
        columns = ("id", "title", "status", "priority", "state", "acknowledged_by", "snoozed_until", "paged")
        _post(incident_id, "escalate", {}, columns, output, as_json)


@click.command("ack-escalation")
@click.argument("incident_id")
@click.argument("escalation_id", type=int)
@output_options
def acknowledge_escalation(incident_id: str, escalation_id: int, output: str, as_json: bool) -> None:
    """Say that an escalation (its id stands in `incident show`) was heard."""
    _post(incident_id, f"escalations/{escalation_id}/acknowledge", {}, ESCALATED, output, as_json)


@click.command()
@click.argument("incident_id")
@click.option("--cause", default="", help="What the cause is.")
@click.option("--cause-unknown", is_flag=True, help="Looked for, and not found.")
@click.option("--workaround", default="", help="What restores the service without removing the cause.")
@click.option("--no-workaround", is_flag=True, help="None is known.")
@click.option("--work-item", default="", help="Where somebody goes on looking for the cause.")
@output_options
def known(
    incident_id: str,
    cause: str,
    cause_unknown: bool,
    workaround: str,
    no_workaround: bool,
    work_item: str,
    output: str,
    as_json: bool,
) -> None:
    """Say what is known of the cause and of a workaround, each for itself; also after the end."""
    if (cause and cause_unknown) or (workaround and no_workaround):
        raise click.UsageError("Something is known or it is not.")
    body = {
        "cause_state": "unknown" if cause_unknown else "",
        "cause": cause,
        "workaround_state": "unknown" if no_workaround else "",
        "workaround": workaround,
        "work_item": work_item,
    }
    _post(incident_id, "known", body, KNOWN, output, as_json)


@click.command()
@click.argument("incident_id")
@click.argument("impact", type=click.Choice(["actual", "potential"]))
@click.option("--reason", required=True, help="Why; it is shown on the timeline.")
@output_options
def impact(incident_id: str, impact: str, reason: str, output: str, as_json: bool) -> None:
    """What could happen has happened (actual), or nobody felt it after all (potential: a near miss)."""
    _post(incident_id, "impact", {"impact_state": impact, "reason": reason}, SHOWN, output, as_json)


@click.command("customer-report")
@click.argument("incident_id")
@click.option("--at", "reported_at", help="When it came, with a zone: 2026-07-01T09:30:00Z. Now without it.")
@click.option("--text", default="", help="What the customer said.")
@click.option("--ticket", default="", help="Which ticket; the same one twice is noted once.")
@output_options
def customer_report(
    incident_id: str, reported_at: str | None, text: str, ticket: str, output: str, as_json: bool
) -> None:
    """Note when a customer told us; the first one is compared with the first word to stakeholders."""
    at = instant(reported_at).isoformat() if reported_at else None
    _post(
        incident_id, "customer-reports", {"reported_at": at, "text": text, "source_id": ticket}, TOLD, output, as_json
    )


@click.command()
@click.argument("incident_id")
@click.option("--cause", default="", help="What the cause was.")
@click.option("--cause-unknown", is_flag=True, help="It was not found; name the work item that goes on looking.")
@click.option("--work-item", default="", help="Where somebody goes on looking for the cause.")
@click.option("--service", help="Which service it was, if that was not known.")
@click.option("--category", help="What kind of incident it was, if that was not known.")
@output_options
def close(
    incident_id: str,
    cause: str,
    cause_unknown: bool,
    work_item: str,
    service: str | None,
    category: str | None,
    output: str,
    as_json: bool,
) -> None:
    """Close it once everything owed is done or waived. An unknown cause is fine, with a work item."""
    if cause and cause_unknown:
        raise click.UsageError("The cause is known or it is not.")
    body = {
        "cause_state": "unknown" if cause_unknown else "",
        "cause": cause,
        "work_item": work_item,
        "service": service,
        "category": category,
    }
    _post(incident_id, "close", body, CLOSED, output, as_json)


@click.command()
@click.argument("obligation_id", type=int)
@click.option("--reference", default="", help="A change id, a link.")
@click.option("--deployed-at", help="When a fix was rolled out, with a zone: 2026-07-01T09:30:00Z.")
@output_options
def fulfil(obligation_id: int, reference: str, deployed_at: str | None, output: str, as_json: bool) -> None:
    """Record that an obligation is done. A hotfix needs --reference and --deployed-at."""
    body: dict[str, Any] = {"reference": reference}
    if deployed_at:
        body["deployed_at"] = instant(deployed_at).isoformat()
    show(Client().post(f"/obligations/{obligation_id}/fulfil", body), output=output, as_json=as_json)


@click.command("incidents")
@click.option("--period", help="A year, a quarter, a month, or days back: 2026, 2026-Q3, 2026-08, 90d.")
@output_options
def figures(period: str | None, output: str, as_json: bool) -> None:
    """Incidents, near misses and exercises apart, and whether stakeholders heard before customers did.

    Without a period it is this quarter. Boundaries are UTC.
    """
    show(Client().get("/incident-figures", period=period), output=output, as_json=as_json)


COMMANDS = (escalate, acknowledge_escalation, known, impact, customer_report, close, fulfil)
