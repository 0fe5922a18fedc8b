"""From an alert, an SLO or a person to one incident with what the process asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import MINUTE, House
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.core.access import Actor, ActorKind, Role
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import actions
from tocsin.incidents.models import Incident, IncidentAlert, IncidentBreach, Origin, State

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.req("R-9.3.11-1")
def test_a_service_and_what_is_wrong_are_enough_to_declare(house: House) -> None:
    incident = actions.declare(house.ada, title="Nobody can log on", service="log-on", now=house.now)
    assert (incident.state, incident.priority, incident.priority_state) == (State.TRIGGERED, None, "unset")
    assert (incident.severity, incident.team.name, incident.origin) == ("warning", "identity", Origin.HUMAN)
    assert incident.source == "ada"


@pytest.mark.req("R-9.1-2")
def test_an_incident_knows_which_of_the_three_origins_it_has(house: House) -> None:
    human = house.declare()
    [resource] = world.change(world.alert(now=house.now), now=house.now)
    said = world.signal(world.objective(house.service, now=house.now), now=house.now)
    [slo] = world.tell(AlertChange(world.slo_alert(said, now=house.now), ChangeKind.OPENED, "new", said), now=house.now)
    assert [human.origin, resource.origin, slo.origin] == ["human", "resource", "slo"]
    assert (human.source, resource.source, slo.source) == ("ben", "Prometheus", "log-on-availability")
    assert slo.objective == said.objective
    assert IncidentAlert.objects.filter(incident=resource).count() == 1


def test_a_reader_may_declare_and_somebody_unknown_may_not(house: House) -> None:
    reader = Actor(kind=ActorKind.PERSON, ident="rita", role=Role.READER)
    assert house.declare(actor=reader).number == 1
    with pytest.raises(NotAllowed):
        house.declare(actor=Actor(kind=ActorKind.ANONYMOUS, ident="x", role=Role.ANONYMOUS))


@pytest.mark.req("R-9.1-3")
def test_numbers_have_no_holes_and_a_refused_declaration_takes_none(house: House) -> None:
    first = house.declare()
    with pytest.raises(Refused):
        house.declare(priority=4, severity="critical")
    with pytest.raises(NotFound):
        house.declare(service="nobody-has-this")
    second = house.declare()
    assert (first.number, second.number) == (1, 2)
    actions.cancel(house.ada, second.ref, reason="a drill nobody announced", now=house.now)
    assert house.declare().number == 3
    assert Incident.objects.get(number=2).state == State.CANCELLED


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"title": " "}, "title"),
        ({"impact_state": "perhaps"}, "impact_state"),
        ({"kind": "joke"}, "kind"),
        ({"priority": 9}, "priority"),
        ({"severity": "huge"}, "severity"),
    ],
)
def test_a_wrong_declaration_names_the_field(house: House, fields: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as wrong:
        house.declare(**fields)
    assert path in wrong.value.fields


def test_what_may_still_happen_is_an_incident_too(house: House) -> None:
    assert house.declare(impact_state="potential").impact_state == "potential"


def test_a_priority_without_a_severity_starts_at_the_nearest_allowed_pair(house: House) -> None:
    assert house.declare(priority=4).severity == "warning"


def test_an_undecided_incident_is_asked_to_be_decided(house: House) -> None:
    incident = house.declare(priority=None)
    assert world.owed(incident)["set_priority"] == house.now + 15 * MINUTE


def test_the_first_facts_of_an_alert_come_in_order(house: House) -> None:
    [incident] = world.change(world.alert(now=house.now), now=house.now)
    assert world.kinds_of(incident)[:3] == [Kind.INCIDENT_OPENED, Kind.ALERT_ATTACHED, Kind.PAGE_CREATED]
    opened = world.entries(incident, Kind.INCIDENT_OPENED)[0]
    assert (opened["priority"], opened["rank"], opened["severity"]) == ("P1", 1, "warning")


def test_an_alert_gives_labels_service_team_and_priority(house: House) -> None:
    row = world.alert(now=house.now, priority=3, signal_severity="page", labels={"alertname": "X", "pod": "a"})
    [incident] = world.change(row, now=house.now)
    assert incident.labels == {"alertname": "X", "pod": "a"}
    assert (incident.service, incident.team.name) == (house.service, "identity")
    assert (incident.priority, incident.priority_state, incident.signal_severity) == (3, "set", "page")
    assert (incident.severity, incident.alert_count) == ("warning", 1)


def test_an_alert_without_a_service_is_not_homeless(house: House) -> None:
    [incident] = world.change(world.alert(now=house.now, service=None), now=house.now)
    assert incident.service is not None
    assert incident.service.is_catch_all


def test_the_first_line_of_the_summary_is_the_title_and_the_name_where_there_is_none(house: House) -> None:
    [one] = world.change(world.alert("a", now=house.now, summary="Slow\nand more"), now=house.now)
    [two] = world.change(world.alert("b", now=house.now, summary=""), now=house.now)
    assert (one.title, two.title) == ("Slow", "LogOnErrors")


def test_an_alert_whose_priority_is_none_opens_nothing(house: House) -> None:
    row = world.alert(now=house.now, priority=None, priority_state="none")
    assert world.change(row, now=house.now) == []
    assert Incident.objects.count() == 0


def test_what_is_kept_quiet_opens_nothing(house: House) -> None:
    assert world.change(world.alert(now=house.now), ChangeKind.SUPPRESSED, now=house.now) == []


@pytest.mark.req("R-9.2.11-1")
def test_a_second_trigger_of_the_same_cause_is_an_occurrence_and_no_new_page(house: House) -> None:
    row = world.alert(now=house.now)
    [incident] = world.change(row, now=house.now)
    house.pass_time(MINUTE)
    [same] = world.change(row, ChangeKind.REPEATED, now=house.now, reason="already_firing")
    assert (same.pk, world.fresh(incident).alert_count) == (incident.pk, 2)
    assert world.paged() == ["ada"]
    house.assert_log(incident, Kind.ALERT_REPEATED)


@pytest.mark.req("R-9.2.11-1")
def test_an_slo_has_one_open_incident_whatever_the_urgency_of_its_alerts(house: House) -> None:
    row = world.objective(house.service, now=house.now)
    fast, slow = (world.signal(row, now=house.now + n * MINUTE, urgency=u) for n, u in enumerate(["page", "ticket"]))
    [one] = world.tell(AlertChange(world.slo_alert(fast, now=house.now), ChangeKind.OPENED, "new", fast), now=house.now)
    [two] = world.tell(AlertChange(world.slo_alert(slow, now=house.now), ChangeKind.OPENED, "new", slow), now=house.now)
    assert one.pk == two.pk
    assert IncidentAlert.objects.filter(incident=one).count() == 2


def test_two_that_open_the_same_cause_at_once_end_in_one_incident(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tocsin.incidents.actions import alert_changes

    first = world.alert(now=house.now)
    looked: list[int] = []
    real = alert_changes._open_for

    def too_early(row: Any) -> Incident | None:
        """The first look happens before the other one commits."""
        looked.append(1)
        return None if len(looked) == 1 else real(row)

    world.change(first, now=house.now)
    monkeypatch.setattr(alert_changes, "_open_for", too_early)
    [incident] = world.change(first, now=house.now)
    assert Incident.objects.count() == 1
    assert (incident.number, incident.alert_count) == (1, 2)
    assert house.declare().number == 2


def test_groups_come_with_the_priority_of_the_slo(house: House) -> None:
    row = world.objective(house.service, now=house.now)
    said = world.signal(row, now=house.now, groups=["product-owners", "management"])
    [incident] = world.tell(
        AlertChange(world.slo_alert(said, now=house.now), ChangeKind.OPENED, "new", said), now=house.now
    )
    assert {group.code for group in incident.groups.all()} == {"product-owners", "management"}
    assert "update_opening:groups:0" in world.owed(incident)


def test_breaches_of_the_run_are_attached_and_later_ones_as_they_come(house: House) -> None:
    row = world.objective(house.service, now=house.now)
    earlier = world.signal(row, "breached", now=house.now - 10 * MINUTE)
    said = world.signal(row, now=house.now)
    alert = world.slo_alert(said, now=house.now)
    [incident] = world.tell(AlertChange(alert, ChangeKind.OPENED, "new", said), now=house.now)
    assert IncidentBreach.objects.filter(incident=incident).count() == 2
    house.pass_time(5 * MINUTE)
    further = world.signal(row, "breached", now=house.now)
    world.tell(AlertChange(alert, ChangeKind.NOTED, "breached", further), now=house.now)
    attached = IncidentBreach.objects.filter(incident=incident).values_list("breach_id", flat=True)
    assert set(attached) == {one.breach.pk for one in (earlier, said, further) if one.breach}
    assert world.entries(incident, Kind.BREACH_ATTACHED)[0]["window"] == "60 min"


def test_no_data_keeps_the_incident_open_and_says_so(house: House) -> None:
    row = world.objective(house.service, now=house.now)
    said = world.signal(row, now=house.now)
    alert = world.slo_alert(said, now=house.now)
    [incident] = world.tell(AlertChange(alert, ChangeKind.OPENED, "new", said), now=house.now)
    lost = world.signal(row, "no_data", now=house.now)
    world.tell(AlertChange(alert, ChangeKind.NOTED, "no_data", lost), now=house.now)
    back = world.signal(row, "data_back", now=house.now)
    world.tell(AlertChange(alert, ChangeKind.NOTED, "data_back", back), now=house.now)
    assert world.fresh(incident).is_open
    house.assert_log(incident, Kind.SLO_DATA_LOST, Kind.SLO_DATA_BACK)


def test_a_declaration_pins_the_process_in_force(house: House) -> None:
    assert house.declare().process_version.number == 1


def test_a_declared_exercise_tells_no_stakeholders(house: House) -> None:
    incident = house.declare(kind="exercise", groups=["product-owners"])
    assert not [key for key in world.owed(incident) if key.startswith("update")]


def test_hostile_text_in_an_alert_stays_text_of_one_line(house: House) -> None:
    row = world.alert(now=house.now, summary="<b>x</b>\r\nBcc: a@b.example", labels={"a": "</script>"})
    [incident] = world.change(row, now=house.now)
    assert incident.title == "<b>x</b>"
    [mail] = world.mails()
    assert "\n" not in mail.payload["subject"]
    assert "\r" not in mail.payload["subject"]


def test_a_foreign_event_after_a_resolve_opens_a_new_incident(house: House) -> None:
    row = world.alert(now=house.now)
    [first] = world.change(row, now=house.now)
    world.end(row, now=house.now)
    house.pass_time(timedelta(minutes=5))
    [second] = world.change(world.alert(now=house.now), now=house.now)
    assert (first.number, second.number) == (1, 2)


@pytest.mark.parametrize(("after", "same"), [(29 * MINUTE, True), (30 * MINUTE, True), (30 * MINUTE + MINUTE, False)])
def test_the_same_slo_within_the_reopen_window_comes_back_as_the_same_incident(
    house: House, after: timedelta, same: bool
) -> None:
    row = world.objective(house.service, now=house.now)
    said = world.signal(row, now=house.now)
    alert = world.slo_alert(said, now=house.now)
    [first] = world.tell(AlertChange(alert, ChangeKind.OPENED, "new", said), now=house.now)
    world.end(alert, now=house.now)
    assert world.fresh(first).state == State.RESOLVED
    house.pass_time(after)
    again = world.signal(row, now=house.now, episode=2)
    [second] = world.tell(
        AlertChange(world.slo_alert(again, now=house.now), ChangeKind.OPENED, "new", again), now=house.now
    )
    assert (second.pk == first.pk) is same
    if same:
        assert (second.generation, second.resolved_at, second.acknowledged_at) == (2, None, None)
        house.assert_log(second, Kind.INCIDENT_REOPENED)
        assert world.paged() == ["ada", "ada"]
