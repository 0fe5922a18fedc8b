"""Route by verb by who asks: what `authorisation.yaml` says of each is what happens, in a house with one of each thing.

A route that is not in the file fails unless it answers that it does not serve the verb, and so does a line whose route
is gone. With AUTHORISATION_WRITE=1 in the environment the file is written anew; read what changed before you keep it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.template.backends.django import Template
from pytest_django.plugin import DjangoDbBlocker

from tests.conftest import START
from tests.house import one_of_each
from tests.house.authorisation_file import compare, expected
from tests.house.one_of_each import House
from tests.house.route_table import body, table
from tests.house.visitors import NOT_SERVED, WHO, Asked, Visitor, everybody, remember_who_asks
from tocsin.core.access import TABLE, Role
from tocsin.platform import clock as clocks

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]

PARTS = 4
"""The routes are asked in so many tests, so that several processes share them; each builds its house once."""
SEE_WHAT_A_READER_SEES = ("other_team", "responder", "owner", "process_owner")
"""What a reader is shown without any right but a reader's is shown to these, too; they have a reader's rights."""
EVERYBODY_LOOKS = bool(os.environ.get("AUTHORISATION_WRITE") or os.environ.get("AUTHORISATION_ALL"))
"""Ask for each of them all the same: before the file is written, and when it has to be certain; it takes half as long again."""
NO_RIGHT_ASKED = {
    "api/v1/$": "nothing is there",
    "hand-overs?/": "between the two people it names",
    "take-overs/|roles/asks/": "between the two people it names",
    "(issues|tensions)/.*settle": "whoever noted it, and whoever coordinates; to others it is not there",
    "people/(prompts|answer)": "whom the prompt is about, and whoever coordinates; to others it is not there",
    "rounds$": "members of the team that provides it",
    "process/check$|whatif$|map/change$": "works something out and keeps nothing",
    "process/surveys/": "whoever was asked",
    "versions/<number>/acknowledge": "whoever was told",
    "DELETE api/v1/slos/": "refused to everybody: an SLO is retired",
    "POST chat/": "the tool's own secret; tests/edges/test_chat_slack.py and its neighbours",
    "i/.*/authorities/": "no regime is switched on here; the API's line has the right",
    "POST me$": "one's own settings",
    "POST p/|POST unsubscribe/": "the bearer of a link that was sent",
    "map/undo$": "what the same browser decided a moment ago; nothing, here",
}
"""Routes that change something and ask for no right of the table, each with its reason. Reviewed by hand."""


@pytest.fixture(scope="module")
def asked(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[House, list[Visitor]]]:
    """The house and who asks, once for the file. What pages look like is not asked here."""
    clock = clocks.WoundClock(START)
    former = clocks.install(clock)
    with django_db_blocker.unblock(), transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        visitors = everybody(clock.now())
        house = one_of_each.build(clock.now())
        patch.setattr(Template, "render", lambda *_args, **_kwargs: "")
        Asked.listen(patch)
        remember_who_asks(patch)
        clock.wind(timedelta(minutes=1))
        yield house, visitors
        transaction.set_rollback(True)
    clocks.install(former)


def line(house: House, visitors: list[Visitor], verb: str, route: str) -> str:
    """What came of it for each, and which rights the administrator was asked for; empty where nobody is served."""
    path, sent, found = house.address(route), body(verb, route), dict[str, str]()
    admin, reader = (next(one for one in visitors if one.name == name) for name in ("admin", "reader"))
    found["admin"] = admin.ask(verb, path, sent)
    rights = Asked.rights()
    if found["admin"] == NOT_SERVED:
        stranger = visitors[0].ask(verb, path, sent)
        return "" if stranger in {NOT_SERVED, "-"} else f"not served, but a stranger gets {stranger}"
    found["reader"] = reader.ask(verb, path, sent)
    if verb == "GET" and found["reader"] == "+" and not Asked.rights() and not EVERYBODY_LOOKS:
        found |= dict.fromkeys(SEE_WHAT_A_READER_SEES, "+")
    found |= {one.name: one.ask(verb, path, sent) for one in visitors if one.name not in found}
    return " ".join([found[name] for name in WHO] + rights)


def test_the_file_names_no_route_that_is_gone() -> None:
    assert set(expected()) <= {f"{verb} {route}" for verb, route in table()}


def test_whatever_changes_something_asks_for_a_right_before_anything_else() -> None:
    """A dot in the column of a person would say: what was sent was judged, or looked for, before the right was."""
    silent = [name for name, marks in expected().items() if not name.startswith("GET ") and ":" not in marks]
    assert [name for name in silent if not any(re.search(door, name) for door in NO_RIGHT_ASKED)] == []
    assert [door for door in NO_RIGHT_ASKED if not any(re.search(door, name) for name in silent)] == []
    asking = {name: marks for name, marks in expected().items() if not name.startswith("GET ") and ":" in marks}
    assert [name for name, marks in asking.items() if "." in marks.split()] == []


def test_everybody_who_works_here_has_the_rights_of_a_reader() -> None:
    """What a reader sees is asked for the reader, the auditor and the administrator alone."""
    for role in (Role.RESPONDER, Role.TEAM_OWNER, Role.PROCESS_OWNER, Role.COACH, Role.ADMIN):
        assert TABLE[Role.READER] <= TABLE[role]


def test_an_auditor_changes_nothing_but_what_is_their_own() -> None:
    column = WHO.index("auditor")
    writes = {name: marks.split()[column] for name, marks in expected().items() if not name.startswith("GET ")}
    own = re.compile(
        "POST (me(/chat-accounts)?|api/v1/process/check|api/v1/slos/<name>/whatif|priorities/map/(change|undo))$"
    )
    assert [name for name, sign in writes.items() if sign in {"+", "o"} and not own.search(name)] == []


@pytest.mark.req("R-X-5")
@pytest.mark.parametrize("part", range(PARTS))
def test_everybody_gets_through_where_the_file_says_and_nowhere_else(
    asked: tuple[House, list[Visitor]], part: int
) -> None:
    found = {f"{verb} {route}": line(*asked, verb, route) for verb, route in table()[part::PARTS]}
    compare(found)
