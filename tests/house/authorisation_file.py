"""The one file that says who gets through where: read, compared, and written anew when asked to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.house.visitors import WHO

EXPECTED = Path(__file__).with_name("authorisation.yaml")
DOOR = "DOOR "
HEADING = f"""# Who gets through where. One line a route and verb; the columns are, in this order:
#   {" ".join(WHO)}
# + it happened or was shown, o the right was given and something else is missing or wrong, - refused or sent to sign in,
# . nothing there or something to say first, before any right was asked. After the columns: the rights that were asked.
# A verb that a route does not serve has no line. Before a DOOR the person's token, the key of an integration of the kind
# that the door is for, and that key after it was revoked ask; "other" is the key of an integration of another kind.
# AUTHORISATION_WRITE=1 pytest tests/house/test_authorisation*.py writes it anew; read what changed before you keep it.
"""


def expected(*, doors: bool = False) -> dict[str, str]:
    """What the file says, of the routes or of the doors."""
    lines: dict[str, str] = yaml.safe_load(EXPECTED.read_text(encoding="utf-8"))
    return {name: marks for name, marks in lines.items() if name.startswith(DOOR) == doors}


def compare(found: Mapping[str, str], *, doors: bool = False) -> None:
    """Fail with every line that is not what the file says; a line without marks is one that has to be absent."""
    if os.environ.get("AUTHORISATION_WRITE"):
        _keep(found)
    said = expected(doors=doors)
    wrong = [
        f"{name}: {said.get(name, '')} expected, {marks} found"
        for name, marks in found.items()
        if said.get(name, "") != marks
    ]
    assert not wrong, "\n".join([" ".join(WHO), *wrong])


def _keep(found: Mapping[str, str]) -> None:
    lines = {name: marks for name, marks in {**expected(), **expected(doors=True), **found}.items() if marks}
    ordered = sorted(lines.items(), key=lambda one: (one[0].startswith(DOOR), one[0].split(" ")[::-1]))
    EXPECTED.write_text(HEADING + "".join(f'"{name}": "{marks}"\n' for name, marks in ordered), encoding="utf-8")
