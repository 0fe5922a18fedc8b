"""What is known of the people of a response, read from roles held, pages, rotations and the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from django.db.models import Case, DateTimeField, Q, When
from django.db.models.functions import Coalesce, Least

from tocsin.audit.models import Entry
from tocsin.audit.queries import Excerpt
from tocsin.core import adherence_response as kinds
from tocsin.core import rotations
from tocsin.core.facts import Kind
from tocsin.core.postmortem_rules import PostmortemState
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import Area
from tocsin.core.roles import is_coordinated
from tocsin.core.wellbeing_record import Decision, HandOver, Participant, ResponseRecord, Stretch
from tocsin.incidents import desk_queries, people_queries, snapshots, tensions
from tocsin.incidents.actions.caring import open_conflicts
from tocsin.incidents.models import OPEN_STATES, Incident, Page, RoleHeld
from tocsin.insights.response_log import Heard, heard
from tocsin.insights.response_rows import ResponseRows
from tocsin.oncall import queries as oncall
from tocsin.oncall.models import Rotation
from tocsin.people.models import Membership, Person

LOOK_BACK = timedelta(weeks=8)
_SHIFTS_BACK = timedelta(days=100)
_PAGES_BACK = timedelta(days=8)


def worked(row: RoleHeld) -> Stretch:
    """The time somebody spent in a role; it ends with the incident where the role was not given up before."""
    incident = row.incident
    ended = None if incident.is_open else incident.resolved_at or incident.closed_at or incident.updated_at
    return _stretch(row.from_at, row.until_at, ended)


def _stretch(begun: datetime, *ends: datetime | None) -> Stretch:
    end = min((at for at in ends if at is not None), default=None)
    return Stretch(begun, max(end, begun) if end else None)


@dataclass(frozen=True, slots=True)
class Work:
    """The time somebody spent in a role of an incident; `person` and `incident` are primary keys."""

    person: int
    username: str
    incident: int
    stretch: Stretch


def work_of(persons: Iterable[Person], *, since: datetime) -> list[Work]:
    """What these people did in roles that they took over since then; of thousands of roles, only the times are read."""
    names = {person.pk: person.username for person in persons}
    open_still = Q(incident__state__in=OPEN_STATES)
    over = Coalesce("incident__resolved_at", "incident__closed_at", "incident__updated_at")
    # Least of two that are both known: where one is null, the databases do not agree.
    ended = Least(Coalesce("until_at", over), over)
    rows = RoleHeld.objects.filter(person_id__in=names, from_at__gte=since).annotate(
        ended_at=Case(When(open_still, then="until_at"), default=ended, output_field=DateTimeField())
    )
    return [
        Work(person, names[person], incident, _stretch(begun, ended_at))
        for person, incident, begun, ended_at in rows.values_list("person_id", "incident_id", "from_at", "ended_at")
    ]


def of_response(
    incident: Incident, definition: ProcessDefinition, rows: ResponseRows, *, now: datetime, only: str | None = None
) -> ResponseRecord:
    """The record of that incident's response as the checks look at it.

    With `only`, a user name, what is private of others and what is about the team is left out and not read.
    """
    persons = {row.person_id: row.person for row in rows.roles}
    asked = {pk: person for pk, person in persons.items() if only is None or person.username == only}
    said = heard(incident, definition.messages.blame) if asked or only is None else Heard()
    team = _members(incident) if only is None else []
    work = work_of({*asked.values(), *team}, since=now - LOOK_BACK) if asked or team else []
    return ResponseRecord(
        severity=incident.severity,
        coordinated_since=coordinated_since(incident, definition, rows.log),
        participants=_participants(incident, definition, rows, asked, work, said, now=now),
        ended_at=None if incident.is_open else incident.resolved_at or incident.closed_at or incident.updated_at,
        **(_of_the_team(incident, definition, rows, loads(team, work, now=now), said) if only is None else {}),
    )


def _of_the_team(
    incident: Incident,
    definition: ProcessDefinition,
    rows: ResponseRows,
    spent: Mapping[str, timedelta],
    said: Heard,
) -> dict[str, Any]:
    """What the checks of the team look at."""
    log, team = rows.log, rows.team
    return {
        "met": people_queries.met_before(incident, {row.person_id: row.person.username for row in rows.roles}),
        "ground_rules_at": log.last(Kind.GROUND_RULES_POSTED),
        "thanked_at": team.dissolved_at if team else None,
        "hand_overs": tuple(_hand_over(one) for one in log.of(kinds.HANDOVER_RECORDED)),
        "decisions": tuple(_decision(one) for one in log.of(kinds.DECISION_RECORDED) if one.data),
        "rank_refused": len(log.of(kinds.RANK_REFUSED)),
        "rank_overridden": len(log.of(kinds.RANK_OVERRIDDEN)),
        "loads": spent,
        "summary_at": said.summary_at(),
        "conflicts": tuple(open_conflicts(incident, log)),
        "texts": said.texts(),
        "people_issues_open": tensions.gate(incident).open_issues,
        **_meeting(log, definition),
    }


def _meeting(log: Excerpt, definition: ProcessDefinition) -> dict[str, datetime | None]:
    """When the postmortem meeting began, and when its prime directive was said.

    A process whose checklists have no item for the directive does not ask for it.
    """
    codes = {item.code for item in definition.postmortem.lifecycle if item.directive}
    moved = [one.at for one in log.of(Kind.POSTMORTEM_MOVED) if _said(one, "new") == PostmortemState.IN_REVIEW]
    items = log.of(Kind.POSTMORTEM_ITEM_DONE, Kind.POSTMORTEM_ITEM_EXPLAINED)
    said = [one.at for one in items if _said(one, "item") in codes]
    return {
        "review_started_at": min(moved, default=None) if codes else None,
        "directive_at": min(said, default=None),
    }


def _said(entry: Entry, name: str) -> str:
    return str((entry.data or {}).get(name) or "")


def coordinated_since(incident: Incident, definition: ProcessDefinition, log: Excerpt) -> datetime | None:
    """When its severity first asked for coordination; None when it never did."""
    known = set(definition.severities.codes)
    _, severities = snapshots.history(incident, log)
    return next(
        (one.at for one in severities if one.severity in known and is_coordinated(definition, one.severity)), None
    )


def _hand_over(entry: Entry) -> HandOver:
    data = entry.data or {}
    lacks = [name.replace("_", " ") for name in ("done", "open", "risks", "next_update") if not data.get(name)]
    lacks += [] if data.get("accepted") is True else ["acceptance"]
    return HandOver(str(entry.seq), str(data.get("role") or ""), tuple(lacks) if entry.data is not None else ())


def _decision(entry: Entry) -> Decision:
    data: dict[str, Any] = entry.data or {}
    return Decision(
        entry.seq,
        risky=data.get("risky") is True,
        objections_asked=bool(data.get("objections") or data.get("objections_asked")),
        addressees=tuple(map(str, data.get("addressees") or ())),
        state="recorded",
    )


def _participants(
    incident: Incident,
    definition: ProcessDefinition,
    rows: ResponseRows,
    asked: Mapping[int, Person],
    work: Iterable[Work],
    said: Heard,
    *,
    now: datetime,
) -> tuple[Participant, ...]:
    """Everybody who takes or took part; what is private only of those who are `asked` about."""
    teams = _teams({row.person_id for row in rows.roles})
    introduced = {str((one.data or {}).get("username")): one.at for one in rows.log.of(Kind.PERSON_INTRODUCED)}
    private = _private(incident, rows, asked, work, said, now=now)
    by_person: dict[int, list[RoleHeld]] = {}
    for row in rows.roles:
        by_person.setdefault(row.person_id, []).append(row)
    found = []
    for pk, own in by_person.items():
        person = own[0].person
        roles = [one for row in own if row.until_at is None and (one := definition.roles.by_code(row.role))]
        found.append(
            Participant(
                person.username,
                person.label,
                person.time_zone,
                tuple(worked(row) for row in own),
                team=teams.get(pk, ""),
                roles=tuple(one.display_name for one in roles),
                coordinates=any(Area.COORDINATION in one.areas for one in roles),
                only_watches=bool(roles) and all(one.optional for one in roles),
                introduced_at=introduced.get(person.username),
                **private.get(pk, {}),
            )
        )
    return tuple(found)


def _private(
    incident: Incident,
    rows: ResponseRows,
    asked: Mapping[int, Person],
    work: Iterable[Work],
    said: Heard,
    *,
    now: datetime,
) -> dict[int, dict[str, Any]]:
    """What of a person only that person and whoever coordinates may know, by primary key."""
    if not asked:
        return {}
    elsewhere: dict[int, list[Work]] = {}
    for one in work:
        if one.incident != incident.pk:
            elsewhere.setdefault(one.person, []).append(one)
    own = [(row.person_id, row.incident_id, row.from_at) for row in rows.roles]
    pages = _pages(asked, now=now)
    breaks = people_queries.breaks(rows.answers)
    led = desk_queries.led_by_others(incident)
    turns = shifts_of({person.username for person in asked.values()}, rows.rotations, now=now)
    return {
        pk: {
            "led_by_another": pk in led,
            "active_at": said.active.get(person.username),
            "break_at": breaks[pk].at if pk in breaks else None,
            "other_work": tuple(one.stretch for one in elsewhere.get(pk, [])),
            "pages": pages.get(pk, ()),
            "shifts": turns.get(person.username, ()),
            "incidents": _first_of_each(
                [(where, at) for whose, where, at in own if whose == pk],
                [(one.incident, one.stretch.start) for one in elsewhere.get(pk, [])],
            ),
        }
        for pk, person in asked.items()
    }


def _first_of_each(*begun: Iterable[tuple[int, datetime]]) -> tuple[datetime, ...]:
    first: dict[int, datetime] = {}
    for incident, at in chain(*begun):
        first[incident] = min(first.get(incident, at), at)
    return tuple(first.values())


def _pages(persons: Iterable[int], *, now: datetime) -> dict[int, tuple[datetime, ...]]:
    rows = Page.objects.filter(person_id__in=list(persons), created_at__gte=now - _PAGES_BACK, created_at__lte=now)
    found: dict[int, list[datetime]] = {}
    for pk, at in rows.values_list("person_id", "created_at").order_by("created_at"):
        if pk is not None:
            found.setdefault(pk, []).append(at)
    return {pk: tuple(times) for pk, times in found.items()}


def _teams(persons: Iterable[int]) -> dict[int, str]:
    rows = Membership.objects.filter(person_id__in=list(persons)).order_by("-pk")
    named = rows.values_list("person_id", "team__name", "team__display_name")
    return {person: display_name or name for person, name, display_name in named}


def shifts_of(
    usernames: set[str], rotations_of: Iterable[Rotation], *, now: datetime
) -> dict[str, tuple[Stretch, ...]]:
    """The turns on call of these people, one by one, in every rotation."""
    found: dict[str, list[Stretch]] = {}
    for row in rotations_of:
        for layer in oncall.schedule(row).layers:
            if not usernames & {name for group in layer.users for name in group}:
                continue
            for turn in rotations.turns(layer, start=now - _SHIFTS_BACK, end=now + timedelta(minutes=1)):
                for name in usernames.intersection(turn.users):
                    found.setdefault(name, []).append(Stretch(turn.start_at, turn.end_at))
    return {name: tuple(turns) for name, turns in found.items()}


def _members(incident: Incident) -> list[Person]:
    """Who belongs to the incident's team."""
    if incident.team_id is None:
        return []
    return list(Person.objects.filter(memberships__team_id=incident.team_id, is_active=True))


def loads(members: Iterable[Person], work: Iterable[Work], *, now: datetime) -> dict[str, timedelta]:
    """The hours in roles of each of these people in the last weeks, those without any included."""
    spent = {person.username: timedelta(0) for person in members}
    for one in work:
        if one.username in spent:
            spent[one.username] += one.stretch.length(now)
    return spent
