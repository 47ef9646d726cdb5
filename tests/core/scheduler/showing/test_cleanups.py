"""How cleanups read: sizes, plans, and what a run came to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modules.core.scheduler.showing.cleanups import (
    bytes_text,
    cleanup_rows,
    cleanups_verdict,
    compliance_rows,
    plan_lines,
    ran,
    report_rows,
)

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
CLEANUP: dict[str, Any] = {
    "module_id": "acme.shop",
    "cleanup_type": "carts",
    "enabled": True,
    "last_run": None,
    "next_run": NOW + timedelta(minutes=90),
    "config": {"table_name": "carts", "cleanup_interval": "6h", "window": "22:00-05:00"},
}


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_500_000, "2.5 MB"), (3 * 10**15, "3000.0 TB")]
)
def test_sizes_are_told_in_the_largest_unit_that_fits(size: int, told: str) -> None:
    assert bytes_text(size) == told


def test_a_cleanup_that_is_off_has_no_next_run() -> None:
    on, off = cleanup_rows([CLEANUP, CLEANUP | {"enabled": False}], NOW)

    assert on[1:] == ("1h 30m", "-", "on", "acme.shop/carts", "rows of carts", "every 6h, 22:00-05:00")
    assert off[:4] == ("-", "-", "-", "off")


def test_the_verdict_says_what_is_off_and_frozen() -> None:
    held = [
        {"scope": "cleanups:*", "reason": "an audit", "since": NOW},
        {"scope": "queue:a", "reason": "", "since": NOW},
    ]

    told = cleanups_verdict([CLEANUP, CLEANUP | {"enabled": False}], held)

    assert told.startswith("2 cleanups, 1 off, frozen since ")
    assert told.endswith("(an audit): chamberlain cleanups unfreeze")


def test_a_report_that_failed_is_marked_and_its_errors_are_cut() -> None:
    report = {
        "cleanup_type": "carts",
        "started_at": "2026-01-05T12:00:00Z",
        "success": False,
        "dry_run": False,
        **dict.fromkeys(("matched", "deleted", "bytes"), 5),
        "kept": {"newest": 2, "held": 1},
        "skipped": {},
        "seconds": 61.0,
        "cascades": {},
        "errors": ["x" * 200],
        "note": None,
    }

    (row,) = report_rows([report])

    assert row[1:9] == ("carts", "failed !!", "5", "5", "5 B", "2 newest, 1 held", "-", "1m 1s")
    assert (len(row[9]), row[9][-1]) == (100, "…")


def test_a_plan_that_a_guard_refuses_says_so_and_how_to_carry_it_out() -> None:
    plan = {
        "rows": {"carts": 7, "lines": 21},
        "files": 0,
        "bytes": 0,
        "freed_bytes_estimate": 0,
        "population": 9,
        "plan_id": "p1",
        "oldest": None,
        "newest": None,
        "kept": {},
        "samples": [],
        "seconds_estimate": 5.0,
        "guards": ["more than half"],
    }

    assert plan_lines(plan) == [
        "would go: 7 rows of carts, 21 rows of lines, of 9 in all",
        "refused by a guard: more than half",
        "takes about 5s",
        "carry it out within the hour: chamberlain cleanups apply p1",
    ]


def test_rows_that_went_along_are_told_beside_those_deleted() -> None:
    told = {
        "dry_run": False,
        "deleted": 1,
        "matched": 1,
        "done": {},
        "cascades": {"lines": 2},
        "bytes": 5,
        "seconds": None,
    }

    assert ran(told) == "1 deleted, along with 2 rows of lines, 5 B"
    assert ran(told | {"dry_run": True}) == "dry run: 1 would go, along with 2 rows of lines, 5 B; nothing was deleted"
    assert ran(told | {"cascades": {}}) == "1 deleted, 5 B"


def test_one_is_told_as_one_and_bytes_are_those_of_the_table_that_has_them() -> None:
    plan = {"rows": {"carts": 1, "lines": 2}, "files": 0, "bytes": 70, "population": 9, "plan_id": "p1"}
    plan |= dict.fromkeys(("oldest", "newest", "seconds_estimate")) | {"kept": {}, "samples": [], "guards": []}
    plan["freed_bytes_estimate"] = 0
    of_files = plan_lines(plan | {"rows": {}, "files": 1, "freed_bytes_estimate": 4096})

    assert plan_lines(plan)[0] == "would go: 1 row of carts, 2 rows of lines, 70 B of carts, of 9 in all"
    assert of_files[:2] == ["would go: 1 file, 70 B, of 9 in all", "frees about 4.1 kB on the disk"]


def test_what_is_not_compliant_is_marked_and_what_nobody_knows_is_unknown() -> None:
    check = CLEANUP | {"oldest": None, "checked_at": NOW, "says": "so"}

    told = [row[1] for row in compliance_rows(check | {"compliant": each} for each in (True, False, None))]

    assert told == ["yes", "no !!", "unknown"]
