"""Random cron expressions against the oracle: `python tests/cron_at_random.py 100000 [first]` tries so many."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from random import Random

import cron_oracle as oracle

from modules.core.scheduler.trigger import Cron, TriggerError
from modules.core.scheduler.trigger.wall_clock import Dst

RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6)}
DAYS = ("L", "L-3", "LW", "15W", "1W", "31W", "L-30", "30W")
WEEKDAYS = ("5L", "1#1", "0#5", "3#2", "6L", "7", "5-7")
LONGEST = 366 * 9  # days without a 29 February, around 2100


def expression(random: Random) -> str:
    """An expression of 5 to 7 fields, often with a day that not every month has."""
    fields = [field(random, name) for name in RANGES]
    if random.random() < 0.2:
        fields.insert(0, item(random, 0, 59))
        if random.random() < 0.3:
            fields.append(random.choice(("*", "2024-2031", "2000,2096")))
    return " ".join(fields)


def field(random: Random, name: str) -> str:
    special = {"day": DAYS, "weekday": WEEKDAYS}.get(name, ())
    everything = {"minute": 0.1, "hour": 0.3}.get(name, 0.6)
    if random.random() < everything:
        return "*"
    items = [item(random, *RANGES[name]) for _ in range(random.choice((1, 1, 1, 2, 3)))]
    if special and random.random() < 0.4:
        items[0] = random.choice(special)
    if name != "minute" and "*" in items:
        return "*"
    return ",".join(items)


def item(random: Random, low: int, high: int) -> str:
    first, last = sorted((random.randint(low, high), random.randint(low, high)))
    longest = last - first if last - first > 1 else 1
    forms = [str(first), str(last), f"*/{random.randint(2, high)}"]
    if first < last:
        forms += [f"{first}-{last}", f"{first}-{last}/{random.randint(1, longest)}", f"{first}/{longest}"]
    return random.choice(forms)


def check(random: Random) -> None:
    """Compare one expression with the oracle: on a plain clock, and in a zone around a change of its clocks."""
    text = expression(random)
    meaning = oracle.Meaning(text)
    if meaning.first_after(datetime(1970, 1, 1), 366 * 30) is None and refused(text):  # noqa: DTZ001  # a wall-clock time
        return
    check_on_a_plain_clock(Cron(text, "UTC"), meaning, random)
    check_around_a_change(text, random)


def refused(text: str) -> bool:
    """Whether an expression is one that no year has a day for."""
    try:
        Cron(text, "UTC")
    except TriggerError as refusal:
        return "no year has" in str(refusal)
    return False


def check_on_a_plain_clock(cron: Cron, meaning: oracle.Meaning, random: Random) -> None:
    start = datetime(random.choice((1899, 1999, 2026, 2099)), 1, 1, tzinfo=UTC)
    start += timedelta(seconds=random.randrange(366 * 86_400))
    moment = start
    for _ in range(3):
        expected = meaning.first_after(moment.replace(tzinfo=None), LONGEST)
        found = cron.next_after(moment)
        if expected is None:
            assert found is None or found - moment > timedelta(days=LONGEST - 1), cron
            return
        assert found == expected.replace(tzinfo=UTC), cron
        assert cron.latest_until(found + timedelta(microseconds=1), start - oracle.DAY) == found, cron
        assert cron.count_between(moment, found) == 1, cron
        moment = found


def check_around_a_change(text: str, random: Random) -> None:
    zone = random.choice(oracle.distinct_zones())
    change = random.choice(oracle.changes(zone))
    policy = random.choice(oracle.POLICIES)
    after = change.replace(second=0) - random.randint(0, 30 * 60) * oracle.MINUTE
    until = after + random.randint(1, 40 * 60) * oracle.MINUTE
    cron = Cron(text, zone, dst=Dst(*policy))
    expected = oracle.occurrences(text, zone, after, until, *policy)
    about = f"{text} {zone} {after.isoformat()} {policy}"

    assert list(cron.between(after, until)) == expected, about
    assert cron.count_between(after, until) == len(expected), about
    assert cron.latest_until(until, after) == (expected[-1] if expected else None), about
    moment = after
    for following in expected[:50]:
        assert cron.next_after(moment) == following, about
        moment = following


def main(count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        check(Random(number))
        if not (number - first + 1) % 1_000:
            print(f"{number - first + 1} expressions agree")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
