"""The people of a response as the reader may see them: who is who to all, hours and prompts to oneself and the coordinator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.audit.queries import Excerpt
from tocsin.core.access import Actor
from tocsin.core.errors import NotFound
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.wellbeing import Candidate, CareList, Prompt, care_list, opened, rested, visible
from tocsin.core.wellbeing_findings import Look
from tocsin.core.wellbeing_record import Participant, ResponseRecord, is_night
from tocsin.core.wellbeing_settings import Limits
from tocsin.core.wellbeing_team_checks import first_time_together
from tocsin.incidents import people_queries, queries, snapshots
from tocsin.incidents.models import HandOver, Incident, ResponseTeam, RoleHeld
from tocsin.insights import wellbeing_record as loading
from tocsin.insights.response_rows import ResponseRows, rows_of
from tocsin.oncall import queries as oncall
from tocsin.oncall.models import Rotation
from tocsin.people.models import Person


@dataclass(frozen=True, slots=True)
class Hours:
    """What is private of somebody who is in a response: seen by that person and by whoever coordinates."""

    since: datetime
    spent: timedelta
    without_break: timedelta
    over: str


@dataclass(frozen=True, slots=True)
class PersonLine:
    """The joining card of one person. `hours` is None where the reader may not see them."""

    username: str
    name: str
    team: str
    roles: tuple[str, ...]
    time_zone: str
    joined_at: datetime
    present: bool
    introduced: bool
    night: bool
    is_reader: bool
    hours: Hours | None


@dataclass(frozen=True, slots=True)
class PeopleView:
    """Everything the reader sees of the people of a response. `limits` is None where the process sets none."""

    incident: Incident
    limits: Limits | None
    list_open: bool
    coordinates: bool
    may_thank: bool
    lines: tuple[PersonLine, ...]
    prompts: tuple[Prompt, ...]
    strangers: tuple[tuple[str, str], ...]
    relief: tuple[Candidate, ...]
    offers: tuple[HandOver, ...]
    formed_at: datetime | None
    team: ResponseTeam | None

    @property
    def unanswered(self) -> tuple[Prompt, ...]:
        return CareList(self.prompts).open

    @property
    def answered(self) -> tuple[Prompt, ...]:
        waiting = {one.key for one in self.unanswered}
        return tuple(one for one in self.prompts if one.key not in waiting)


def people_of(actor: Actor, ref: str | int, *, now: datetime) -> PeopleView:
    """The people of an incident's response. Raises NotFound."""
    return people_in(actor, queries.incident(actor, ref), now=now)


def people_in(
    actor: Actor,
    incident: Incident,
    *,
    held: Sequence[RoleHeld] | None = None,
    log: Excerpt | None = None,
    now: datetime,
) -> PeopleView:
    """The people of the response of an incident that `actor` has at hand; its roles and its log too, if they are."""
    definition = snapshots.process_of(incident)
    roles = people_queries.roles_of(incident) if held is None else held
    leads, thanks = _standing(incident, actor.ident, roles)
    rows = rows_of(incident, actor.ident, whole=leads or thanks, roles=roles, log=log)
    record = _record(incident, definition, rows, actor.ident, whole=leads or thanks, now=now)
    limits = definition.wellbeing.limits if definition.wellbeing else None
    look = Look(record, limits, (), now) if limits else None
    joined = [one.joined_at for one in record.participants]
    return PeopleView(
        incident=incident,
        limits=limits,
        list_open=opened(definition, record),
        coordinates=leads,
        may_thank=thanks,
        lines=tuple(_line(one, limits, viewer=actor.ident, leads=leads, now=now) for one in record.participants),
        prompts=_prompts(definition, record, rows, viewer=actor.ident, leads=leads, thanks=thanks, now=now),
        strangers=tuple(first_time_together(look)) if look and leads else (),
        relief=_relief(incident, limits, rows.rotations, now=now) if limits and leads else (),
        offers=tuple(people_queries.offered(actor, incident)),
        formed_at=min(joined, default=None),
        team=rows.team,
    )


def prompt_named(actor: Actor, ref: str | int, key: str, *, now: datetime) -> Prompt:
    """The prompt of that key, as far as the reader may see it. Raises NotFound."""
    incident = queries.incident(actor, ref)
    definition = snapshots.process_of(incident)
    roles = people_queries.roles_of(incident)
    leads, thanks = _standing(incident, actor.ident, roles)
    rows = rows_of(incident, actor.ident, whole=leads or thanks, roles=roles)
    record = _record(incident, definition, rows, actor.ident, whole=leads or thanks, now=now)
    shown = _prompts(definition, record, rows, viewer=actor.ident, leads=leads, thanks=thanks, now=now)
    found = CareList(shown).named(key)
    if found is None:
        raise NotFound(f"{incident.ref} asks nothing of that name now. Look at the list again.")
    return found


def _standing(incident: Incident, username: str, held: Sequence[RoleHeld]) -> tuple[bool, bool]:
    """Whether that person coordinates the response, and whether they thank now that it is over."""
    if incident.is_open:
        return people_queries.coordinates(incident, username, held=held), False
    return False, people_queries.coordinated_last(incident, username, held=held)


def _record(
    incident: Incident, definition: ProcessDefinition, rows: ResponseRows, username: str, *, whole: bool, now: datetime
) -> ResponseRecord:
    """What that person may see of the response: most only who is there and what is about themselves."""
    return loading.of_response(incident, definition, rows, now=now, only=None if whole else username)


def _prompts(
    definition: ProcessDefinition,
    record: ResponseRecord,
    rows: ResponseRows,
    *,
    viewer: str,
    leads: bool,
    thanks: bool,
    now: datetime,
) -> tuple[Prompt, ...]:
    if not (leads or thanks or any(one.username == viewer for one in record.participants)):
        return ()
    whole = care_list(definition, record, people_queries.latest_answers(rows.answers), now=now)
    seen = visible(whole.prompts, viewer=viewer, coordinates=leads)
    if thanks:
        # The response is over and nobody coordinates it any more; what is about nobody is left to whoever did.
        seen = tuple(one for one in whole.prompts if not one.about or one in seen)
    return seen


def _line(one: Participant, limits: Limits | None, *, viewer: str, leads: bool, now: datetime) -> PersonLine:
    own = one.username == viewer
    night = limits is not None and is_night(now, one.time_zone, begins=limits.night_from, ends=limits.night_to)
    return PersonLine(
        one.username,
        one.name,
        one.team,
        one.roles,
        one.time_zone,
        one.joined_at,
        present=one.stint is not None,
        introduced=one.introduced_at is not None,
        night=night,
        is_reader=own,
        hours=_hours(one, limits, now) if own or leads else None,
    )


def _hours(one: Participant, limits: Limits | None, now: datetime) -> Hours | None:
    stint = one.stint
    if stint is None:
        return None
    spent = now - stint.start
    over = ""
    if limits is not None:
        over = "limit" if spent >= limits.stint else "hand_over" if spent >= limits.hand_over_after else ""
    return Hours(stint.start, spent, now - max(stint.start, one.break_at or stint.start), over)


def _relief(
    incident: Incident, limits: Limits, rotations: Iterable[Rotation], *, now: datetime
) -> tuple[Candidate, ...]:
    """People of the rotations that serve the incident's team who are in no incident, awake and rested; by name."""
    names = {
        name
        for row in rotations
        if row.team_id in {None, incident.team_id}
        for layer in oncall.schedule(row).layers
        for group in layer.users
        for name in group
    }
    people = list(Person.objects.filter(username__in=names, is_active=True).order_by("display_name", "username"))
    ends: dict[int, list[datetime | None]] = {}
    for one in loading.work_of(people, since=now - loading.LOOK_BACK):
        ends.setdefault(one.person, []).append(one.stretch.end)
    return rested([_candidate(person, ends.get(person.pk, [])) for person in people], limits, now=now)


def _candidate(person: Person, ends: list[datetime | None]) -> Candidate:
    over = [end for end in ends if end is not None]
    busy = len(over) < len(ends)
    return Candidate(person.username, person.label, person.time_zone, busy, max(over, default=None))
