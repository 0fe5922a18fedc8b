"""The only writers of persons, teams, contact methods, and the secrets that let somebody in."""

from tocsin.people.actions.contacts import (
    add_contact_method,
    confirm_contact_method,
    mark_contact_failing,
    remove_contact_method,
    set_fallback_contact,
)
from tocsin.people.actions.credentials import (
    create_login_link,
    create_token,
    ensure_administrator,
    revoke_token,
    set_password,
    use_login_link,
)
from tocsin.people.actions.persons import add_person, disable_person, update_person
from tocsin.people.actions.teams import add_member, add_team, remove_member, update_team
from tocsin.people.actions.trainings import record_training, remove_training

__all__ = [
    "add_contact_method",
    "add_member",
    "add_person",
    "add_team",
    "confirm_contact_method",
    "create_login_link",
    "create_token",
    "disable_person",
    "ensure_administrator",
    "mark_contact_failing",
    "record_training",
    "remove_contact_method",
    "remove_member",
    "remove_training",
    "revoke_token",
    "set_fallback_contact",
    "set_password",
    "update_person",
    "update_team",
    "use_login_link",
]
