"""Let Django empty the tables between tests that commit, although the event log refuses to be emptied."""

from __future__ import annotations

from importlib import import_module

from django.db.backends.base.operations import BaseDatabaseOperations

_LOGS = {
    "audit_entry": import_module("tocsin.audit.migrations.0002_append_only"),
    "slo_objectiveversion": import_module("tocsin.slo.migrations.0015_versions_are_kept"),
}


def lifted(vendor: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The statements that put the triggers of all append-only tables aside, and those that put them back."""
    if vendor == "postgresql":
        tables = [f"ALTER TABLE {table}" for table in _LOGS]
        return tuple(f"{one} DISABLE TRIGGER USER" for one in tables), tuple(
            f"{one} ENABLE TRIGGER USER" for one in tables
        )
    modules = _LOGS.values()
    return tuple(line for one in modules for line in one.SQLITE_DROP), tuple(
        line for one in modules for line in one.SQLITE_MAKE
    )


def let_tests_empty_the_log() -> None:
    """Make Django's flush put the triggers aside for as long as it takes."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def flush_with_triggers_aside(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        aside, back = lifted(self.connection.vendor)
        flush(self, [*aside, *sql_list, *back])

    BaseDatabaseOperations.execute_sql_flush = flush_with_triggers_aside  # type: ignore[method-assign]
