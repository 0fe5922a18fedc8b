"""Notification targets of alert policies: kept, led to what Tocsin has, and advice where nothing answers to them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domains import worlds
from tests.domains.slo_worlds import NOON
from tests.domains.test_openslo_apply import FILES, REST, SERVICES, SLO
from tocsin.audit.models import Entry
from tocsin.config.apply import apply_texts
from tocsin.config.plan import FileProblem, Plan
from tocsin.config.targets import targets_of
from tocsin.core.access import SYSTEM
from tocsin.oncall import actions as oncall
from tocsin.oncall.models import ServiceEscalation
from tocsin.slo import queries
from tocsin.slo.models import Objective

pytestmark = pytest.mark.django_db

TARGET = """\
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: ops-mail}
spec: {target: email, description: The people who run it}
"""


@pytest.fixture(autouse=True)
def _world(db: None) -> None:
    worlds.process()
    worlds.team("identity")


def _policy(name: str) -> None:
    worlds.person("mara", in_team="identity")
    steps = [{"wait_minutes": 5, "targets": ["user:mara"]}]
    oncall.save_policy(SYSTEM, {"name": name, "steps": steps}, now=NOON)


def _apply(rest: str = REST + TARGET, slo: str = SLO, *, minutes: int = 0) -> Plan:
    files = {**FILES, "rest.yaml": rest.replace("targetRef: tocsin", "targetRef: ops-mail"), "slo.yaml": slo}
    return apply_texts(SYSTEM, files, dry_run=False, now=NOON + timedelta(minutes=minutes))


def _said(plan: Plan) -> list[FileProblem]:
    """The warnings about targets; others speak of the team."""
    return [one for one in plan.warnings if one.message.startswith(("target ", "group ")) or "alertWhen" in one.message]


def _shown() -> list[tuple[str, str, str, str]]:
    return [
        (one.target.name, one.target.target, one.kind.value, one.name) for one in targets_of(Objective.objects.get())
    ]


def test_a_target_that_nothing_here_answers_to_is_kept_and_said_with_what_to_do() -> None:
    plan = _apply()
    assert plan.errors == []
    (warning,) = _said(plan)
    assert warning.path == "slo.yaml"
    assert warning.message.startswith("target ops-mail (email) is kept, but nothing here answers to it")
    assert "escalation policy or a stakeholder group ops-mail" in warning.message
    assert _shown() == [("ops-mail", "email", "", "")]


def test_an_escalation_policy_of_the_target_s_name_wakes_people_for_the_service() -> None:
    _policy("ops-mail")
    assert _said(_apply()) == []
    assert ServiceEscalation.objects.get(service__name="logon").policy.name == "ops-mail"
    assert _shown() == [("ops-mail", "email", "escalation policy", "ops-mail")]
    entries = Entry.objects.count()
    assert _apply(minutes=1).changed == []
    assert Entry.objects.count() == entries


def test_a_service_that_has_a_policy_keeps_it_and_the_file_is_told_how_to_change_it() -> None:
    _policy("chain")
    _policy("ops-mail")
    files = {
        "services.yaml": SERVICES.replace("tocsin.dev/team:", "tocsin.dev/escalation: chain\n    tocsin.dev/team:")
    }
    apply_texts(SYSTEM, files, dry_run=False, now=NOON)
    (warning,) = _said(_apply())
    assert "logon already wakes people by chain; to change that: tocsin service set logon" in warning.message
    assert ServiceEscalation.objects.get(service__name="logon").policy.name == "chain"


def test_a_stakeholder_group_named_as_target_hears_of_the_breach() -> None:
    slo = SLO.replace("    tocsin.dev/groups: customer-support, management\n", "")
    assert _said(_apply(REST.replace("targetRef: tocsin", "targetRef: customer-support"), slo)) == []
    decision = queries.assignment_at(Objective.objects.get(), NOON)
    assert decision is not None
    assert [group.code for group in decision.groups.all()] == ["customer-support"]


def test_a_group_without_a_priority_is_advice() -> None:
    slo = SLO.replace("    tocsin.dev/groups: customer-support, management\n", "").replace(
        "    tocsin.dev/priority: P2\n", ""
    )
    (warning,) = _said(_apply(REST.replace("targetRef: tocsin", "targetRef: customer-support"), slo))
    assert "tocsin priority set logon-availability PRIORITY --group customer-support" in warning.message


def test_our_own_name_is_us_and_no_data_is_told_whatever_the_policy_says() -> None:
    rest = REST.replace("alertWhenBreaching: true", "alertWhenBreaching: true\n  alertWhenNoData: false")
    plan = apply_texts(SYSTEM, {**FILES, "rest.yaml": rest}, dry_run=False, now=NOON)
    (warning,) = _said(plan)
    assert "alertWhenNoData: is told all the same" in warning.message
    assert _shown() == [("tocsin", "", "Tocsin itself", "")]
