"""Earlier priorities of a team: mapped onto the organisation's, listed where nothing maps them, all of them or none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import NOON
from tocsin.audit.models import Entry
from tocsin.config.legacy_priorities import LegacyPlan, import_priorities
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid, NotAllowed
from tocsin.slo import actions
from tocsin.slo.models import PriorityAssignment

pytestmark = pytest.mark.django_db

CSV = """\
slo,priority,maps_to,groups,reason
checkout,Sev 1,,customer-support|management,
search,sev  2,,,Said in 2024
news,minor,none,,
ads,whatever,,,
"""
MAPPING = {"SEV 1": "P1", "Sev 2": "2"}


@pytest.fixture(autouse=True)
def _world(db: None) -> None:
    worlds.process()
    for name in ("checkout", "search", "news", "ads"):
        slo_worlds.objective(name)


def _import(text: str = CSV, *, dry_run: bool = False, minutes: int = 0, **more: str) -> LegacyPlan:
    now = NOON + timedelta(minutes=minutes)
    return import_priorities(SYSTEM, text, {**MAPPING, **more}, file="old.csv", dry_run=dry_run, now=now)


def _decided() -> dict[str, tuple[int | None, str]]:
    rows = PriorityAssignment.objects.filter(valid_until=None)
    return {one.objective.name: (one.priority, one.reason) for one in rows.select_related("objective")}


@pytest.mark.req("R-9.2.3-17")
def test_earlier_words_are_mapped_by_the_mapping_or_their_column_and_the_rest_is_listed() -> None:
    found = _import()
    assert found.plan.errors == []
    assert found.plan.created == [
        "priority of checkout: P1 (was Sev 1)",
        "priority of search: 2 (was sev  2)",
        "priority of news: none (was minor)",
    ]
    assert found.unmapped == [(5, "ads", "whatever")]
    assert _decided() == {
        "checkout": (1, "was Sev 1 in old.csv"),
        "search": (2, "Said in 2024"),
        "news": (None, "was minor in old.csv"),
    }
    groups = PriorityAssignment.objects.get(objective__name="checkout").groups
    assert set(groups.values_list("code", flat=True)) == {"customer-support", "management"}


@pytest.mark.req("R-9.2.3-17")
def test_a_dry_run_says_the_same_and_leaves_no_trace() -> None:
    entries = Entry.objects.count()
    assert len(_import(dry_run=True).plan.created) == 3
    assert (_decided(), Entry.objects.count()) == ({}, entries)


def test_the_same_again_changes_nothing_and_another_mapping_says_what_it_changes() -> None:
    _import()
    assert len(_import(minutes=1).plan.unchanged) == 3
    again = _import(minutes=2, **{"SEV 1": "P3"})
    assert again.plan.changed == ["priority of checkout: P3 (was Sev 1)"]
    actions.assign_priority(SYSTEM, objective="ads", decision="set", priority=4, now=NOON)
    assert _decided()["ads"][0] == 4


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (CSV.replace("search,", "nowhere,"), 3, "no SLO in use called 'nowhere'"),
        (CSV.replace("minor,none", "minor,P9"), 4, "There is no priority 'P9'"),
        (CSV.replace("customer-support", "strangers"), 2, "There is no stakeholder group 'strangers'"),
        (CSV.replace("sev  2,,,Said in 2024", "sev  2"), 3, "has 2 cells; the first line has 5"),
    ],
)
def test_one_wrong_row_stops_all_of_them_with_its_line(text: str, line: int, words: str) -> None:
    found = _import(text)
    assert [(one.path, one.line) for one in found.plan.errors] == [("old.csv", line)]
    assert words in found.plan.errors[0].message
    assert _decided() == {}


def test_a_mapping_onto_what_the_catalogue_does_not_have_is_refused_by_name() -> None:
    found = _import(**{"Sev 3": "P7"})
    assert "mapping 'Sev 3': There is no priority 'P7'" in found.plan.errors[0].message
    assert _decided() == {}


def test_a_table_of_something_else_is_refused_and_semicolons_are_fine() -> None:
    with pytest.raises(Invalid, match="slo and priority"):
        _import("name,rank\nx,1\n")
    assert len(_import("slo;priority;colour\ncheckout;Sev 1;red\n").plan.created) == 1


def test_who_may_not_assign_is_refused() -> None:
    reader = worlds.actor("rita", role="reader")
    with pytest.raises(NotAllowed):
        import_priorities(reader, CSV, MAPPING, file="old.csv", dry_run=True, now=NOON)
