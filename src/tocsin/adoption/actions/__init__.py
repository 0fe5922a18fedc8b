"""The only writers of how teams come to SLOs."""

from tocsin.adoption.actions.alerts import register_alert
from tocsin.adoption.actions.coaching import record_session
from tocsin.adoption.actions.discovery import answer_find, begin_walk, name_use_cases, see_use_case
from tocsin.adoption.actions.policies import activate_policy, end_policy, state_point
from tocsin.adoption.actions.wishes import add_wish, change_wish, rank_wish

__all__ = [
    "activate_policy",
    "add_wish",
    "answer_find",
    "begin_walk",
    "change_wish",
    "end_policy",
    "name_use_cases",
    "rank_wish",
    "record_session",
    "register_alert",
    "see_use_case",
    "state_point",
]
