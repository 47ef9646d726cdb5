"""What is set, where it is set, and what is wrong with it can be asked."""

from __future__ import annotations

from typing import Any

import pytest

Commands = Any


def shown(commands: Commands, *arguments: str) -> dict[str, tuple[Any, str]]:
    """Return value and source by the name of the setting."""
    settings = commands("settings", "show", *arguments, "--json").json["settings"]
    return {each["name"]: (each["value"], each["source"]) for each in settings}


def test_a_value_is_shown_with_the_file_or_variable_it_comes_from(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands.put("settings/local.toml", '["core.scheduler"]\nlease = "2 minutes"\npoll_interval = 5\n')
    commands.put(".env", "CORE_SCHEDULER_CRASH_LIMIT=7\n")
    monkeypatch.setenv("CORE_SCHEDULER_POLL_INTERVAL", "9s")

    found = shown(commands, "core.scheduler")

    assert found["lease"] == ("2m", 'lease in ["core.scheduler"] of settings/local.toml')
    assert found["crash_limit"] == (7, "CORE_SCHEDULER_CRASH_LIMIT in .env")
    assert found["poll_interval"] == ("9s", "CORE_SCHEDULER_POLL_INTERVAL")
    assert found["enabled"] == (True, "default")
    assert set(shown(commands, "core.scheduler", "--changed")) == {"lease", "crash_limit", "poll_interval"}


def test_the_source_is_a_column_on_demand(commands: Commands) -> None:
    assert "FROM" not in commands("settings", "show", "framework").out
    assert "default" in commands("settings", "show", "framework", "--source").out


def test_secrets_are_never_shown(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_DATABASE_URL", "postgresql://me:hunter2@host/x")
    monkeypatch.setenv("FRAMEWORK_DATABASES", '{"archive": "postgresql://me:hunter2@host/y"}')
    monkeypatch.setenv("CORE_SCHEDULER_HOUSEKEEPER_PSEUDONYM_KEY", "hunter2hunter2hunter2")
    monkeypatch.setenv("CORE_SCHEDULER_TASKS", TASK)

    told = commands("settings", "show", "--source", "--json")

    assert told.status == 0
    assert "hunter2" not in told.out + commands("settings", "show", "--source").out
    found = {each["name"]: each["value"] for each in told.json["settings"]}
    assert found["databases"] == {"archive": "postgresql+asyncpg://***@host/y"}
    assert (found["housekeeper_pseudonym_key"], found["tasks"]) == ("***", "1 given")


TASK = """[{"name": "Call", "module_id": "acme.here", "function_name": "call", "cron": "0 2 * * *",
    "parameters": {"password": "hunter2"}}]"""


def test_a_module_without_settings_is_refused_with_the_nearest(commands: Commands) -> None:
    told = commands("settings", "show", "core.schedular")

    assert told == (1, "", "chamberlain: 'core.schedular' has no settings here; did you mean 'core.scheduler'?\n")


def test_validating_tells_every_wrong_value_and_unknown_name(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert commands("settings", "validate") == (0, "every setting is right\n", "")
    monkeypatch.setenv("CORE_SCHEDULER_LEESE", "60")

    (problem,) = commands("settings", "validate", "--json").json["problems"]
    assert problem.startswith("CORE_SCHEDULER_LEESE is not a setting")

    monkeypatch.setenv("CORE_SCHEDULER_LEASE", "soon")
    told = commands("settings", "validate")
    assert told.status == 1
    assert "CORE_SCHEDULER_LEASE is 'soon'" in told.err


def test_the_printed_variables_are_those_of_the_application_and_can_be_read_back(commands: Commands) -> None:
    lines = commands("settings", "env").out.splitlines()
    commands.put(".env", "\n".join(line.removeprefix("#") for line in lines if not line.startswith("# ")))

    assert "#CORE_SCHEDULER_LEASE=1m" in lines
    assert commands("settings", "validate").status == 0


def test_the_schema_takes_durations_as_numbers_and_as_words(commands: Commands) -> None:
    tables = commands("settings", "schema").json["properties"]

    assert tables["core.scheduler"]["properties"]["lease"]["type"] == ["string", "number"]
    assert tables["framework"]["additionalProperties"] is False
