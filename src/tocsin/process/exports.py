"""The process in force as a document for people: Markdown or HTML, to be published where the organisation reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.html import escape

from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid
from tocsin.core.priorities import duties, required_priority, to_foreign
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import RoleNeed
from tocsin.process import queries
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


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


@dataclass(frozen=True, slots=True)
class _List:
    items: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class _Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


_Block = _Heading | _Text | _List | _Table


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
    blocks = [_Heading(1, title), _Text(_origin(version)), *_priorities(process)]
    if part == Part.PROCESS:
        blocks += _rest(process)
    return _html(title, blocks) if form == Format.HTML else _markdown(blocks)


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


def _priorities(process: ProcessDefinition) -> list[_Block]:
    ranked = process.catalogue.priorities
    answers = [[text for _, text in consequences(one)] for one in ranked]
    return [
        _Heading(2, "What each priority means"),
        _Table(
            ("Priority", "Name", "Meaning", "For example"),
            tuple((one.code, one.name, one.meaning, one.generic_example) for one in ranked),
        ),
        _Heading(2, "What follows from each priority"),
        *(
            block
            for one, said in zip(ranked, answers, strict=True)
            for block in (_Heading(3, f"{one.code} {one.name}"), _List(tuple(said)))
        ),
        _Heading(2, "How to use them when prioritising an SLO"),
        _List(USING, numbered=True),
        _Heading(2, "Two words that are no priority"),
        _Table(("Word", "Meaning"), tuple(_special_values(process))),
        _Heading(2, "Names in other tools"),
        _Table(("Priority", *process.catalogue.external_names), tuple(_foreign(process))),
    ]


def _special_values(process: ProcessDefinition) -> Iterable[tuple[str, str]]:
    written = process.document.get("priorities", {}).get("special_values", {})
    return ((str(word), str(meaning)) for word, meaning in written.items())


def _foreign(process: ProcessDefinition) -> Iterable[tuple[str, ...]]:
    catalogue = process.catalogue
    for one in catalogue.priorities:
        names = (to_foreign(catalogue, tool, one.rank) or "" for tool in catalogue.external_names)
        yield (one.code, *names)


def _rest(process: ProcessDefinition) -> list[_Block]:
    codes = process.severities.codes
    return [
        _Heading(2, "Severities"),
        _Table(
            ("Severity", "Users affected", "Teams required", "Roles called", "For example"),
            tuple(
                (one.code, one.users_affected, one.teams_required, _called(process, one.code), one.example)
                for one in process.severities.severities
            ),
        ),
        _Heading(2, "Which priority goes with which severity"),
        _Table(("Priority", *codes), tuple(_pairs(process, codes))),
        _Heading(2, "Roles"),
        *(block for role in process.roles.roles for block in _role(role.display_name, role.responsibilities)),
        _Heading(2, "The ten answers"),
        *(
            block
            for one in process.questions
            for block in (_Heading(3, f"{one.number}. {one.question}"), _Text(one.answer))
        ),
        _Heading(2, "From breach to closed"),
        _List(tuple(process.lifecycle.steps), numbered=True),
        _Heading(2, "Stakeholder groups"),
        _Table(("Group", "Ring", "Hears for"), tuple(_groups(process))),
    ]


def _called(process: ProcessDefinition, severity: str) -> str:
    needs = process.roles.by_severity.get(severity, {})
    roles = (process.roles.by_code(code) for code, need in needs.items() if need is not RoleNeed.NONE)
    return ", ".join(role.display_name for role in roles if role is not None)


def _pairs(process: ProcessDefinition, codes: Sequence[str]) -> Iterable[tuple[str, ...]]:
    for one in process.catalogue.priorities:
        rules = (process.matrix.rule(one.rank, code) for code in codes)
        yield (one.code, *(VERDICTS[rule.verdict] if rule else "" for rule in rules))


def _role(name: str, responsibilities: Sequence[str]) -> list[_Block]:
    return [_Heading(3, name), *([_List(tuple(responsibilities))] if responsibilities else [])]


def _groups(process: ProcessDefinition) -> Iterable[tuple[str, ...]]:
    rings = {ring.number: ring.name for ring in process.rings}
    return ((one.name, rings.get(one.ring, str(one.ring)), one.purpose) for one in process.groups)


def _markdown(blocks: Sequence[_Block]) -> str:
    return "\n\n".join(_as_markdown(block) for block in blocks) + "\n"


def _as_markdown(block: _Block) -> str:
    match block:
        case _Heading(level, text):
            return f"{'#' * level} {_plain(text)}"
        case _List(items, numbered):
            marks = (f"{place}." if numbered else "-" for place in range(1, len(items) + 1))
            return "\n".join(f"{mark} {_plain(item)}" for mark, item in zip(marks, items, strict=True))
        case _Table(head, rows):
            lines = [head, tuple("---" for _ in head), *rows]
            return "\n".join(f"| {' | '.join(_plain(cell) for cell in line)} |" for line in lines)
        case _Text(text):
            return _plain(text)


def _plain(text: str) -> str:
    """One line in which nothing that people wrote becomes Markdown's own signs or a wiki's HTML."""
    joined = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]|#<>])", r"\\\1", joined)


def _html(title: str, blocks: Sequence[_Block]) -> str:
    body = "\n".join(_as_html(block) for block in blocks)
    head = f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title></head>'
    return f"{head}\n<body>\n{body}\n</body>\n</html>\n"


def _as_html(block: _Block) -> str:
    match block:
        case _Heading(level, text):
            return f"<h{level}>{escape(text)}</h{level}>"
        case _List(items, numbered):
            tag = "ol" if numbered else "ul"
            return f"<{tag}>" + "".join(f"<li>{escape(item)}</li>" for item in items) + f"</{tag}>"
        case _Table(head, rows):
            top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
            lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
            return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"
        case _Text(text):
            return f"<p>{escape(text)}</p>"
