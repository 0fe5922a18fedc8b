"""What is known of the people of a response, read from roles held, pages, rotations and the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from django.db.models import Case, DateTimeField, Q, When
from django.db.models.functions import Coalesce

from tocsin.audit.models import Entry
from tocsin.audit.queries import of_kinds
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
from tocsin.oncall import queries as oncall
from tocsin.oncall.models import Rotation
from tocsin.people.models import Membership, Person

LOOK_BACK = timedelta(weeks=8)
_SHIFTS_BACK = timedelta(days=100)
_PAGES_BACK = timedelta(days=8)
_OF_PEOPLE = (Kind.PERSON_INTRODUCED,)
_OF_THE_TEAM = (
    *_OF_PEOPLE,
    Kind.GROUND_RULES_POSTED,
    Kind.POSTMORTEM_MOVED,
    Kind.POSTMORTEM_ITEM_DONE,
    Kind.POSTMORTEM_ITEM_EXPLAINED,
    kinds.DECISION_RECORDED,
    kinds.HANDOVER_RECORDED,
    kinds.RANK_REFUSED,
    kinds.RANK_OVERRIDDEN,
)
"""Kinds of which a response has few entries; what is said all night long is kept ready in `response_log`."""


def worked(row: RoleHeld) -> Stretch:
    """The time somebody spent in a role; it ends with the incident where the role was not given up before."""
    incident = row.incident
    ended = None if incident.is_open else incident.resolved_at or incident.closed_at or incident.updated_at
    return _stretch(row.from_at, row.until_at, ended)


def _stretch(begun: datetime, until: datetime | None, ended: datetime | None) -> Stretch:
    ends = [at for at in (until, ended) if at is not None]
    end = min(ends) if ends else None
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
    ended = Coalesce("incident__resolved_at", "incident__closed_at", "incident__updated_at")
    rows = RoleHeld.objects.filter(person_id__in=names, from_at__gte=since).annotate(
        ended_at=Case(When(open_still, then=None), default=ended, output_field=DateTimeField())
    )
    return [
        Work(person, names[person], incident, _stretch(begun, until, ended_at))
        for person, incident, begun, until, ended_at in rows.values_list(
            "person_id", "incident_id", "from_at", "until_at", "ended_at"
        )
    ]


@dataclass(frozen=True)
class _Log:
    """The entries of one incident that the checks look at, by kind."""

    entries: Sequence[Entry]
    by_kind: dict[str, list[Entry]] = field(default_factory=dict)

    @classmethod
    def of(cls, incident: Incident, read: Iterable[str]) -> _Log:
        found = list(of_kinds([incident.ref], read))
        made = cls(found)
        for entry in found:
            made.by_kind.setdefault(entry.kind, []).append(entry)
        return made

    def named(self, kind: str) -> list[Entry]:
        return self.by_kind.get(kind, [])

    def last(self, kind: str) -> datetime | None:
        found = self.named(kind)
        return found[-1].at if found else None


def of_response(
    incident: Incident, definition: ProcessDefinition, *, now: datetime, only: str | None = None
) -> ResponseRecord:
    """The record of that incident's response as the checks look at it.

    With `only`, a user name, what is private of others and what is about the team is left out and not read.
    """
    log = _Log.of(incident, _OF_THE_TEAM if only is None else _OF_PEOPLE)
    rows = RoleHeld.objects.filter(incident=incident).select_related("person").order_by("from_at", "pk")
    here = list(rows)
    for row in here:
        row.incident = incident
    persons = {row.person_id: row.person for row in here}
    asked = {pk: person for pk, person in persons.items() if only is None or person.username == only}
    said = heard(incident, definition.messages.blame) if asked or only is None else Heard()
    return ResponseRecord(
        severity=incident.severity,
        coordinated_since=coordinated_since(incident, definition),
        participants=_participants(incident, definition, here, asked, log, said, now=now),
        ended_at=None if incident.is_open else incident.resolved_at or incident.closed_at or incident.updated_at,
        **(_of_the_team(incident, definition, persons, log, said, now=now) if only is None else {}),
    )


def _of_the_team(
    incident: Incident,
    definition: ProcessDefinition,
    persons: Iterable[int],
    log: _Log,
    said: Heard,
    *,
    now: datetime,
) -> dict[str, Any]:
    """What the checks of the team look at."""
    team = people_queries.team_record(incident)
    return {
        "met": people_queries.met_before(incident, persons),
        "ground_rules_at": log.last(Kind.GROUND_RULES_POSTED),
        "thanked_at": team.dissolved_at if team else None,
        "hand_overs": tuple(_hand_over(one) for one in log.named(kinds.HANDOVER_RECORDED)),
        "decisions": tuple(_decision(one) for one in log.named(kinds.DECISION_RECORDED) if one.data),
        "rank_refused": len(log.named(kinds.RANK_REFUSED)),
        "rank_overridden": len(log.named(kinds.RANK_OVERRIDDEN)),
        "loads": loads(incident, now=now),
        "summary_at": said.summary_at(),
        "conflicts": tuple(open_conflicts(incident)),
        "texts": said.texts(),
        "people_issues_open": tensions.gate(incident).open_issues,
        **_meeting(log, definition),
    }


def _meeting(log: _Log, definition: ProcessDefinition) -> dict[str, datetime | None]:
    """When the postmortem meeting began, and when its prime directive was said.

    A process whose checklists have no item for the directive does not ask for it.
    """
    codes = {item.code for item in definition.postmortem.lifecycle if item.directive}
    moved = [one.at for one in log.named(Kind.POSTMORTEM_MOVED) if _said(one, "new") == PostmortemState.IN_REVIEW]
    items = [*log.named(Kind.POSTMORTEM_ITEM_DONE), *log.named(Kind.POSTMORTEM_ITEM_EXPLAINED)]
    said = [one.at for one in items if _said(one, "item") in codes]
    return {
        "review_started_at": min(moved, default=None) if codes else None,
        "directive_at": min(said, default=None),
    }


def _said(entry: Entry, name: str) -> str:
    return str((entry.data or {}).get(name) or "")


def coordinated_since(incident: Incident, definition: ProcessDefinition) -> datetime | None:
    """When its severity first asked for coordination; None when it never did."""
    known = set(definition.severities.codes)
    _, severities = snapshots.history(incident)
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
    here: Sequence[RoleHeld],
    asked: Mapping[int, Person],
    log: _Log,
    said: Heard,
    *,
    now: datetime,
) -> tuple[Participant, ...]:
    """Everybody who takes or took part; what is private only of those who are `asked` about."""
    teams = _teams({row.person_id for row in here})
    introduced = {str((one.data or {}).get("username")): one.at for one in log.named(Kind.PERSON_INTRODUCED)}
    private = _private(incident, here, asked, said, now=now)
    by_person: dict[int, list[RoleHeld]] = {}
    for row in here:
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
    incident: Incident, here: Sequence[RoleHeld], asked: Mapping[int, Person], said: Heard, *, now: datetime
) -> dict[int, dict[str, Any]]:
    """What of a person only that person and whoever coordinates may know, by primary key."""
    if not asked:
        return {}
    work: dict[int, list[Work]] = {}
    for one in work_of(asked.values(), since=now - LOOK_BACK):
        if one.incident != incident.pk:
            work.setdefault(one.person, []).append(one)
    own = [(row.person_id, row.incident_id, row.from_at) for row in here]
    pages = _pages(asked, now=now)
    breaks = people_queries.breaks(incident)
    led = desk_queries.led_by_others(incident)
    turns = shifts_of({person.username for person in asked.values()}, now=now)
    return {
        pk: {
            "led_by_another": pk in led,
            "active_at": said.active.get(person.username),
            "break_at": breaks[pk].at if pk in breaks else None,
            "other_work": tuple(one.stretch for one in work.get(pk, [])),
            "pages": pages.get(pk, ()),
            "shifts": turns.get(person.username, ()),
            "incidents": _first_of_each(
                [(where, at) for whose, where, at in own if whose == pk],
                [(one.incident, one.stretch.start) for one in work.get(pk, [])],
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
    rows = Membership.objects.filter(person_id__in=list(persons)).select_related("team").order_by("-pk")
    return {row.person_id: row.team.label for row in rows}


def shifts_of(usernames: set[str], *, now: datetime) -> dict[str, tuple[Stretch, ...]]:
    """The turns on call of these people, one by one, in every rotation."""
    found: dict[str, list[Stretch]] = {}
    for row in Rotation.objects.prefetch_related("overrides"):
        for layer in oncall.schedule(row).layers:
            if not usernames & {name for group in layer.users for name in group}:
                continue
            for turn in rotations.turns(layer, start=now - _SHIFTS_BACK, end=now + timedelta(minutes=1)):
                for name in usernames.intersection(turn.users):
                    found.setdefault(name, []).append(Stretch(turn.start_at, turn.end_at))
    return {name: tuple(turns) for name, turns in found.items()}


def loads(incident: Incident, *, now: datetime) -> dict[str, timedelta]:
    """The hours in roles of each member of the incident's team in the last weeks, those without any included."""
    if incident.team is None:
        return {}
    members = list(Person.objects.filter(memberships__team=incident.team, is_active=True))
    spent = {person.username: timedelta(0) for person in members}
    for one in work_of(members, since=now - LOOK_BACK):
        spent[one.username] += one.stretch.length(now)
    return spent
