"""The backlog of wishes: anybody on call adds one, operations ranks and owns them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from tocsin.adoption.models import Wish, WishKind, WishStatus
from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.people import queries as people
from tocsin.people.models import Team
from tocsin.platform import db
from tocsin.platform.text import clean, one_line
from tocsin.slo import queries as slos
from tocsin.slo.models import Objective, ResourceAlert

_LOCK = "tocsin.adoption.backlog"
OPEN = (WishStatus.OPEN, WishStatus.PLANNED)


def add_wish(
    actor: Actor, *, kind: str, text: str, team: str = "", slo: str = "", resource_alert: str = "", now: datetime
) -> Wish:
    """Put a wish at the end of the backlog. What it is about names its team when `team` is empty.

    Raises Invalid for an unknown kind, an empty text or a name nobody has.
    """
    require(actor, Right.WISH_ADD, team=team or None)
    _check(kind, text)
    with transaction.atomic():
        objective = slos.objective(actor, slo) if slo else None
        alert = slos.resource_alert(actor, resource_alert) if resource_alert else None
        about = objective or alert
        owner = people.team(team) if team else about.service.team if about else None
        return append_wish(actor, kind=WishKind(kind), text=text, team=owner, objective=objective, alert=alert, now=now)


def append_wish(
    actor: Actor,
    *,
    kind: WishKind,
    text: str,
    team: Team | None,
    objective: Objective | None = None,
    alert: ResourceAlert | None = None,
    now: datetime,
) -> Wish:
    """Part of another change that makes a wish; inside its transaction, whoever makes it has the right already."""
    db.advisory_lock(_LOCK)
    last = Wish.objects.filter(status__in=OPEN).aggregate(last=Max("rank"))["last"] or 0
    wish = Wish.objects.create(
        team=team,
        requester=actor.ident,
        kind=kind,
        text=clean(text).strip(),
        objective=objective,
        resource_alert=alert,
        rank=last + 1,
        created_at=now,
    )
    data = {"kind": kind.value, "text": wish.text, "team": team.name if team else None}
    _tell(actor, Kind.WISH_ADDED, wish, data, now=now)
    return wish


def rank_wish(actor: Actor, number: int, *, place: int, now: datetime) -> Wish:
    """Move an open wish to a place of the backlog (1 is first); the others close up. Beyond the end means last."""
    require(actor, Right.BACKLOG_RANK)
    if place < 1:
        raise Invalid({"place": "The first place is 1."})
    with transaction.atomic():
        db.advisory_lock(_LOCK)
        wish = _known(number)
        if not wish.is_open:
            raise Refused("Only open wishes have a place in the backlog.", reason="not_open")
        others = list(Wish.objects.filter(status__in=OPEN).exclude(pk=wish.pk).order_by("rank", "pk"))
        others.insert(min(place - 1, len(others)), wish)
        moved = _renumber(others)
        if wish in moved:
            _tell(actor, Kind.WISH_RANKED, wish, {"place": wish.rank}, now=now)
    return wish


def change_wish(
    actor: Actor,
    number: int,
    *,
    status: str | None = None,
    owner: str | None = None,
    reference: str | None = None,
    note: str | None = None,
    now: datetime,
) -> Wish:
    """Plan, finish or decline a wish, say who has it and where the work is; None leaves a field as it is.

    Declining needs a note. Raises Invalid for an unknown status or person.
    """
    require(actor, Right.BACKLOG_RANK)
    if status is not None and status not in WishStatus.values:
        raise Invalid({"status": f"Choose one of {', '.join(WishStatus.values)}."})
    with transaction.atomic():
        db.advisory_lock(_LOCK)
        wish = _known(number)
        wanted = {
            "status": status,
            "owner": None if owner is None else (people.person(owner).username if owner else ""),
            "reference": None if reference is None else one_line(clean(reference), limit=500),
            "note": None if note is None else clean(note).strip(),
        }
        changed = {key: value for key, value in wanted.items() if value is not None and getattr(wish, key) != value}
        if changed.get("status") == WishStatus.DECLINED and not (changed.get("note") or wish.note):
            raise Invalid({"note": "Say why it is declined; whoever wished for it will read it."})
        if changed:
            _save(wish, changed, now=now)
            _tell(actor, Kind.WISH_CHANGED, wish, changed, now=now)
    return wish


def _save(wish: Wish, changed: dict[str, Any], *, now: datetime) -> None:
    was_open = wish.is_open
    for key, value in changed.items():
        setattr(wish, key, value)
    if was_open and not wish.is_open:
        wish.closed_at, wish.rank = now, 0
    elif wish.is_open and not was_open:
        last = Wish.objects.filter(status__in=OPEN).aggregate(last=Max("rank"))["last"] or 0
        wish.closed_at, wish.rank = None, last + 1
    wish.save(update_fields=[*changed, "closed_at", "rank"])
    if was_open != wish.is_open:
        _renumber(list(Wish.objects.filter(status__in=OPEN).order_by("rank", "pk")))


def _renumber(wishes: list[Wish]) -> list[Wish]:
    """Places 1, 2, 3 ... in the order given; returns those whose place changed."""
    moved = []
    for place, wish in enumerate(wishes, start=1):
        if wish.rank != place:
            wish.rank = place
            moved.append(wish)
    Wish.objects.bulk_update(moved, ["rank"])
    return moved


def _check(kind: str, text: str) -> None:
    problems = {}
    if kind not in WishKind.values:
        problems["kind"] = f"Choose one of {', '.join(WishKind.values)}."
    if not text.strip():
        problems["text"] = "Say in a sentence what you wish for."
    if problems:
        raise Invalid(problems)


def _known(number: int) -> Wish:
    found = Wish.objects.select_related("team", "objective", "resource_alert").filter(pk=number).first()
    if found is None:
        raise NotFound(f"There is no wish {number}.")
    return found


def _tell(actor: Actor, kind: Kind, wish: Wish, data: dict[str, Any], *, now: datetime) -> None:
    audit.record(actor, [Fact(kind=kind, data={"wish": wish.pk, **data})], now=now)
