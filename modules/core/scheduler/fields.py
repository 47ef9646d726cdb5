"""The values that a task's config takes: names, tags, queues and rates, each checked when it is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, StringConstraints

from framework.duration import parse_duration

MOST_STARTS = 100_000
MOST = 2_147_483_647  # that any database's integer holds
SURROGATE = re.compile("[\ud800-\udfff]")  # half of a character, which no database stores
NAME = r"^[^\x00-\x1f\x7f]+$"
Text100 = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NAME)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NAME)]
Prose = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")]
TaskId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,99}$")]
Tag = Annotated[
    str, StringConstraints(min_length=1, max_length=50, pattern=r"^[^\x00-\x1f\x7f\"\\%_][^\x00-\x1f\x7f\"\\%]*$")
]
IntervalType = Literal["seconds", "minutes", "hours", "days", "weeks", "months", "years"]
DEFAULT_QUEUE = "default"
QueueName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


def _rate(value: object) -> object:
    """Read `"10/minute"`, `"100 per 2 hours"` or `{"count": 10, "per": "1 minute"}`: so many starts in so long."""
    if isinstance(value, str):
        count, _, per = value.replace(" per ", "/").partition("/")
        value = {"count": int(count) if count.strip().isdecimal() and len(count) < 10 else 0, "per": per.strip()}
    if not isinstance(value, Mapping) or set(value) != {"count", "per"}:
        raise ValueError('a rate is written "10/minute" or {"count": 10, "per": "1 minute"}')
    count, per = value["count"], value["per"]
    if isinstance(per, str) and per.isalpha():
        per = f"1 {per}"
    seconds = parse_duration(per).total_seconds()
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_STARTS or seconds <= 0:
        raise ValueError(f"a rate allows 1 to {MOST_STARTS:,} starts in a time longer than nothing")
    return count, seconds


Rate = Annotated[tuple[int, float], BeforeValidator(_rate)]


def _expected_by(value: object) -> float | str:
    """Read a duration after the nominal time, in seconds from then on, or a time of the day such as `"06:30"`."""
    if isinstance(value, str) and re.fullmatch(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", value):
        return value
    seconds = parse_duration(value).total_seconds()
    if seconds <= 0:
        raise ValueError("a run needs some time to succeed in")
    return seconds


ExpectedBy = Annotated[float | str, BeforeValidator(_expected_by)]
HttpUrl = Annotated[str, StringConstraints(max_length=1_000, pattern=r"^https?://[\x21-\x7e]+$")]

_is_printable = re.compile(NAME[1:-1]).fullmatch


def is_name(text: object) -> bool:
    """Tell whether a text may be the name of a task: as `TaskConfig` says, but for its words."""
    if not isinstance(text, str) or not 1 <= len(text) <= 100 or _is_printable(text) is None:
        return False
    return text.isascii() or SURROGATE.search(text) is None
