"""The cheap way for what arrives most: an alert that fires and is told again.

Which alerts fire is remembered between batches, so that a mere repeat asks the database nothing and costs one narrow
update. What is remembered may be old (another node, a rollback, time): each update names the row, its key and its state,
and when one of them finds nothing the whole batch goes the careful way instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from tocsin.alerts import snapshots
from tocsin.alerts.models import Alert, AlertState
from tocsin.alerts.posted_alerts import PostedAlert
from tocsin.core import alert_state
from tocsin.core.alert_state import AlertDecision, AlertKind, Incoming, KnownAlert

MOST_REMEMBERED = 100_000
_TABLE = Alert._meta.db_table  # noqa: SLF001 - the table's name, from Django's own meta
_REPEAT = (
    f"UPDATE {_TABLE} SET occurrences = occurrences + %s, ends_at = %s, end_said = %s, last_received_at = %s "  # noqa: S608
    "WHERE id = %s AND dedup_key = %s AND state = 'firing'"
)


@dataclass(frozen=True, slots=True)
class Keyed:
    """A message with the key and the fingerprint of its alert."""

    key: str
    mark: str
    alert: PostedAlert


@dataclass(slots=True)
class Repeat:
    """How often an alert was told again, and what was said of its end and heard of it last."""

    key: str
    pk: int
    ends_at: datetime
    end_said: bool
    last_received_at: datetime
    times: int = 1

    def again(self, decision: AlertDecision, received_at: datetime) -> None:
        self.ends_at, self.end_said, self.last_received_at = decision.ends_at, decision.end_said, received_at
        self.times += 1


class _Stale(Exception):
    """Something remembered is not so any more."""


_firing: dict[str, tuple[int, KnownAlert]] = {}


def take_repeats(messages: Sequence[Keyed]) -> Sequence[Keyed]:
    """Write down the mere repeats among `messages`; returns the others, in their order, for the careful way."""
    repeats, others = _sorted_out(messages)
    try:
        with transaction.atomic():
            write(repeats)
    except _Stale:
        _firing.clear()
        return messages
    return others


def _sorted_out(messages: Sequence[Keyed]) -> tuple[Iterable[Repeat], list[Keyed]]:
    """Once something else than a repeat is said of an alert, whatever is said of it later goes the careful way too."""
    repeats: dict[str, Repeat] = {}
    others: list[Keyed] = []
    careful: set[str] = set()
    for message in messages:
        key, alert = message.key, message.alert
        known = _firing.get(key)
        if known is None or key in careful:
            others.append(message)
            continue
        said = Incoming(alert.starts_at, alert.ends_at)
        decision = alert_state.decide(known[1], said, now=alert.received_at)
        if decision.kind is not AlertKind.REPEAT:
            careful.add(key)
            others.append(message)
        elif (repeat := repeats.get(key)) is not None:
            repeat.again(decision, alert.received_at)
        else:
            repeats[key] = Repeat(key, known[0], decision.ends_at, decision.end_said, alert.received_at)
    return repeats.values(), others


def write(repeats: Iterable[Repeat]) -> None:
    """Count the repeats and move the announced ends, inside a transaction. Raises when one of the alerts is not firing."""
    stored = _stored if connection.vendor == "sqlite" else connection.ops.adapt_datetimefield_value
    rows = [
        (one.times, stored(one.ends_at), one.end_said, stored(one.last_received_at), one.pk, one.key) for one in repeats
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.executemany(_REPEAT, rows)
        if cursor.rowcount != len(rows):
            raise _Stale


def _stored(instant: datetime) -> str:
    """As Django stores an instant in UTC on SQLite, at a tenth of the cost."""
    return str(instant)[:-6]


def remember(rows: Iterable[Alert]) -> None:
    """Once the present transaction has committed: these alerts fire, or no longer do."""
    news = {row.dedup_key: (row.pk, snapshots.known_alert(row), row.state == AlertState.FIRING) for row in rows}

    def keep() -> None:
        if len(_firing) + len(news) > MOST_REMEMBERED:
            _firing.clear()
        for key, (pk, known, firing) in news.items():
            if firing:
                _firing[key] = (pk, known)
            else:
                _firing.pop(key, None)

    transaction.on_commit(keep)
