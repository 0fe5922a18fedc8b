"""Publish the process and say who wants to hear; the only writer of process versions and stakeholder groups."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.document_diff import Change, Difference, differences
from tocsin.core.document_reading import Level
from tocsin.core.errors import Conflict, Invalid, Refused
from tocsin.core.facts import Kind
from tocsin.core.process_definition import ProcessDefinition, problems
from tocsin.people.models import Person, Team
from tocsin.platform import db, ids
from tocsin.platform.text import clean, slug
from tocsin.process import queries
from tocsin.process.defaults import default_document
from tocsin.process.models import GroupMember, ProcessVersion, StakeholderGroup, VersionState
from tocsin.process.snapshots import definition_of, document_digest

LOCK = "tocsin.process.publish"
REVIEWED_EVERY = timedelta(days=365)
_ON_CALL = "-on-call"
_TEAM_NAME = 63 - len(_ON_CALL)  # what of a team's name fits into the code of its group
_NAMED_PATHS = 200  # the log names so many changed places; the documents of both versions stay and hold the rest


def ensure_default(*, now: datetime) -> ProcessVersion:
    """Publish the shipped process as version 1 unless one is published already. Safe to call at every start."""
    with transaction.atomic():
        db.advisory_lock(LOCK)
        published = ProcessVersion.objects.filter(state=VersionState.PUBLISHED).first()
        return published or _publish(SYSTEM, default_document(), note="Shipped with Tocsin", former=None, now=now)


def publish_version(
    actor: Actor, document: Mapping[str, Any], *, note: str, now: datetime, based_on: int | None = None
) -> ProcessVersion:
    """Put `document` in force from now on; what runs keeps the version it began under.

    Raises Invalid with a sentence per faulty place, Refused when nothing changed, Conflict when `based_on` is given and
    is no longer the number in force.
    """
    require(actor, Right.PROCESS_WRITE)
    if not note.strip():
        raise Invalid({"note": "Say in a sentence why the process changes; auditors and colleagues will ask."})
    document = checked(document)
    with transaction.atomic():
        db.advisory_lock(LOCK)
        former = ProcessVersion.objects.filter(state=VersionState.PUBLISHED).first()
        if based_on is not None and (former is None or former.number != based_on):
            raise Conflict("Somebody published another version meanwhile. Read it, then publish yours again.")
        if former is not None and former.document == document:
            raise Refused("This is the process in force already; nothing was published.", reason="unchanged")
        return _publish(actor, document, note=clean(note.strip()), former=former, now=now)


def checked(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as it will come back from the database, free of faults."""
    faults = {fault.where: fault.message for fault in problems(document) if fault.level is Level.ERROR}
    if faults:
        raise Invalid(faults)
    stored: dict[str, Any] = json.loads(json.dumps(document))
    return stored


def _publish(
    actor: Actor, document: Mapping[str, Any], *, note: str, former: ProcessVersion | None, now: datetime
) -> ProcessVersion:
    version = ProcessVersion(
        number=ids.next_number("process_version"),
        document=document,
        sha256=document_digest(document),
        author=actor.ident,
        note=note,
        based_on=former.number if former else None,
        created_at=now,
    )
    return enter_force(actor, version, former=former, now=now)


def enter_force(
    actor: Actor, version: ProcessVersion, *, former: ProcessVersion | None, now: datetime
) -> ProcessVersion:
    """Let `version` supersede `former`, inside the caller's transaction, which holds the lock of publishing."""
    if former is not None:
        former.state = VersionState.SUPERSEDED
        former.save(update_fields=["state"])
    version.state = VersionState.PUBLISHED
    version.published_at, version.effective_at = version.published_at or now, version.effective_at or now
    version.review_due_at, version.review_told_at = now + REVIEWED_EVERY, None
    version.save()
    changes = differences(former.document, version.document) if former is not None else ()
    saved = _save_defined_groups(definition_of(version.pk, version.sha256), now=now)
    audit.record(actor, [_published(version, former, changes, saved)], now=now)
    return version


def _published(
    version: ProcessVersion, former: ProcessVersion | None, changes: Sequence[Difference], groups: list[str]
) -> Fact:
    paths: dict[str, Any] = {
        change.value: [found.path for found in changes if found.change is change][:_NAMED_PATHS] for change in Change
    }
    return Fact(
        kind=Kind.PROCESS_PUBLISHED,
        data={
            "number": version.number,
            "supersedes": former.number if former else None,
            "note": version.note,
            "sha256": version.sha256,
            "places": len(changes),
            "groups": groups,
            **paths,
        },
    )


def _save_defined_groups(process: ProcessDefinition, *, now: datetime) -> list[str]:
    """Groups are added and renamed as the process says; none is taken away, because people joined it."""
    known = {group.code: group for group in StakeholderGroup.objects.all()}
    saved = []
    for defined in process.groups:
        wanted: dict[str, Any] = {
            "name": defined.name,
            "ring": defined.ring,
            "purpose": defined.purpose,
            "is_management": defined.management,
        }
        group = known.get(defined.code)
        if group is not None and all(getattr(group, name) == value for name, value in wanted.items()):
            continue
        StakeholderGroup.objects.update_or_create(
            code=defined.code, defaults=wanted, create_defaults={**wanted, "created_at": now}
        )
        saved.append(defined.code)
    return saved


def add_group(
    actor: Actor,
    *,
    code: str,
    name: str = "",
    ring: int = 1,
    is_management: bool = False,
    purpose: str = "",
    now: datetime,
) -> StakeholderGroup:
    """A new group beside those the process defines. Raises Invalid when the code is taken, unfit, or the ring unknown."""
    require(actor, Right.PROCESS_WRITE)
    if slug(code) != code:
        raise Invalid({"code": "Use lower-case letters, digits and hyphens, for example support-team."})
    rings = {known.number: known.name for known in queries.current().rings}
    if ring not in rings:
        raise Invalid({"ring": "The rings are " + ", ".join(f"{number} ({text})" for number, text in rings.items())})
    with transaction.atomic():
        if StakeholderGroup.objects.filter(code=code).exists():
            raise Invalid({"code": f"There is a group {code} already."})
        group = StakeholderGroup.objects.create(
            code=code,
            name=clean(name) or code,
            ring=ring,
            is_management=is_management,
            purpose=clean(purpose),
            created_at=now,
        )
        data = {"code": code, "name": group.name, "ring": ring, "is_management": is_management}
        audit.record(actor, [Fact(kind=Kind.GROUP_SAVED, data=data)], now=now)
    return group


def team_group(actor: Actor, team: Team, *, now: datetime) -> StakeholderGroup:
    """The group a team hears through when something it uses breaks; made, without members, where it is missing.

    Besides its members the people on call of the team hear. Members of the team need no further right for it.
    """
    code = team_group_code(team)
    with transaction.atomic():
        db.advisory_lock(f"tocsin.process.group.{code}")
        found = StakeholderGroup.objects.filter(code=code).first()
        if found is not None:
            return found
        if team.name not in actor.teams:
            require(actor, Right.SUBSCRIBER_WRITE, team=team.name)
        group = StakeholderGroup.objects.create(
            code=code,
            name=f"{team.label}, on call",
            ring=_inner_ring(),
            purpose=f"Hears at once when something {team.label} uses breaks",
            created_at=now,
        )
        data = {"code": code, "name": group.name, "ring": group.ring, "is_management": False}
        audit.record(actor, [Fact(kind=Kind.GROUP_SAVED, data=data)], now=now)
    return group


def team_group_code(team: Team) -> str:
    return f"{team.name[:_TEAM_NAME]}{_ON_CALL}"


def _inner_ring() -> int:
    """The ring next to the people on call."""
    numbers = sorted(ring.number for ring in queries.current().rings)
    return next((number for number in numbers if number > 0), numbers[0] if numbers else 1)


def add_group_member(actor: Actor, *, group: str, email: str, name: str = "", now: datetime) -> GroupMember:
    """Somebody who hears what the group `group` (a code) hears. Adding an address twice changes the name only."""
    require(actor, Right.SUBSCRIBER_WRITE)
    address = email.strip()
    try:
        validate_email(address)
    except ValidationError as error:
        raise Invalid({"email": f"{address!r} is no e-mail address."}) from error
    with transaction.atomic():
        found = queries.group(group)
        member, added = GroupMember.objects.get_or_create(
            group=found,
            email=address,
            defaults={"name": clean(name), "person": Person.objects.filter(email__iexact=address).first()},
        )
        renamed = not added and bool(name) and member.name != clean(name)
        if renamed:
            member.name = clean(name)
            member.save(update_fields=["name"])
        if added or renamed:
            data = {
                "code": found.code,
                "member": address,
                "name": member.name,
                "change": "added" if added else "renamed",
            }
            audit.record(actor, [Fact(kind=Kind.GROUP_SAVED, data=data)], now=now)
    return member


def remove_group_member(actor: Actor, *, group: str, email: str, now: datetime) -> None:
    """Stop telling `email` what the group hears. Nothing happens when the address is not there."""
    require(actor, Right.SUBSCRIBER_WRITE)
    with transaction.atomic():
        found = queries.group(group)
        removed, _ = GroupMember.objects.filter(group=found, email__iexact=email.strip()).delete()
        if removed:
            data = {"code": found.code, "member": email.strip(), "change": "removed"}
            audit.record(actor, [Fact(kind=Kind.GROUP_SAVED, data=data)], now=now)
