"""What a rule of classification may look at: how many users, how many teams. Who the customer is stays out of it.

The same trouble is answered in the same way for everybody. A person may still decide otherwise for one important
customer: as an exception with a reason, which is read again in the review.
"""

from __future__ import annotations

from tocsin.core.document_reading import Cursor

BANDS = ("users_share_min", "teams_min")
CRITERIA = ("users_affected", "teams_required", "coordinator_required")
_ABOUT_CUSTOMERS = ("customer", "client", "tier", "revenue", "contract", "account", "requester", "vip")


def check_inputs(at: Cursor) -> None:
    """Note every band, criterion and sign of the section `severities` that is not among those a rule may use."""
    for item in at.at("severities").items():
        for section, known in (("bands", BANDS), ("criteria", CRITERIA)):
            for name, inside in item.at(section).entries() if item.has(section) else ():
                if name not in known:
                    _note(inside, name, known)
    for sign in at.at("complexity_signs").items() if at.has("complexity_signs") else ():
        code = sign.at("code").value
        if isinstance(code, str) and is_about_customers(code):
            _note(sign.at("code"), code, ())


def is_about_customers(name: str) -> bool:
    """Whether the name of an input speaks of who the customer is."""
    words = name.casefold().replace("-", "_").split("_")
    return any(word in words or f"{word}s" in words for word in _ABOUT_CUSTOMERS)


def _note(at: Cursor, name: str, known: tuple[str, ...]) -> None:
    if is_about_customers(name):
        message = (
            f"{name!r} says who the customer is, and no rule of classification may look at that; "
            "a person may decide otherwise for one customer, as an exception with a reason"
        )
        at.note("customer_class", message)
    else:
        at.note("known_input", f"{name!r} is nothing a severity is judged by; there are {', '.join(known)}")
