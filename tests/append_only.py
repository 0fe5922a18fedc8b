"""Let Django empty the tables between tests that commit, although the event log refuses to be emptied."""

from __future__ import annotations

from importlib import import_module

from django.db.backends.base.operations import BaseDatabaseOperations

_triggers = import_module("tocsin.audit.migrations.0002_append_only")


def lifted(vendor: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The statements that put the log's triggers aside, and those that put them back."""
    if vendor == "postgresql":
        table = "ALTER TABLE audit_entry"
        return (f"{table} DISABLE TRIGGER USER",), (f"{table} ENABLE TRIGGER USER",)
    return _triggers.SQLITE_DROP, _triggers.SQLITE_MAKE


def let_tests_empty_the_log() -> None:
    """Make Django's flush put the triggers aside for as long as it takes."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def flush_with_triggers_aside(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        aside, back = lifted(self.connection.vendor)
        flush(self, [*aside, *sql_list, *back])

    BaseDatabaseOperations.execute_sql_flush = flush_with_triggers_aside  # type: ignore[method-assign]
