"""The process in force as a document for people: Markdown or HTML, to be published where the organisation reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid
from tocsin.core.priorities import duties, required_priority, to_foreign
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import RoleNeed
from tocsin.platform.documents import Block, Heading, List, Table, Text, html, markdown
from tocsin.process import queries, wellbeing_words
from tocsin.process.models import ProcessVersion
from tocsin.process.sentences import VERDICTS, consequences


class Part(StrEnum):
    """What is written down: the priorities and how to use them, or the whole process."""

    PRIORITIES = "priorities"
    PROCESS = "process"


class Format(StrEnum):
    MARKDOWN = "markdown"
    HTML = "html"


ENDINGS = {"md": Format.MARKDOWN, "html": Format.HTML}
TYPES = {Format.MARKDOWN: "text/markdown; charset=utf-8", Format.HTML: "text/html; charset=utf-8"}

USING = (
    "Look at the SLO from outside: what can its users no longer do when it is breached?",
    "Read the priorities from the top. Take the first one whose actions you would want to happen.",
    "Ask who has to hear of it and choose those stakeholder groups together with the priority.",
    "Decide for none when nothing should follow. It is an answer; undecided is not one.",
    "One breach may be harmless and many may not: let the priority rise after several breaches in a time.",
    "A team need not use every priority. Look at the decisions again when the use of the service changes.",
)


def export(actor: Actor, *, part: str, form: str, number: int | None = None) -> str:
    """The version `number` (the one in force when None) written out. Raises Invalid for an unknown part or format."""
    require(actor, Right.PROCESS_READ)
    if part not in set(Part):
        raise Invalid({"part": f"Choose {', '.join(Part)}."})
    if form not in set(Format):
        raise Invalid({"format": f"Choose {', '.join(Format)}."})
    version = queries.version(actor, number) if number is not None else queries.current_version()
    process = queries.definition(version)
    title = "Incident priorities" if part == Part.PRIORITIES else "Incident response process"
    blocks = [Heading(1, title), Text(_origin(version)), *_priorities(process)]
    if part == Part.PROCESS:
        blocks += _rest(process)
    return html(title, blocks) if form == Format.HTML else markdown(blocks)


def priority_document(process: ProcessDefinition, rank: int) -> dict[str, Any]:
    """One priority as data, with the name each other tool knows it by."""
    priority = required_priority(process.catalogue, rank)
    every = priority.criteria.update_every
    names = {tool: to_foreign(process.catalogue, tool, rank) for tool in process.catalogue.external_names}
    return {
        "rank": priority.rank,
        "code": priority.code,
        "name": priority.name,
        "meaning": priority.meaning,
        "generic_example": priority.generic_example,
        "duties": sorted(duty.value for duty in duties(priority)),
        "update_every_minutes": int(every.total_seconds()) // 60 if every else None,
        "page": {"when": priority.page.when.value, "urgency": priority.page.urgency.value},
        "external_names": {tool: name for tool, name in names.items() if name},
    }


def _origin(version: ProcessVersion) -> str:
    since = version.effective_at or version.published_at
    when = f", in force since {since:%Y-%m-%d %H:%M} UTC" if since and version.state == "published" else ""
    note = f" {version.note}" if version.note else ""
    return f"Version {version.number} of the process{when}, by {version.author}.{note}"


def _priorities(process: ProcessDefinition) -> list[Block]:
    ranked = process.catalogue.priorities
    answers = [[text for _, text in consequences(one)] for one in ranked]
    return [
        Heading(2, "What each priority means"),
        Table(
            ("Priority", "Name", "Meaning", "For example"),
            tuple((one.code, one.name, one.meaning, one.generic_example) for one in ranked),
        ),
        Heading(2, "What follows from each priority"),
        *(
            block
            for one, said in zip(ranked, answers, strict=True)
            for block in (Heading(3, f"{one.code} {one.name}"), List(tuple(said)))
        ),
        Heading(2, "How to use them when prioritising an SLO"),
        List(USING, numbered=True),
        Heading(2, "Two words that are no priority"),
        Table(("Word", "Meaning"), tuple(_special_values(process))),
        Heading(2, "Names in other tools"),
        Table(("Priority", *process.catalogue.external_names), tuple(_foreign(process))),
    ]


def _special_values(process: ProcessDefinition) -> Iterable[tuple[str, str]]:
    written = process.document.get("priorities", {}).get("special_values", {})
    return ((str(word), str(meaning)) for word, meaning in written.items())


def _foreign(process: ProcessDefinition) -> Iterable[tuple[str, ...]]:
    catalogue = process.catalogue
    for one in catalogue.priorities:
        names = (to_foreign(catalogue, tool, one.rank) or "" for tool in catalogue.external_names)
        yield (one.code, *names)


def _rest(process: ProcessDefinition) -> list[Block]:
    codes = process.severities.codes
    return [
        Heading(2, "Severities"),
        Table(
            ("Severity", "Users affected", "Teams required", "Roles called", "For example"),
            tuple(
                (one.code, one.users_affected, one.teams_required, _called(process, one.code), one.example)
                for one in process.severities.severities
            ),
        ),
        Heading(2, "Which priority goes with which severity"),
        Table(("Priority", *codes), tuple(_pairs(process, codes))),
        Heading(2, "Roles"),
        *(block for role in process.roles.roles for block in _role(role.display_name, role.responsibilities)),
        Heading(2, "The ten answers"),
        *(
            block
            for one in process.questions
            for block in (Heading(3, f"{one.number}. {one.question}"), Text(one.answer))
        ),
        Heading(2, "From breach to closed"),
        List(tuple(process.lifecycle.steps), numbered=True),
        Heading(2, "Stakeholder groups"),
        Table(("Group", "Ring", "Hears for"), tuple(_groups(process))),
        Heading(2, "Looking after people"),
        *_wellbeing(process),
    ]


def _wellbeing(process: ProcessDefinition) -> list[Block]:
    settings = process.wellbeing
    if settings is None:
        return [Text(wellbeing_words.UNDEFINED)]
    kinds = (
        (one.code.replace("_", " ").capitalize(), wellbeing_words.team_sentence(one, settings.limits))
        for one in settings.team_kinds
    )
    return [
        Text("From each limit on a prompt is raised. None of them blocks work."),
        Table(("Limit", "Value"), tuple(wellbeing_words.limit_rows(settings))),
        Table(("Team", "How it works"), tuple(kinds)),
        *(
            block
            for one in settings.aspects
            for block in (
                Heading(3, one.aspect.value.replace("_", " ").capitalize()),
                Text(f"So that {one.aim}."),
                List(tuple(prompt.say for prompt in one.prompts)),
            )
        ),
    ]


def _called(process: ProcessDefinition, severity: str) -> str:
    needs = process.roles.by_severity.get(severity, {})
    roles = (process.roles.by_code(code) for code, need in needs.items() if need is not RoleNeed.NONE)
    return ", ".join(role.display_name for role in roles if role is not None)


def _pairs(process: ProcessDefinition, codes: Sequence[str]) -> Iterable[tuple[str, ...]]:
    for one in process.catalogue.priorities:
        rules = (process.matrix.rule(one.rank, code) for code in codes)
        yield (one.code, *(VERDICTS[rule.verdict] if rule else "" for rule in rules))


def _role(name: str, responsibilities: Sequence[str]) -> list[Block]:
    return [Heading(3, name), *([List(tuple(responsibilities))] if responsibilities else [])]


def _groups(process: ProcessDefinition) -> Iterable[tuple[str, ...]]:
    rings = {ring.number: ring.name for ring in process.rings}
    return ((one.name, rings.get(one.ring, str(one.ring)), one.purpose) for one in process.groups)
