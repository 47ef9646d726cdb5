"""A policy of files says what it means, or every offending field is named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from modules.core.scheduler.cleanup import PolicyError, parse_policy
from modules.core.scheduler.cleanup.space import Disk, bytes_needed

ROOTS = [Path("/srv/data")]
FILES = {"directory": "/srv/data/uploads"}
ARCHIVE = {"action": "archive", "archive_to": {"directory": "/srv/data/archive"}}


def parse(keys):
    return parse_policy(FILES | keys, default_interval=timedelta(hours=1), allowed_roots=ROOTS)


@pytest.mark.parametrize(
    "keys",
    [
        ARCHIVE,
        {"action": "trash"},
        {"action": "compress", "max_age": "1 day"},
        {"keep_newest": {"count": 3, "per": "*-????.gz"}, "tiers": {"daily": 7}, "tiers_per": "folder"},
        {"start_below_free": "10%", "stop_at_free": "15 %"},
        {"start_below_free": 5_000_000, "min_kept": 1, "exclude": ["*.keep"], "max_seconds": 30},
    ],
)
def test_an_effective_config_parses_to_the_same_policy(keys):
    policy = parse(keys)

    assert parse_policy(policy.to_config(), default_interval=timedelta(hours=1), allowed_roots=ROOTS) == policy


@pytest.mark.parametrize(
    "keys",
    [
        {"directory": "/srv/data/.trash"},
        {"directory": "/srv/data/.trash/uploads"},
        {**ARCHIVE, "archive_to": {"directory": "/srv/data/.trash/old"}},
        {"action": "archive"},
        {"action": "shred"},
        {"archive_to": {"directory": "/srv/data/archive"}},
        {"trash_for": "1 day"},
        {"action": "trash", "trash_for": 0},
        {"action": "trash", "start_below_free": "10%"},
        *({**ARCHIVE, "archive_to": {"directory": f"/srv/{where}"}} for where in ("other", "data", "data/uploads/old")),
        {"keep_newest": {"count": 0}},
        {"keep_newest": {"count": 1, "pre": "folder"}},
        *({"keep_newest": {"count": 1, "per": per}} for per in ("*-*", "folders", "[a-z]*", "../*", "")),
        {"tiers": {}},
        {"tiers": {"dayly": 3}},
        {"tiers_per": "folder"},
        {"stop_at_free": "10%"},
        {"start_below_free": "10%", "stop_at_free": "10 GB"},
        {"start_below_free": "10%", "stop_at_free": "9%"},
        *({"start_below_free": space} for space in ("101%", "10 gigs", "-1", "nan", "", True, 1.5)),
        {"remove_empty": True},
        {"exclude": "*.keep"},
        {"exclude": ["../*"]},
        {"age_by": "atime"},
        {"max_files_per_run": 0},
        {"min_kept": 0},
        {"max_seconds": 0},
    ],
)
def test_what_makes_no_sense_is_refused(keys):
    with pytest.raises(PolicyError):
        parse(keys)


def test_a_limit_must_be_set_beside_what_only_keeps():
    assert parse({"tiers": {"daily": 7}}).age_limit == timedelta(days=30)
    assert parse({"tiers": {"daily": 7}, "max_files": 0}).age_limit is None
    assert parse({"start_below_free": "10%"}).age_limit is None


@pytest.mark.parametrize(
    ("start", "stop", "needed"),
    [
        (None, None, 0),
        ("10%", None, 0),
        ("20%", None, 50),
        ("20%", "30%", 150),
        ("10%", "30%", 0),
        ("0.2 kB", "0.5 kB", 350),
        ("1 KiB", None, 874),
        ("200", "201B", 51),
    ],
)
def test_space_is_needed_up_to_the_stop_once_less_is_free_than_the_start(start, stop, needed):
    assert bytes_needed(Disk(total=1_000, free=150), start, stop) == needed
