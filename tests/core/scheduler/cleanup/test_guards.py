"""Guards judge a run by its exact count: just at a limit it may go, one beyond it may not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from modules.core.scheduler.cleanup import Ceiling, Limits, Report, RowsPolicy
from modules.core.scheduler.cleanup.parsing import PolicyError, parse_policy

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def counted(matched: int, **values: object) -> Report:
    return Report("rows", dry_run=True, started_at=NOW, matched=matched, **values)


@pytest.mark.parametrize(
    ("limits", "at_the_limit", "beyond"),
    [
        (Limits(max_fraction=0.29), counted(29), counted(30)),
        (Limits(max_deletions=10), counted(7, cascades={"lines": 3}), counted(7, cascades={"lines": 4})),
        (Limits(max_bytes=1000), counted(1, bytes=1000), counted(1, bytes=1001)),
        (Limits(min_left=60), counted(40), counted(41)),
    ],
)
def test_a_run_may_reach_a_limit_and_not_pass_it(limits: Limits, at_the_limit: Report, beyond: Report) -> None:
    assert limits.judge(at_the_limit, 100) == []
    (sentence,) = limits.judge(beyond, 100)
    assert sentence.startswith("it would ")


def test_every_broken_limit_is_told() -> None:
    limits = Limits(max_fraction=0.5, max_deletions=10, max_bytes=1, min_left=50)

    assert len(limits.judge(counted(100, bytes=2), 100)) == 4


def test_where_nothing_would_go_nothing_is_refused() -> None:
    limits = Limits(max_fraction=0.01, max_deletions=1, max_bytes=1, min_left=50)

    assert limits.judge(counted(0), 0) == limits.judge(counted(0), 3) == []


def test_what_comes_while_a_run_goes_on_is_bounded_by_the_tightest_limit() -> None:
    assert Limits(max_fraction=0.29).ceiling(100) == Ceiling(own=29)
    assert Limits(max_fraction=0.5, max_deletions=40, min_left=70).ceiling(100) == Ceiling(30, 40)
    assert Limits(max_bytes=1).ceiling(100) == Ceiling(bytes=1)


def test_a_limit_of_the_policy_goes_before_that_of_the_settings() -> None:
    policy = RowsPolicy(table_name="logs", date_column="at", max_deletions=500)
    defaults = Limits(max_deletions=10, max_bytes=7)

    assert Limits.read(policy).or_else(defaults) == Limits(max_deletions=500, max_bytes=7)


@pytest.mark.parametrize(
    "wrong",
    [{"max_fraction": 0}, {"max_fraction": 1.5}, {"max_deletions": 0}, {"min_left": -1}, {"max_bytes": 0}],
)
def test_a_limit_that_means_nothing_is_refused(wrong: dict[str, object]) -> None:
    config = {"table_name": "logs", "date_column": "at", "cron": "0 3 * * *", **wrong}

    with pytest.raises(PolicyError) as refusal:
        parse_policy(config, default_interval=NOW - NOW, allowed_roots=[])

    assert [problem["field"] for problem in refusal.value.problems] == list(wrong)
