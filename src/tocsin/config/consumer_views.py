"""The kind ConsumerView: how a team sees the SLOs of others, kept beside its own files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from tocsin.config.parts import WORDS, priority, rank_or_none
from tocsin.core.access import Actor
from tocsin.core.consumer_views import Strategy
from tocsin.slo import actions
from tocsin.slo.actions import Said
from tocsin.slo.consumers import possible_keys
from tocsin.slo.models import ConsumerView
from tocsin.slo.openslo import Document
from tocsin.slo.openslo.checks import free, list_of, record
from tocsin.slo.openslo.nodes import Node
from tocsin.slo.openslo.schema_head import NAME

KIND = "ConsumerView"

_VIEW = record(
    {"slo": WORDS, "priority": priority, "because": WORDS},
    {"degradesTo": WORDS, "notify": WORDS},
)
SCHEMA = record(
    {
        "apiVersion": WORDS,
        "kind": WORDS,
        "metadata": record({"name": NAME, "team": WORDS}, {"annotations": free, "labels": free}),
        "spec": record({"views": list_of(_VIEW)}, {"consumer": WORDS}),
    }
)


def consumer_of(document: Document) -> str:
    """Who speaks: the team of the file, unless it says that one of its services or groups does."""
    return document.node.text_at("spec", "consumer") or f"team:{document.node.text_at('metadata', 'team')}"


def entries(
    actor: Actor, document: Document, *, now: datetime
) -> Iterator[tuple[str, str, Callable[[], object], bool]]:
    """(title, origin, what to do, whether a view stands already) for each view of a file."""
    consumer = consumer_of(document)
    names = possible_keys(consumer)
    for entry in document.node.items_at("spec", "views"):
        slo = entry.text_at("slo")
        stands = ConsumerView.objects.filter(objective__name=slo, consumer__in=names, valid_until=None).exists()

        def act(slo: str = slo, entry: Node = entry) -> object:
            return actions.state_view(actor, slo=slo, consumer=consumer, said=_said(entry), now=now)

        yield f"view of {consumer} on {slo}", f"{document.file}:{entry.line}", act, stands


def _said(entry: Node) -> Said:
    """The strategy follows from what is written: a group that is told, else a way to work on, else none yet."""
    given = entry.get("priority")
    rank = rank_or_none(given) if given is not None else None
    notify, degraded = entry.text_at("notify"), entry.text_at("degradesTo")
    strategy = Strategy.OWN_GROUP.value if notify else Strategy.ADAPTIVE_CAPACITY.value if degraded else ""
    return Said(
        decision="none" if rank is None else "set",
        priority=rank,
        reason=entry.text_at("because"),
        strategy=strategy,
        degrades_to=degraded,
        notify=notify,
    )
