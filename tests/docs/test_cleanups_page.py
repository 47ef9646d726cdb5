"""docs/cleanups.md says of cleanups what the code does."""

from __future__ import annotations

from dataclasses import fields

import policy_table
import pytest
from documents import ROOT

from modules.core.scheduler.cleanup import Report

PAGE = ROOT / "docs" / "cleanups.md"


def rows_below(heading: str, head: str = "| key | default | meaning |") -> list[str]:
    """Return the rows of the tables with this head that stand below a heading."""
    text = PAGE.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    tables = [table.splitlines() for table in text.strip().split("\n\n") if table.startswith(head)]
    return [row for table in tables for row in table[2:]]


@pytest.mark.parametrize("heading", policy_table.KINDS)
def test_every_key_of_a_cleanup_is_documented_as_it_is_and_no_other(heading: str) -> None:
    documented = rows_below(heading)

    assert sorted(documented) == sorted(policy_table.tables()[heading]), (
        "as `PYTHONPATH=. python tests/policy_table.py` prints them"
    )


def test_every_number_of_a_report_is_explained() -> None:
    documented = {row.split("`")[1] for row in rows_below("Reports", "| number | means |")}

    assert {field.name for field in fields(Report)} <= documented
