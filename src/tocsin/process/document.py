"""The whole process as one document: what it says, which version it is, who stands behind it, when it was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid
from tocsin.platform.documents import Block, Contents, Heading, Table, Text, html, markdown
from tocsin.platform.paper import pdf
from tocsin.process import document_sections as sections
from tocsin.process import queries
from tocsin.process.models import ProcessVersion, VersionState
from tocsin.process.priority_sections import priority_sections

TITLE = "Incident response process"
TYPES: Mapping[str, str] = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
}
_LIVED = (VersionState.PUBLISHED, VersionState.SUPERSEDED, VersionState.SCHEDULED)


def written(actor: Actor, *, form: str, number: int | None = None) -> bytes:
    """The version `number` (the one in force when None) as md, html or pdf. The same data gives the same bytes.

    Raises Invalid for another format, NotFound for an unknown version, Refused for a PDF where nothing can set type.
    """
    require(actor, Right.PROCESS_READ)
    if form not in TYPES:
        raise Invalid({"format": f"Choose {', '.join(TYPES)}."})
    version = queries.version(actor, queries.current_version().number if number is None else number)
    parts = blocks(actor, version)
    if form == "pdf":
        at = version.effective_at or version.created_at
        return pdf(TITLE, parts, at=at, foot=f"{TITLE}, version {version.number}, {version.sha256[:12]}")
    return (html(TITLE, parts) if form == "html" else markdown(parts)).encode()


def blocks(actor: Actor, version: ProcessVersion) -> list[Block]:
    """The document, contents in front."""
    process = queries.definition(version)
    body: list[Block] = [
        *priority_sections(process),
        *sections.cadence(process),
        *sections.severities(process),
        *sections.matrix(process),
        *sections.roles(process),
        *sections.answers(process),
        *sections.lifecycle(process),
        *sections.escalation(process),
        *sections.stakeholders(process),
        *sections.postmortem(process),
        *sections.wellbeing(process),
        *_history(actor, version),
    ]
    titles = tuple(one.text for one in body if isinstance(one, Heading) and one.level == 2)
    return [Heading(1, TITLE), Table(("", "This document"), facts(version)), Contents(titles), *body]


def facts(version: ProcessVersion) -> tuple[tuple[str, str], ...]:
    """Which version it is, who wrote it and agreed, and every date that belongs to it."""
    approvers, looked = queries.approvers(version), queries.last_looked_at(version)
    names = queries.called([version.author, *(ident for ident, _ in approvers), *([looked.by] if looked else ())])
    agreed = "; ".join(f"{names[ident]}, {_day(at)}" for ident, at in approvers)
    based = f", on top of version {version.based_on}" if version.based_on else ""
    rows = [
        ("Version", f"{version.number}, {version.state.replace('_', ' ')}{based}"),
        ("Why", version.note),
        ("Author", names[version.author]),
        ("Approved by", agreed or "nobody has agreed to it in a review"),
        ("Written", _day(version.created_at)),
        ("Published", _day(version.published_at)),
        ("In force since" if version.state in _LIVED[:2] else "In force from", _day(version.effective_at)),
        (
            "Last reviewed",
            f"{_day(looked.at)} by {names[looked.by]}: {looked.note}" if looked else "not since it was published",
        ),
        ("Next review due", _day(version.review_due_at)),
        ("Content (SHA-256)", version.sha256),
    ]
    return tuple((name, said) for name, said in rows if said)


def _history(actor: Actor, shown: ProcessVersion) -> list[Block]:
    lived = [one for one in queries.versions(actor) if one.state in _LIVED and one.number <= shown.number]
    names = queries.called(one.author for one in lived)
    rows = tuple(
        (str(one.number), _day(one.effective_at), names[one.author], one.note)
        for one in lived
        if one.effective_at is not None
    )
    return [
        Heading(2, "Versions"),
        Table(("Version", "In force from", "Author", "Why"), rows),
        Text("An incident keeps the version it began under."),
    ]


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""
