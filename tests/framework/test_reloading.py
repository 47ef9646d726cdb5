"""Settings that are read again while the application runs are taken over, or said to take a restart."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import pytest
from command_line import Project

from framework import Application, Module, ModuleSettings, SettingsError
from framework.errors import WrongPhase

MEMORY = {"framework": {"database_url": "sqlite+aiosqlite:///:memory:"}}
LOCAL = '[framework]\nlog_level = "{level}"\n\n["acme.oven"]\nheat = {heat}\nname = "{name}"\n'


class OvenSettings(ModuleSettings):
    heat: int = 100
    name: str = "old"


class Oven(Module):
    id = "acme.oven"
    settings_model = OvenSettings

    def reconfigure(self, settings: ModuleSettings) -> Iterable[str]:
        assert isinstance(settings, OvenSettings)
        if settings.heat > 300:
            raise ValueError("too hot")
        return ["heat"]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings").mkdir()
    level = logging.root.level
    monkeypatch.setattr(logging.root, "level", level)  # put back
    file = tmp_path / "settings" / "local.toml"
    write(file)
    return file


def write(file: Path, level: str = "INFO", heat: object = 100, name: str = "old") -> None:
    file.write_text(LOCAL.format(level=level, heat=heat, name=name))


async def test_what_may_change_is_in_force_and_the_rest_is_named(
    settings: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (application := Application([Oven()], MEMORY)) as app_context:
        write(settings, level="ERROR", heat=200, name="new")
        reloaded = application.reload()

        assert reloaded.taken == {"framework": ["log_level"], "acme.oven": ["heat"]}
        assert reloaded.waiting == {"acme.oven": ["name"]}
        assert app_context.settings(OvenSettings) == OvenSettings(heat=200, name="old")
        assert logging.root.level == logging.ERROR


async def test_a_wrong_value_changes_nothing(settings: Path) -> None:
    async with (application := Application([Oven()], MEMORY)) as app_context:
        write(settings, level="ERROR", heat='"hot"', name="new")

        with pytest.raises(SettingsError, match="heat in"):
            application.reload()
        assert app_context.settings(OvenSettings) == OvenSettings()


async def test_a_module_that_cannot_take_them_over_keeps_what_it_has(settings: Path) -> None:
    async with (application := Application([Oven()], MEMORY)) as app_context:
        write(settings, level="INFO", heat=400, name="old")

        assert application.reload().waiting == {"acme.oven": ["heat"]}
        assert app_context.settings(OvenSettings).heat == 100


async def test_what_does_not_run_reads_nothing_again() -> None:
    with pytest.raises(WrongPhase):
        Application([Oven()], MEMORY).reload()


def test_sighup_has_the_settings_read_again_and_a_slip_of_the_pen_is_told(tmp_path: Path) -> None:
    project = Project(tmp_path)
    (tmp_path / "settings").mkdir()
    file = tmp_path / "settings" / "local.toml"

    with project.start("worker", FRAMEWORK_LOG_FORMAT="json") as running:
        running.until('"started"')
        file.write_text('["core.scheduler"]\nmax_concurrent_tasks = 3\n')
        running.hang_up()
        running.until("settings of core.scheduler: max_concurrent_tasks is 3 now")
        file.write_text('["core.scheduler"]\nmax_concurrent_tasks = "many"\n')
        running.hang_up()
        running.until("the settings stay as they are")
        running.terminate()

        assert running.status() == 0
