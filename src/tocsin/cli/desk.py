"""tocsin incident decide, ask, answer, task, can, subteam ...: the desk of a response from a terminal."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import duration, instant, output_options, show

DECISION = ("number", "text", "addressees", "acknowledged_at", "execution", "report", "duties")
QUESTION = ("number", "text", "owner", "due_at", "answer")
TASK = ("number", "text", "owner", "due_at", "state", "result")
TEAM = ("name", "leader", "members", "task", "due_at", "ended_at")
_BOX = click.option("--for", "span", help="The time box: 20m, 2h.")
_BY = click.option("--by", "until", help="The end of the time box, with a zone: 2026-07-01T09:30:00Z.")


def _due(span: str | None, until: str | None) -> str | None:
    """The end of a time box, however it was said."""
    if span and until:
        raise click.UsageError("Say --for or --by, not both.")
    if until:
        return instant(until).isoformat()
    if span:
        from tocsin.platform import clock

        return (clock.now() + duration(span)).isoformat()
    return None


def _post(path: str, body: dict[str, Any], columns: tuple[str, ...], output: str, as_json: bool) -> None:
    show(
        _for_people(Client().post(path, body), plain=not as_json and output == "table"),
        columns,
        output=output,
        as_json=as_json,
    )


def _for_people(found: dict[str, Any], *, plain: bool) -> dict[str, Any]:
    """A decision as a terminal shows it: whom it is for and how each duty stands, in words."""
    if not plain or "duties" not in found:
        return found
    people = [one["name"] + (" (has it)" if one["received_at"] else "") for one in found["addressees"]]
    duties = [f"{one['duty']} {one['state'].replace('_', ' ')}" for one in found["duties"]]
    return {**found, "addressees": people or ["nobody yet"], "duties": duties}


def _place(incident_id: str, *parts: object) -> str:
    return "/".join(["/incidents", quoted(incident_id), *(quoted(str(one)) for one in parts)])


@click.command()
@click.argument("incident_id")
@click.argument("text")
@click.option("--to", "addressees", multiple=True, help="For whom: a user name, a role, a team or a name. Repeat it.")
@click.option(
    "--about",
    type=click.Choice(["solution", "order", "people", "risk"]),
    default="solution",
    show_default=True,
    help="How something is solved is free; on the others whoever coordinates decides.",
)
@click.option("--risky", is_flag=True, help="It could make things worse.")
@click.option("--objections", default="", help="What spoke against it, of those who were asked.")
@_BOX
@_BY
@output_options
def decide(
    incident_id: str,
    text: str,
    addressees: tuple[str, ...],
    about: str,
    risky: bool,
    objections: str,
    span: str | None,
    until: str | None,
    output: str,
    as_json: bool,
) -> None:
    """Write down a decision: whoever it is for takes it in, carries it out, and reports."""
    body = {
        "text": text,
        "addressees": list(addressees),
        "about": about,
        "risky": risky,
        "objections": objections,
        "execute_by": _due(span, until),
    }
    _post(_place(incident_id, "decisions"), body, DECISION, output, as_json)


@click.command()
@click.argument("incident_id")
@click.argument("number", type=int)
@click.option("--for", "who", default="", help="For whom, when it is not for yourself.")
@output_options
def received(incident_id: str, number: int, who: str, output: str, as_json: bool) -> None:
    """Say that decision NUMBER was taken in."""
    _post(_place(incident_id, "decisions", number, "acknowledge"), {"who": who}, DECISION, output, as_json)


@click.command("report")
@click.argument("incident_id")
@click.argument("number", type=int)
@click.argument("text", required=False, default="")
@click.option("--state", type=click.Choice(["doing", "done", "not_done"]), help="How far carrying it out has come.")
@output_options
def report(incident_id: str, number: int, text: str, state: str | None, output: str, as_json: bool) -> None:
    """Report on decision NUMBER: what came of it, or how far it is."""
    body = {"report": text, "state": state}
    _post(_place(incident_id, "decisions", number, "report"), body, DECISION, output, as_json)


@click.command()
@click.argument("incident_id")
@click.argument("text")
@click.option("--owner", default="", help="Who finds out: a user name, a role, a team or a name.")
@_BOX
@_BY
@output_options
def ask(
    incident_id: str, text: str, owner: str, span: str | None, until: str | None, output: str, as_json: bool
) -> None:
    """Write down an open question."""
    body = {"text": text, "owner": owner, "due_at": _due(span, until)}
    _post(_place(incident_id, "questions"), body, QUESTION, output, as_json)


@click.command()
@click.argument("incident_id")
@click.argument("number", type=int)
@click.argument("text")
@output_options
def answer(incident_id: str, number: int, text: str, output: str, as_json: bool) -> None:
    """Answer question NUMBER."""
    _post(_place(incident_id, "questions", number, "answer"), {"answer": text}, QUESTION, output, as_json)


@click.command()
@click.argument("incident_id")
@click.argument("text")
@click.option("--owner", default="", help="Who does it: a user name, a role, a team or a name.")
@click.option("--subteam", "sub_team", default="", help="Which sub-team does it.")
@_BOX
@_BY
@output_options
def task(
    incident_id: str,
    text: str,
    owner: str,
    sub_team: str,
    span: str | None,
    until: str | None,
    output: str,
    as_json: bool,
) -> None:
    """Give a task with a time box."""
    body = {"text": text, "owner": owner, "sub_team": sub_team, "due_at": _due(span, until)}
    _post(_place(incident_id, "tasks"), body, TASK, output, as_json)


@click.command("task-done")
@click.argument("incident_id")
@click.argument("number", type=int)
@click.argument("result", required=False, default="")
@click.option("--dropped", is_flag=True, help="It is not needed any more.")
@output_options
def task_done(incident_id: str, number: int, result: str, dropped: bool, output: str, as_json: bool) -> None:
    """Task NUMBER is done, or dropped."""
    body = {"state": "dropped" if dropped else "done", "result": result}
    _post(_place(incident_id, "tasks", number, "end"), body, TASK, output, as_json)


@click.command("can")
@click.argument("incident_id")
@click.argument("condition")
@click.option("--actions", default="", help="What is being done.")
@click.option("--needs", default="", help="What is needed.")
@click.option("--about", default="", help="Which system or team; without it, you.")
@output_options
def can(incident_id: str, condition: str, actions: str, needs: str, about: str, output: str, as_json: bool) -> None:
    """Say how things stand: condition, actions, needs."""
    body = {"condition": condition, "actions": actions, "needs": needs, "about": about}
    _post(_place(incident_id, "conditions"), body, ("about", "condition", "actions", "needs", "at"), output, as_json)


@click.group("subteam")
def sub_team() -> None:
    """Sub-teams: a leader, a task, a time box, and fewer people who report to the coordinator."""


@sub_team.command("form")
@click.argument("incident_id")
@click.argument("name")
@click.option("--leader", required=True, help="A user name.")
@click.option("--task", "said", required=True, help="What it is for.")
@click.option("--member", "members", multiple=True, help="A user name. Repeat it.")
@_BOX
@_BY
@output_options
def form(
    incident_id: str,
    name: str,
    leader: str,
    said: str,
    members: tuple[str, ...],
    span: str | None,
    until: str | None,
    output: str,
    as_json: bool,
) -> None:
    """Form a sub-team."""
    body = {"name": name, "leader": leader, "task": said, "members": list(members), "due_at": _due(span, until)}
    _post(_place(incident_id, "sub-teams"), body, TEAM, output, as_json)


@sub_team.command("end")
@click.argument("incident_id")
@click.argument("name")
@click.argument("result", required=False, default="")
@output_options
def end(incident_id: str, name: str, result: str, output: str, as_json: bool) -> None:
    """A sub-team is no longer needed; its people report to the coordinator again."""
    _post(_place(incident_id, "sub-teams", name, "end"), {"result": result}, TEAM, output, as_json)


@click.command("desk")
@click.argument("incident_id")
@output_options
def desk(incident_id: str, output: str, as_json: bool) -> None:
    """What is decided, asked, being done, and who reports to the coordinator."""
    found = Client().get(_place(incident_id, "desk"))
    if not as_json and output == "table":
        found["decisions"] = [_brief(one) for one in found["decisions"]]
    show(found, output=output, as_json=as_json)


def _brief(one: dict[str, Any]) -> dict[str, Any]:
    words = _for_people(one, plain=True)
    parts = {"number": words["number"], "text": words["text"], "for": ", ".join(words["addressees"])}
    return parts | {"execution": words["execution"].replace("_", " "), "report": words["report"]}


@click.command("say")
@click.argument("incident_id")
@click.argument("line")
@output_options
def say(incident_id: str, line: str, output: str, as_json: bool) -> None:
    """One line as on the desk: a note, or /d decision, /q question, /t task, /c condition, /a 1 answer, /r 2 report."""
    _post(_place(incident_id, "desk"), {"line": line}, ("said",), output, as_json)


COMMANDS = (decide, received, report, ask, answer, task, task_done, can, sub_team, desk, say)
