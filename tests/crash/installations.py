"""An installation that is set up once and copied for each test: migrations are not what is tested here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from tests.crash.nodes import Node, mailbox
from tests.crash.story import Story


@dataclass(frozen=True, slots=True)
class Prepared:
    """A stopped installation: its folder, its database's address where it has one, and the sender's key."""

    data: Path
    key: str
    database: str = ""


def on_sqlite(data: Path) -> Prepared:
    return _set_up(data)


def on_postgresql(data: Path, server: str) -> Prepared:
    return _set_up(data, new_database(server, "crash_template"))


def _set_up(data: Path, database: str = "") -> Prepared:
    with mailbox() as box:
        node = Node(data, box, database)
        node.start()
        story = Story([node], box)
        try:
            story.set_up()
        finally:
            node.stop()
    return Prepared(data, story.key, database)


def new_database(server: str, name: str, *, template: str = "template1") -> str:
    """Create a database beside the one `server` names; returns its address."""
    with psycopg.connect(_conninfo(server, "postgres"), autocommit=True) as link:
        link.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return address_of(server, name)


def copy_database(address: str, name: str) -> str:
    return new_database(address, name, template=name_of(address))


def name_of(address: str) -> str:
    return address.partition("?")[0].rpartition("/")[2]


def address_of(server: str, name: str) -> str:
    before, mark, query = server.partition("?")
    return f"{before.rpartition('/')[0]}/{name}{mark}{query}"


def _conninfo(server: str, name: str) -> str:
    return make_conninfo(address_of(server, name))
