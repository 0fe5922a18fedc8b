"""The body of `POST /v2/enqueue` and `/v2/change/enqueue` (PagerDuty's Events API v2, contracts B.3), judged.

The journal keeps what was judged, in a form of its own: the routing key is a secret and stays out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

ROUTING_KEY = 32
MOST_BODY = 512 * 1024
_LONGEST_DEDUP_KEY = 255
_LONGEST_SUMMARY = 1024
_LONGEST_TEXT = 2000
_MOST_DETAILS = 64 * 1024
SEVERITIES = ("critical", "error", "warning", "info")


class EventAction(StrEnum):
    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class PostedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One valid event. `labels` say what it is about (source, severity, component, group, class, ...)."""

    action: EventAction
    dedup_key: str
    summary: str = ""
    severity: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    url: str = ""


class PostedChange(msgspec.Struct, frozen=True, kw_only=True):
    """Something was changed (a deploy, a setting): no alert, but worth knowing while something is wrong."""

    summary: str
    source: str = ""
    url: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """The routing key as it came, and what is wrong with the event; `event` or `change` when nothing is."""

    routing_key: str
    errors: tuple[str, ...] = ()
    event: PostedEvent | None = None
    change: PostedChange | None = None


_any = msgspec.json.Decoder()
_event = msgspec.json.Decoder(PostedEvent)
_change = msgspec.json.Decoder(PostedChange)


def judge_event(body: bytes, *, new_key: str) -> Judged:
    """`new_key` becomes the deduplication key of a trigger that names none."""
    document = _document(body)
    if document is None:
        return Judged("", ("The body is not a JSON object",))
    key, errors = _routing_key(document)
    action = _text(document.get("event_action"))
    if action not in set(EventAction):
        errors.append(f"'event_action' must be one of {', '.join(EventAction)}")
    dedup_key = document.get("dedup_key")
    if dedup_key is not None and (not isinstance(dedup_key, str) or len(dedup_key) > _LONGEST_DEDUP_KEY):
        errors.append(f"'dedup_key' must be a string of at most {_LONGEST_DEDUP_KEY} characters")
    elif not dedup_key and action in {EventAction.ACKNOWLEDGE, EventAction.RESOLVE}:
        errors.append(f"'dedup_key' is missing or blank; it is required to {action}")
    payload = document.get("payload")
    if action == EventAction.TRIGGER:
        errors += _payload_faults(payload)
    if errors:
        return Judged(key, tuple(errors))
    return Judged(key, event=_made(EventAction(action), str(dedup_key or new_key), payload or {}, document))


def judge_change(body: bytes) -> Judged:
    """A change event: only the routing key and a summary are required."""
    document = _document(body)
    if document is None:
        return Judged("", ("The body is not a JSON object",))
    key, errors = _routing_key(document)
    payload = document.get("payload")
    summary = payload.get("summary") if isinstance(payload, dict) else None
    if not isinstance(summary, str) or not summary.strip():
        errors.append("'payload.summary' is missing or blank")
    if errors or not isinstance(payload, dict):
        return Judged(key, tuple(errors))
    source, details = _text(payload.get("source")), _details(payload.get("custom_details"))
    url = _first_link(document)
    return Judged(
        key, change=PostedChange(summary=_text(summary)[:_LONGEST_SUMMARY], source=source, url=url, details=details)
    )


def to_bytes(one: PostedEvent | PostedChange) -> bytes:
    """As the journal keeps it."""
    return msgspec.json.encode(one)


def event_from_bytes(body: bytes) -> PostedEvent:
    return _event.decode(body)


def change_from_bytes(body: bytes) -> PostedChange:
    return _change.decode(body)


def _document(body: bytes) -> dict[str, Any] | None:
    """The object in `body`; bytes that are no characters are replaced, so that odd text keeps no event out."""
    try:
        found = _any.decode(body if body.isascii() else body.decode("utf-8", "replace").encode())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _routing_key(document: Mapping[str, Any]) -> tuple[str, list[str]]:
    key = document.get("routing_key")
    if not isinstance(key, str) or not key:
        return "", ["'routing_key' is missing or blank"]
    if len(key) != ROUTING_KEY:
        return "", [f"Length of 'routing_key' is incorrect (should be {ROUTING_KEY} characters)"]
    return key, []


def _payload_faults(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    faults = [
        f"'payload.{name}' is missing or blank"
        for name in ("summary", "source", "severity")
        if not isinstance(payload.get(name), str) or not payload[name].strip()
    ]
    severity = payload.get("severity")
    if isinstance(severity, str) and severity.strip() and severity.lower() not in SEVERITIES:
        faults.append(f"'payload.severity' must be one of {', '.join(SEVERITIES)}")
    return faults


def _made(action: EventAction, dedup_key: str, payload: Any, document: Mapping[str, Any]) -> PostedEvent:
    """A longer summary than the format allows is cut and not refused: better a cut alert than none."""
    payload = payload if isinstance(payload, dict) else {}
    summary = _text(payload.get("summary"))[:_LONGEST_SUMMARY]
    details = payload.get("custom_details")
    labels = {name: _text(payload.get(name))[:_LONGEST_TEXT] for name in ("source", "component", "group", "class")}
    labels |= {"severity": _text(payload.get("severity")).lower(), "dedup_key": dedup_key}
    if isinstance(details, dict):
        labels |= {name: _text(details.get(name))[:_LONGEST_TEXT] for name in ("priority", "service", "region")}
    labels["alertname"] = labels["class"] or summary[:300] or dedup_key
    annotations = {
        "summary": summary,
        "description": _details(details),
        "client": _text(document.get("client"))[:_LONGEST_TEXT],
        "timestamp": _text(payload.get("timestamp"))[:_LONGEST_TEXT],
        "links": " ".join(_links(document))[:_MOST_DETAILS],
    }
    return PostedEvent(
        action=action,
        dedup_key=dedup_key,
        summary=summary,
        severity=labels["severity"],
        labels={name: value for name, value in labels.items() if value},
        annotations={name: value for name, value in annotations.items() if value},
        url=_text(document.get("client_url")) or _first_link(document),
    )


def _text(value: Any) -> str:
    """A value as text; what is no text or number is nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def _details(value: Any) -> str:
    """What the sender tells beyond, one line for each name."""
    if isinstance(value, dict):
        lines = [f"{name}: {_text(one) or msgspec.json.encode(one).decode()}" for name, one in value.items()]
        return "\n".join(lines)[:_MOST_DETAILS]
    return _text(value)[:_MOST_DETAILS]


def _links(document: Mapping[str, Any]) -> list[str]:
    links = document.get("links")
    found = [one.get("href") for one in links if isinstance(one, dict)] if isinstance(links, list) else []
    return [href for href in found if isinstance(href, str) and href]


def _first_link(document: Mapping[str, Any]) -> str:
    return next(iter(_links(document)), "")
