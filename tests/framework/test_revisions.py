"""Tables that are up to date are recognised without Alembic; in every other case it decides."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from framework import revisions
from framework.database import Database
from framework.revisions import stands_at_head

FIRST = "revision = '0001'\ndown_revision = None\n"
SECOND = "from typing import Any\nrevision: str = '0002'\ndown_revision: Any = '0001'\nother = print\n"
PARTED = "revision, down_revision = '0003', '0001'\n"
MERGED = "revision, down_revision = '0004', ('0002', '0003')\n"
FUNCTION = "\ndef upgrade() -> None:\n    revision = 2\n"
WORDS = "'''What is\ndef as a word.'''\n"
COMPUTED = "revision = str(2)\ndown_revision = '0001'\n"


@pytest.mark.parametrize(
    ("files", "stored", "is_known"),
    [
        ([FIRST], "0001", True),
        ([FIRST, SECOND], "0002", True),
        ([FIRST, SECOND], "0001", False),
        ([FIRST], "0002", False),
        ([FIRST, SECOND, PARTED], "0002", False),
        ([FIRST, SECOND, PARTED, MERGED], "0004", True),
        ([FIRST, COMPUTED], "0001", False),
        ([FIRST, "no python"], "0001", False),
        ([FIRST + FUNCTION], "0001", True),
        ([FUNCTION + FIRST], "0001", True),
        ([WORDS + FIRST], "0001", True),
        ([FIRST, ""], "0001", False),
        ([], "0001", False),
    ],
)
async def test_only_the_one_newest_revision_counts_as_up_to_date(
    sqlite_database: Database, tmp_path: Path, files: list[str], stored: str, is_known: bool
) -> None:
    for number, source in enumerate(files):
        (tmp_path / f"{number}.py").write_text(source)
    await sqlite_database.write(lambda c: c.execute(text("CREATE TABLE versions (version_num TEXT)")))
    await sqlite_database.write(lambda c: c.execute(text("INSERT INTO versions VALUES (:v)"), {"v": stored}))

    assert await sqlite_database.read(lambda c: stands_at_head(c, "versions", tmp_path)) is is_known


async def test_tables_that_are_not_there_are_not_up_to_date(sqlite_database: Database, tmp_path: Path) -> None:
    (tmp_path / "0.py").write_text(FIRST)

    assert not await sqlite_database.read(lambda c: stands_at_head(c, "versions", tmp_path))


async def test_functions_behind_the_revisions_are_not_parsed(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0.py").write_text(f"# {tmp_path}\n{FIRST}{FUNCTION}")  # what was read before is not parsed again
    parsed: list[bytes] = []

    def parsing(source: bytes) -> ast.Module:
        parsed.append(source)
        return ast.parse(source)

    monkeypatch.setattr(revisions, "ast", SimpleNamespace(**{**vars(ast), "parse": parsing}))

    await sqlite_database.read(lambda c: stands_at_head(c, "versions", tmp_path))

    assert [b"upgrade" in each for each in parsed] == [False]
