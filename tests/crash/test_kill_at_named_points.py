"""kill -9 at each named point: nothing accepted is lost, repeats are rare and labelled (settled 30, faults F01 to F10)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.nodes import Mailbox, Node, mailbox
from tests.crash.story import Story
from tests.databases import postgresql
from tocsin.platform.crashpoints import CrashPoint

pytestmark = [pytest.mark.crash, pytest.mark.timeout(240)]

KILLS = 3
ALERTS = 2
BY_ACTION = {CrashPoint.DURING_INCIDENT_ACTION}


@pytest.fixture
def mails() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.mark.req("R-X-4")
@pytest.mark.xdist_group("crash")
@pytest.mark.parametrize("point", list(CrashPoint))
def test_nothing_accepted_is_lost_on_sqlite(point: CrashPoint, tmp_path: Path, mails: Mailbox) -> None:
    run([Node(tmp_path / "data", mails)], mails, point)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.mark.req("R-X-4")
@pytest.mark.xdist_group("crash-postgresql")
@pytest.mark.parametrize("point", list(CrashPoint))
def test_nothing_accepted_is_lost_with_two_nodes_on_postgresql(
    point: CrashPoint, tmp_path: Path, mails: Mailbox, server: str
) -> None:
    database = new_database(server, f"crash_{point.value}")
    run([Node(tmp_path / name, mails, database) for name in ("a", "b")], mails, point)


def run(nodes: list[Node], mails: Mailbox, point: CrashPoint, *, kills: int = KILLS) -> None:
    """Kill the first node `kills` times at `point` while alerts come in, then look at what is left."""
    story = Story(nodes, mails)
    victim = nodes[0]
    try:
        for node in nodes:
            node.start()
        story.set_up()
        for kill in range(kills):
            victim.stop()
            # The first visits may belong to the start itself; a later one finds the work under way.
            victim.start(crash=f"{point.value}:{1 + kill}")
            story.send(ALERTS + kill)
            if point in BY_ACTION:
                story.acknowledge_one()
            story.settle()
        assert deaths(nodes) or len(nodes) > 1, f"{point} was never visited"
        story.must_hold(kills=kills)
    finally:
        for node in nodes:
            node.kill()


def deaths(nodes: list[Node]) -> int:
    return sum(node.deaths for node in nodes)


def new_database(server: str, name: str) -> str:
    import psycopg

    from tocsin.wiring.settings import _postgresql

    parts = _postgresql(server)
    link = psycopg.connect(
        host=parts["HOST"], port=parts["PORT"] or None, user=parts["USER"], dbname=parts["NAME"], autocommit=True
    )
    with link, link.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    link.close()
    return server.replace(f"/{parts['NAME']}?", f"/{name}?")
