"""One sentence for every wrong setting: which it is, its value, what is allowed."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from example_modules import SchedulerSettings, Write, load

from framework.errors import SettingsError
from framework.settings import FrameworkSettings, ModuleSettings
from framework.settings_loader import SettingsLoader

REPOSITORY = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("empty_project")


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("MAX_CONCURRENT_TASKS", "many", "CORE_SCHEDULER_MAX_CONCURRENT_TASKS is 'many', and must be a valid integer"),
        (
            "MAX_CONCURRENT_TASKS",
            "0",
            "CORE_SCHEDULER_MAX_CONCURRENT_TASKS is '0', and must be greater than or equal to 1",
        ),
        ("LEASE", "1:30", "CORE_SCHEDULER_LEASE is '1:30': '1:30' is not a duration; write a number of seconds"),
        ("RETRY__FACTOR", "x", "CORE_SCHEDULER_RETRY__FACTOR is 'x', and must be a valid integer"),
        ("RETRY", "nonsense", "CORE_SCHEDULER_RETRY is 'nonsense', and must be"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"CORE_SCHEDULER_{variable}", value)

    with pytest.raises(SettingsError) as raised:
        load()

    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)


def test_a_proxy_is_named_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_HTTP_TRUSTED_PROXIES", "10.0.0.1,my-proxy")

    with pytest.raises(SettingsError, match=r"^FRAMEWORK_HTTP_TRUSTED_PROXIES is .*'my-proxy' does not appear to be"):
        SettingsLoader().load("framework", FrameworkSettings)


def test_a_wrong_value_in_a_file_is_named_with_key_and_file(write: Write) -> None:
    write("settings/local.toml", '["core.scheduler"]\nmax_concurrent_tasks = -1')

    with pytest.raises(SettingsError) as raised:
        load()

    assert str(raised.value).startswith(
        'max_concurrent_tasks in ["core.scheduler"] of settings/local.toml is -1, and must'
    )


def test_the_variable_is_blamed_and_not_the_file_below_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("settings/local.toml", '["core.scheduler"]\nlease = 30')
    write(".env", "CORE_SCHEDULER_LEASE=soon")

    with pytest.raises(SettingsError, match=r"^CORE_SCHEDULER_LEASE in \.env is 'soon'"):
        load()


def test_every_wrong_value_is_reported_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        load(max_concurrent_tasks=0, lease="soon")

    assert len(str(raised.value).splitlines()) == 2


def test_a_mistyped_key_in_a_file_is_an_error_with_the_near_name(write: Write) -> None:
    write("settings/default.toml", '["core.scheduler"]\nmax_concurent_tasks = 3')

    with pytest.raises(
        SettingsError, match=r"max_concurent_tasks in .* is not a setting; did you mean 'max_concurrent"
    ):
        load()


def test_a_mistyped_variable_is_a_warning_with_the_near_name(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CORE_SCHEDULER_MAX_CONCURENT_TASKS", "3")
    monkeypatch.setenv("CORE_SCHEDULER_RETRY__BASE", "3")
    monkeypatch.setenv("FRAMEWORK_HTTP_PROT", "3")
    monkeypatch.setenv("FRAMEWORK_ENV", "production")
    models: dict[str, type[ModuleSettings]] = {"framework": FrameworkSettings, "core.scheduler": SchedulerSettings}
    loader = SettingsLoader()
    caplog.clear()

    loader.check_names(models, known=models)

    tasks, port = (record.getMessage() for record in caplog.records)
    assert tasks.startswith("CORE_SCHEDULER_MAX_CONCURENT_TASKS is not a setting and is ignored; did you mean")
    assert tasks.endswith("'CORE_SCHEDULER_MAX_CONCURRENT_TASKS'?")
    assert port == "FRAMEWORK_HTTP_PROT is not a setting and is ignored; did you mean 'FRAMEWORK_HTTP_PORT'?"


def test_a_mistyped_table_is_a_warning_and_one_given_in_code_an_error(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write("settings/default.toml", '["core.schedular"]\nx = 3\n["not.loaded.here"]\ny = 1')
    models = {"core.scheduler": SchedulerSettings}

    with caplog.at_level(logging.WARNING):
        SettingsLoader().check_names(models, known=models)
    with pytest.raises(SettingsError, match=r"'core\.schedular', which is no module; did you mean 'core\.scheduler'"):
        SettingsLoader({"core.schedular": {}}).check_names(models, known=models)

    assert [record.getMessage() for record in caplog.records] == [
        "the table 'core.schedular' of settings/default.toml belongs to no module; did you mean 'core.scheduler'?"
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[core.scheduler]\nlease = 5",
            'settings/default.toml has a table [core.scheduler]; write it with quotes: ["core',
        ),
        ("lease = 5", 'lease in settings/default.toml stands in no table; put it under [framework] or ["area.module"]'),
        ("[framework", "settings/default.toml is not readable as TOML: "),
    ],
)
def test_a_file_that_would_be_misread_is_refused(write: Write, text: str, sentence: str) -> None:
    write("settings/default.toml", text)

    with pytest.raises(SettingsError) as raised:
        load()

    assert str(raised.value).startswith(sentence)


def test_the_environment_is_a_plain_word_and_its_missing_file_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FRAMEWORK_ENV", "prodution")
    SettingsLoader()
    monkeypatch.setenv("FRAMEWORK_ENV", "../../etc/passwd")

    with pytest.raises(SettingsError, match="must be a word"):
        SettingsLoader()

    assert "there is no prodution.toml in settings" in caplog.text


def test_a_password_never_stands_in_the_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_DATABASE_URL", "mysql://me:hunter2@db/app")

    with pytest.raises(SettingsError) as raised:
        SettingsLoader().load("framework", FrameworkSettings)

    assert str(raised.value).startswith("FRAMEWORK_DATABASE_URL is 'mysql://***@db/app': write sqlite+aiosqlite:///")
    assert "hunter2" not in str(raised.value)
