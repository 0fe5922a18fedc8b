"""tocsin policy ...: what a team agreed to do when its error budget goes."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import output_options, read_document, show

FINDINGS = ("verdict", "clause", "slo", "subject", "why")
CONSEQUENCES = ("id", "clause", "slo", "subject", "began_at", "began_by", "ended_at", "told", "done_by", "note")


@click.group()
def policy() -> None:
    """Error budget policies: conditions, consequences, and what followed."""


@policy.command("list")
@output_options
def list_policies(output: str, as_json: bool) -> None:
    """The teams that have a policy, and when each is reviewed next."""
    columns = ("team", "revision", "next_review", "saved_by", "saved_at", "ended_at")
    show(Client().get("/budget-policies"), columns, output=output, as_json=as_json)


@policy.command("show")
@click.argument("team")
@output_options
def show_policy(team: str, output: str, as_json: bool) -> None:
    """What a team agreed on, as a file that `policy set` takes."""
    answer = Client().get(f"/teams/{quoted(team)}/budget-policy")
    if as_json or output == "json":
        show(answer, as_json=True)
        return
    show(answer["policy"], output="yaml")


@policy.command("start")
def start() -> None:
    """Print a policy to begin with; change it, then put it in force with `policy set`."""
    from tocsin.platform import clock
    from tocsin.slo.defaults import REVIEW_AFTER, default_policy

    review = (clock.now() + REVIEW_AFTER).date().isoformat()
    show({**default_policy(), "next_review": review}, output="yaml")


@policy.command("set")
@click.argument("team")
@click.argument("file")
@click.option("--based-on", type=int, help="Refuse when another revision than this one is in force.")
@output_options
def set_policy(team: str, file: str, based_on: int | None, output: str, as_json: bool) -> None:
    """Put FILE (YAML or JSON, - is standard input) in force for TEAM."""
    body = {"policy": _plain(read_document(file)), "based_on": based_on}
    show(Client().put(f"/teams/{quoted(team)}/budget-policy", body), output=output, as_json=as_json)


def _plain(document: Any) -> Any:
    """The document as JSON can say it: YAML reads a bare date as a date."""
    if not isinstance(document, dict):
        raise click.ClickException(
            "A policy is a mapping: scope, purpose, clauses, escalation, agreed_by, next_review."
        )
    review = document.get("next_review")
    if isinstance(review, date):
        day = review.date() if isinstance(review, datetime) else review
        document["next_review"] = day.isoformat()
    return document


@policy.command("check")
@click.argument("team")
@click.option("--fail", is_flag=True, help="Exit 1 when a clause holds, for example before a release.")
@output_options
def check(team: str, fail: bool, output: str, as_json: bool) -> None:
    """Judge every clause now: what holds, for which SLO, and why. Nothing is written and nobody is told."""
    answer = Client().get(f"/teams/{quoted(team)}/budget-policy")
    show({"items": answer["findings"], "holding": answer["holding"]}, FINDINGS, output=output, as_json=as_json)
    if fail and answer["holding"]:
        sys.exit(1)


@policy.command("consequences")
@click.argument("team")
@output_options
def consequences(team: str, output: str, as_json: bool) -> None:
    """What followed: since when, who was told, what was done."""
    answer = Client().get(f"/teams/{quoted(team)}/budget-policy")
    show({"items": answer["consequences"]}, CONSEQUENCES, output=output, as_json=as_json)


@policy.command("answer")
@click.argument("consequence", type=int)
@click.option("--note", required=True, help="What was done, in a sentence.")
@click.option("--url", default="", help="Where it can be read or followed.")
@output_options
def answer_consequence(consequence: int, note: str, url: str, output: str, as_json: bool) -> None:
    """Say what was done about a consequence."""
    path = f"/budget-policies/consequences/{consequence}/answer"
    show(Client().post(path, {"note": note, "url": url}), output=output, as_json=as_json)


@policy.command("begin")
@click.argument("team")
@click.argument("clause")
@click.argument("slo")
@click.option("--why", required=True, help="Why it holds, in a sentence.")
@output_options
def begin_clause(team: str, clause: str, slo: str, why: str, output: str, as_json: bool) -> None:
    """Say that CLAUSE, which people judge, holds for SLO. Who agreed to hear is told."""
    path = f"/teams/{quoted(team)}/budget-policy/begin"
    show(Client().post(path, {"clause": clause, "slo": slo, "why": why}), output=output, as_json=as_json)


@policy.command("over")
@click.argument("consequence", type=int)
@click.option("--why", required=True, help="Why it no longer holds, in a sentence.")
@output_options
def end_clause(consequence: int, why: str, output: str, as_json: bool) -> None:
    """Say that a consequence which people began is over."""
    show(
        Client().post(f"/budget-policies/consequences/{consequence}/end", {"why": why}), output=output, as_json=as_json
    )


@policy.command("end")
@click.argument("team")
@click.option("--reason", required=True, help="Why it ends, in a sentence.")
@output_options
def end_policy(team: str, reason: str, output: str, as_json: bool) -> None:
    """Take TEAM's policy out of force, and with it every consequence; `policy set` puts it back."""
    show(Client().post(f"/teams/{quoted(team)}/budget-policy/end", {"reason": reason}), output=output, as_json=as_json)
