"""The scheduler's settings: units, limits, and a wrong value stops the start with a sentence that names it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from framework import Application
from framework.errors import SettingsError
from modules.core.scheduler import SchedulerSettings


def start(tmp_path: Path, **settings: Any) -> Application:
    framework = {"database_url": "sqlite+aiosqlite:///:memory:", "data_dir": str(tmp_path)}
    return Application(modules=["core.scheduler"], settings={"framework": framework, "core.scheduler": settings})


def test_a_bare_number_is_seconds_and_for_the_history_days() -> None:
    given = {"cleanup_interval": 90, "execution_timeout": "30", "keep_execution_history": 7}

    settings = SchedulerSettings.model_validate(given)

    assert settings.cleanup_interval == timedelta(seconds=90)
    assert settings.execution_timeout == timedelta(seconds=30)
    assert settings.keep_execution_history == timedelta(days=7)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("housekeeper_schedule", "99 3 * * *", "0-59"),
        ("housekeeper_schedule", "0 0 30 2 *", "no year has"),
        ("timezone", "Europe/Belin", "Europe/Berlin"),
        ("cleanup_interval", 0, "greater than"),
        ("keep_execution_history", -1, ""),
        ("keep_executions_per_task", 0, "greater than or equal to 1"),
        ("max_concurrent_tasks", "many", "integer"),
    ],
)
async def test_a_wrong_value_stops_the_start_with_a_sentence_that_names_it(
    tmp_path: Path, name: str, value: Any, sentence: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        async with start(tmp_path, **{name: value}):
            pass

    told = str(refused.value)
    assert name in told.lower()
    assert repr(value).strip("'") in told
    assert sentence in told


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('name = "a"\nfunction_name = "f"\ncron = "@daily"', "the task 'a' is refused: module_id: Field required"),
        ('name = "a"\nmodule_id = "m"\nfunction_name = "f"\ncorn = "@daily"', "did you mean 'cron'?"),
        ('name = "a"\nmodule_id = "m"\nfunction_name = "f"\ncron = 5', "cron: it must be a valid string"),
    ],
)
async def test_a_wrong_task_in_a_file_stops_the_start_with_a_sentence_that_names_both(
    tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "local.toml").write_text(f'[["core.scheduler".tasks]]\nparameters = {{ token = "s3cr3t" }}\n{text}\n')

    with pytest.raises(SettingsError) as refused:
        await Application(modules=["core.scheduler"], settings_dirs=[tmp_path]).start()

    told = str(refused.value)
    assert told.startswith('tasks.0 in ["core.scheduler"] of ')
    assert "local.toml" in told
    assert sentence in told
    assert "s3cr3t" not in told
