"""The body of `POST /api/v2/alerts` (Alertmanager's API v2, contracts B.1), decoded and judged alert by alert.

The door decodes to tell the sender what is wrong; the fold decodes the stored body again and finds the same alerts
valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

MOST_KEYS = 1000
MOST_BYTES = 64 * 1024
_TOLD_AS = ("summary", "message", "title", "description")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# An escape of JSON: a whole surrogate pair, half of one (the group), or anything else.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


class _Posted(msgspec.Struct):
    labels: dict[str, str]
    annotations: dict[str, str] | None = None
    starts_at: datetime | None = msgspec.field(name="startsAt", default=None)
    ends_at: datetime | None = msgspec.field(name="endsAt", default=None)
    generator_url: str | None = msgspec.field(name="generatorURL", default=None)


class PostedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One valid alert. Labels hold no empty value; times are aware UTC, None where the sender named none."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime | None
    ends_at: datetime | None
    generator_url: str
    received_at: datetime

    @property
    def name(self) -> str:
        return self.labels.get("alertname") or next(iter(self.labels.values()))

    @property
    def summary(self) -> str:
        """What the sender tells people, under the names in use."""
        return next((text for name in _TOLD_AS if (text := self.annotations.get(name, ""))), "")


@dataclass(frozen=True, slots=True)
class Decoded:
    """The valid alerts in their order, and for each wrong one its index and what is wrong."""

    alerts: Sequence[PostedAlert]
    errors: Sequence[tuple[int, str]]


class Unreadable(ValueError):
    """The body is no list of alerts at all."""


_all_at_once = msgspec.json.Decoder(list[_Posted])
_one_by_one = msgspec.json.Decoder(list[msgspec.Raw])
_one = msgspec.json.Decoder(_Posted)


def decode(body: bytes, *, received_at: datetime) -> Decoded:
    """The alerts in `body`. Raises Unreadable when it is not a JSON array (NaN, too deep, ...)."""
    alerts: list[PostedAlert] = []
    errors: list[tuple[int, str]] = []
    careful = len(body) > MOST_BYTES or b"\x00" in body or b"\\u0000" in body
    for index, posted in enumerate(_parsed(body)):
        problem = posted if isinstance(posted, str) else _problem(posted, careful=careful)
        if problem or isinstance(posted, str):
            errors.append((index, problem))
            continue
        alert = _alert(posted, received_at)
        if alert.starts_at and alert.ends_at and alert.ends_at < alert.starts_at:
            errors.append((index, "start time must be before end time"))
        else:
            alerts.append(alert)
    return Decoded(alerts, errors)


def _parsed(body: bytes) -> Iterator[_Posted | str]:
    """Each element as an alert, or as the text of what is wrong with it. The common, valid body is decoded in one go."""
    try:
        yield from _all_at_once.decode(body)
        return
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        parts = _one_by_one.decode(_whole_characters(body))
    except RecursionError:
        raise Unreadable("the body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from None
    for part in parts:
        yield _single(part)


def _whole_characters(body: bytes) -> bytes:
    """`body` with U+FFFD for each escaped half of a surrogate pair and for bytes that are no UTF-8.

    Odd text of one alert must not keep it, and all those posted with it, from people.
    """
    if not body.isascii():
        body = body.decode("utf-8", "replace").encode()
    return _ESCAPE.sub(lambda found: b"\\ufffd" if found[1] else found[0], body)


def _single(part: msgspec.Raw) -> _Posted | str:
    try:
        return _one.decode(part)
    except RecursionError:
        return "nested too deeply"
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return str(error)


def _problem(posted: _Posted, *, careful: bool) -> str:
    """What makes the alert invalid; empty when nothing does. `careful` adds the checks a small clean body cannot fail."""
    if not any(posted.labels.values()):
        return "at least one label pair required"
    if len(posted.labels) + len(posted.annotations or ()) > MOST_KEYS:
        return f"more than {MOST_KEYS} labels and annotations"
    for names in (posted.labels, posted.annotations or {}):
        for name in names:
            if name not in _known_names and not _new_name(name):
                return f"invalid label name {name[:100]!r}"
    return _size_problem(posted) if careful else ""


_known_names: set[str] = set()


def _new_name(name: str) -> bool:
    """True when `name` is a label's name; remembered, because senders use the same few again and again."""
    if not _LABEL_NAME.fullmatch(name):
        return False
    if len(_known_names) < 10_000 and len(name) < 100:
        _known_names.add(name)
    return True


def _size_problem(posted: _Posted) -> str:
    pairs = [*posted.labels.items(), *(posted.annotations or {}).items()]
    if sum(len(name) + len(value) for name, value in pairs) + len(posted.generator_url or "") > MOST_BYTES:
        return f"more than {MOST_BYTES} characters"
    if any("\x00" in value for _, value in pairs) or "\x00" in (posted.generator_url or ""):
        return "a value contains a NUL character"
    return ""


def _alert(posted: _Posted, received_at: datetime) -> PostedAlert:
    labels = posted.labels
    if "" in labels.values():
        labels = {name: value for name, value in labels.items() if value}
    return PostedAlert(
        labels=labels,
        annotations=posted.annotations or {},
        starts_at=_instant(posted.starts_at),
        ends_at=_instant(posted.ends_at),
        generator_url=posted.generator_url or "",
        received_at=received_at,
    )


def _instant(given: datetime | None) -> datetime | None:
    """`given` in UTC. The zero time of Go (year 1) stands for absent; a time without a zone is taken as UTC."""
    if given is None or given.year <= 1 or given.year >= 9999:  # the outermost years cannot be moved between zones
        return None
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
