"""The refusals every edge knows how to say.

An action raises one of these; HTML, JSON and the command line each map them once. A message says what happened and what
to do next; it never carries a traceback and never a secret.
"""

from __future__ import annotations

from collections.abc import Mapping


class TocsinError(Exception):
    """A refusal that is meant to be shown to the person or program that asked."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotAllowed(TocsinError):
    """The actor lacks the right. `remedy` names who can help."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class NotFound(TocsinError):
    """The thing does not exist, or the actor may not know that it does; both look the same."""


class Refused(TocsinError):
    """The request is well formed, but the process or the present state does not permit it."""

    def __init__(self, message: str, *, reason: str = "refused", remedy: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.remedy = remedy


class Invalid(TocsinError):
    """The input is wrong. `fields` maps a dotted path ("steps.0.targets") to a sentence; "" is the whole."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__("; ".join(f"{path}: {text}" if path else text for path, text in self.fields.items()))


class Conflict(TocsinError):
    """Somebody changed the thing meanwhile; nothing was written."""
