"""With zones given, the zone of the host alters nothing: no answer, no preview, and no test of triggers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from framework.testing import FakeClock
from modules.core.scheduler import SchedulerSettings, TriggerManager

ROOT = Path(__file__).parents[3]
HOSTS = ("America/New_York", "Pacific/Kiritimati")
NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)
DEFINITIONS: list[dict[str, Any]] = [
    {"type": "date", "run_date": "2026-03-29T02:30"},
    {"type": "interval", "hours": 7, "start_date": "2026-03-01T02:30"},
    {"type": "interval", "months": 1, "start_date": "2026-01-29T02:30"},
    {"type": "cron", "expression": "30 2 * * *"},
    {"type": "cron", "expression": "*/20 30 1-3 * * *", "dst_fold": "both"},
    {"type": "cron", "day_of_week": "sun", "hour": 2, "minute": 30},
    {"type": "calendar", "months": 1, "day": "last sunday", "at": "02:30"},
    {"type": "window", "every": "45 minutes", "from": "22:00", "to": "03:30"},
    {
        "type": "rrule",
        "rrule": "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2,3",
        "dtstart": "2026-03-01T00:00",
        "exdates": ["2026-03-15"],
    },
    {"type": "any", "triggers": ["30 2 * * *", {"type": "date", "run_date": "2026-04-01T00:00"}]},
    {"type": "all", "triggers": ["*/30 2-4 * * *", {"type": "calendar", "days": 1, "at": "02:30"}]},
]
SUITE = (
    *("trigger/test_parse.py", "trigger/test_intervals.py", "trigger/test_series.py", "trigger/test_cron_fields.py"),
    *(
        "trigger/test_calendar_interval_definitions.py",
        "trigger/test_excluding_definitions.py",
        "trigger/test_stored.py",
    ),
    *("trigger/test_until.py", "trigger/test_rrule_words.py", "test_trigger_manager.py"),
)


@pytest.fixture
def host() -> Iterator[Any]:
    """Moves this process into another zone, and back again in the end."""
    before = os.environ.get("TZ")

    def move(name: str | None) -> None:
        if name is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = name
        time.tzset()

    yield move
    move(before)


def foreseen(definition: dict[str, Any], zone: str) -> list[Any]:
    """What it means: the value, its words, its next times, and what a preview notes beside them."""
    triggers = TriggerManager(FakeClock(NOW), SchedulerSettings(timezone="UTC"))
    trigger = triggers.parse(definition, zone).unwrap()
    stored = trigger.to_json()
    return [stored, trigger.describe(), triggers.preview(trigger, 12, first=trigger.next_after(NOW), timezone=zone)]


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: str(definition["type"]))
def test_the_zone_of_the_host_alters_no_trigger_and_no_preview(host: Any, definition: dict[str, Any]) -> None:
    told = {}
    for name in ("UTC", *HOSTS):
        host(name)
        assert name == "UTC" or datetime(2026, 1, 1).astimezone().utcoffset()
        told[name] = [foreseen(definition, zone) for zone in ("Europe/Berlin", "America/New_York", "Pacific/Apia")]

    assert told[HOSTS[0]] == told["UTC"]
    assert told[HOSTS[1]] == told["UTC"]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", HOSTS[:1])  # `make torture` runs all tests on both
def test_the_tests_of_triggers_and_previews_hold_on_hosts_of_other_zones(name: str) -> None:
    files = [f"tests/core/scheduler/{file}" for file in SUITE]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "not postgres and not slow",
        *files,
    ]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}

    done = subprocess.run(
        command, env={**environment, "TZ": name}, cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-3_000:]
    assert " passed" in done.stdout
