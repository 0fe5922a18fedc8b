"""The role schemes that ship with the product, as sections to propose, and how their roles map onto each other."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tocsin.core.errors import NotFound
from tocsin.core.process_definition import ProcessDefinition
from tocsin.process.defaults import SCHEMES, default_document, role_scheme


@dataclass(frozen=True, slots=True)
class RoleScheme:
    """A scheme by its code. `roles` are (code, name); `called` as in the six-role scheme, in this one."""

    code: str
    name: str
    fits: str
    roles: tuple[tuple[str, str], ...]
    mapping: Mapping[str, str]


def schemes() -> list[RoleScheme]:
    """Every shipped scheme."""
    return [_scheme(code) for code in SCHEMES]


def _scheme(code: str) -> RoleScheme:
    written, section = role_scheme(code), sections(code)["roles"]
    roles = tuple((one["code"], one["display_name"]) for one in section["roles"] if not one.get("optional"))
    return RoleScheme(code, written["name"], written["fits"], roles, section["six_role_mapping"])


def sections(code: str, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The sections `roles` and `questions` of `document` (the shipped one when None) in the scheme `code`.

    Questions keep their words; what they answer follows the scheme. Raises NotFound for an unknown scheme.
    """
    if code not in SCHEMES:
        raise NotFound(f"There is no role scheme {code!r}; there are {', '.join(SCHEMES)}.")
    basis, scheme = document or default_document(), role_scheme(code)["sections"]
    questions = copy.deepcopy(basis["questions"])
    for question in questions["process_questions"]:
        question["machine"] = scheme.get("answers", {}).get(question["code"], question["machine"])
        question["answer"] = scheme.get("texts", {}).get(question["code"], question["answer"])
    return {"roles": copy.deepcopy(scheme.get("roles", basis["roles"])), "questions": questions}


def scheme_of(process: ProcessDefinition) -> str:
    """The shipped scheme a process follows, by the codes of its roles; "" for one of its own."""
    called = {role.code for role in process.roles.roles if not role.optional}
    return next((one.code for one in schemes() if {code for code, _ in one.roles} == called), "")
