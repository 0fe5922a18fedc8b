"""Writing many rows that are known by their keys, each its own values, in one statement.

Django's `bulk_update` builds a CASE for each column and row; with thousands of rows that is minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, Field, Model


def _writer(column: Field[Any, Any]) -> Callable[[Any], Any]:
    """How a value is written; moments are mostly the same few, and making text of them takes long."""
    write = partial(column.get_db_prep_save, connection=connection)
    return lru_cache(maxsize=64)(write) if isinstance(column, DateTimeField) else write


def update_many(model: type[Model], fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Set `fields` of the rows whose primary keys stand last in `rows`: (value of each field..., key)."""
    known = {one.name: one for one in model._meta.concrete_fields}  # noqa: SLF001 - Django's public way to its fields
    columns = [known[name] for name in fields]
    key = next(one for one in known.values() if one.primary_key)
    writers = [_writer(column) for column in columns]
    prepared = [[*(write(value) for write, value in zip(writers, row, strict=False)), row[-1]] for row in rows]
    if not prepared:
        return
    table = connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001 - see above
    names = [str(column.column) for column in columns]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            types = [str(column.db_type(connection)) for column in columns] + ["bigint"]
            unnested = ", ".join(f"%s::{kind}[]" for kind in types)
            changes = ", ".join(f"{name} = given.{name}" for name in names)
            cursor.execute(
                f"UPDATE {table} SET {changes} FROM unnest({unnested}) AS given({', '.join(names)}, wanted) "  # noqa: S608
                f"WHERE {table}.{key.column} = given.wanted",
                [list(column) for column in zip(*prepared, strict=True)],
            )
        else:
            changes = ", ".join(f"{name} = %s" for name in names)
            cursor.executemany(f"UPDATE {table} SET {changes} WHERE {key.column} = %s", prepared)  # noqa: S608
