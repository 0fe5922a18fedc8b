"""A whole cycle for many SLOs against a real Prometheus: ask, store, judge; and beside it the server's own rules.

The past of the counters is written into the server's storage beforehand, and our clock is wound through it minute by
minute, so nothing waits for anything. Then the same server judges 500 SLOs by the workbook's 17 rules each, and the CPU
an SLO and cycle costs is printed for both, in one run. Goal: 10,000 SLOs in 1.5 s, and a seventieth of the rules' CPU.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

MINUTES = 14
STEP = 15
FIRST_CYCLE = 6
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slos", type=int, default=10_000)
    parser.add_argument("--cycles", type=int, default=5)
    parser.add_argument("--ruled", type=int, default=500, help="SLOs that Prometheus judges itself; 0 leaves that out")
    parser.add_argument("--hours", type=int, default=24, help="of history, at one sample a minute, for its rules")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tocsin-cycle-") as place:
        _set_up(Path(place) / "data")
        _measure(arguments, Path(place))


def _measure(arguments: argparse.Namespace, folder: Path) -> None:
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    ours = _ours(arguments.slos, min(arguments.cycles, MINUTES - FIRST_CYCLE), folder)
    if arguments.ruled:
        theirs = _theirs(arguments.ruled, arguments.hours, folder / "rules")
        print(f"Prometheus' own 17 rules, {arguments.ruled} SLOs: {theirs:.2f} ms CPU an SLO and cycle")
        print(f"ratio, with what Prometheus spends on our questions: {theirs / ours:.0f} (goal 70)")


def _ours(slos: int, cycles: int, folder: Path) -> float:
    """Print what a cycle takes; returns milliseconds of CPU an SLO and cycle, ours and the server's together."""
    from tests.edges.real_prometheus import prometheus, write_past

    begin = int(time.time()) // 3600 * 3600 - 7200
    storage = folder / "prometheus"
    storage.mkdir()
    write_past(storage, _samples(slos, begin, MINUTES * 60, STEP))
    with prometheus(storage) as url, _product(folder / "data") as turn:
        _make_slos(slos, url, begin)
        return _run(turn, slos, cycles, begin)


def _samples(slos: int, begin: int, length: int, step: int) -> list[str]:
    """Counters in OpenMetrics, oldest sample first within each series, as a server demands it."""
    lines = []
    for name, each in (("requests", 40), ("failures", 0)):
        lines.append(f"# TYPE {name} counter")
        for slo in range(slos):
            grows = each + (slo % 7 if each else slo % 211 == 3)
            label = f'{name}_total{{slo="slo-{slo}"}}'
            lines += [f"{label} {(at // step) * grows} {begin + at}" for at in range(0, length + 1, step)]
    return lines


def _set_up(data: Path) -> None:
    data.mkdir()
    os.environ["TOCSIN_DATA"] = str(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tocsin.wiring.settings"
    import django

    django.setup()


@contextmanager
def _product(data: Path) -> Iterator[Any]:
    """The product over an empty database; gives the engine's turn that asks, stores and judges."""
    from tocsin.engine import pull_sources
    from tocsin.slo.fleet import fleet
    from tocsin.wiring import preparation

    preparation.migrate()
    preparation.first_rows("")
    fleet.keep_in(data / "counts")
    yield pull_sources.turn
    fleet.close()


def _make_slos(slos: int, url: str, begin: int) -> None:
    from tocsin.catalog.models import Service
    from tocsin.slo.models import DataSource, Objective, ObjectiveState

    at = _instant(begin)
    service = Service.objects.create(name="shop", created_at=at)
    source = DataSource.objects.create(
        name="main", kind="prometheus", url=url, every=timedelta(minutes=1), next_at=at, created_at=at
    )
    rows = [
        Objective(
            name=f"slo-{place}",
            service=service,
            source=source,
            target="0.999",
            period=timedelta(days=30),
            evaluate_every=timedelta(minutes=1),
            renotify_after=timedelta(hours=2),
            rule={"name": "tocsin"},
            total_query=f'sum(requests_total{{slo="slo-{place}"}})',
            bad_query=f'sum(failures_total{{slo="slo-{place}"}})',
            created_at=at,
        )
        for place in range(slos)
    ]
    made = Objective.objects.bulk_create(rows, batch_size=500)
    ObjectiveState.objects.bulk_create([ObjectiveState(objective=one, pulled_until=at) for one in made], batch_size=500)


def _run(turn: Any, slos: int, cycles: int, begin: int) -> float:
    server = _child()
    took, ours, theirs = [], [], []
    for cycle in range(FIRST_CYCLE - 2, FIRST_CYCLE + cycles):
        now = _instant(begin + cycle * 60 + 5)
        _due(now)
        before = time.perf_counter(), time.process_time(), _cpu(server)
        turn(now=now)
        after = time.perf_counter(), time.process_time(), _cpu(server)
        one = [second - first for first, second in zip(before, after, strict=True)]
        if cycle >= FIRST_CYCLE:
            for kept, value in zip((took, ours, theirs), one, strict=True):
                kept.append(value)
        else:
            print(f"warming up: {one[0]:.2f} s")
    _assert_judged(slos, now)
    middle = [statistics.median(kept) for kept in (took, ours, theirs)]
    print(
        f"{slos} SLOs a cycle, median of {len(took)}: {middle[0]:.2f} s (goal 1.5 for 10,000), {min(took):.2f} to {max(took):.2f}; "
        f"CPU {middle[1]:.2f} s ours, {middle[2]:.2f} s Prometheus answering"
    )
    return (middle[1] + middle[2]) * 1000 / slos


def _due(now: datetime) -> None:
    from tocsin.slo.models import DataSource

    DataSource.objects.update(next_at=now)


def _assert_judged(slos: int, now: datetime) -> None:
    from tocsin.slo.models import DataSource, ObjectiveState

    assert not DataSource.objects.get().last_error, DataSource.objects.get().last_error
    judged = ObjectiveState.objects.filter(evaluated_at=now, remaining__isnull=False).count()
    assert judged == slos, f"{judged} of {slos} were judged"


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, tz=UTC)


def _child() -> int:
    """The Prometheus that this process has started."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return next(int(pid) for pid in children if "prometheus" in Path(f"/proc/{pid}/cmdline").read_text())


def _cpu(pid: int) -> float:
    """Seconds of CPU a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def _theirs(slos: int, hours: int, folder: Path) -> float:
    """Milliseconds of CPU an SLO and cycle when Prometheus judges by its own rules."""
    from tests.edges.real_prometheus import prometheus, wait_until, write_past

    storage = folder / "prometheus"
    storage.mkdir(parents=True)
    end = int(time.time()) + 600  # so that the newest sample is never too old while we look
    begin = end // 60 * 60 - hours * 3600
    write_past(storage, _samples(slos, begin, hours * 3600, 60))
    rules = folder / "rules.yml"
    rules.write_text(_rules(slos))
    with prometheus(storage, config=f"\nrule_files: ['{rules}']") as url:
        server = _child()
        wait_until(lambda: _iterations(url) >= 1, seconds=300)
        first, used = _iterations(url), _cpu(server)
        wait_until(lambda: _iterations(url) >= first + 3, seconds=300)
        done, spent = _iterations(url) - first, _cpu(server) - used
    return spent * 1000 / (done * slos)


def _rules(slos: int) -> str:
    """One group: for each SLO its error ratio over eight windows, what it promises, and the workbook's two alerts."""
    lines = ["groups:", "- name: slos", "  interval: 15s", "  rules:"]
    for slo in range(slos):
        match = f'{{slo="slo-{slo}"}}'
        for window in WINDOWS:
            ratio = f"sum(rate(failures_total{match}[{window}])) / sum(rate(requests_total{match}[{window}]))"
            lines.append(_rule("record", f"slo:error_ratio:{window}", ratio, slo))
        for name, value in _metadata(slo):
            lines.append(_rule("record", name, value, slo))
        for name, pairs in _ALERTS.items():
            terms = [
                f"(slo:error_ratio:{long}{match} > {limit} and slo:error_ratio:{short}{match} > {limit})"
                for long, short, limit in pairs
            ]
            lines.append(_rule("alert", name, " or ".join(terms), slo))
    return "\n".join(lines)


_ALERTS = {
    "page": (("1h", "5m", 0.0144), ("6h", "30m", 0.006)),
    "ticket": (("1d", "2h", 0.003), ("3d", "6h", 0.001)),
}


def _metadata(slo: int) -> list[tuple[str, str]]:
    now, period = (f'slo:error_ratio:{window}{{slo="slo-{slo}"}}' for window in ("5m", "30d"))
    return [
        ("slo:objective", "vector(0.999)"),
        ("slo:error_budget", "vector(1 - 0.999)"),
        ("slo:period_days", "vector(30)"),
        ("slo:current_burn_rate", f"{now} / 0.001"),
        ("slo:period_burn_rate", f"{period} / 0.001"),
        ("slo:remaining", f"1 - {period} / 0.001"),
        ("slo:info", "vector(1)"),
    ]


def _rule(kind: str, name: str, expression: str, slo: int) -> str:
    return f"  - {{{kind}: '{name}', expr: '{expression}', labels: {{slo: slo-{slo}}}}}"


def _iterations(url: str) -> int:
    """How often the group of rules has been gone through."""
    from tocsin.platform import http

    for line in http.request("GET", f"{url}/metrics").body.decode().splitlines():
        if line.startswith("prometheus_rule_group_iterations_total"):
            return int(float(line.rsplit(" ", 1)[1]))
    return 0


if __name__ == "__main__":
    main()
