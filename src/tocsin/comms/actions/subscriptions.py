"""Addresses that hear of a service's incidents by themselves, and how they stop."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.signing import Signer
from django.core.validators import validate_email
from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.catalog import queries as catalog
from tocsin.catalog.models import Service
from tocsin.comms import queries, writing
from tocsin.comms.models import StatusClock, Subscriber
from tocsin.core.access import Actor, ActorKind, Right, Role, require
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import queries as incidents
from tocsin.incidents import snapshots
from tocsin.incidents.models import OPEN_STATES, Incident
from tocsin.people.models import Person
from tocsin.platform import ids
from tocsin.platform.text import one_line

_SALT = "tocsin.subscription"
_BEARER = Actor(kind=ActorKind.PAGE_LINK, ident="unsubscribe-link", display_name="Bearer of the link", role=Role.READER)


def add_subscriber(actor: Actor, *, email: str, service: str, now: datetime) -> Subscriber:
    """Let an address hear of every incident of a service. Subscribing again brings an ended subscription back.

    Of an incident that is open already it hears at the next regular time.
    """
    address = _address(email)
    with transaction.atomic():
        target = catalog.service(actor, service)
        require(actor, Right.SUBSCRIBER_WRITE, team=target.team.name if target.team else None)
        return _subscribe(actor, target, address, now=now)


def subscribe_oneself(actor: Actor, ref: str | int, *, now: datetime) -> Subscriber:
    """Hear by mail of the service of an incident, at one's own address, so that one need not come and look.

    Raises Refused where the incident has no service, Invalid where one has no address.
    """
    with transaction.atomic():
        incident = incidents.incident(actor, ref)
        require(actor, Right.INCIDENT_JOIN)
        if incident.service is None:
            raise Refused(
                f"{incident.ref} has no service yet, so there is nothing to subscribe to.", reason="no_service"
            )
        person = Person.objects.filter(username=actor.ident).first()
        if person is None or not person.email:
            raise Invalid({"email": "Your account has no mail address. Ask an administrator to add one."})
        return _subscribe(actor, incident.service, _address(person.email), now=now)


def _address(given: str) -> str:
    address = given.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid({"email": f"{one_line(address, limit=80)!r} is no mail address."}) from None
    return address


def _subscribe(actor: Actor, target: Service, address: str, *, now: datetime) -> Subscriber:
    row, _ = Subscriber.objects.update_or_create(
        email=address,
        service=target,
        defaults={"ended_at": None},
        create_defaults={"unsubscribe_digest": ids.digest(ids.new_secret()), "created_at": now},
    )
    for incident in Incident.objects.filter(service=target, state__in=OPEN_STATES, status_clock=None, kind="real"):
        _join(incident, now=now)
    data = {"subscriber": row.pk, "service": target.name}
    audit.record(actor, [Fact(kind=Kind.SUBSCRIBER_ADDED, data=data)], now=now)
    return row


def _join(incident: Incident, *, now: datetime) -> None:
    """A clock for an incident whose beginning nobody subscribed to."""
    every = writing.cadence(incident, snapshots.process_of(incident))
    StatusClock.objects.get_or_create(
        incident=incident,
        defaults={
            "service": incident.service,
            "told_count": 1,
            "told_rank": incident.priority or 0,
            "next_at": now + every if every else None,
        },
    )


def end_subscription(secret: str, *, now: datetime) -> Subscriber:
    """End the subscription whose link holds `secret`; doing it twice changes nothing. Raises NotFound."""
    with transaction.atomic():
        row = queries.subscription(secret)
        if row is None:
            raise NotFound("This link does not belong to a subscription.")
        _end(_BEARER, row, now=now)
    return row


def remove_subscriber(actor: Actor, subscriber_id: int, *, now: datetime) -> Subscriber:
    """End a subscription for somebody else. Raises NotFound."""
    with transaction.atomic():
        row = Subscriber.objects.select_related("service__team").filter(pk=subscriber_id).first()
        if row is None:
            raise NotFound(f"There is no subscriber {subscriber_id}.")
        require(actor, Right.SUBSCRIBER_WRITE, team=row.service.team.name if row.service.team else None)
        _end(actor, row, now=now)
    return row


def _end(actor: Actor, row: Subscriber, *, now: datetime) -> None:
    if row.ended_at is not None:
        return
    row.ended_at = now
    row.save(update_fields=["ended_at"])
    data = {"subscriber": row.pk, "service": row.service.name}
    audit.record(actor, [Fact(kind=Kind.SUBSCRIBER_ENDED, data=data)], now=now)


def unsubscribe_secret(subscriber: Subscriber) -> str:
    """The secret of the subscriber's link: made from the row and the installation's key, never stored in clear.

    The digest by which the link is found follows when the installation's key was changed.
    """
    secret = Signer(salt=_SALT).sign(str(subscriber.pk)).replace(":", ".")
    wanted = ids.digest(secret)
    if subscriber.unsubscribe_digest != wanted:
        Subscriber.objects.filter(pk=subscriber.pk).update(unsubscribe_digest=wanted)
    return secret
