"""How people are reached, and who hears when nobody answers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind
from tocsin.people import queries
from tocsin.people.models import ContactMethod
from tocsin.platform.models import Setting
from tocsin.platform.text import one_line, slug

EMAIL = "email"


def checked_email(address: str) -> str:
    """`address` without spaces around it. Raises Invalid when it cannot be an e-mail address."""
    stripped = address.strip()
    try:
        validate_email(stripped)
    except ValidationError as error:
        raise Invalid({"email": f"{one_line(stripped, limit=80)!r} is no e-mail address."}) from error
    return stripped


def add_contact_method(
    actor: Actor,
    *,
    username: str,
    channel: str,
    address: str,
    secret: str = "",
    delay: timedelta | None = None,
    now: datetime,
) -> ContactMethod:
    """One more way to reach a person, tried after the ones before it. The same way again changes secret and delay."""
    if not channel or slug(channel) != channel.replace("_", "-"):
        raise Invalid({"channel": "Name a channel, for example email."})
    target = checked_email(address) if channel == EMAIL else one_line(address, limit=500)
    if not target:
        raise Invalid({"address": "Say where messages go."})
    with transaction.atomic():
        person = queries.person(username)
        queries.require_self_or(actor, Right.PEOPLE_WRITE, person)
        method, _ = ContactMethod.objects.update_or_create(
            person=person,
            channel=channel,
            address=target,
            defaults={"secret": secret, "delay": delay, "enabled": True},
            create_defaults={"secret": secret, "delay": delay, "position": person.contact_methods.count()},
        )
        _tell(actor, method, "added", now=now)
    return method


def remove_contact_method(actor: Actor, *, username: str, contact_id: int, now: datetime) -> None:
    """Forget one way to reach a person. Raises NotFound when it is not that person's."""
    with transaction.atomic():
        method = _method(actor, username, contact_id)
        _tell(actor, method, "removed", now=now)
        method.delete()


def confirm_contact_method(actor: Actor, *, username: str, contact_id: int, now: datetime) -> ContactMethod:
    """The person says that a test message arrived: the way counts as tried out and as working."""
    with transaction.atomic():
        method = _method(actor, username, contact_id)
        method.verified_at, method.failing_since = now, None
        method.save(update_fields=["verified_at", "failing_since"])
        _tell(actor, method, "verified", now=now)
    return method


def mark_contact_failing(actor: Actor, *, contact_id: int, failing: bool, now: datetime) -> bool:
    """Note that messages by this way come back, or arrive again; True when that is news."""
    require(actor, Right.PEOPLE_WRITE)
    with transaction.atomic():
        stale = ContactMethod.objects.filter(pk=contact_id, failing_since__isnull=failing)
        if not stale.update(failing_since=now if failing else None):
            return False
        method = ContactMethod.objects.select_related("person").get(pk=contact_id)
        _tell(actor, method, "failing" if failing else "works_again", now=now)
    return True


def set_fallback_contact(actor: Actor, *, email: str, now: datetime) -> None:
    """Who hears when a chain of escalation is at its end; an empty text leaves it to the administrators."""
    require(actor, Right.SETTINGS_WRITE)
    address = checked_email(email) if email.strip() else ""
    with transaction.atomic():
        if (queries.fallback_contact() or "") == address:
            return
        Setting.objects.update_or_create(name=queries.FALLBACK_CONTACT, defaults={"value": {"email": address}})
        data = {"setting": queries.FALLBACK_CONTACT, "email": address}
        audit.record(actor, [Fact(kind=Kind.SETTING_CHANGED, data=data)], now=now)


def _method(actor: Actor, username: str, contact_id: int) -> ContactMethod:
    person = queries.person(username)
    queries.require_self_or(actor, Right.PEOPLE_WRITE, person)
    method = person.contact_methods.select_related("person").filter(pk=contact_id).first()
    if method is None:
        raise NotFound(f"{person.label} has no such contact method.")
    return method


def _tell(actor: Actor, method: ContactMethod, change: str, *, now: datetime) -> None:
    # The address of a webhook or a chat room may carry a secret, so only an e-mail address is written down.
    shown = method.address if method.channel == EMAIL else ""
    data = {"username": method.person.username, "channel": method.channel, "address": shown, "change": change}
    audit.record(actor, [Fact(kind=Kind.CONTACT_SAVED, data=data)], now=now)
