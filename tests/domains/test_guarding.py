"""One row that fails among many."""

from __future__ import annotations

from functools import partial

import pytest

from tocsin.platform.guarding import guarded


def test_what_fails_counts_nothing_is_named_in_the_log_and_holds_up_none_of_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = [guarded(partial(share_of, divisor), trouble=f"no share of {divisor}") for divisor in (1, 0, 2)]
    assert found == [10, 0, 5]
    [said] = caplog.records
    assert said.getMessage() == "no share of 0"
    assert said.exc_info
    assert said.exc_info[0] is ZeroDivisionError


def test_the_end_of_the_process_is_nobodys_row() -> None:
    def end() -> int:
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        guarded(end, trouble="it ends")


def share_of(divisor: int) -> int:
    return 10 // divisor
