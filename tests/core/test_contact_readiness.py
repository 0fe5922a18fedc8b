"""Whether somebody can be reached when it counts."""

from __future__ import annotations

import pytest

from tocsin.core.contact_readiness import Contact, Gap, Readiness, contact_readiness

MAIL = Contact(channel="email", address="m@harbor.example", verified=True)
SMS = Contact(channel="sms", address="+49", verified=True)


def without(contact: Contact, **change: bool) -> Contact:
    return Contact(channel=contact.channel, address=contact.address, **{"verified": True, **change})


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        ([], Readiness(False, (Gap.NO_CONTACT,))),
        ([without(MAIL, enabled=False)], Readiness(False, (Gap.NO_CONTACT,))),
        ([MAIL], Readiness(True, (Gap.SINGLE_CHANNEL,))),
        ([MAIL, SMS], Readiness(True)),
        ([without(MAIL, verified=False), without(SMS, verified=False)], Readiness(True, (Gap.NOT_VERIFIED,))),
        ([without(MAIL, failing=True), SMS], Readiness(True, (Gap.SOME_FAILING,))),
        ([without(MAIL, failing=True), without(SMS, failing=True)], Readiness(False, (Gap.ALL_FAILING,))),
    ],
)
def test_readiness_follows_from_the_ways_that_are_on(contacts: list[Contact], expected: Readiness) -> None:
    assert contact_readiness(contacts, active=True) == expected


def test_a_disabled_account_is_never_reachable() -> None:
    assert contact_readiness([MAIL, SMS], active=False) == Readiness(False, (Gap.DISABLED,))


def test_reachable_is_not_yet_ready() -> None:
    untried = contact_readiness([without(MAIL, verified=False)], active=True)
    assert untried.reachable
    assert not untried.ready
    assert contact_readiness([MAIL], active=True).ready


def test_a_way_that_fails_or_is_off_is_not_usable() -> None:
    assert MAIL.usable
    assert not without(MAIL, failing=True).usable
    assert not without(MAIL, enabled=False).usable
