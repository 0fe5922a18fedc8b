"""Reads about persons and teams, and who somebody is that shows a secret."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Q

from tocsin.core.access import ANONYMOUS, Actor, ActorKind, Right, Role, require
from tocsin.core.contact_readiness import Readiness, contact_readiness
from tocsin.core.errors import NotFound
from tocsin.people import snapshots
from tocsin.people.models import ApiToken, ContactMethod, Person, Team, Training
from tocsin.platform import ids
from tocsin.platform.models import Setting

FALLBACK_CONTACT = "fallback_contact"
_USE_NOTED_EVERY = timedelta(minutes=1)


def actor_of(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """The actor a signed-in user is; a disabled person keeps no right."""
    if not isinstance(user, Person):
        return ANONYMOUS
    memberships = list(user.memberships.select_related("team"))
    return Actor(
        kind=ActorKind.PERSON,
        ident=user.username,
        display_name=user.label,
        role=Role(user.role) if user.is_active else Role.REVOKED,
        person_id=user.pk,
        teams=frozenset(membership.team.name for membership in memberships),
        owned_teams=frozenset(membership.team.name for membership in memberships if membership.is_owner),
    )


def actor_for_token(text: str, *, now: datetime) -> Actor | None:
    """The person whose token `text` is; None for an unknown, revoked or expired one and for a disabled person.

    That it was used is written down at most once a minute, so that a busy client does not queue for the writer.
    """
    alive = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now)) & Q(person__is_active=True)
    token = ApiToken.objects.select_related("person").filter(alive, digest=ids.digest(text)).first()
    if token is None:
        return None
    if token.last_used_at is None or token.last_used_at <= now - _USE_NOTED_EVERY:
        with transaction.atomic():
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return actor_of(token.person)


def person(username: str) -> Person:
    """The person of that user name, whatever its case. Raises NotFound."""
    found = Person.objects.filter(username=username).first() or Person.objects.filter(username__iexact=username).first()
    if found is None:
        raise NotFound(f"There is no person called {username!r}.")
    return found


def persons(actor: Actor, *, include_disabled: bool = False) -> list[Person]:
    """Everybody by user name, teams and contact methods at hand."""
    require(actor, Right.PEOPLE_READ)
    rows = Person.objects.all() if include_disabled else Person.objects.filter(is_active=True)
    return list(rows.prefetch_related("memberships__team", "contact_methods").order_by("username"))


def labels(actor: Actor, usernames: Iterable[str]) -> dict[str, str]:
    """What to call these people; whoever is not known here is left out."""
    require(actor, Right.PEOPLE_READ)
    rows = Person.objects.filter(username__in=list(usernames)).values_list("username", "display_name")
    return {username: display_name or username for username, display_name in rows}


def everybodys_labels(actor: Actor) -> dict[str, str]:
    """What to call whoever has ever been here, in one statement."""
    require(actor, Right.PEOPLE_READ)
    rows = Person.objects.values_list("username", "display_name")
    return {username: display_name or username for username, display_name in rows}


def team(name: str) -> Team:
    """The team of that name. Raises NotFound."""
    found = Team.objects.filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no team called {name!r}.")
    return found


def teams(actor: Actor) -> list[Team]:
    """Every team by name, members at hand."""
    require(actor, Right.PEOPLE_READ)
    return list(Team.objects.prefetch_related("memberships__person").order_by("name"))


def members(name: str) -> list[Person]:
    """The active members of a team, contact methods at hand; no one when the team does not exist."""
    rows = Person.objects.filter(is_active=True, memberships__team__name=name)
    return list(rows.prefetch_related("contact_methods").order_by("username"))


def administrators() -> list[Person]:
    """Every active administrator, contact methods at hand."""
    rows = Person.objects.filter(is_active=True, role=Role.ADMIN.value)
    return list(rows.prefetch_related("contact_methods").order_by("username"))


def contact_methods(actor: Actor, username: str) -> list[ContactMethod]:
    """How a person is reached, in order. Everybody may see it, because anybody may have to."""
    require(actor, Right.PEOPLE_READ)
    return list(person(username).contact_methods.all())


def readiness(who: Person) -> Readiness:
    """Whether a page for this person has somewhere to go, and what is missing."""
    return contact_readiness(snapshots.contacts(who), active=who.is_active)


def tokens(actor: Actor, username: str) -> list[ApiToken]:
    """A person's tokens, newest first, for that person and administrators."""
    owner = person(username)
    require_self_or(actor, Right.TOKEN_WRITE, owner)
    return list(owner.api_tokens.order_by("-created_at", "-id"))


def require_self_or(actor: Actor, right: Right, owner: Person) -> None:
    """Let `owner` act on the owner's own things; anybody else needs `right`."""
    himself = actor.kind is ActorKind.PERSON and actor.person_id == owner.pk and actor.role is not Role.REVOKED
    if not himself:
        require(actor, right)


def fallback_contact() -> str | None:
    """The address that hears when a chain of escalation is at its end; None when nobody named one."""
    setting = Setting.objects.filter(name=FALLBACK_CONTACT).first()
    return (setting.value.get("email") or None) if setting else None


def trainings(actor: Actor, *, username: str = "") -> list[Training]:
    """Who learnt what, latest first; of one person when `username` is given."""
    require(actor, Right.PEOPLE_READ)
    rows = Training.objects.select_related("person").order_by("-on", "-id")
    return list(rows.filter(person__username=username) if username else rows)
