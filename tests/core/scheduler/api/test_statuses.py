"""Codes have the HTTP status that the page about errors gives them."""

from __future__ import annotations

from documents import ROOT

from modules.core.scheduler.api.statuses import STATUSES

OTHERS = ("standard.", "`revoke` of tokens")


def documented() -> dict[str, tuple[str, int]]:
    rows = [line for line in (ROOT / "docs" / "errors.md").read_text().splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    return {cell[0].strip("` "): (cell[1], int(cell[-1].strip(" |"))) for cell in cells}


def test_every_code_of_the_scheduler_is_answered_with_its_status() -> None:
    own = {code: status for code, (source, status) in documented().items() if not any(it in source for it in OTHERS)}

    assert dict(STATUSES) == own
