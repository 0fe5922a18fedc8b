"""Who may have a view on somebody else's SLO: a team, a service or a stakeholder group, named in one word."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.catalog.models import Service
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid, NotAllowed
from tocsin.people.models import Team
from tocsin.process.models import StakeholderGroup

SERVICE, TEAM, GROUP = "service", "team", "group"
_KINDS = (SERVICE, TEAM, GROUP)


@dataclass(frozen=True, slots=True)
class Consumer:
    """Exactly one of the three. `key` ("service:checkout") is how it is stored and asked for."""

    service: Service | None = None
    team: Team | None = None
    group: StakeholderGroup | None = None

    @property
    def key(self) -> str:
        if self.service is not None:
            return f"{SERVICE}:{self.service.name}"
        return f"{TEAM}:{self.team.name}" if self.team else f"{GROUP}:{self.group.code if self.group else ''}"

    @property
    def label(self) -> str:
        """What people call it, and what it is."""
        if self.service is not None:
            return f"{self.service.label} (service)"
        return f"{self.team.label} (team)" if self.team else f"{self.group.name if self.group else ''} (group)"

    @property
    def speaker(self) -> Team | None:
        """The team that speaks for it."""
        return self.service.team if self.service else self.team


def consumer_of(named: str) -> Consumer:
    """The consumer called `named`: "service:NAME", "team:NAME", "group:CODE", or the bare name of one of them.

    Raises Invalid with what it looked for.
    """
    kind, _, name = named.strip().rpartition(":")
    if kind and kind not in _KINDS:
        raise Invalid(
            {"consumer": f"There is no kind of consumer {kind!r}: write service:NAME, team:NAME, group:CODE."}
        )
    for one in (kind,) if kind else _KINDS:
        found = _find(one, name)
        if found is not None:
            return found
    raise Invalid({"consumer": f"There is no {kind or 'service, team or group'} called {name!r}."})


def possible_keys(named: str) -> list[str]:
    """The keys a name may stand for, without looking whether such a consumer is there."""
    return [named] if ":" in named else [f"{kind}:{named}" for kind in _KINDS]


def _find(kind: str, name: str) -> Consumer | None:
    if kind == SERVICE:
        service = Service.objects.select_related("team").filter(name=name).first()
        return Consumer(service=service) if service else None
    if kind == TEAM:
        team = Team.objects.filter(name=name).first()
        return Consumer(team=team) if team else None
    group = StakeholderGroup.objects.filter(code=name).first()
    return Consumer(group=group) if group else None


def may_speak_for(actor: Actor, consumer: Consumer) -> bool:
    """Members of its team, of its group, and whoever may assign priorities over that team."""
    if consumer.group is not None:
        member = actor.person_id is not None and consumer.group.members.filter(person_id=actor.person_id).exists()
        return member or actor.may(Right.PRIORITY_ASSIGN)
    team = consumer.speaker
    if team is None:
        return actor.may(Right.PRIORITY_ASSIGN)
    return team.name in actor.teams or actor.may(Right.PRIORITY_ASSIGN, team=team.name)


def require_speaker(actor: Actor, consumer: Consumer) -> None:
    """Raise NotAllowed unless `actor` speaks for the consumer."""
    if not may_speak_for(actor, consumer):
        raise NotAllowed(
            f"{actor.display_name or actor.ident} does not speak for {consumer.key}.",
            remedy="Ask a member of that team or group to say how they see it.",
        )
