"""What the checks need of everything that was said and done in one response, kept ready and brought up to date.

The log only grows, so what was looked at once is not read again: a long night costs what it added since the last look.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from django.db.models import Max, Q

from tocsin.audit.models import Entry
from tocsin.core.facts import Kind
from tocsin.core.process_parts import BlameForm
from tocsin.core.wording import lint_blame
from tocsin.incidents.models import Incident

KEPT = 256
"""So many incidents are kept in memory; of one that is not, the log is read from its beginning."""
_TEXTS = (Kind.INCIDENT_NOTED, Kind.UPDATE_SENT, Kind.INCIDENT_RESOLVED)
_MOST_SUMMARIES = 50

Key = tuple[str, tuple[BlameForm, ...]]


@dataclass(frozen=True, slots=True)
class Heard:
    """An incident's log up to the entry `last` of that `mark`: who was active when, and which entries to look at again.

    The mark is the entry's hash in the chain, so it names everything before it; another log does not have it.
    Numbers are kept and no words: an entry that is redacted later says nothing more.
    """

    last: int = 0
    mark: str = ""
    active: dict[str, datetime] = field(default_factory=dict)
    blaming: tuple[int, ...] = ()
    summaries: tuple[int, ...] = ()

    def texts(self) -> tuple[tuple[int, str], ...]:
        """The words of the entries that may look for a guilty person, as they stand now."""
        rows = Entry.objects.filter(seq__in=self.blaming).order_by("seq").values_list("seq", "data")
        return tuple((seq, text) for seq, data in rows if (text := _text(data)))

    def summary_at(self) -> datetime | None:
        """When it was last said where things stand. An update counts even when its words were redacted."""
        stand = Q(data__isnull=False) | Q(kind=Kind.UPDATE_SENT)
        found: datetime | None = Entry.objects.filter(stand, seq__in=self.summaries).aggregate(at=Max("at"))["at"]
        return found


_kept: OrderedDict[Key, Heard] = OrderedDict()
_lock = Lock()


def heard(incident: Incident, forms: tuple[BlameForm, ...]) -> Heard:
    """What was said and done in that incident until now."""
    key = (incident.ref, forms)
    with _lock:
        before = _kept.get(key, Heard())
    found = _brought_up(incident, forms, before)
    with _lock:
        _kept[key] = found
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return found


def _brought_up(incident: Incident, forms: tuple[BlameForm, ...], before: Heard) -> Heard:
    newest = Entry.objects.filter(incident=incident.ref).order_by("-seq").values_list("seq", "hash").first()
    if newest is None or newest == (before.last, before.mark):
        return before if newest else Heard()
    if before.last and not Entry.objects.filter(seq=before.last, hash=before.mark, incident=incident.ref).exists():
        before = Heard()
    last, mark = newest
    fresh = Entry.objects.filter(incident=incident.ref, seq__gt=before.last, seq__lte=last)
    active = dict(fresh.order_by().values_list("actor").annotate(Max("at")))
    blaming, summaries = list(before.blaming), list(before.summaries)
    for seq, kind, data in fresh.filter(kind__in=_TEXTS).order_by("seq").values_list("seq", "kind", "data"):
        if lint_blame(_text(data), forms):
            blaming.append(seq)
        if kind == Kind.UPDATE_SENT or (kind == Kind.INCIDENT_NOTED and (data or {}).get("kind") == "state"):
            summaries.append(seq)
    return Heard(last, mark, _later(before.active, active), tuple(blaming), tuple(summaries[-_MOST_SUMMARIES:]))


def _later(one: dict[str, datetime], other: dict[str, datetime]) -> dict[str, datetime]:
    return {**one, **{actor: max(at, one.get(actor, at)) for actor, at in other.items()}}


def _text(data: dict[str, object] | None) -> str:
    return str((data or {}).get("text") or (data or {}).get("note") or "")
