"""What a cleanup of files has moved is listed, and put back, by its id."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aged_files import names

DAY = timedelta(days=1)


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    """A folder below the data folder, the only allowed root, with two files."""
    exports = tmp_path / "data" / "exports"
    exports.mkdir(parents=True)
    for name in ("one", "two"):
        (exports / name).write_text(name)
    return exports


async def register(node: Any, exports: Path, **keys: Any) -> str:
    config = {"directory": str(exports), "max_files": 0, "min_age": 0, "age_by": "mtime", **keys}
    return (await node.scheduler.register_cleanup_task("acme", "exports", config)).unwrap()["cleanup_id"]


@pytest.mark.parametrize("action", ["archive", "trash"])
async def test_moved_files_come_back_by_the_id_of_their_cleanup(
    node: Any, exports: Path, tmp_path: Path, action: str
) -> None:
    place = {"archive_to": {"directory": str(tmp_path / "data" / "old")}} if action == "archive" else {}
    cleanup = await register(node, exports, action=action, **place)
    node.clock.advance(100 * 365 * DAY)
    run = (await node.scheduler.run_cleanup("exports")).unwrap()["reports"][0]
    left = names(exports)

    (archive,) = (await node.scheduler.list_archives(cleanup)).unwrap()
    planned = (await node.scheduler.restore_cleanup(cleanup, dry_run=True)).unwrap()
    one = (await node.scheduler.restore_cleanup(cleanup, path=str(exports / "one"))).unwrap()
    after_one = names(exports)
    nothing = await node.scheduler.restore_cleanup(cleanup, path=str(exports / "one"))
    rest = (await node.scheduler.restore_cleanup(cleanup, archive["archive"])).unwrap()

    assert (run["matched"], sum(run["done"].values()), left) == (2, 2, set())
    assert (archive["files"], archive["bytes"]) == (2, 6)
    assert (planned["restored"], one["restored"], after_one, rest["restored"]) == (2, 1, {"one"}, 1)
    assert (nothing.error.code, "/one'" in nothing.error.message) == ("ARCHIVE_NOT_FOUND", True)
    assert names(exports) == {"one", "two"}
    assert ((exports / "one").read_text(), (exports / "two").read_text()) == ("one", "two")


async def test_a_cleanup_that_deletes_its_files_has_no_archive(node: Any, exports: Path) -> None:
    cleanup = await register(node, exports)

    refused = await node.scheduler.restore_cleanup(cleanup)

    assert (await node.scheduler.list_archives(cleanup)).unwrap() == []
    assert refused.error.code == "ARCHIVE_NOT_FOUND"
