"""The desk of an incident over JSON: decisions, questions, tasks, sub-teams, how things stand, and one quick line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from tocsin.api import desk_shapes as shapes
from tocsin.api.auth import actor
from tocsin.core.decision_duties import About, Execution
from tocsin.incidents import actions, desk_queries
from tocsin.platform import clock

router = Router(tags=["desk"])
WHOM = "User names, roles of the process (a code or a name), teams, or plain names."
BOX = "The end of the time box, with a zone."


class DecisionMade(Schema):
    text: str
    addressees: list[str] = Field(default_factory=list, description=WHOM)
    about: About = Field(About.SOLUTION, description="The solution is free; the others are whose duty decisions are.")
    execute_by: datetime | None = Field(None, description="When it is to be carried out; else as the process says.")
    risky: bool = False
    objections: str = Field("", description="What spoke against it, in the words of those who were asked.")
    occurred_at: datetime | None = None
    source_id: str = Field("", description="The message it was read from; the same one twice is one decision.")


class Receipt(Schema):
    who: str = Field("", description="For whom, where it is not oneself: one of the addressees.")


class Outcome(Schema):
    state: Execution | None = None
    report: str = ""


class Asked(Schema):
    text: str
    owner: str = Field("", description=WHOM)
    due_at: datetime | None = Field(None, description=BOX)


class Answer(Schema):
    answer: str


class TaskGiven(Asked):
    sub_team: str = ""


class TaskEnd(Schema):
    state: str = Field("done", description="done or dropped")
    result: str = ""


class SubTeamFormed(Schema):
    name: str
    leader: str
    task: str
    members: list[str] = Field(default_factory=list, description="User names.")
    due_at: datetime | None = Field(None, description=BOX)


class SubTeamEnd(Schema):
    result: str = ""


class Condition(Schema):
    condition: str
    actions: str = ""
    needs: str = ""
    about: str = Field("", description="A system or a team; without one, whoever reports.")


class Line(Schema):
    line: str = Field(..., description="/d decision, /q question, /t task, /c condition, /a 1 answer, /r 2 report ...")
    source_id: str = ""


@router.get("/incidents/{ref}/desk")
def show(request: HttpRequest, ref: str) -> dict[str, Any]:
    """Everything on the desk, open things first."""
    return shapes.desk(desk_queries.desk_of(actor(request), ref, now=clock.now()))


@router.post("/incidents/{ref}/desk", response={201: dict[str, Any]})
def enter(request: HttpRequest, ref: str, body: Line) -> Status[dict[str, Any]]:
    """One typed line, as the page takes it. Without a prefix it is a note."""
    found = actions.enter_line(actor(request), ref, body.line, source_id=body.source_id, now=clock.now())
    return Status(201, {"kind": found.kind.value, "number": found.number, "said": found.said})


@router.post("/incidents/{ref}/decisions", response={201: dict[str, Any]})
def decide(request: HttpRequest, ref: str, body: DecisionMade) -> Status[dict[str, Any]]:
    """Write down a decision and for whom it is."""
    row = actions.record_decision(actor(request), ref, **body.dict(), now=clock.now())
    return Status(201, _decision(request, ref, row.number))


@router.post("/incidents/{ref}/decisions/{number}/acknowledge")
def acknowledge(request: HttpRequest, ref: str, number: int, body: Receipt | None = None) -> dict[str, Any]:
    """Say that a decision was taken in."""
    who = body.who if body else ""
    actions.acknowledge_decision(actor(request), ref, number, who=who, now=clock.now())
    return _decision(request, ref, number)


@router.post("/incidents/{ref}/decisions/{number}/report")
def report(request: HttpRequest, ref: str, number: int, body: Outcome) -> dict[str, Any]:
    """Say how far it is, what came of it, or both."""
    state = body.state.value if body.state else ""
    actions.report_decision(actor(request), ref, number, state=state, report=body.report, now=clock.now())
    return _decision(request, ref, number)


@router.post("/incidents/{ref}/questions", response={201: dict[str, Any]})
def ask(request: HttpRequest, ref: str, body: Asked) -> Status[dict[str, Any]]:
    """Write down what nobody knows yet, and who finds out."""
    row = actions.ask_question(
        actor(request), ref, text=body.text, owner=body.owner, due_at=body.due_at, now=clock.now()
    )
    return Status(201, shapes.question(row))


@router.post("/incidents/{ref}/questions/{number}/answer")
def answer(request: HttpRequest, ref: str, number: int, body: Answer) -> dict[str, Any]:
    row = actions.answer_question(actor(request), ref, number, answer=body.answer, now=clock.now())
    return shapes.question(row)


@router.post("/incidents/{ref}/tasks", response={201: dict[str, Any]})
def give(request: HttpRequest, ref: str, body: TaskGiven) -> Status[dict[str, Any]]:
    """Give a task with a time box to somebody."""
    return Status(201, shapes.task(actions.give_task(actor(request), ref, **body.dict(), now=clock.now())))


@router.post("/incidents/{ref}/tasks/{number}/end")
def end_task(request: HttpRequest, ref: str, number: int, body: TaskEnd) -> dict[str, Any]:
    """A task is done, or dropped."""
    row = actions.end_task(actor(request), ref, number, state=body.state, result=body.result, now=clock.now())
    return shapes.task(row)


@router.post("/incidents/{ref}/sub-teams", response={201: dict[str, Any]})
def form(request: HttpRequest, ref: str, body: SubTeamFormed) -> Status[dict[str, Any]]:
    """Form a sub-team, so that fewer people report to the coordinator."""
    return Status(201, shapes.sub_team(actions.form_sub_team(actor(request), ref, **body.dict(), now=clock.now())))


@router.post("/incidents/{ref}/sub-teams/{name}/end")
def end_team(request: HttpRequest, ref: str, name: str, body: SubTeamEnd | None = None) -> dict[str, Any]:
    """A sub-team is no longer needed."""
    row = actions.end_sub_team(actor(request), ref, name, result=body.result if body else "", now=clock.now())
    return shapes.sub_team(row)


@router.post("/incidents/{ref}/conditions", response={201: dict[str, Any]})
def condition(request: HttpRequest, ref: str, body: Condition) -> Status[dict[str, Any]]:
    """Say how things stand somewhere: condition, actions, needs."""
    return Status(201, shapes.condition(actions.report_condition(actor(request), ref, **body.dict(), now=clock.now())))


def _decision(request: HttpRequest, ref: str, number: int) -> dict[str, Any]:
    return shapes.decision(desk_queries.decision(actor(request), ref, number, now=clock.now()))
