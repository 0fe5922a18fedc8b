"""tocsin priority views, view, ask, close-round, session: how consumers see SLOs, and what their owners decide."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import instant, output_options, show

VIEWS = ("slo", "provider", "priority", "spread", "round", "views")
GAPS = ("slo", "provider", "decided", "consumer", "sees", "levels", "flagged", "strategy", "offers")
VIEW = ("consumer", "decision", "priority", "reason", "strategy", "degrades_to", "notify", "by", "from")
ROUND = ("slo", "round", "decision", "priority", "rationale", "answers", "closed_by", "closed_at")
SESSIONS = ("team", "held_at", "invited", "attended", "outcomes")
WHOM = "service:NAME, team:NAME or group:CODE; a bare name where it is plain."


@click.command("views")
@click.option("--gaps", is_flag=True, help="Only where a consumer sees it differently, largest first.")
@click.option("--team", help="Only SLOs of this provider.")
@click.option("--slo", help="Only this SLO, with its history and rounds.")
@output_options
def views(gaps: bool, team: str | None, slo: str | None, output: str, as_json: bool) -> None:
    """How consumers see the priorities of SLOs. It is orientational: the provider decides."""
    if gaps and slo:
        raise click.UsageError("--gaps is over all SLOs of a provider; leave out --slo.")
    if slo:
        found = Client().get(f"/priorities/views/{quoted(slo)}")
        show(found, ("note", *VIEWS, "history", "rounds"), output=output, as_json=as_json)
        return
    found = Client().get("/priorities/gaps" if gaps else "/priorities/views", team=team)
    if not gaps and not as_json and output == "table":
        found["items"] = [{**one, "views": _in_words(one["views"])} for one in found["items"]]
    show(found, GAPS if gaps else VIEWS, output=output, as_json=as_json)
    if not as_json and output == "table":
        _say(found)


def _in_words(rows: list[dict[str, Any]]) -> str:
    said = {"asked": "asked"}
    return ", ".join(f"{one['consumer']}={one['priority'] or said.get(one['decision'], 'none')}" for one in rows)


def _say(found: dict[str, Any]) -> None:
    first = found.get("talk_first")
    if first:
        click.echo(f"To talk about first: {first['consumer']} on {first['slo']}.", err=True)
    click.echo(found["note"], err=True)


@click.command("view")
@click.argument("slo")
@click.argument("consumer")
@click.argument("priority_code")
@click.option("--because", "reason", required=True, help="What its users cannot do then.")
@click.option("--degrades-to", default="", help="How its users work on meanwhile.")
@click.option("--own-group", is_flag=True, help="Its own people are told as soon as the SLO breaches.")
@click.option("--notify", default="", help="The code of the group that is told; one of its team when left out.")
@output_options
def view(
    slo: str,
    consumer: str,
    priority_code: str,
    reason: str,
    degrades_to: str,
    own_group: bool,
    notify: str,
    output: str,
    as_json: bool,
) -> None:
    """Say how CONSUMER sees the priority of SLO: P1, 2, or none.

    CONSUMER is service:NAME, team:NAME or group:CODE.
    """
    strategy = "own_group" if own_group or notify else "adaptive_capacity" if degrades_to else ""
    body = {"consumer": consumer, "priority": priority_code, "reason": reason, "strategy": strategy}
    body |= {"degrades_to": degrades_to, "notify": notify}
    show(Client().put(f"/priorities/views/{quoted(slo)}", body), VIEW, output=output, as_json=as_json)


@click.command("ask")
@click.argument("slo")
@click.argument("consumer")
@output_options
def ask(slo: str, consumer: str, output: str, as_json: bool) -> None:
    """Ask CONSUMER how it sees SLO."""
    found = Client().post(f"/priorities/views/{quoted(slo)}/ask", {"consumer": consumer})
    show(found, VIEW, output=output, as_json=as_json)


@click.command("close-round")
@click.argument("slo")
@click.option("--because", "rationale", required=True, help="Why it is this priority.")
@click.option("--priority", "priority_code", default="keep", show_default=True, help="Decide on another one: P1, none.")
@click.option("--answer", "answers", multiple=True, help="CONSUMER=TEXT, once for each that sees it otherwise.")
@output_options
def close_round(
    slo: str, rationale: str, priority_code: str, answers: tuple[str, ...], output: str, as_json: bool
) -> None:
    """Close the round of feedback on SLO; only members of the team that owns it do."""
    told = dict(_answer(one) for one in answers)
    body = {"rationale": rationale, "priority": priority_code, "answers": told}
    show(Client().post(f"/priorities/views/{quoted(slo)}/rounds", body), ROUND, output=output, as_json=as_json)


def _answer(given: str) -> tuple[str, str]:
    consumer, equals, text = given.partition("=")
    if not equals or not text.strip():
        raise click.UsageError(f'{given!r}: write NAME=TEXT, for example "service:checkout=In spring."')
    return consumer.strip(), text.strip()


@click.command("sessions")
@click.option("--team", help="Only sessions of this team.")
@output_options
def sessions(team: str | None, output: str, as_json: bool) -> None:
    """The feedback sessions that were held."""
    show(Client().get("/priorities/sessions", team=team), SESSIONS, output=output, as_json=as_json)


@click.command("session")
@click.argument("team")
@click.option("--at", "held_at", required=True, help="When it was: 2026-11-20T10:00+01:00.")
@click.option("--invited", multiple=True, required=True, help="Who was asked; once for each.")
@click.option("--attended", multiple=True, help="Who came; once for each.")
@click.option("--outcome", "outcomes", multiple=True, required=True, help="SLO=TEXT, once for each SLO.")
@output_options
def session(
    team: str,
    held_at: str,
    invited: tuple[str, ...],
    attended: tuple[str, ...],
    outcomes: tuple[str, ...],
    output: str,
    as_json: bool,
) -> None:
    """Keep the record of a feedback session of TEAM."""
    told = dict(_answer(one) for one in outcomes)
    body = {"team": team, "held_at": instant(held_at).isoformat(), "outcomes": told}
    body |= {"invited": list(invited), "attended": list(attended)}
    show(Client().post("/priorities/sessions", body), SESSIONS, output=output, as_json=as_json)


COMMANDS = (views, view, ask, close_round, sessions, session)
