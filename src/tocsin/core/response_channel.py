"""The one place where the people of a coordinated incident talk: when there is one, and what is said in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from urllib.parse import quote

from tocsin.core.errors import Invalid
from tocsin.core.process_parts import SeverityScheme

OWN = "tocsin"
"""The adapter that is always there: the incident's own page and timeline."""
ROOM_OPEN, ROOM_POST, ROOM_INVITE, ROOM_TRY = "room.open", "room.post", "room.invite", "room.try"
"""Open a room, say something in one, invite somebody, and open and say in one go, to see whether the tool works."""
ROOM_KINDS = frozenset({ROOM_OPEN, ROOM_POST, ROOM_INVITE, ROOM_TRY})
_PLACES = frozenset({"ref", "number", "installation"})
_LONGEST_NAME = 80


def is_coordinated(scheme: SeverityScheme, severity: str) -> bool:
    """Whether the process wants a response of that severity to be coordinated."""
    found = scheme.by_code(severity)
    return found is not None and found.coordinator_required


def bridge_url(template: str, *, ref: str, number: int, installation: str) -> str:
    """The link of an incident's video call by the organisation's template; "" without one.

    Raises Invalid for a template with a place that is not known: a call in the wrong room is worse than none.
    """
    if not template:
        return ""
    try:
        asked = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as wrong:
        raise Invalid({"bridge": f"TOCSIN_BRIDGE_URL is not a template: {wrong}."}) from wrong
    if asked - _PLACES:
        known = ", ".join(f"{{{place}}}" for place in sorted(_PLACES))
        raise Invalid({"bridge": f"TOCSIN_BRIDGE_URL may hold {known}."})
    values = {"ref": ref.lower(), "number": str(number), "installation": installation}
    return template.format_map({name: quote(value, safe="") for name, value in values.items()})


def room_name(*, ref: str, title: str) -> str:
    """What people see in the list of rooms."""
    name = f"{ref} {title}"
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip() + "…"


def room_key(*, installation: str, number: int, part: str = "") -> str:
    """The name by which the tool knows the room for ever: the same at each try, another one in each installation."""
    return f"tocsin-{installation}-inc-{number}" + (f"-{part}" if part else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomFacts:
    """What the first message of a room tells."""

    ref: str
    title: str
    severity: str
    priority: str
    service: str
    url: str
    bridge: str = ""


def first_words(facts: RoomFacts) -> str:
    """Title, severity and link, where to talk, and what becomes of what is written here."""
    about = ", ".join(
        part for part in (f"Severity {facts.severity}", f"priority {facts.priority}", facts.service) if part
    )
    lines = [f"{facts.ref} {facts.title}", about, facts.url]
    if facts.bridge:
        lines.append(f"Video: {facts.bridge}")
    lines.append("What is written here is kept on the timeline. !decision TEXT keeps a decision, !help says more.")
    return "\n".join(lines)


_TOLD: Mapping[str, str] = {
    "resolved": "is resolved: it works again. Thank you.",
    "closed": "is closed. The record stays at",
    "cancelled": "was cancelled. The record stays at",
    "merged": "was merged into another incident. The record stays at",
}
OVER = frozenset(_TOLD)
FINAL = OVER - {"resolved"}
"""After these nothing more is told in the room."""


def words_of_state(*, ref: str, url: str, state: str, told: str) -> str:
    """What the room is told when the incident goes to `state` and `told` was told last; "" when it need not be told."""
    if state in OVER:
        return "" if state == told else f"{ref} {_TOLD[state]}" + (f" {url}" if state in FINAL else f"\n{url}")
    return f"{ref} is open again.\n{url}" if told in OVER else ""
