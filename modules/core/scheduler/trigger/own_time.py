"""`H` in a cron expression: a time of a task's own, the same at every reading, so that not all start at once."""

from __future__ import annotations

import re
from hashlib import sha256

from modules.core.scheduler.trigger.cron_fields import EXTENSIONS, FIELDS, Field, FieldError
from modules.core.scheduler.trigger.expression import PLAIN, normal_text, parts_of
from modules.core.scheduler.trigger.protocol import TriggerError

H = re.compile(r"h(?:\((?P<low>\d{1,4})-(?P<high>\d{1,4})\))?(?:/(?P<step>\d{1,4}))?")
EVERY_MONTH_HAS = 28


def with_own_time(expression: object, seed: str | None) -> str:
    """Return the expression with a number for every `H`, hashed from the seed; without any `H` as it was written.

    `H` lies anywhere in its field (days of the month: 1 to 28), `H(0-29)` in the range; `H/15` and `H(0-29)/15` are
    every 15 from such a number on. Raises `TriggerError`, also where there is an `H` and no seed.
    """
    if not re.search(r"(?:^|[\s,])h(?![a-z])", normal_text(expression).lower()):
        return str(expression)
    text = " ".join(str(expression).split())
    if seed is None:
        raise TriggerError(f"cron {text!r} has an H: {EXTENSIONS['h']}", "expression")
    parts = parts_of(text)
    fields = FIELDS if len(parts) > PLAIN else FIELDS[1:]
    return " ".join(
        ",".join(_item(item, field, seed, text) for item in part.split(","))
        for part, field in zip(parts, fields, strict=False)
    )


def _item(item: str, field: Field, seed: str, text: str) -> str:
    match = H.fullmatch(item.lower())
    if match is None and not item.lower().startswith("h"):
        return item
    low, high = field.low, {"day": EVERY_MONTH_HAS, "day_of_week": 6}.get(field.name, field.high)
    if match is not None and match["low"]:
        low, high = int(match["low"]), int(match["high"])
    step = int(match["step"]) if match is not None and match["step"] else None
    in_range = field.low <= low <= high <= field.high
    if match is None or not in_range or (step is not None and not 1 <= step <= high - low):
        raise FieldError(field.name, item, f"{EXTENSIONS['h']}, within {field.low}-{field.high}", text)
    number = low + _hash(seed, field) % (step or high - low + 1)
    return str(number) if step is None or number + step > high else f"{number}-{high}/{step}"


def _hash(seed: str, field: Field) -> int:
    return int.from_bytes(sha256(f"{field.name}/{seed}".encode()).digest()[:8])
