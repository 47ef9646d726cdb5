"""Settings: which source wins, and what the values become."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from example_modules import Retry, SchedulerSettings, Write, load
from pydantic import ValidationError

from framework.settings import FrameworkSettings, ModuleSettings
from framework.settings_loader import SettingsLoader

REPOSITORY = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("empty_project")


def test_each_source_wins_over_the_ones_below_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [load().max_concurrent_tasks]
    write("settings/default.toml", '["core.scheduler"]\nmax_concurrent_tasks = 11')
    seen.append(load().max_concurrent_tasks)
    write("settings/production.toml", '["core.scheduler"]\nmax_concurrent_tasks = 12')
    monkeypatch.setenv("FRAMEWORK_ENV", "production")
    seen.append(load().max_concurrent_tasks)
    write("settings/local.toml", '["core.scheduler"]\nmax_concurrent_tasks = 13')
    seen.append(load().max_concurrent_tasks)
    write(".env", "CORE_SCHEDULER_MAX_CONCURRENT_TASKS=14\nSOMEBODY_ELSES=1")
    seen.append(load().max_concurrent_tasks)
    monkeypatch.setenv("CORE_SCHEDULER_MAX_CONCURRENT_TASKS", "15")
    seen.append(load().max_concurrent_tasks)
    seen.append(load(max_concurrent_tasks=16).max_concurrent_tasks)

    assert seen == [10, 11, 12, 13, 14, 15, 16]


def test_a_missing_table_means_defaults(write: Write) -> None:
    write("settings/default.toml", "[framework]\nhttp_port = 9000")

    assert load() == SchedulerSettings()


def test_numbers_words_lists_and_nested_values_come_from_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_SCHEDULER_LEASE", "90")
    monkeypatch.setenv("CORE_SCHEDULER_KEEP_EXECUTION_HISTORY", "7")
    monkeypatch.setenv("CORE_SCHEDULER_ROOTS", "data, /srv/files")
    monkeypatch.setenv("CORE_SCHEDULER_RETRY__BASE", "9s")

    settings = load()

    assert settings.lease == timedelta(seconds=90)
    assert settings.keep_execution_history == timedelta(days=7)
    assert settings.roots == (Path("data"), Path("/srv/files"))
    assert settings.retry == Retry(base=timedelta(seconds=9), factor=2)


def test_a_list_may_be_json_and_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_SCHEDULER_ROOTS", '["a", "b"]')
    monkeypatch.setenv("CORE_SCHEDULER_LEASE", "")

    settings = load()

    assert settings.roots == (Path("a"), Path("b"))
    assert settings.lease == timedelta(minutes=1)


def test_nested_tables_are_merged_key_by_key(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("settings/default.toml", '["core.scheduler".retry]\nbase = 5\nfactor = 3')
    monkeypatch.setenv("CORE_SCHEDULER_RETRY__FACTOR", "4")

    assert load().retry == Retry(base=timedelta(seconds=5), factor=4)


def test_a_module_of_two_words_has_its_own_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    class UserAuthSettings(ModuleSettings):
        session_hours: int = 8

    monkeypatch.setenv("STANDARD_USER_AUTH_SESSION_HOURS", "4")

    assert SettingsLoader().load("standard.user_auth", UserAuthSettings).session_hours == 4


def test_the_longest_module_prefix_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    class CoreSettings(ModuleSettings):
        scheduler_lease: str = "untouched"
        name: str = "core"

    monkeypatch.setenv("CORE_SCHEDULER_LEASE", "5")
    monkeypatch.setenv("CORE_NAME", "heart")
    loader = SettingsLoader()

    core = loader.load("core", CoreSettings, known={"core", "core.scheduler"})
    scheduler = loader.load("core.scheduler", SchedulerSettings, known={"core", "core.scheduler"})

    assert (core.scheduler_lease, core.name) == ("untouched", "heart")
    assert scheduler.lease == timedelta(seconds=5)


def test_the_application_settings_have_sound_defaults() -> None:
    settings = SettingsLoader().load("framework", FrameworkSettings)

    assert settings.database_url == "sqlite+aiosqlite:///data/chamberlain.db"
    assert settings.modules == ("*",)
    assert settings.http_host == "127.0.0.1"
    assert settings.shutdown_timeout == timedelta(seconds=15)


def test_the_database_lies_in_the_data_folder_and_urls_without_a_driver_are_understood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FRAMEWORK_DATA_DIR", "/srv/app")
    monkeypatch.setenv("FRAMEWORK_MODULES", "core.scheduler, acme.reports")
    below_data = SettingsLoader().load("framework", FrameworkSettings)
    monkeypatch.setenv("FRAMEWORK_DATABASE_URL", "postgres://me@db/app")
    elsewhere = SettingsLoader().load("framework", FrameworkSettings)

    assert below_data.database_url == "sqlite+aiosqlite:////srv/app/chamberlain.db"
    assert below_data.modules == ("core.scheduler", "acme.reports")
    assert elsewhere.database_url == "postgresql+asyncpg://me@db/app"


def test_settings_are_frozen_and_do_not_read_the_environment_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_CONCURRENT_TASKS", "99")
    settings = SchedulerSettings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.max_concurrent_tasks = 5  # type: ignore[misc]  # what the test is about

    assert settings.max_concurrent_tasks == 10


def test_where_each_value_comes_from_is_known(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("settings/default.toml", '["core.scheduler"]\nlease = 30')
    monkeypatch.setenv("CORE_SCHEDULER_MAX_CONCURRENT_TASKS", "3")

    origins = SettingsLoader().origins("core.scheduler", SchedulerSettings)

    assert origins["max_concurrent_tasks"] == "CORE_SCHEDULER_MAX_CONCURRENT_TASKS"
    assert origins["lease"] == 'lease in ["core.scheduler"] of settings/default.toml'
    assert origins["roots"] == "default"


@pytest.mark.parametrize("name", ["default.toml", "test.toml", "production.example.toml"])
def test_the_shipped_files_load(name: str) -> None:
    tables = tomllib.loads((REPOSITORY / "settings" / name).read_text())

    settings = FrameworkSettings(**tables["framework"])

    assert settings.model_fields_set == set(tables["framework"])
