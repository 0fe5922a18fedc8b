"""Ask for a role that somebody holds: both sides say so, or the rule for silence of the process does."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from tocsin.audit import actions as audit
from tocsin.audit.actions import stamp
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import page_text, snapshots
from tocsin.incidents.actions import duties, paging, staffing
from tocsin.incidents.actions.incident_row import held, person_behind, save, team_name
from tocsin.incidents.actions.team_end import change_hands, how_it_stands, replace_offers
from tocsin.incidents.models import HandOver, Incident, RoleHeld, TakeOver
from tocsin.incidents.page_text import PageText
from tocsin.platform.guarding import guarded
from tocsin.platform.questions import Question
from tocsin.platform.text import clean

ACCEPTED, DECLINED, WITHDRAWN, SILENCE, SETTLED = "accepted", "declined", "withdrawn", "silence", "settled"
_SENTENCES = {
    ACCEPTED: "{giver} gives it to {taker}",
    DECLINED: "{giver} keeps it. {note}",
    WITHDRAWN: "{taker} no longer asks for it",
    SILENCE: "{giver} did not answer in time; {kept}",
    SETTLED: "{giver} no longer holds it",
}


def ask_take_over(actor: Actor, ref: str | int, *, role: str, reason: str, now: datetime) -> TakeOver:
    """Ask whoever holds a role for it. It changes hands when that one accepts, or by the rule for silence.

    Asking again while it waits changes nothing. Raises Invalid without a reason or for an unknown role, Refused when
    nobody holds it, when one holds it oneself, or when the incident is over.
    """
    why = clean(reason).strip()[:300]
    if not why:
        raise Invalid({"reason": "Say in a few words why. Whoever holds the role reads it."})
    with transaction.atomic():
        incident = held(ref)
        require(actor, Right.INCIDENT_ASSIGN, team=team_name(incident))
        taker = person_behind(actor)
        if taker is None:
            raise Refused("Only a person takes a role over.", reason="no_person")
        giver = _holder(incident, role, but=taker.username)
        waiting = TakeOver.objects.filter(incident=incident, role=role, taker=taker, answered_at=None).first()
        if waiting is not None:
            return waiting
        rule = snapshots.process_of(incident).roles.take_over
        row = TakeOver.objects.create(
            incident=incident,
            role=role,
            taker=taker,
            giver=giver.person,
            reason=why,
            asked_at=now,
            due_at=now + rule.answer_within,
        )
        audit.record(
            actor,
            [staffing.between_two(row, Kind.TAKEOVER_ASKED, take_over=row.pk, reason=why, due=stamp(row.due_at))],
            now=now,
        )
        save(incident, now=now)
        _tell_holder(row, silence_gives=rule.silence_gives, now=now)
    return row


def _holder(incident: Incident, role: str, *, but: str) -> RoleHeld:
    if not incident.is_open:
        raise Refused(f"{incident.ref} is over.", reason="ended", remedy="Reopen it, or declare a new one.")
    staffing.known_role(snapshots.process_of(incident), role)
    rows = list(RoleHeld.objects.filter(incident=incident, role=role, until_at=None).select_related("person"))
    if any(row.person.username == but for row in rows):
        raise Refused("You hold that role already.", reason="holds_it_already")
    if not rows:
        raise Refused("Nobody holds that role.", reason="not_held", remedy="Take it instead.")
    return min(rows, key=lambda row: (row.from_at, row.pk))


def accept_take_over(actor: Actor, take_over: int, *, now: datetime, **told: str) -> HandOver:
    """Give the role to whoever asks, with what is `done`, `open`, `risks` and `next_update`. For whom it was asked of.

    Raises Invalid where something is not said, NotAllowed for somebody else, Refused when the person who asked cannot
    hold it.
    """
    with transaction.atomic():
        row = _waiting(take_over)
        _require_holder(actor, row)
        said = how_it_stands(told)
        given = _given(row)
        if not given:
            raise Refused(f"{row.giver.label} no longer holds it.", reason="not_held", remedy="The role can be taken.")
        replace_offers(row.incident, row.role, row.giver, now=now)
        done = HandOver.objects.create(
            incident=row.incident, role=row.role, giver=row.giver, taker=row.taker, offered_at=row.asked_at, **said
        )
        _answer(actor, row, ACCEPTED, now=now)
        change_hands(actor, done, given, now=now)
    return done


def decline_take_over(actor: Actor, take_over: int, *, note: str = "", now: datetime) -> TakeOver:
    """Keep the role (whoever holds it), or stop asking for it (whoever asked)."""
    with transaction.atomic():
        row = _waiting(take_over)
        if actor.ident == row.taker.username:
            _answer(actor, row, WITHDRAWN, now=now)
        else:
            _require_holder(actor, row)
            _answer(actor, row, DECLINED, note=clean(note).strip()[:300], now=now)
        save(row.incident, now=now)
    return row


def settle_take_overs(*, now: datetime, limit: int = 100) -> int:
    """Let the rule for silence decide what nobody answered in time. Each in its own transaction; returns how many."""
    if not _anything_due(now=now):
        return 0
    due = _due(now).order_by("due_at", "pk")
    return sum(
        guarded(partial(_settle, pk, now=now), trouble=f"could not settle the take-over {pk}")
        for pk in list(due.values_list("pk", flat=True)[:limit])
    )


def _due(now: datetime) -> QuerySet[TakeOver]:
    return TakeOver.objects.filter(answered_at=None, due_at__lte=now)


_anything_due = Question(_due)


def _settle(take_over: int, *, now: datetime) -> int:
    with transaction.atomic():
        row = _waiting(take_over)
        gives = snapshots.process_of(row.incident).roles.take_over.silence_gives
        given = _given(row)
        if not given or not row.incident.is_open:
            _answer(SYSTEM, row, SETTLED, now=now)
        else:
            kept = f"so it goes to {row.taker.label}" if gives else f"so {row.giver.label} keeps it"
            _answer(SYSTEM, row, SILENCE, kept=kept, gives=gives, now=now)
            if gives:
                staffing.release_held(SYSTEM, row.incident, given, now=now)
                staffing.take(SYSTEM, row.incident, role=row.role, person=row.taker, now=now)
        save(row.incident, now=now)
        duties.reconcile(row.incident, now=now)
    return 1


def _given(row: TakeOver) -> list[RoleHeld]:
    held_now = RoleHeld.objects.filter(incident=row.incident, role=row.role, person=row.giver, until_at=None)
    return list(held_now.select_related("person"))


def _require_holder(actor: Actor, row: TakeOver) -> None:
    if actor.ident != row.giver.username:
        raise NotAllowed(f"{row.giver.label} was asked for it.", remedy="Only whoever holds the role answers.")


def _waiting(take_over: int) -> TakeOver:
    number = TakeOver.objects.filter(pk=take_over).values_list("incident__number", flat=True).first()
    if number is None:
        raise NotFound(f"There is no take-over {take_over}.")
    incident = held(number)
    row = TakeOver.objects.select_related("giver", "taker").get(pk=take_over)
    row.incident = incident
    if row.answered_at is not None:
        raise Refused("This is answered already.", reason="settled")
    return row


def _answer(actor: Actor, row: TakeOver, answer: str, *, now: datetime, **more: Any) -> None:
    """Write down what became of it: both names, when it was asked and answered, and whether it was accepted."""
    row.answer, row.answered_at = answer, now
    row.save(update_fields=["answer", "answered_at"])
    names = {"giver": row.giver.label, "taker": row.taker.label, "note": "", "kept": "", **more}
    said = _SENTENCES[answer].format_map(names).strip()
    told = staffing.between_two(
        row,
        Kind.TAKEOVER_ANSWERED,
        take_over=row.pk,
        outcome=answer,
        accepted=answer == ACCEPTED,
        asked_at=stamp(row.asked_at),
        answered_at=stamp(now),
        answer=said,
        **more,
    )
    audit.record(actor, [told], now=now)
    _tell_asker(row, said, now=now)


def _tell_holder(row: TakeOver, *, silence_gives: bool, now: datetime) -> None:
    definition = snapshots.process_of(row.incident)
    name = staffing.display_name(definition, row.role)
    due = page_text.wall(row.due_at, time_zone=row.giver.time_zone, now=now)
    silence = "Without an answer by then it goes to them." if silence_gives else "Without an answer you keep it."
    text = "\n".join([
        f"{row.taker.label} asks for your role as {name}.", f"Why: {row.reason}", "",
        f"Answer by {due}: {paging.incident_url(row.incident)}/roles/asks/{row.pk}", silence,
    ])  # fmt: skip
    said = {row.giver.pk: PageText(f"{row.incident.ref}: {row.taker.label} asks for your role", text)}
    key = f"take-over-{row.pk}"
    paging.tell(row.incident, [row.giver], said, kind="take_over", key=key, definition=definition, now=now)


def _tell_asker(row: TakeOver, said: str, *, now: datetime) -> None:
    if row.answer == WITHDRAWN:
        return
    definition = snapshots.process_of(row.incident)
    text = PageText(f"{row.incident.ref}: {said}", f"{said}.\n\n{paging.incident_url(row.incident)}")
    key = f"take-over-answer-{row.pk}"
    paging.tell(
        row.incident, [row.taker], {row.taker.pk: text}, kind="take_over", key=key, definition=definition, now=now
    )
