"""The process in force as a document for people: Markdown or HTML, to be published where the organisation reads."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid
from tocsin.core.priorities import duties, required_priority, to_foreign
from tocsin.core.process_definition import ProcessDefinition
from tocsin.platform.documents import Heading, Text, html, markdown
from tocsin.process import document, queries
from tocsin.process.models import ProcessVersion
from tocsin.process.priority_sections import USING, priority_sections

__all__ = ["USING", "export", "priority_document"]


class Part(StrEnum):
    """What is written down: the priorities and how to use them, or the whole process."""

    PRIORITIES = "priorities"
    PROCESS = "process"


class Format(StrEnum):
    MARKDOWN = "markdown"
    HTML = "html"


SHORT = {Format.MARKDOWN: "md", Format.HTML: "html"}
ENDINGS = {"md": Format.MARKDOWN, "html": Format.HTML}
TYPES = {Format.MARKDOWN: "text/markdown; charset=utf-8", Format.HTML: "text/html; charset=utf-8"}


def export(actor: Actor, *, part: str, form: str, number: int | None = None) -> str:
    """The version `number` (the one in force when None) written out. Raises Invalid for an unknown part or format."""
    require(actor, Right.PROCESS_READ)
    if part not in set(Part):
        raise Invalid({"part": f"Choose {', '.join(Part)}."})
    if form not in set(Format):
        raise Invalid({"format": f"Choose {', '.join(Format)}."})
    if part == Part.PROCESS:
        return document.written(actor, form=SHORT[Format(form)], number=number).decode()
    version = queries.version(actor, number) if number is not None else queries.current_version()
    process = queries.definition(version)
    title = "Incident priorities"
    blocks = [Heading(1, title), Text(_origin(version)), *priority_sections(process)]
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
    return (
        f"Version {version.number} of the process{when}, by {queries.called([version.author])[version.author]}.{note}"
    )
