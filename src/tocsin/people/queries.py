"""Reads about persons and teams."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from tocsin.core.access import ANONYMOUS, Actor, ActorKind, Role
from tocsin.people.models import Person


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
