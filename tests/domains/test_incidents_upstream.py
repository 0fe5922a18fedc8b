"""An incident that follows from another one's: linked once, never in a circle, said on both timelines."""

from __future__ import annotations

import pytest

from tests.domains import worlds
from tests.domains.incident_worlds import House
from tocsin.audit.models import Entry
from tocsin.core.access import Role
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.incidents import actions, kin
from tocsin.incidents.models import Incident, IncidentLink

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


def test_saying_it_twice_changes_nothing(house: House) -> None:
    first, second = house.declare(), house.declare()
    actions.link_upstream(house.ada, second.number, first.ref, now=house.now)
    length = Entry.objects.count()
    actions.link_upstream(house.ada, second.number, str(first.number), now=house.now)
    assert Entry.objects.count() == length
    assert [link.upstream for link in kin.causes(second)] == [first]


def test_nothing_follows_from_itself_however_far_around(house: House) -> None:
    rows = [house.declare() for _ in range(3)]
    actions.link_upstream(house.ada, rows[1].number, rows[0].ref, now=house.now)
    actions.link_upstream(house.ada, rows[2].number, rows[1].ref, now=house.now)
    for upstream in (rows[0], rows[2]):
        with pytest.raises(Refused, match="follows from INC-1 itself"):
            actions.link_upstream(house.ada, rows[0].number, upstream.ref, now=house.now)
    assert IncidentLink.objects.count() == 2


@pytest.mark.parametrize("cause", ["INC-77", "slo:nothing", "mars", "slo:"])
def test_an_unknown_cause_is_named_by_its_field_and_no_incident_is_left_behind(house: House, cause: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.declare(house.ada, title="Late", service="log-on", caused_by=cause, now=house.now)
    assert set(refused.value.fields) == {"caused_by"}
    assert not Incident.objects.exists()


def test_readers_link_nothing(house: House) -> None:
    first, second = house.declare(), house.declare()
    reader = worlds.actor("rita", role=Role.READER.value)
    with pytest.raises(NotAllowed):
        actions.link_upstream(reader, second.number, first.ref, now=house.now)
    with pytest.raises(NotFound):
        actions.link_upstream(house.ada, "INC-99", first.ref, now=house.now)
