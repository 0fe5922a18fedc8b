"""Persons as core values."""

from __future__ import annotations

from tocsin.core.contact_readiness import Contact
from tocsin.people.models import ContactMethod, Person


def contact(method: ContactMethod) -> Contact:
    return Contact(
        channel=method.channel,
        address=method.address,
        delay=method.delay,
        enabled=method.enabled,
        verified=method.verified_at is not None,
        failing=method.failing_since is not None,
    )


def contacts(person: Person) -> tuple[Contact, ...]:
    """Every way to reach `person`, in the person's own order."""
    return tuple(contact(method) for method in person.contact_methods.all())
