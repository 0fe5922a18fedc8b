"""The only writers of postmortems and action items."""

from tocsin.postmortems.actions.checklist import mark_item
from tocsin.postmortems.actions.items import add_action, change_action, review_action
from tocsin.postmortems.actions.papers import add_entry, draft_missing, edit_section, move, start_postmortem

__all__ = [
    "add_action",
    "add_entry",
    "change_action",
    "draft_missing",
    "edit_section",
    "mark_item",
    "move",
    "review_action",
    "start_postmortem",
]
