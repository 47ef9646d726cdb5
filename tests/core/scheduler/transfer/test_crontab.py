"""A crontab becomes tasks that mean the same, line by line; what would not mean the same is refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from modules.core.scheduler.task import TaskConfig
from modules.core.scheduler.transfer.crontab import Line, read_crontab

COMMAND = {"module_id": "core.scheduler", "function_name": "run_command"}


def lines(text: str, **given: Any) -> list[Line]:
    return read_crontab(text, **{"zone": None, "user": "me", "commands_allowed": True, **given})


def only(text: str, **given: Any) -> Line:
    *_, line = lines(text, **given)
    return line


def config(text: str, **given: Any) -> dict[str, Any]:
    line = only(text, **given)
    assert line.config is not None, line.reason
    TaskConfig.model_validate(line.config)
    return line.config


def reason(text: str, **given: Any) -> str:
    line = only(text, **given)
    assert line.config is None
    return str(line.reason)


def test_a_line_becomes_a_task_that_runs_its_command_as_cron_would() -> None:
    task = config("*/15 8-18 * * mon-fri  /usr/bin/sync --all  # nightly")

    assert {name: task[name] for name in COMMAND} == COMMAND
    assert task["parameters"] == {"command": "/usr/bin/sync --all  # nightly"}
    assert (task["cron"], task["overlap"], task["catch_up"]) == ("*/15 8-18 * * mon-fri", "allow", "none")
    assert task["timeout"] == "1 day"


@pytest.mark.parametrize(
    ("times", "low", "high"),
    [("10~15 5 * * *", 10, 15), ("~ 5 * * *", 0, 59), ("~15 5 * * *", 0, 15), ("50~ 5 * * *", 50, 59)],
)
def test_a_random_time_is_chosen_once_and_lies_where_it_may(times: str, low: int, high: int) -> None:
    chosen = [int(config(f"{times} job{number}")["cron"].split()[0]) for number in range(40)]

    assert low <= min(chosen) < max(chosen) <= high
    assert config(f"{times} job0")["cron"] == f"{chosen[0]} 5 * * *"
    assert "was chosen once" in only(f"{times} job0").notes[0]


@pytest.mark.parametrize("nickname", ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"])
def test_nicknames_are_taken(nickname: str) -> None:
    assert config(f"{nickname} true")["cron"] == nickname


def test_comments_and_empty_lines_say_nothing() -> None:
    assert lines("# a comment\n\n   \n\t# another\n") == []


def test_a_percent_sign_ends_the_command_and_the_rest_is_its_input() -> None:
    parameters = config(r"0 5 * * * mail -s 100\% boss%Dear boss,%%all is well.")["parameters"]

    assert parameters == {"command": "mail -s 100% boss", "stdin": "Dear boss,\n\nall is well.\n"}


def test_zone_shell_and_random_delay_hold_for_the_lines_below() -> None:
    first, last = lines(
        "0 1 * * * a\nCRON_TZ=Europe/Berlin\nSHELL = '/bin/bash'\nRANDOM_DELAY=7\n0 2 * * * b", zone="UTC"
    )

    assert first.config is not None
    assert last.config is not None
    assert (first.config["timezone"], "jitter" in first.config) == ("UTC", False)
    assert (last.config["timezone"], last.config["jitter"]) == ("Europe/Berlin", 420)
    assert last.config["parameters"] == {"command": "b", "shell": "/bin/bash"}


def test_commands_are_looked_for_where_path_says() -> None:
    above, below = lines("0 1 * * * a\nPATH=/opt/bin:/bin\n0 2 * * * b")

    assert above.config is not None
    assert below.config is not None
    assert above.config["parameters"] == {"command": "a"}
    assert below.config["parameters"] == {"command": "b", "path": "/opt/bin:/bin"}


def test_other_variables_are_not_kept_and_commands_below_them_are_refused() -> None:
    text = "0 1 * * * a\nPERL5LIB=/opt/lib\n0 2 * * * b"

    above, variable, below = lines(text)

    assert above.config is not None
    assert variable.notes == (
        "variables are not kept: commands below that may need it are refused; set it within the command",
    )
    assert below.reason == "line 2 sets PERL5LIB, which the command may need: set it within the command"
    assert config(text, functions={"b": ("acme", "b")})["function_name"] == "b"


def test_mail_is_not_sent_and_that_is_said() -> None:
    mail, task = lines('MAILTO=""\n@daily true')

    assert mail.notes == ("no mail is sent: what a command writes is kept with its execution",)
    assert task.config is not None


def test_a_system_crontab_names_a_user_who_must_be_ours() -> None:
    mine, other = lines("17 * * * *\tme\tcd / && run\n17 * * * * root run", is_system=True)

    assert mine.config is not None
    assert mine.config["parameters"] == {"command": "cd / && run"}
    assert other.reason == "it runs as 'root', and tasks run as 'me', who runs this program"


def test_a_function_may_take_the_place_of_a_command() -> None:
    functions = {"/usr/bin/backup --all": ("acme.backup", "run")}

    task = config("@daily /usr/bin/backup --all", functions=functions, commands_allowed=False)

    assert (task["module_id"], task["function_name"], "parameters" in task) == ("acme.backup", "run", False)
    assert "has no standard input" in reason("@daily /usr/bin/backup --all%yes", functions=functions)


def test_commands_are_refused_where_they_are_not_allowed() -> None:
    assert "--allow-commands" in reason("@daily true", commands_allowed=False)


def test_the_same_line_is_the_same_task_and_twice_the_same_line_are_two() -> None:
    first, second = lines("@daily true\n@daily true")
    other = config("# moved\n\n@daily  true")

    assert first.config is not None
    assert second.config is not None
    assert first.config["key"] == other["key"] != second.config["key"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("@reboot true", "belongs in a module's lifespan"),
        ("@every 5m true", "cron has no '@every'"),
        ("30~10 * * * * true", "a random time is a range within 0 to 59"),
        ("0~60 * * * * true", "a random time is a range within 0 to 59"),
        ("0~30/5 * * * * true", "a random time is a range within 0 to 59"),
        ("0 0 L * * true", "cron itself knows no such thing"),
        ("H * * * * true", "cron itself knows no such thing"),
        ("0 0 * * mon#1 true", "cron itself knows no such thing"),
        ("0 22-4 * * * true", "write two"),
        ("5/15 * * * * true", "a step without a range"),
        ("*/0 * * * * true", "a step is at least 1"),
        ("*/90 * * * * true", "minute"),
        ("60 * * * * true", "it goes from 0 to 59"),
        ("0 0 0 * * true", "it goes from 1 to 31"),
        ("0 0 * foo * true", "there is no such name"),
        ("mon * * * * true", "there is no such name"),
        ("*-5 * * * * true", "* has no end"),
        ("0 0 */2 * mon true", "must both fit for cron"),
        ("0 0 30 2 * true", "names a day that no year has"),
        ("* * * *", "a line has five fields of time, and a command"),
        ("@daily", "there is no command"),
        ("@daily %yes", "there is no command"),
        ("CRON_TZ=Mars/Base\n@daily true", "line 1 sets CRON_TZ to 'Mars/Base'"),
        ("RANDOM_DELAY=soon\n@daily true", "line 1 sets RANDOM_DELAY to 'soon'"),
        ("SHELL=bash\n@daily true", "a shell is an absolute path"),
    ],
)
def test_what_would_not_mean_the_same_is_refused(line: str, told: str) -> None:
    assert told in reason(line)


def test_a_sixth_star_is_the_command_as_it_is_for_cron() -> None:
    assert config("* * * * * * true")["parameters"] == {"command": "* true"}
