"""An address of a database is completed, or refused with a sentence that helps."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from framework.database import Database, DatabaseUrlError
from framework.database import location as location_module


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
def test_four_slashes_are_an_absolute_file(tmp_path: Path, scheme: str) -> None:
    database = Database(f"{scheme}:///{tmp_path}/app.db")

    assert database.path == tmp_path / "app.db"
    assert (database.url.drivername, database.dialect, database.is_memory) == ("sqlite+aiosqlite", "sqlite", False)


def test_three_slashes_are_a_file_in_the_folder_of_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database("sqlite:///app.db")
    monkeypatch.chdir("/")

    assert database.path == tmp_path / "app.db"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite:///:memory:"])
def test_no_file_is_a_database_in_memory(url: str) -> None:
    database = Database(url)

    assert (database.is_memory, database.path) == (True, None)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_postgresql_is_reached_through_its_async_driver(scheme: str) -> None:
    database = Database(f"{scheme}://me:secret@host/app?sslmode=require")

    assert (database.url.drivername, database.dialect, database.path) == ("postgresql+asyncpg", "postgresql", None)
    assert dict(database.url.query) == {"ssl": "require"}


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://root:secret@host/app", "'mysql' is not a database this runs on; use sqlite:// or postgresql://"),
        ("app.db:secret", "the database URL cannot be read"),
        ("sqlite:////nowhere/at/all/app.db", "the folder /nowhere/at/all of the database does not exist"),
        ("sqlite:////tmp", "/tmp is a folder"),
        ("sqlite:///file:app.db?uri=true", "a SQLite URL is"),
        ("sqlite://app.db", "a SQLite URL is"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_one_sentence(url: str, sentence: str) -> None:
    with pytest.raises(DatabaseUrlError) as refusal:
        Database(url)

    assert sentence in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_way_to_commit_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="'off' is not a way to commit; use 'full' or 'normal'"):
        Database("sqlite://", synchronous="off")


def test_a_missing_driver_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)

    with pytest.raises(DatabaseUrlError, match=r"pip install 'chamberlain\[postgres\]'"):
        Database("postgresql://host/app")


def test_a_file_on_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(location_module, "_file_system", lambda _folder: "nfs4")

    with pytest.raises(DatabaseUrlError, match=r"network file system \(nfs4\)"):
        Database(f"sqlite:///{tmp_path}/app.db")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_file_system_of_a_folder_is_that_of_its_nearest_mount() -> None:
    assert location_module._file_system(Path("/proc/self")) == "proc"
