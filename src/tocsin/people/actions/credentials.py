"""The secrets that let somebody in: passwords, tokens, login links, and the first administrator."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact, stamp
from tocsin.core.access import SYSTEM, Actor, Right, Role
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind
from tocsin.people import queries
from tocsin.people.models import ApiToken, LoginLink, Person
from tocsin.platform import db, ids
from tocsin.platform.text import clean, one_line

PREFIX = "tocsin_"
FIRST_ADMINISTRATOR = "admin"
_FROM_ENVIRONMENT = "environment"
_HINT_FROM = 20  # a shorter secret is not hinted at: four of its characters would be too much of it


def create_token(
    actor: Actor, *, username: str, name: str, now: datetime, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its text, which is shown this once; for oneself, or by an administrator."""
    label = one_line(clean(name), limit=100)
    if not label:
        raise Invalid({"name": "Say what the token is for; that tells you later whether it may go."})
    if expires_at is not None and expires_at <= now:
        raise Invalid({"expires_at": "This moment has passed already."})
    text = PREFIX + ids.new_secret()
    with transaction.atomic():
        person = queries.person(username)
        queries.require_self_or(actor, Right.TOKEN_WRITE, person)
        token = _store_token(actor, person, label, text, expires_at=expires_at, now=now)
    return token, text


def _store_token(
    actor: Actor, person: Person, name: str, text: str, *, expires_at: datetime | None = None, now: datetime
) -> ApiToken:
    token = ApiToken.objects.create(
        person=person,
        name=name,
        hint=f"...{text[-4:]}" if len(text) >= _HINT_FROM else "",
        digest=ids.digest(text),
        created_at=now,
        expires_at=expires_at,
    )
    data = {
        "token": token.pk,
        "username": person.username,
        "name": name,
        "expires_at": stamp(expires_at) if expires_at else None,
    }
    audit.record(actor, [Fact(kind=Kind.TOKEN_CREATED, data=data)], now=now)
    return token


def revoke_token(actor: Actor, *, token_id: int, now: datetime) -> ApiToken:
    """End a token at once; ending it again changes nothing. Raises NotFound when there is none."""
    with transaction.atomic():
        token = ApiToken.objects.select_related("person").filter(pk=token_id).first()
        if token is None:
            raise NotFound("There is no such token.")
        queries.require_self_or(actor, Right.TOKEN_WRITE, token.person)
        if token.revoked_at is None:
            token.revoked_at = now
            token.save(update_fields=["revoked_at"])
            data = {"token": token.pk, "username": token.person.username, "name": token.name}
            audit.record(actor, [Fact(kind=Kind.TOKEN_REVOKED, data=data)], now=now)
    return token


def ensure_administrator(token_text: str, *, now: datetime) -> Person:
    """Make sure that the person "admin" exists and that `token_text` is a token of that person.

    Safe to call at every start. A text that was revoked stays revoked; another text takes the place of the one given
    at an earlier start.
    """
    with transaction.atomic():
        db.advisory_lock("tocsin.people.administrator")
        person = Person.objects.filter(username=FIRST_ADMINISTRATOR).first() or _first_administrator(now=now)
        if token_text and not ApiToken.objects.filter(digest=ids.digest(token_text)).exists():
            for former in person.api_tokens.filter(name=_FROM_ENVIRONMENT, revoked_at=None):
                revoke_token(SYSTEM, token_id=former.pk, now=now)
            _store_token(SYSTEM, person, _FROM_ENVIRONMENT, token_text, now=now)
    return person


def _first_administrator(*, now: datetime) -> Person:
    person = Person.objects.create(
        username=FIRST_ADMINISTRATOR, role=Role.ADMIN.value, password=make_password(None), created_at=now
    )
    data = {"username": person.username, "change": "added", "role": person.role}
    audit.record(SYSTEM, [Fact(kind=Kind.PERSON_SAVED, data=data)], now=now)
    return person


def create_login_link(actor: Actor, *, username: str, now: datetime, valid_for: timedelta = timedelta(hours=24)) -> str:
    """A secret that signs a browser in once, for oneself or by an administrator. Raises Invalid for a disabled person."""
    with transaction.atomic():
        person = queries.person(username)
        queries.require_self_or(actor, Right.TOKEN_WRITE, person)
        if not person.is_active:
            raise Invalid({"username": f"{person.label} is disabled."})
        secret = ids.new_secret()
        link = LoginLink.objects.create(
            person=person, digest=ids.digest(secret), created_at=now, expires_at=now + valid_for
        )
        data = {"username": person.username, "expires_at": stamp(link.expires_at)}
        audit.record(actor, [Fact(kind=Kind.LOGIN_LINK_CREATED, data=data)], now=now)
    return secret


def use_login_link(secret: str, *, now: datetime) -> Person:
    """The person to sign in. Of two that come at once one wins. Raises NotFound for a used, old or unknown secret."""
    with transaction.atomic():
        fresh = LoginLink.objects.filter(
            digest=ids.digest(secret), used_at=None, expires_at__gt=now, person__is_active=True
        )
        if not LoginLink.objects.filter(pk__in=fresh.values("pk"), used_at=None).update(used_at=now):
            raise NotFound("This link has been used or is too old. Ask for a new one.")
        person = Person.objects.get(login_links__digest=ids.digest(secret))
        data = {"username": person.username, "by": "login link"}
        audit.record(queries.actor_of(person), [Fact(kind=Kind.PERSON_SIGNED_IN, data=data)], now=now)
    return person


def set_password(actor: Actor, *, username: str, password: str, now: datetime) -> Person:
    """Set a password; every other session of the person ends with it. Raises Invalid for one that is easy to guess."""
    person = queries.person(username)
    queries.require_self_or(actor, Right.PEOPLE_WRITE, person)
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid({"password": " ".join(error.messages)}) from error
    hashed = make_password(password)  # slow on purpose, so outside the transaction
    with transaction.atomic():
        person.password = hashed
        person.save(update_fields=["password"])
        data = {"username": person.username, "change": "password"}
        audit.record(actor, [Fact(kind=Kind.PERSON_SAVED, data=data)], now=now)
    return person
