"""Walking a priority to find use cases nobody watches: begin, name use cases, look at each, answer each find."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.adoption.actions.wishes import append_wish
from tocsin.adoption.drafts import slo_draft
from tocsin.adoption.models import Walk, WalkedCase, WishKind
from tocsin.adoption.queries.capabilities import capabilities
from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.catalog import queries as catalog
from tocsin.catalog.models import Service
from tocsin.core.access import Actor, Right, require
from tocsin.core.discovery import Answer, first_yes, same_use_case
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.people import queries as people
from tocsin.platform import db
from tocsin.platform.text import clean, one_line
from tocsin.process import queries as process
from tocsin.slo import actions as slo_actions
from tocsin.slo import queries as slos
from tocsin.slo.models import ResourceAlert

MOST_CASES = 50


def begin_walk(actor: Actor, team: str, *, priority: int, now: datetime) -> Walk:
    """Step one: choose the priority whose actions the team reads. One that is still open is gone on with."""
    require(actor, Right.WISH_ADD, team=team)
    ranks = [one.rank for one in process.current().catalogue.priorities]
    if priority not in ranks:
        raise Invalid({"priority": f"must be one of {', '.join(map(str, ranks))}"})
    with transaction.atomic():
        row = people.team(team)
        db.advisory_lock(f"tocsin.adoption.walk.{row.pk}")
        found = Walk.objects.filter(team=row, priority=priority, finished_at=None).first()
        if found is not None:
            return found
        walk = Walk.objects.create(team=row, priority=priority, begun_by=actor.ident, begun_at=now)
        _tell(actor, Kind.WALK_BEGUN, walk, {"priority": priority}, now=now)
    return walk


def name_use_cases(actor: Actor, number: int, texts: Sequence[str], *, now: datetime) -> Walk:
    """Step two: the use cases whose failure deserves the actions of the priority. Those named already stay."""
    named = list(dict.fromkeys(one_line(clean(text)) for text in texts if text.strip()))
    if not named:
        raise Invalid({"use_cases": "Name at least one use case, one a line."})
    with transaction.atomic():
        walk = _open_walk(actor, number)
        known = list(walk.cases.values_list("text", flat=True))
        fresh: list[str] = []
        for text in named:
            if not any(same_use_case(text, one) for one in [*known, *fresh]):
                fresh.append(text)
        if len(known) + len(fresh) > MOST_CASES:
            raise Invalid({"use_cases": f"A walk holds at most {MOST_CASES} use cases."})
        if fresh:
            WalkedCase.objects.bulk_create(WalkedCase(walk=walk, text=text) for text in fresh)
            walk.named_at = walk.named_at or now
            walk.save(update_fields=["named_at"])
            _tell(actor, Kind.WALK_USE_CASES_NAMED, walk, {"use_cases": fresh}, now=now)
    return walk


def see_use_case(actor: Actor, number: int, *, slo: str = "", resource_alert: str = "", now: datetime) -> WalkedCase:
    """Step three, for one use case: what watches it today. Neither an SLO nor an alert makes it a find."""
    with transaction.atomic():
        case = _case(actor, number)
        case.watched_by_slo = slos.objective(actor, slo) if slo else None
        case.watched_by_alert = slos.resource_alert(actor, resource_alert) if resource_alert else None
        case.seen_at = now
        case.save(update_fields=["watched_by_slo", "watched_by_alert", "seen_at"])
        data = {"use_case": case.text, "slo": slo or None, "resource_alert": resource_alert or None}
        _tell(actor, Kind.WALK_USE_CASE_SEEN, case.walk, data, now=now)
        _finish(case.walk, now=now)
    return case


def answer_find(
    actor: Actor,
    number: int,
    *,
    existing_sli: bool = False,
    new_sli: bool = False,
    resource_alert: bool = False,
    service: str = "",
    sli_kind: str = "",
    alert_name: str = "",
    now: datetime,
) -> WalkedCase:
    """Answer what becomes of a find; the first yes counts. It makes a draft of an SLO, a wish, or an alert.

    With a new SLI a name in `alert_name` registers an interim alert meanwhile. Raises Invalid for what is missing.
    """
    answer = first_yes(existing_sli=existing_sli, new_sli=new_sli, resource_alert=resource_alert)
    with transaction.atomic():
        case = _case(actor, number)
        if not case.is_find:
            raise Refused("Only a use case that nothing watches is a find.", reason="no_find")
        if case.answer:
            raise Refused("This find has its answer already.", reason="answered")
        case.answer, case.answered_at, case.answered_by = answer.value, now, actor.ident
        if answer is Answer.EXISTING_SLI:
            _draft(case, service, sli_kind)
        elif answer is Answer.NEW_SLI:
            _wish(actor, case, service, alert_name, now=now)
        elif answer is Answer.RESOURCE_ALERT:
            case.alert = _alert(actor, case, service, alert_name, interim=False, now=now)
        case.save()
        data = {"use_case": case.text, "answer": answer.value}
        _tell(actor, Kind.WALK_FIND_ANSWERED, case.walk, data, now=now)
        _finish(case.walk, now=now)
    return case


def _draft(case: WalkedCase, service: str, sli_kind: str) -> None:
    sli = next((one for one in capabilities() if one.code == sli_kind), None)
    if sli is None:
        known = ", ".join(one.code for one in capabilities())
        raise Invalid({"sli_kind": f"Choose the SLI we have: {known}."})
    case.sli_kind = sli.code
    case.draft = slo_draft(use_case=case.text, service=_service(service).name, sli=sli)


def _wish(actor: Actor, case: WalkedCase, service: str, alert_name: str, *, now: datetime) -> None:
    case.alert = _alert(actor, case, service, alert_name, interim=True, now=now) if alert_name.strip() else None
    text = f"A new SLI for: {case.text}"
    case.wish = append_wish(actor, kind=WishKind.NEW_SLI, text=text, team=case.walk.team, alert=case.alert, now=now)


def _alert(
    actor: Actor, case: WalkedCase, service: str, alert_name: str, *, interim: bool, now: datetime
) -> ResourceAlert:
    """The alert that watches the use case from now on, with the priority of the walk."""
    row = slo_actions.save_resource_alert(
        actor,
        alert_name=alert_name,
        service=_service(service).name,
        use_case=case.text,
        interim=interim,
        now=now,
    )
    slo_actions.assign_priority(
        actor,
        resource_alert=row,
        decision="set",
        priority=case.walk.priority,
        reason=f"Found in a discovery walk: {case.text}",
        now=now,
    )
    return row


def _service(name: str) -> Service:
    found = catalog.find_service(name)
    if found is None:
        text = f"There is no service called {one_line(name, limit=60)!r}." if name else "Say which service it is about."
        raise Invalid({"service": text})
    return found


def _finish(walk: Walk, *, now: datetime) -> None:
    """A walk is over when each use case was looked at and each find has its answer."""
    cases = list(walk.cases.all())
    over = bool(cases) and all(one.seen_at and (one.answer or not one.is_find) for one in cases)
    if over and walk.finished_at is None:
        walk.finished_at = now
        walk.save(update_fields=["finished_at"])


def _open_walk(actor: Actor, number: int) -> Walk:
    walk = db.lock(Walk.objects.select_related("team").filter(pk=number)).first()
    if walk is None:
        raise NotFound(f"There is no discovery walk {number}.")
    require(actor, Right.WISH_ADD, team=walk.team.name)
    if walk.finished_at is not None:
        raise Refused("This walk is finished. Begin a new one for the priority.", reason="finished")
    return walk


def _case(actor: Actor, number: int) -> WalkedCase:
    case = WalkedCase.objects.filter(pk=number).first()
    if case is None:
        raise NotFound(f"There is no use case {number} in a discovery walk.")
    case.walk = _open_walk(actor, case.walk_id)
    return case


def _tell(actor: Actor, kind: Kind, walk: Walk, data: dict[str, Any], *, now: datetime) -> None:
    audit.record(actor, [Fact(kind=kind, data={"walk": walk.pk, "team": walk.team.name, **data})], now=now)
