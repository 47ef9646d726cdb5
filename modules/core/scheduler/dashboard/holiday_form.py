"""Calendars that are left out, such as holidays, as fields of a form, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FIELDS = ("calendars", "calendar_action")
ACTIONS = {"": "does not run", "move": "runs when that is over"}
"""What becomes of a time that falls into a calendar; what is usual is empty."""


def texts_of_calendars(trigger: Mapping[str, Any]) -> tuple[dict[str, str], Mapping[str, Any]]:
    """Return the fields for a stored trigger, and the trigger within; one that no field can say stays as it is."""
    if trigger["type"] != "excluding" or len({each["when"] for each in trigger["calendars"]}) != 1:
        return {}, trigger
    names = ", ".join(each["name"] for each in trigger["calendars"])
    action = trigger["calendars"][0]["when"]
    return {"calendars": names, "calendar_action": action if action in ACTIONS else ""}, trigger["trigger"]


def calendars_of(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the keys of a config that a form means: none of an empty field, which leaves nothing out."""
    names = [each.strip() for each in form.get("calendars", "").split(",") if each.strip()]
    action = form.get("calendar_action")
    return {**({"calendars": names} if names else {}), **({"calendar_action": action} if action else {})}
