"""tocsin wish, resource-alert, discover, coach, explain: what teams wish for, watch, find and decide together."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import day, output_options, show

WISH_COLUMNS = ("id", "rank", "kind", "status", "team", "owner", "title")
ALERT_COLUMNS = ("name", "service", "state", "priority", "interim", "replaceable_by", "replaced_by")


@click.group()
def wish() -> None:
    """The backlog: what teams wish from those who run the infrastructure."""


@wish.command("add")
@click.argument("text")
@click.option("--kind", required=True, help="new_sli, new_way, new_rule, replace_alert or other.")
@click.option("--team", default="")
@click.option("--slo", default="", help="The SLO it is about.")
@click.option("--resource-alert", default="", help="The resource alert it is about.")
@output_options
def add_wish(text: str, output: str, as_json: bool, **facts: str) -> None:
    """Put a wish at the end of the backlog."""
    show(Client().post("/wishes", {"text": text, **facts}), output=output, as_json=as_json)


@wish.command("list")
@click.option("--team", default="")
@click.option("--all", "everything", is_flag=True, help="Also what is done or declined.")
@output_options
def list_wishes(team: str, everything: bool, output: str, as_json: bool) -> None:
    """The backlog in its order."""
    found = Client().get("/wishes", team=team, everything=everything)
    show(found, WISH_COLUMNS, output=output, as_json=as_json)


@wish.command("rank")
@click.argument("number", type=int)
@click.argument("place", type=int)
@output_options
def rank_wish(number: int, place: int, output: str, as_json: bool) -> None:
    """Move a wish to a PLACE of the backlog; 1 is first."""
    found = Client().put(f"/wishes/{number}/place", {"place": place})
    show(found, WISH_COLUMNS, output=output, as_json=as_json)


@wish.command("set")
@click.argument("number", type=int)
@click.option("--status", help="open, planned, done or declined.")
@click.option("--owner", help="Who in operations has it.")
@click.option("--reference", help="Where the work is: an address or a ticket.")
@click.option("--note")
@output_options
def set_wish(number: int, output: str, as_json: bool, **facts: str | None) -> None:
    """Plan a wish, give it an owner, or say where the work is."""
    given = {name: value for name, value in facts.items() if value is not None}
    show(Client().patch(f"/wishes/{number}", given), output=output, as_json=as_json)


@wish.command("done")
@click.argument("number", type=int)
@click.option("--note", default=None)
@output_options
def finish_wish(number: int, note: str | None, output: str, as_json: bool) -> None:
    """Say that a wish has come true."""
    body = {"status": "done"} if note is None else {"status": "done", "note": note}
    show(Client().patch(f"/wishes/{number}", body), WISH_COLUMNS, output=output, as_json=as_json)


@wish.command("export")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--team", default="")
@click.option("--all", "everything", is_flag=True, help="Also what is done or declined.")
def export_wishes(form: str, team: str, everything: bool) -> None:
    """The backlog for a work-item tool, on stdout."""
    client = Client()
    if form == "json":
        show(client.get("/wishes", team=team, everything=everything)["items"], as_json=True)
        return
    query = {"team": team, **({"everything": "true"} if everything else {})}
    # The server ends lines as RFC 4180 says; a terminal and a pipe want them plain.
    click.echo(client.download("/wishes.csv", **query).decode("utf-8").replace("\r\n", "\n"), nl=False)


@click.group("resource-alert")
def resource_alert() -> None:
    """Alerts on resources (CPU, memory, queues): what they mean, and which SLO replaces them."""


@resource_alert.command("add")
@click.argument("alert_name")
@click.option("--service", required=True)
@click.option("--metric", default="", help="What is measured, in a word: cpu, queue depth.")
@click.option("--use-case", default="", help="What people feel of it.")
@click.option("--runbook", "runbook_url", default="")
@click.option("--interim", is_flag=True, help="Stands in until an SLO is possible.")
@click.option("--name", default="", help="How it is addressed here; made from ALERT_NAME when left out.")
@output_options
def add_alert(alert_name: str, output: str, as_json: bool, **facts: Any) -> None:
    """Register an alert as its sender calls it (the label alertname)."""
    found = Client().post("/resource-alerts", {"alert_name": alert_name, **facts})
    show(found, output=output, as_json=as_json)


@resource_alert.command("list")
@click.option("--team", default="")
@click.option("--in-use", is_flag=True)
@output_options
def list_alerts(team: str, in_use: bool, output: str, as_json: bool) -> None:
    """All registered resource alerts, and the SLI that could replace each."""
    show(Client().get("/resource-alerts", team=team, in_use=in_use), ALERT_COLUMNS, output=output, as_json=as_json)


@resource_alert.command("priority")
@click.argument("name")
@click.argument("priority_code")
@click.option("--group", "groups", multiple=True, help="Who hears of it.")
@click.option("--reason", default="")
@click.option("--manual", is_flag=True, help="Leave the priority of each incident to a person.")
@output_options
def set_priority(
    name: str, priority_code: str, groups: tuple[str, ...], reason: str, manual: bool, output: str, as_json: bool
) -> None:
    """Give a resource alert its priority as an SLO has one: P1, 2, or none."""
    body = {
        "priority": priority_code,
        "groups": list(groups),
        "reason": reason,
        "assign_mode": "manual" if manual else "automatic",
    }
    show(Client().put(f"/resource-alerts/{quoted(name)}/priority", body), output=output, as_json=as_json)


@resource_alert.command("move")
@click.argument("name")
@click.argument("state", type=click.Choice(["active", "planned", "replaced", "retired"]))
@click.option("--by", "replaced_by", default="", help="The SLO that replaces it.")
@click.option("--reason", default="")
@output_options
def move_alert(name: str, state: str, output: str, as_json: bool, **facts: str) -> None:
    """Plan or record its replacement by an SLO, retire it, or bring it back."""
    found = Client().put(f"/resource-alerts/{quoted(name)}/state", {"state": state, **facts})
    show(found, ALERT_COLUMNS, output=output, as_json=as_json)


@resource_alert.command("ratio")
@click.argument("team")
@output_options
def ratio(team: str, output: str, as_json: bool) -> None:
    """How many of a TEAM's resource alerts an SLO has replaced, week by week."""
    show(
        Client().get(f"/teams/{quoted(team)}/replacement"),
        ("at", "replaced", "of", "ratio"),
        output=output,
        as_json=as_json,
    )


@resource_alert.command("capabilities")
@output_options
def capabilities(output: str, as_json: bool) -> None:
    """The kinds of SLI that can be measured here, and how."""
    found = Client().get("/capabilities")
    if not as_json and output == "table":
        for one in found["items"]:
            one["ways"] = [way["code"] for way in one["ways"]]
    show(found, ("code", "question", "ways"), output=output, as_json=as_json)


@click.group()
def discover() -> None:
    """Walk a priority to find use cases that nothing watches."""


@discover.command("begin")
@click.argument("team")
@click.argument("priority_code")
@output_options
def begin(team: str, priority_code: str, output: str, as_json: bool) -> None:
    """Step one: choose the priority whose actions the team reads."""
    found = Client().post(f"/teams/{quoted(team)}/walks", {"priority": priority_code})
    show(found, output=output, as_json=as_json)


@discover.command("name")
@click.argument("walk", type=int)
@click.argument("use_cases", nargs=-1, required=True)
@output_options
def name_cases(walk: int, use_cases: tuple[str, ...], output: str, as_json: bool) -> None:
    """Step two: the use cases whose failure deserves these actions."""
    found = Client().post(f"/walks/{walk}/use-cases", {"use_cases": list(use_cases)})
    show(found, output=output, as_json=as_json)


@discover.command("see")
@click.argument("use_case", type=int)
@click.option("--slo", default="", help="The SLO that watches it.")
@click.option("--resource-alert", default="", help="The resource alert that watches it.")
@output_options
def see(use_case: int, output: str, as_json: bool, **facts: str) -> None:
    """Step three: what watches a use case today; neither option makes it a find."""
    show(Client().put(f"/use-cases/{use_case}/seen", facts), output=output, as_json=as_json)


@discover.command("answer")
@click.argument("use_case", type=int)
@click.option("--existing-sli", is_flag=True, help="A new SLO on an SLI we have can watch it.")
@click.option("--new-sli", is_flag=True, help="It needs a new SLI first.")
@click.option("--resource-alert", is_flag=True, help="A new resource alert can watch it.")
@click.option("--service", default="")
@click.option("--sli-kind", default="", help="Which SLI we have: see resource-alert capabilities.")
@click.option("--alert-name", default="", help="The alert to register; with --new-sli it is an interim one.")
@output_options
def answer(use_case: int, output: str, as_json: bool, **facts: Any) -> None:
    """What becomes of a find: the first yes counts and makes a draft, a wish or an alert."""
    found = Client().put(f"/use-cases/{use_case}/answer", facts)
    if found.get("draft") and not as_json and output == "table":
        click.echo(found["draft"])
        return
    show(found, output=output, as_json=as_json)


@discover.command("coverage")
@click.argument("team")
@output_options
def coverage(team: str, output: str, as_json: bool) -> None:
    """Priorities by how the TEAM's use cases are watched."""
    found = Client().get(f"/teams/{quoted(team)}/coverage")
    columns = ("priority", "priority_state", "slo", "resource_alert", "interim", "not_yet")
    show(found if as_json or output != "table" else found["priorities"], columns, output=output, as_json=as_json)


@click.group()
def coach() -> None:
    """Coaching sessions: decide with a team what breaches of its SLOs mean."""


@coach.command("session")
@click.option("--team", required=True)
@click.option("--participant", "participants", multiple=True, help="Who takes part; records the session.")
@click.option("--decide", "decided", multiple=True, help="SLO=P2, SLO=none or SLO=later.")
@click.option("--date", "held_on", callback=day, help="The day it was held (default today).")
@click.option("--note", default="")
@output_options
def session(
    team: str,
    participants: tuple[str, ...],
    decided: tuple[str, ...],
    held_on: str | None,
    note: str,
    output: str,
    as_json: bool,
) -> None:
    """Print the agenda (SLOs without a priority, in order); with participants record what was decided."""
    client, path = Client(), f"/teams/{quoted(team)}"
    if not participants:
        if decided or note:
            raise click.UsageError("Name who takes part: --participant NAME.")
        show(client.get(f"{path}/agenda"), ("name", "service", "use_case", "target"), output=output, as_json=as_json)
        return
    body = {
        "participants": list(participants),
        "decisions": [_decision(one) for one in decided],
        "held_on": held_on,
        "note": note,
    }
    show(client.post(f"{path}/sessions", body), output=output, as_json=as_json)


def _decision(text: str) -> dict[str, Any]:
    slo, sign, said = text.partition("=")
    if not sign or not slo or not said:
        raise click.BadParameter(f"write SLO=P2, SLO=none or SLO=later, not {text!r}", param_hint="--decide")
    return {"slo": slo, "later": True} if said == "later" else {"slo": slo, "priority": said}


@click.group()
def explain() -> None:
    """Short explanations of what Tocsin does and why."""


@explain.command("sli-vs-alert")
@output_options
def sli_vs_alert(output: str, as_json: bool) -> None:
    """What alerting on SLOs adds to an alert on a resource. Needs no server."""
    from tocsin.adoption.comparison import comparison

    lines = comparison()
    if as_json or output != "table":
        show(lines, output=output, as_json=as_json)
        return
    for line in lines:
        click.echo(line["asks"])
        click.echo(f"  resource alert: {line['resource_alert']}")
        click.echo(f"  SLO:            {line['slo']}")
