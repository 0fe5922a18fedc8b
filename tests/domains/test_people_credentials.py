"""Tokens, login links, passwords: what lets somebody in, once, and what no longer does."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth import authenticate

from tests.domains import worlds
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM, Role
from tocsin.core.errors import Invalid, NotAllowed, NotFound
from tocsin.core.facts import Kind
from tocsin.people import actions, queries
from tocsin.people.models import ApiToken, LoginLink, Person
from tocsin.platform import ids

pytestmark = pytest.mark.django_db


@pytest.fixture
def _fast_hasher(settings: object) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]


def test_a_token_lets_its_person_in_and_is_stored_as_a_digest(now: datetime) -> None:
    token, text = actions.create_token(
        worlds.actor("mara", in_team="tickets", is_owner=True), username="mara", name="laptop", now=now
    )
    assert text.startswith("tocsin_")
    assert len(text) > 40
    assert token.digest == ids.digest(text)
    actor = queries.actor_for_token(text, now=now)
    assert actor is not None
    assert (actor.ident, actor.role, actor.owned_teams) == ("mara", Role.RESPONDER, {"tickets"})
    assert text not in str(list(Entry.objects.values_list("data", flat=True)))


def test_what_is_no_token_lets_nobody_in(now: datetime) -> None:
    _, text = actions.create_token(worlds.actor("mara"), username="mara", name="laptop", now=now)
    for wrong in ("", "tocsin_", text[:-1], text.upper(), ids.digest(text)):
        assert queries.actor_for_token(wrong, now=now) is None


def test_a_token_ends_when_it_expires_or_is_revoked(now: datetime) -> None:
    mara = worlds.actor("mara")
    _, short = actions.create_token(mara, username="mara", name="ci", now=now, expires_at=now + timedelta(hours=1))
    assert queries.actor_for_token(short, now=now + timedelta(minutes=59)) is not None
    assert queries.actor_for_token(short, now=now + timedelta(hours=1)) is None
    token, text = actions.create_token(mara, username="mara", name="laptop", now=now)
    actions.revoke_token(mara, token_id=token.pk, now=now)
    actions.revoke_token(mara, token_id=token.pk, now=now)
    assert queries.actor_for_token(text, now=now) is None
    assert Entry.objects.filter(kind=Kind.TOKEN_REVOKED).count() == 1


def test_a_token_needs_a_name_and_an_end_that_is_still_to_come(now: datetime) -> None:
    mara = worlds.actor("mara")
    with pytest.raises(Invalid):
        actions.create_token(mara, username="mara", name="  ", now=now)
    with pytest.raises(Invalid):
        actions.create_token(mara, username="mara", name="ci", expires_at=now, now=now)


def test_the_use_of_a_token_is_noted_at_most_once_a_minute(now: datetime) -> None:
    token, text = actions.create_token(worlds.actor("mara"), username="mara", name="laptop", now=now)

    def noted(after: timedelta) -> datetime | None:
        queries.actor_for_token(text, now=now + after)
        return ApiToken.objects.get(pk=token.pk).last_used_at

    assert noted(timedelta(0)) == now
    assert noted(timedelta(seconds=59)) == now
    assert noted(timedelta(seconds=60)) == now + timedelta(seconds=60)


def test_only_oneself_and_an_administrator_handle_ones_tokens(now: datetime) -> None:
    token, _ = actions.create_token(worlds.actor("mara"), username="mara", name="laptop", now=now)
    tom = worlds.actor("tom")
    with pytest.raises(NotAllowed):
        actions.create_token(tom, username="mara", name="mine", now=now)
    with pytest.raises(NotAllowed):
        actions.revoke_token(tom, token_id=token.pk, now=now)
    with pytest.raises(NotAllowed):
        queries.tokens(tom, "mara")
    ada = worlds.administrator()
    assert [known.pk for known in queries.tokens(ada, "mara")] == [token.pk]
    actions.revoke_token(ada, token_id=token.pk, now=now)
    with pytest.raises(NotFound):
        actions.revoke_token(ada, token_id=0, now=now)


def test_disabling_a_person_ends_tokens_and_links_at_once(now: datetime) -> None:
    mara = worlds.actor("mara")
    _, text = actions.create_token(mara, username="mara", name="laptop", now=now)
    secret = actions.create_login_link(mara, username="mara", now=now)
    actions.disable_person(worlds.administrator(), username="mara", now=now)
    assert queries.actor_for_token(text, now=now) is None
    with pytest.raises(NotFound):
        actions.use_login_link(secret, now=now)
    Person.objects.filter(username="mara").update(is_active=True)
    assert queries.actor_for_token(text, now=now) is None, "a token that was taken away must not come back"
    actions.disable_person(worlds.administrator(), username="mara", now=now)
    with pytest.raises(Invalid):
        actions.create_login_link(SYSTEM, username="mara", now=now)


def test_a_login_link_signs_in_once(now: datetime) -> None:
    worlds.person("mara")
    secret = actions.create_login_link(worlds.administrator(), username="mara", now=now)
    assert actions.use_login_link(secret, now=now + timedelta(hours=23)).username == "mara"
    with pytest.raises(NotFound):
        actions.use_login_link(secret, now=now + timedelta(hours=23))
    signed_in = Entry.objects.get(kind=Kind.PERSON_SIGNED_IN)
    assert signed_in.actor == "mara"
    assert secret not in str(list(Entry.objects.values_list("data", flat=True)))
    assert LoginLink.objects.get().digest == ids.digest(secret)


def test_a_login_link_grows_too_old(now: datetime) -> None:
    secret = actions.create_login_link(worlds.actor("mara"), username="mara", now=now, valid_for=timedelta(minutes=5))
    with pytest.raises(NotFound):
        actions.use_login_link(secret, now=now + timedelta(minutes=5))
    assert actions.use_login_link(secret, now=now + timedelta(minutes=4)).username == "mara"


def test_nobody_makes_a_login_link_for_somebody_else(now: datetime) -> None:
    worlds.person("mara")
    with pytest.raises(NotAllowed):
        actions.create_login_link(worlds.actor("tom"), username="mara", now=now)


def test_the_first_start_makes_the_administrator_and_the_next_ones_change_nothing(now: datetime) -> None:
    actions.ensure_administrator("s3cret", now=now)
    entries = Entry.objects.count()
    actions.ensure_administrator("s3cret", now=now + timedelta(days=1))
    assert Entry.objects.count() == entries
    assert Person.objects.count() == 1
    actor = queries.actor_for_token("s3cret", now=now)
    assert actor is not None
    assert (actor.ident, actor.role) == ("admin", Role.ADMIN)


def test_another_token_at_a_later_start_takes_the_place_of_the_former(now: datetime) -> None:
    actions.ensure_administrator("first", now=now)
    actions.ensure_administrator("second", now=now)
    assert queries.actor_for_token("first", now=now) is None
    assert queries.actor_for_token("second", now=now) is not None


def test_a_revoked_administrators_token_stays_revoked_at_the_next_start(now: datetime) -> None:
    actions.ensure_administrator("s3cret", now=now)
    actions.revoke_token(SYSTEM, token_id=ApiToken.objects.get().pk, now=now)
    actions.ensure_administrator("s3cret", now=now)
    assert queries.actor_for_token("s3cret", now=now) is None


def test_a_start_without_a_token_makes_the_administrator_alone(now: datetime) -> None:
    actions.ensure_administrator("", now=now)
    assert Person.objects.get().role == Role.ADMIN.value
    assert not ApiToken.objects.exists()


@pytest.mark.usefixtures("_fast_hasher")
def test_a_password_signs_in_and_an_easy_one_is_refused(now: datetime) -> None:
    mara = worlds.actor("mara")
    actions.set_password(mara, username="mara", password="harbour-crane-1912", now=now)
    assert authenticate(username="mara", password="harbour-crane-1912") == queries.person("mara")
    assert authenticate(username="mara", password="harbour") is None
    for easy in ("password", "1234", "mara@harbor.example"):
        with pytest.raises(Invalid):
            actions.set_password(mara, username="mara", password=easy, now=now)
    with pytest.raises(NotAllowed):
        actions.set_password(worlds.actor("tom"), username="mara", password="harbour-crane-1913", now=now)
    assert "crane" not in str(list(Entry.objects.values_list("data", flat=True)))
