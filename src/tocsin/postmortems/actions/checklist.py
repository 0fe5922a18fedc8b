"""Say what of the checklists around a meeting is done, and why something is left out."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.core.access import Actor
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind
from tocsin.core.postmortem_checklist import ItemState, item_of
from tocsin.platform.text import clean
from tocsin.postmortems.actions.rows import log_entry, touch, writable
from tocsin.postmortems.models import ChecklistMark, Postmortem
from tocsin.process import queries as process

_REASON = 1000
_KINDS = {
    ItemState.DONE: Kind.POSTMORTEM_ITEM_DONE,
    ItemState.EXPLAINED: Kind.POSTMORTEM_ITEM_EXPLAINED,
    ItemState.OPEN: Kind.POSTMORTEM_ITEM_REOPENED,
}


def mark_item(actor: Actor, ref: str | int, code: str, *, state: str, reason: str = "", now: datetime) -> Postmortem:
    """Mark an item of the checklists (its code, B1) as done, as left out for a `reason` (explained), or as open again.

    Saying the same twice changes nothing. Raises NotFound for an unknown item, Invalid for another word or an
    explanation without a reason.
    """
    said, why = _checked(state, reason)
    with transaction.atomic():
        row = writable(actor, ref)
        item = item_of(process.definition(row.incident.process_version), code.strip())
        if item is None:
            raise NotFound(f"The checklists of this process have no item {code!r}.")
        mark = row.marks.filter(code=item.code).first()
        before = (ItemState(mark.state), mark.reason) if mark else (ItemState.OPEN, "")
        if before == (said, why):
            return row
        if said is ItemState.OPEN:
            row.marks.filter(code=item.code).delete()
        else:
            values = {"state": said.value, "reason": why, "by": actor.ident, "at": now}
            ChecklistMark.objects.update_or_create(postmortem=row, code=item.code, defaults=values)
        touch(row, [], now=now)
        log_entry(actor, row, _KINDS[said], {"item": item.code, "do": item.do, "reason": why}, now=now)
        return row


def _checked(state: str, reason: str) -> tuple[ItemState, str]:
    known = {one.value: one for one in ItemState}
    if state not in known:
        raise Invalid({"state": f"It is one of {', '.join(known)}."})
    why = clean(reason).strip()[:_REASON] if known[state] is ItemState.EXPLAINED else ""
    if known[state] is ItemState.EXPLAINED and not why:
        raise Invalid({"reason": "Say in a few words why it is left out."})
    return known[state], why
