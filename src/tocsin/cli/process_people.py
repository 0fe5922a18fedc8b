"""tocsin process people, read, look, survey, size, schemes, brief; tocsin user training: the people of the process."""

from __future__ import annotations

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import instant, output_options, show

TRAINING = ("id", "person", "subject", "on", "valid_until", "recorded_by")
LEADERS = ("name", "email", "briefed_at", "acknowledged_at")


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    """`code=text` as a mapping. Raises BadParameter."""
    found = {}
    for one in given:
        code, sign, text = one.partition("=")
        if not sign or not code.strip():
            raise click.BadParameter(f"{one!r} is no answer; write CODE=TEXT.")
        found[code.strip()] = text
    return found


@click.command("people")
@click.argument("number", type=int)
@output_options
def people(number: int, output: str, as_json: bool) -> None:
    """Who was invited to review a version and answered, who agreed, and who has read it."""
    columns = ("number", "review_ends_at", "invited", "approved_by", "notices", "sizing")
    show(Client().get(f"/process/versions/{number}/people"), columns, output=output, as_json=as_json)


@click.command("read")
@click.argument("number", type=int)
@output_options
def read(number: int, output: str, as_json: bool) -> None:
    """Say that you have read a version you were told about."""
    show(Client().post(f"/process/versions/{number}/acknowledge"), output=output, as_json=as_json)


@click.command("look")
@click.option("--note", required=True, help="What you looked at, and whether it still fits.")
@output_options
def look(note: str, output: str, as_json: bool) -> None:
    """Say that you went through the process in force; the next look is due in a year."""
    show(Client().post("/process/look", {"note": note}), output=output, as_json=as_json)


@click.group("survey")
def survey() -> None:
    """How did it go so far? Asked of everyone who has been on call, before answers are fixed."""


@survey.command("open")
@click.argument("number", type=int)
@click.option("--until", "moment", required=True, help="Until when people may answer (RFC 3339).")
@output_options
def open_survey(number: int, moment: str, output: str, as_json: bool) -> None:
    """Ask for the draft NUMBER. Who is asked comes from the rotations."""
    body = {"closes_at": instant(moment).isoformat()}
    answer = Client().post(f"/process/proposals/{number}/survey", body)
    show(answer, ("id", "number", "closes_at", "asked"), output=output, as_json=as_json)


@survey.command("show")
@click.argument("number", type=int)
@output_options
def show_survey(number: int, output: str, as_json: bool) -> None:
    """What was asked for the draft NUMBER, and what was said."""
    columns = ("id", "number", "closes_at", "questions", "asked", "replies")
    show(Client().get(f"/process/proposals/{number}/survey"), columns, output=output, as_json=as_json)


@survey.command("answer")
@click.argument("survey_id", metavar="SURVEY", type=int)
@click.option("--answer", "answers", multiple=True, required=True, help="CODE=TEXT; may be given several times.")
@output_options
def answer_survey(survey_id: int, answers: tuple[str, ...], output: str, as_json: bool) -> None:
    """Say how it went so far."""
    show(Client().post(f"/process/surveys/{survey_id}", {"answers": _pairs(answers)}), output=output, as_json=as_json)


@click.command("size")
@click.argument("number", type=int)
@click.option("--answer", "answers", multiple=True, help="CODE=TEXT, such as teams=40; may be given several times.")
@click.option("--scheme", required=True, help="A shipped role scheme (tocsin process schemes), or own.")
@click.option("--reason", required=True, help="Why these roles fit the organisation.")
@output_options
def size(number: int, answers: tuple[str, ...], scheme: str, reason: str, output: str, as_json: bool) -> None:
    """Keep with the draft NUMBER what the organisation is like, and why its roles fit."""
    body = {"answers": _pairs(answers), "scheme": scheme, "reason": reason}
    show(Client().put(f"/process/proposals/{number}/sizing", body), output=output, as_json=as_json)


@click.command("schemes")
@click.argument("code", required=False)
@output_options
def schemes(code: str | None, output: str, as_json: bool) -> None:
    """The role schemes that ship; with CODE, its sections to propose: tocsin process schemes six-role -o yaml."""
    if code is None:
        show(Client().get("/process/role-schemes"), ("code", "name", "fits"), output=output, as_json=as_json)
        return
    chosen = output if output != "table" else "yaml"
    show(Client().get(f"/process/role-schemes/{quoted(code)}"), output=chosen, as_json=as_json)


@click.group("brief")
def brief() -> None:
    """Leaders are briefed before the first grave incident."""


@brief.command("list")
@output_options
def briefings(output: str, as_json: bool) -> None:
    """Every leader with the dates of briefing and acknowledgement; those who miss one come first."""
    show(Client().get("/process/briefings"), LEADERS, output=output, as_json=as_json)


@brief.command("done")
@click.argument("email")
@output_options
def briefed(email: str, output: str, as_json: bool) -> None:
    """A leader was briefed."""
    show(Client().post("/process/briefings", {"email": email}), LEADERS, output=output, as_json=as_json)


@brief.command("acknowledge")
@click.argument("email")
@click.option("--at", "moment", help="When they said so (RFC 3339); left out, now.")
@output_options
def acknowledged(email: str, moment: str | None, output: str, as_json: bool) -> None:
    """A leader acknowledged the briefing."""
    body = {"email": email, "at": instant(moment).isoformat() if moment else None}
    show(Client().post("/process/briefings/acknowledge", body), LEADERS, output=output, as_json=as_json)


@click.group("training")
def training() -> None:
    """Who learnt what: skills and roles of the process, with dates."""


@training.command("list")
@click.option("--person", default="", help="Only of this person.")
@output_options
def trainings(person: str, output: str, as_json: bool) -> None:
    """Every training, latest first."""
    show(Client().get("/trainings", person=person), TRAINING, output=output, as_json=as_json)


@training.command("add")
@click.argument("person")
@click.argument("subject")
@click.option("--on", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day, such as 2026-11-02.")
@click.option("--valid-until", "until", type=click.DateTime(["%Y-%m-%d"]), help="The last day it holds.")
@click.option("--note", default="")
@click.option("--team", help="Record it as an owner of this team.")
@output_options
def add_training(
    person: str,
    subject: str,
    day: click.DateTime,
    until: click.DateTime | None,
    note: str,
    team: str | None,
    output: str,
    as_json: bool,
) -> None:
    """PERSON was trained in SUBJECT, a skill or a role by its word in the process."""
    body = {
        "person": person,
        "subject": subject,
        "on": str(day)[:10],
        "valid_until": str(until)[:10] if until else None,
        "note": note,
        "team": team,
    }
    show(Client().post("/trainings", body), TRAINING, output=output, as_json=as_json)


@training.command("gaps")
@output_options
def gaps(output: str, as_json: bool) -> None:
    """Who is in a rotation without a skill or a training date that its role asks for."""
    show(Client().get("/trainings/gaps"), ("rotation", "role", "person", "says"), output=output, as_json=as_json)


COMMANDS = (people, read, look, survey, size, schemes, brief)
