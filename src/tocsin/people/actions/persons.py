"""Who is here and what they may do."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, Role, require
from tocsin.core.errors import Invalid, Refused
from tocsin.core.facts import Kind
from tocsin.core.wall_time import zone
from tocsin.people import queries
from tocsin.people.actions.contacts import EMAIL, checked_email
from tocsin.people.models import STANDING_ROLES, ContactMethod, Person
from tocsin.platform.text import clean, one_line

_USERNAME = re.compile(r"[\w.@+-]{1,150}", re.ASCII)
_OWN = frozenset({"display_name", "email", "time_zone", "theme", "keys_enabled", "private_pages"})
_THEMES = ("system", "light", "dark")


def add_person(
    actor: Actor,
    *,
    username: str,
    email: str = "",
    display_name: str = "",
    role: str = Role.RESPONDER.value,
    time_zone: str = "UTC",
    now: datetime,
) -> Person:
    """Somebody new, reached by `email` when that is given; signs in by a login link until a password is set.

    Raises Invalid when the name is taken or unfit, or when address, role or zone are wrong.
    """
    require(actor, Right.PEOPLE_WRITE)
    fields = {
        "display_name": one_line(clean(display_name), limit=150),
        "email": checked_email(email) if email else "",
        "time_zone": zone(time_zone).key,
        "role": _known_role(role),
    }
    with transaction.atomic():
        person = Person.objects.create(
            username=_free_username(username), password=make_password(None), created_at=now, **fields
        )
        if fields["email"]:
            ContactMethod.objects.create(person=person, channel=EMAIL, address=fields["email"])
        data = {"username": person.username, "change": "added", **fields}
        audit.record(actor, [Fact(kind=Kind.PERSON_SAVED, data=data)], now=now)
    return person


def _free_username(username: str) -> str:
    if not _USERNAME.fullmatch(username):
        raise Invalid({"username": "Use letters, digits and . _ - + @ only, at most 150 of them."})
    if Person.objects.filter(username__iexact=username).exists():
        raise Invalid({"username": f"There is somebody called {username} already."})
    return username


def _known_role(role: str) -> str:
    roles = [value for value, _ in STANDING_ROLES]
    if role not in roles:
        raise Invalid({"role": f"The roles are {', '.join(roles)}."})
    return role


def update_person(actor: Actor, *, username: str, now: datetime, **changes: Any) -> Person:
    """Change what `changes` names: display_name, email, time_zone, theme, keys_enabled, private_pages, role.

    A person may change the own fields, not the own role. Raises Refused for the last administrator's role.
    """
    with transaction.atomic():
        person = queries.person(username)
        if changes.keys() - _OWN:
            require(actor, Right.PEOPLE_WRITE)
        else:
            queries.require_self_or(actor, Right.PEOPLE_WRITE, person)
        wanted = {name: _checked(name, value) for name, value in changes.items()}
        changed = {name: value for name, value in wanted.items() if getattr(person, name) != value}
        if not changed:
            return person
        if changed.get("role", Role.ADMIN.value) != Role.ADMIN.value:
            _keep_an_administrator(person)
        for name, value in changed.items():
            setattr(person, name, value)
        person.save(update_fields=list(changed))
        data = {"username": person.username, "change": "changed", **changed}
        audit.record(actor, [Fact(kind=Kind.PERSON_SAVED, data=data)], now=now)
    return person


def _checked(name: str, value: Any) -> Any:
    match name:
        case "display_name":
            return one_line(clean(value), limit=150)
        case "email":
            return checked_email(value) if value else ""
        case "time_zone":
            return zone(value).key
        case "role":
            return _known_role(value)
        case "theme":
            if value not in _THEMES:
                raise Invalid({"theme": f"The themes are {', '.join(_THEMES)}."})
            return value
        case "keys_enabled" | "private_pages":
            return bool(value)
        case _:
            raise Invalid({name: "A person has no such field."})


def disable_person(actor: Actor, *, username: str, now: datetime) -> Person:
    """Shut somebody out at once: sessions, tokens and login links stop counting; the name stays in the log."""
    require(actor, Right.PEOPLE_WRITE)
    with transaction.atomic():
        person = queries.person(username)
        if not person.is_active:
            return person
        _keep_an_administrator(person)
        person.is_active = False
        person.save(update_fields=["is_active"])
        tokens = person.api_tokens.filter(revoked_at=None).update(revoked_at=now)
        person.login_links.filter(used_at=None, expires_at__gt=now).update(expires_at=now)
        data = {"username": person.username, "change": "disabled", "tokens_revoked": tokens}
        audit.record(actor, [Fact(kind=Kind.PERSON_SAVED, data=data)], now=now)
    return person


def _keep_an_administrator(person: Person) -> None:
    others = Person.objects.filter(role=Role.ADMIN.value, is_active=True).exclude(pk=person.pk)
    if person.role == Role.ADMIN.value and not others.exists():
        raise Refused(
            "This is the last administrator; nobody could let anyone in again.",
            reason="last_administrator",
            remedy="Make somebody else an administrator first.",
        )
