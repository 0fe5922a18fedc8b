"""An empty database gets the very schema that all migrations one after another would have given it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django.plugin import DjangoDbBlocker

pytestmark = pytest.mark.xdist_group("schema")

SHORT, LONG = "short", "long"
Description = dict[str, set[tuple[object, ...]]]


@pytest.fixture
def empty(tmp_path: Path, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Two empty databases of the kind that is tested."""
    with django_db_blocker.unblock():
        yield from _empty(tmp_path)


def _empty(folder: Path) -> Iterator[None]:
    for alias in (SHORT, LONG):
        name = f"{connection.settings_dict['NAME']}_{alias}"
        if connection.vendor == "postgresql":
            _execute(f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}"')
        else:
            name = str(folder / alias)
        connections.databases[alias] = {**connection.settings_dict, "NAME": name}
    yield
    for alias in (SHORT, LONG):
        name = connections[alias].settings_dict["NAME"]
        connections[alias].close()
        del connections[alias], connections.databases[alias]
        if connection.vendor == "postgresql":
            _execute(f'DROP DATABASE "{name}"')


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.usefixtures("empty")
def test_both_ways_end_with_the_same_schema() -> None:
    call_command("migrate", database=SHORT, interactive=False, verbosity=0)
    call_command(migrate.Command(), database=LONG, interactive=False, verbosity=0)
    short, long = _described(connections[SHORT]), _described(connections[LONG])
    assert len(short) > 50
    assert {name: found - long[name] for name, found in short.items() if found - long[name]} == {}
    assert {name: found - short[name] for name, found in long.items() if found - short[name]} == {}
    assert _applied(connections[SHORT]) == _applied(connections[LONG])


@pytest.mark.usefixtures("empty")
def test_a_kill_in_between_leaves_an_empty_database(monkeypatch: pytest.MonkeyPatch) -> None:
    from tocsin.platform import schema

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "_by_hand", killed)
    with pytest.raises(KeyboardInterrupt):
        schema.make_whole(connections[SHORT])
    assert schema.is_empty(connections[SHORT])


def _applied(one: BaseDatabaseWrapper) -> set[tuple[object, ...]]:
    return set(_rows(one, "SELECT app, name FROM django_migrations"))


def _rows(one: BaseDatabaseWrapper, query: str) -> list[tuple[object, ...]]:
    with one.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def _described(one: BaseDatabaseWrapper) -> Description:
    return _of_postgresql(one) if one.vendor == "postgresql" else _of_sqlite(one)


def _of_sqlite(one: BaseDatabaseWrapper) -> Description:
    found: Description = {}
    for kind, name, table, sql in _rows(one, "SELECT type, name, tbl_name, sql FROM sqlite_master"):
        if sql is None:
            continue  # the index of a constraint that stands in its table
        parts = found.setdefault(str(table), set())
        if kind == "table":
            parts.update(("part", part) for part in _parts(str(sql)))
        else:
            parts.add((kind, name, _even(str(sql))))
    return found


def _parts(sql: str) -> list[str]:
    """What stands between the outer brackets of a CREATE TABLE, parted at its outer commas."""
    inner = sql[sql.index("(") + 1 : sql.rindex(")")]
    parts, depth, begin = [], 0, 0
    for at, sign in enumerate(inner):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append(inner[begin:at])
            begin = at + 1
    return [_even(part) for part in [*parts, inner[begin:]]]


def _even(sql: str) -> str:
    """Without the differences that rebuilding a table makes to spaces and quotes."""
    return re.sub(r"\s+", " ", sql.replace('"', "")).strip()


_POSTGRESQL = (
    """SELECT table_name, 'column', column_name, data_type, is_nullable, column_default, is_identity,
    character_maximum_length FROM information_schema.columns WHERE table_schema = 'public'""",
    "SELECT tablename, 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    """SELECT conrelid::regclass::text, 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace""",
    "SELECT tgrelid::regclass::text, 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT 'functions', 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
)


def _of_postgresql(one: BaseDatabaseWrapper) -> Description:
    found: Description = {}
    for query in _POSTGRESQL:
        for table, *rest in _rows(one, query):
            # Of Django's groups, which nobody here uses, the keys are of another width by the long way.
            if not str(table).startswith("auth_"):
                found.setdefault(str(table), set()).add(tuple(rest))
    return found
