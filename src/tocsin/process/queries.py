"""Reads about the process in force and the groups that want to hear."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime

from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.document_diff import Difference, differences
from tocsin.core.document_reading import Level, Problem
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.process_definition import ProcessDefinition, problems
from tocsin.people import queries as people
from tocsin.people.models import Person
from tocsin.platform.text import one_line
from tocsin.process.models import (
    ProcessNotice,
    ProcessRemark,
    ProcessVersion,
    StakeholderGroup,
    StandingReview,
    Survey,
    SurveyReply,
    VersionState,
)
from tocsin.process.snapshots import definition_of

_LIVED = (VersionState.PUBLISHED, VersionState.SUPERSEDED)
PROPOSED = (VersionState.DRAFT, VersionState.IN_REVIEW, VersionState.SCHEDULED)


def current_version() -> ProcessVersion:
    """The one published version, its document left in the database until asked for."""
    version = ProcessVersion.objects.defer("document").filter(state=VersionState.PUBLISHED).first()
    if version is None:
        raise NotFound("No process is published. Start the server once, or publish a process document.")
    return version


def definition(version: ProcessVersion | int) -> ProcessDefinition:
    """What `version` (a row or its primary key) says, as core reads it. Kept in memory by content."""
    if isinstance(version, ProcessVersion):
        return definition_of(version.pk, version.sha256)
    digest = ProcessVersion.objects.values_list("sha256", flat=True).filter(pk=version).first()
    if digest is None:
        raise NotFound("There is no such version of the process.")
    return definition_of(version, digest)


def current() -> ProcessDefinition:
    """The process in force."""
    return definition(current_version())


def rank_named(written: int | str) -> int:
    """The rank of a priority from what people write: 2, "2" or its code. Raises Invalid that names what is unknown."""
    text, catalogue = str(written).strip(), current().catalogue
    found = catalogue.by_rank(int(text)) if text.isascii() and text.isdigit() else None
    found = found or next((one for one in catalogue.priorities if one.code.lower() == text.lower()), None)
    if found is None:
        codes = ", ".join(one.code for one in catalogue.priorities)
        raise Invalid({"priority": f"There is no priority {one_line(text, limit=60)!r}; the organisation has {codes}."})
    return found.rank


def versions(actor: Actor) -> list[ProcessVersion]:
    """Every version, newest first, without documents."""
    require(actor, Right.PROCESS_READ)
    return list(ProcessVersion.objects.defer("document").order_by("-number"))


def version(actor: Actor, number: int) -> ProcessVersion:
    """The version of that number with its document. Raises NotFound."""
    require(actor, Right.PROCESS_READ)
    found = ProcessVersion.objects.filter(number=number).first()
    if found is None:
        raise NotFound(f"There is no version {number} of the process.")
    return found


def numbers_at(instants: Iterable[datetime]) -> list[int | None]:
    """The number of the version in force at each instant, its first instant included; None before the first version."""
    rows = ProcessVersion.objects.filter(state__in=_LIVED).order_by("effective_at", "number")
    lived = list(rows.values_list("effective_at", "number"))
    begun = [effective_at for effective_at, _ in lived if effective_at is not None]
    places = (bisect_right(begun, instant) for instant in instants)
    return [lived[place - 1][1] if place else None for place in places]


def proposals(actor: Actor) -> list[ProcessVersion]:
    """What is being drafted, reviewed or waits for its time, the oldest first."""
    require(actor, Right.PROCESS_READ)
    return list(ProcessVersion.objects.defer("document").filter(state__in=PROPOSED).order_by("number"))


def remarks(actor: Actor, version: ProcessVersion) -> list[ProcessRemark]:
    """What was said about a proposal, in order."""
    require(actor, Right.PROCESS_READ)
    return list(version.remarks.order_by("at", "pk"))


def not_answered(version: ProcessVersion) -> list[Person]:
    """Who was invited to review a proposal and has said nothing about it."""
    answered = version.remarks.values_list("author", flat=True)
    invited = version.invitations.select_related("person").exclude(person__username__in=answered)
    return [one.person for one in invited.order_by("person__username")]


def approvers(version: ProcessVersion) -> list[tuple[str, datetime]]:
    """Who agreed to the very text of a version and did not object later, each with the time."""
    latest = {
        said.author: said
        for said in version.remarks.filter(sha256=version.sha256).order_by("at", "pk")
        if said.agrees is not None
    }
    return sorted((said.author, said.at) for said in latest.values() if said.agrees)


def called(idents: Iterable[str]) -> dict[str, str]:
    """What to call whoever wrote, agreed or looked, for a text that people read."""
    asked = set(idents)
    known = people.labels(SYSTEM, asked)
    return {ident: "Tocsin" if ident == SYSTEM.ident else known.get(ident, ident) for ident in asked}


def last_looked_at(version: ProcessVersion) -> StandingReview | None:
    """The latest look at a version in force as a whole."""
    return version.standing_reviews.order_by("-at", "-pk").first()


def notice_for(actor: Actor, version: ProcessVersion) -> ProcessNotice | None:
    """What `actor` was told about a version, None when they were not."""
    return version.notices.filter(person__username=actor.ident).first()


def survey_of(actor: Actor, number: int) -> Survey:
    """The survey that is linked to the draft `number`. Raises NotFound when nobody was asked."""
    require(actor, Right.PROCESS_READ)
    found = Survey.objects.select_related("version").filter(version__number=number).first()
    if found is None:
        raise NotFound(f"Nobody was asked how it went so far for version {number}.")
    return found


def reply_of(actor: Actor, survey: int) -> SurveyReply:
    """The place of whoever asks in a survey. Raises NotFound when they were not asked."""
    require(actor, Right.PROCESS_READ)
    rows = SurveyReply.objects.select_related("survey__version", "person")
    found = rows.filter(survey_id=survey, person__username=actor.ident).first()
    if found is None:
        raise NotFound("There is no such survey, or you were not asked.")
    return found


def to_answer(actor: Actor, *, now: datetime) -> SurveyReply | None:
    """The place of whoever asks in the survey that is open and that they have not answered, None for none."""
    rows = SurveyReply.objects.filter(person__username=actor.ident, answered_at=None, survey__closes_at__gt=now)
    return rows.select_related("survey").order_by("survey__closes_at").first()


def address_of(actor: Actor) -> str:
    """The mail address of whoever asks, "" for nobody."""
    found = Person.objects.filter(username=actor.ident).values_list("email", flat=True).first()
    return found or ""


def to_acknowledge(actor: Actor) -> list[ProcessNotice]:
    """Versions in force or to come that `actor` was asked to read and has not."""
    live = (VersionState.SCHEDULED, VersionState.PUBLISHED)
    rows = ProcessNotice.objects.filter(person__username=actor.ident, acknowledged_at=None, version__state__in=live)
    return list(rows.select_related("version").order_by("version__number"))


def advice(version: ProcessVersion) -> list[Problem]:
    """What a proposal might say better, for example words that mean something else to everyone."""
    return [problem for problem in problems(version.document) if problem.level is Level.WARNING]


def version_changes(actor: Actor, before: int, after: int) -> tuple[Difference, ...]:
    """What changed from version number `before` to version number `after`."""
    return differences(version(actor, before).document, version(actor, after).document)


def groups(actor: Actor) -> list[StakeholderGroup]:
    """Every stakeholder group, from the inner ring outward, members at hand."""
    require(actor, Right.PROCESS_READ)
    return list(StakeholderGroup.objects.prefetch_related("members").order_by("ring", "code"))


def group(code: str) -> StakeholderGroup:
    """The group of that code. Raises NotFound."""
    found = StakeholderGroup.objects.prefetch_related("members").filter(code=code).first()
    if found is None:
        raise NotFound(f"There is no stakeholder group {code!r}.")
    return found


def management_groups() -> list[StakeholderGroup]:
    """The groups that hear when a priority asks for management to be told, members at hand."""
    return list(
        StakeholderGroup.objects.prefetch_related("members").filter(is_management=True).order_by("ring", "code")
    )
