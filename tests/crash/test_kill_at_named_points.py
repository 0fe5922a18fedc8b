"""kill -9 at each named point: nothing accepted is lost, repeats are rare and labelled (settled 30, faults F01 to F10)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash import installations
from tests.crash.installations import Prepared
from tests.crash.nodes import Mailbox, Node, mailbox
from tests.crash.story import Story
from tests.databases import postgresql
from tocsin.platform.crashpoints import CrashPoint

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

KILLS = 2
ALERTS = 2
BY_ACTION = {CrashPoint.DURING_INCIDENT_ACTION}


@pytest.fixture
def mails() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return installations.on_sqlite(tmp_path_factory.mktemp("prepared") / "data")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    with postgresql() as url:
        yield installations.on_postgresql(tmp_path_factory.mktemp("prepared") / "data", url)


@pytest.mark.req("R-X-4")
@pytest.mark.parametrize("point", list(CrashPoint))
def test_nothing_accepted_is_lost_on_sqlite(
    point: CrashPoint, tmp_path: Path, mails: Mailbox, embedded: Prepared
) -> None:
    shutil.copytree(embedded.data, tmp_path / "data")
    run([Node(tmp_path / "data", mails)], mails, point, embedded.key)


@pytest.mark.req("R-X-4")
@pytest.mark.parametrize("point", list(CrashPoint))
def test_nothing_accepted_is_lost_with_two_nodes_on_postgresql(
    point: CrashPoint, tmp_path: Path, mails: Mailbox, shared: Prepared
) -> None:
    database = installations.copy_database(shared.database, f"crash_{point.value}")
    run([Node(tmp_path / name, mails, database) for name in ("a", "b")], mails, point, shared.key)


def run(nodes: list[Node], mails: Mailbox, point: CrashPoint, key: str, *, kills: int = KILLS) -> None:
    """Kill the first node `kills` times at `point` while alerts come in, then look at what is left."""
    story = Story(nodes, mails, key)
    victim = nodes[0]
    try:
        for node in nodes[1:]:
            node.start()
        for kill in range(kills):
            victim.stop()
            # A later visit each time: the first may belong to an idle moment, a later one finds work under way.
            victim.start(crash=f"{point.value}:{1 + kill}")
            story.send(ALERTS + kill)
            if point in BY_ACTION:
                story.acknowledge_one()
            story.settle()
        assert sum(node.deaths for node in nodes) or len(nodes) > 1, f"{point} was never visited"
        story.must_hold(kills=kills)
    finally:
        for node in nodes:
            node.kill()
