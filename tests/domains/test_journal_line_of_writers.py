"""SQLite's writers stand in one fair line; however a transaction ends, its place is given up."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import IntegrityError, connection, transaction

from tocsin.platform.fifo import WRITER, FifoLock
from tocsin.platform.models import Counter, Setting

ON_SQLITE = pytest.mark.sqlite


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def until_waiting(lock: FifoLock, number: int) -> None:
    """Until so many threads stand in line."""
    while len(lock._waiting) < number:
        threading.Event().wait(0.001)


def test_the_lock_is_handed_over_in_the_order_it_was_asked_for() -> None:
    lock, order = FifoLock(), []

    def work(number: int) -> None:
        with lock:
            order.append(number)

    lock.acquire()
    threads = []
    for number in range(10):
        threads.append(in_thread(lambda number=number: work(number)))  # type: ignore[misc]
        until_waiting(lock, number + 1)
    lock.release()
    for thread in threads:
        thread.join()
    assert order == list(range(10))


def test_one_who_comes_late_does_not_overtake_the_one_who_waits() -> None:
    lock, order = FifoLock(), []

    def work(name: str) -> None:
        with lock:
            order.append(name)

    lock.acquire()
    first = in_thread(lambda: work("first"))
    until_waiting(lock, 1)
    lock.release()  # owned by the first from here on, whether or not its thread has run yet
    work("late")
    first.join()
    assert order == ["first", "late"]


def test_an_error_inside_gives_the_lock_back() -> None:
    lock = FifoLock()
    with pytest.raises(RuntimeError), lock:
        raise RuntimeError
    lock.acquire()
    lock.release()


@transaction.atomic
def break_a_foreign_key() -> None:
    """Seen at COMMIT only, because such checks are deferred."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO platform_delivery (message_id, attempt, at, outcome, detail) "
            "VALUES (999, 1, '2026-01-01', '', '')"
        )


@pytest.fixture
def free_line() -> Iterator[None]:
    """The line is empty before and after: whoever left it did so."""
    assert not WRITER._held
    yield
    connection.close()
    assert not WRITER._held


@ON_SQLITE
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("free_line")
class TestTransactions:
    def test_a_transaction_holds_its_place_until_it_commits(self) -> None:
        with transaction.atomic():
            Setting.objects.create(name="a", value={})
            assert WRITER._held
        assert not WRITER._held

    def test_a_rollback_leaves_the_line(self) -> None:
        with contextlib.suppress(ZeroDivisionError), transaction.atomic():
            Setting.objects.create(name="a", value={})
            _ = 1 // 0
        assert not WRITER._held
        assert not Setting.objects.exists()

    def test_a_commit_that_fails_leaves_the_line_and_the_next_one_works(self) -> None:
        with pytest.raises(IntegrityError):
            break_a_foreign_key()
        assert not WRITER._held
        with transaction.atomic():
            Setting.objects.create(name="a", value={})
        assert Setting.objects.count() == 1

    def test_a_savepoint_that_fails_keeps_the_place_of_its_transaction(self) -> None:
        with transaction.atomic():
            Setting.objects.create(name="a", value={})
            with pytest.raises(IntegrityError), transaction.atomic():
                Setting.objects.create(name="a", value={})
            assert WRITER._held
            Setting.objects.create(name="b", value={})
        assert Setting.objects.count() == 2

    def test_a_closed_connection_leaves_the_line(self) -> None:
        with transaction.atomic():
            Setting.objects.create(name="a", value={})
            connection.close()
            assert not WRITER._held
        assert not Setting.objects.exists()

    def test_many_threads_write_at_once_and_none_hears_that_the_database_is_locked(self) -> None:
        Counter.objects.create(name="n", value=0)
        errors: list[Exception] = []

        def work() -> None:
            try:
                for _ in range(20):
                    with transaction.atomic():
                        row = Counter.objects.get(name="n")
                        row.value += 1
                        row.save(update_fields=["value"])
            except Exception as error:  # noqa: BLE001 - shown by the assertion below
                errors.append(error)
            finally:
                connection.close()

        threads = [in_thread(work) for _ in range(8)]
        for thread in threads:
            thread.join()
        assert errors == []
        assert Counter.objects.get(name="n").value == 160
