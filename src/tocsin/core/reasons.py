"""The pattern of a named reason: a decision says why, once for programs and once for people."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A reason that a decision carries. The member is its code; `text` is one sentence for logs and the timeline.

    Members are written `NAME = "code", "Sentence."`; the code is what is stored.
    """

    text: str

    def __new__(cls, code: str, text: str = "") -> Self:
        """Store the code as the value and keep the sentence beside it."""
        # The sentence has a default only so that `Cause("by_hand")`, the way back from a stored code, type-checks.
        member = str.__new__(cls, code)
        member._value_ = code
        member.text = text
        return member
