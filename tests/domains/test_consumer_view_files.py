"""Consumers' views as files: applied with everything else, the same again changing nothing, wrong ones named by line."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import NOON
from tocsin.audit.models import Entry
from tocsin.config.apply import apply_texts
from tocsin.config.plan import Plan
from tocsin.core.access import SYSTEM, Actor
from tocsin.core.errors import NotAllowed
from tocsin.slo import actions
from tocsin.slo.models import BreachSubscription, ConsumerView

pytestmark = pytest.mark.django_db

VIEWS = """\
apiVersion: tocsin/v1alpha1
kind: ConsumerView
metadata: {name: shop-on-notifications, team: shop}
spec:
  views:
    - {slo: notify-availability, priority: 1, because: Orders are confirmed by it, degradesTo: The number is shown, notify: shop-on-call}
    - slo: notify-latency
      priority: none
      because: Nobody waits for it.
"""


@pytest.fixture(autouse=True)
def house() -> None:
    worlds.process()
    worlds.person("sia", in_team="shop", is_owner=True)
    worlds.person("otto", in_team="other", is_owner=True)
    worlds.service("notifications", of_team="notifications")
    worlds.service("checkout", of_team="shop")
    for name in ("notify-availability", "notify-latency"):
        slo_worlds.objective(name, service="notifications")
        actions.assign_priority(SYSTEM, objective=name, decision="set", priority=2, now=worlds.NOW)


def apply(text: str = VIEWS, *, by: Actor = SYSTEM, dry_run: bool = False) -> Plan:
    return apply_texts(by, {"views.yaml": dedent(text)}, dry_run=dry_run, now=NOON)


def test_views_are_applied_with_the_strategy_that_is_written() -> None:
    plan = apply(by=worlds.actor("sia"))
    assert plan.errors == []
    assert plan.created == ["view of team:shop on notify-availability", "view of team:shop on notify-latency"]
    rows = {view.objective.name: view for view in ConsumerView.objects.select_related("objective", "notify")}
    first, second = rows["notify-availability"], rows["notify-latency"]
    assert (first.priority, first.strategy, first.degrades_to) == (1, "own_group", "The number is shown")
    assert first.notify is not None
    assert first.notify.code == "shop-on-call"
    assert BreachSubscription.objects.get().view == first
    assert (second.decision, second.priority, second.strategy) == ("none", None, "")


def test_the_same_again_changes_nothing_and_a_dry_run_nothing_at_all() -> None:
    assert len(apply(dry_run=True).created) == 2
    assert not ConsumerView.objects.exists()
    apply()
    length = Entry.objects.count()
    again = apply()
    assert (again.created, again.changed, len(again.unchanged)) == ([], [], 2)
    assert Entry.objects.count() == length
    changed = apply(VIEWS.replace("priority: 1", "priority: P3"))
    assert changed.changed == ["view of team:shop on notify-availability"]


def test_a_team_speaks_through_one_of_its_services() -> None:
    apply(VIEWS.replace("spec:\n", "spec:\n  consumer: service:checkout\n"))
    assert set(ConsumerView.objects.values_list("consumer", flat=True)) == {"service:checkout"}


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("priority: 1", "priority: P77", 6, "is no priority: write 2, P2 or none"),
        ("priority: 1", "priority: 9", 6, "must be one of 1, 2, 3, 4, or none"),
        ("notify: shop-on-call", "notify: nobody", 6, "There is no stakeholder group 'nobody'."),
        ("notify-latency", "notify-nothing", 7, "There is no SLO called 'notify-nothing' in use."),
        ("team: shop", "team: nobody", 6, "There is no team called 'nobody'."),
        ("      because: Nobody waits for it.\n", "", 7, "because"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_line_and_nothing_is_applied(
    old: str, new: str, line: int, told: str
) -> None:
    plan = apply(VIEWS.replace(old, new))
    assert plan.errors
    assert (plan.errors[0].path, plan.errors[0].line) == ("views.yaml", line)
    assert told in plan.errors[0].message
    assert not ConsumerView.objects.exists()


def test_a_stranger_applies_no_view_of_others() -> None:
    with pytest.raises(NotAllowed):
        apply(by=worlds.actor("otto"))
    assert not ConsumerView.objects.exists()
