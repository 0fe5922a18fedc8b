"""The short way to the growth of many sums says the same as the long one, whatever the counters do; a real Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.edges.real_prometheus import prometheus, write_past
from tocsin.platform import clock
from tocsin.slo import buckets, recent_growth
from tocsin.slo import prometheus as source
from tocsin.slo.prometheus import Ask, Moments, Server, SourceFailed

pytestmark = [pytest.mark.prometheus, pytest.mark.xdist_group("prometheus")]

STEP = 15
MINUTES = 40
SUMS = 64


def _value(slo: int, series: str, at: int) -> int | None:
    """What a series says `at` seconds after the beginning; None when it is not there. Each eighth SLO has its own fault."""
    grows, sample = 5 + slo % 3, at // STEP
    match slo % 8, series:
        case 1, "a" if at >= 1500:
            return (sample - 100) * grows  # began anew
        case 2, "b" if at < 1620:
            return None  # appeared late
        case 3, "b" if at > 1560:
            return None  # gone
        case 4, "b" if 1230 <= at < 1590:
            return None  # away for a while, longer than a server looks back
        case 5, _ if at < 1680:
            return None  # nothing of this SLO was there
        case 6, _ if at > 1200:
            return None  # nothing of it is left
        case 7, "a":
            return 1000 + min(sample, 104) * grows  # stands still
    return 1000 + sample * grows


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int]]:
    folder = tmp_path_factory.mktemp("recent") / "data"
    begin = buckets.floor_to(buckets.epoch_seconds(clock.wall_now()) - 7200, 3600)
    lines = ["# TYPE requests counter"]
    for slo in range(SUMS):
        for series in "ab":
            for at in range(0, MINUTES * 60, STEP):
                value = _value(slo, series, at)
                if value is not None:
                    lines.append(f'requests_total{{slo="{slo}",series="{series}"}} {value} {begin + at}')
    write_past(folder, lines)
    with prometheus(folder) as url:
        yield Server(url), begin


ASKS = [Ask(slo, "total", f'sum(requests_total{{slo="{slo}"}})') for slo in range(SUMS)]


@pytest.mark.parametrize("wide", [1, 10_000])
@pytest.mark.parametrize("at", [1445, 1510, 1565, 1600, 1625, 1690, 1805, 1920])
def test_both_ways_agree(server: tuple[Server, int], at: int, wide: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, begin = server
    monkeypatch.setattr(recent_growth, "WIDE", wide)
    last = begin + at - at % 60
    spans = [Moments(last - 120, last, 60), Moments(begin + at, begin + at, at % 60 or 60)]
    if at % 60 == 0:
        spans.pop()
    found = recent_growth.fetch(asked, ASKS, spans)
    for span, growth in zip(spans, found, strict=True):
        longer = source.fetch(asked, ASKS, span)
        assert growth.keys() == longer.keys()
        for ask, values in longer.items():
            assert growth[ask] == pytest.approx(values, abs=1e-6), (ask, span)


def test_only_what_is_not_steady_is_asked_the_longer_way(
    server: tuple[Server, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, begin = server
    longer: list[Ask] = []
    fetch = source.fetch

    def noting(server: Server, asks: list[Ask], moments: Moments) -> source.Growth:
        longer.extend(asks)
        return fetch(server, asks, moments)

    monkeypatch.setattr(source, "fetch", noting)
    recent_growth.fetch(asked, ASKS, [Moments(begin + 1440, begin + 1560, 60)])
    assert {ask.objective_id % 8 for ask in longer} == {1, 4, 6}  # began anew, and those that went in between


def test_a_server_with_far_more_sums_than_are_asked_for_is_asked_by_name(
    server: tuple[Server, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, begin = server
    monkeypatch.setattr(recent_growth, "WIDE", 1)
    monkeypatch.setattr(recent_growth, "LEAST", 1)
    monkeypatch.setattr(recent_growth, "_narrow", set())
    asking: list[str] = []
    answers = source.answers

    def noting(server: Server, questions: list[tuple[str, Moments]]) -> list[list[source.Series]]:
        asking.extend(text for text, _ in questions)
        return answers(server, questions)

    monkeypatch.setattr(source, "answers", noting)
    span = [Moments(begin + 1440, begin + 1560, 60)]
    first = recent_growth.fetch(asked, ASKS[8:11], span)
    assert any('slo!=""' in text for text in asking)
    asking.clear()
    assert recent_growth.fetch(asked, ASKS[8:11], span) == first
    assert not any('slo!=""' in text for text in asking)


def test_a_wide_question_that_fails_is_asked_by_name(
    server: tuple[Server, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, begin = server
    monkeypatch.setattr(recent_growth, "WIDE", 1)
    monkeypatch.setattr(recent_growth, "_narrow", set())
    monkeypatch.setattr(source, "MOST_SERIES", 40)
    monkeypatch.setattr(recent_growth, "LEAST", 1)
    span = [Moments(begin + 1440, begin + 1560, 60)]
    assert recent_growth.fetch(asked, ASKS[:32], span)[0]
    with pytest.raises(SourceFailed, match="at most 40"):
        recent_growth.fetch(asked, ASKS, span)
