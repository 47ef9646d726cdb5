"""Code that is not async schedules, runs and asks through an application in a thread of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from framework import SettingsError
from framework.clock import SystemClock
from framework.sync import NotStarted
from modules.core.scheduler import FunctionError
from modules.core.scheduler.sync import SyncScheduler

MODULE = "acme.test"


def on_a_file(folder: Path) -> SyncScheduler:
    settings = {"framework": {"data_dir": str(folder)}, "core.scheduler": {"timezone": "UTC", "notify": False}}
    return SyncScheduler(["core.scheduler"], settings)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[SyncScheduler]:
    """A scheduler that carries out tasks, in a thread."""
    with on_a_file(tmp_path) as scheduler:
        yield scheduler


def test_a_task_is_scheduled_carried_out_and_read_back_without_await(scheduler: SyncScheduler) -> None:
    ran = threading.Event()

    def note(*, title: str) -> None:
        ran.set()

    scheduler.register_function(MODULE, "note", note)

    task_id = scheduler.schedule_once(note, at="now", parameters={"title": "news"}).unwrap()["task_id"]

    assert ran.wait(60)
    while (task := scheduler.get_task(task_id).unwrap())["status"] != "completed":
        scheduler.call(SystemClock().sleep, 0.01)
    assert task["parameters"] == {"title": "news"}


def test_a_refusal_is_a_result_and_a_mistake_raises(scheduler: SyncScheduler) -> None:
    refused = scheduler.get_task("none")

    assert refused.error is not None
    assert refused.error.code == "TASK_NOT_FOUND"
    with pytest.raises(FunctionError, match="is not registered"):
        scheduler.schedule_cron(print, "0 2 * * *")


def test_many_threads_use_one_scheduler(scheduler: SyncScheduler) -> None:
    scheduler.register_function(MODULE, "later", lambda: None)
    config = {"name": "later", "module_id": MODULE, "function_name": "later", "delay": "1 day"}

    with ThreadPoolExecutor(8) as threads:
        ids = {each.unwrap()["task_id"] for each in threads.map(scheduler.schedule_task, [config] * 40)}

    assert len(ids) == 40


def test_what_has_no_method_of_its_own_is_called_through_the_scheduler(scheduler: SyncScheduler) -> None:
    assert scheduler.call(scheduler.service.list_calendars).unwrap() == []


def test_a_session_of_another_thread_is_refused(scheduler: SyncScheduler) -> None:
    with pytest.raises(TypeError, match="a session belongs to the thread"):
        scheduler.emit("paid", session=object())  # type: ignore[arg-type]


def test_the_loop_does_not_wait_for_itself(scheduler: SyncScheduler) -> None:
    async def ask() -> Any:
        return scheduler.status()

    with pytest.raises(RuntimeError, match="await the method instead"):
        scheduler.call(ask)


def test_every_method_is_one_of_the_services(scheduler: SyncScheduler) -> None:
    methods = [name for name, value in vars(SyncScheduler).items() if hasattr(value, "__wrapped__")]

    assert len(methods) > 20
    assert [name for name in methods if not hasattr(scheduler.service, name)] == []


def test_it_can_be_started_again_and_not_used_before(tmp_path: Path) -> None:
    scheduler = on_a_file(tmp_path)
    with pytest.raises(NotStarted, match="has not been started"):
        scheduler.status()

    for _ in range(2):
        with scheduler.start() as started:
            assert started.status().success
    with pytest.raises(NotStarted, match="has been stopped"):
        scheduler.status()


def test_what_keeps_an_application_from_starting_is_raised_where_it_was_asked_for(tmp_path: Path) -> None:
    scheduler = SyncScheduler(["core.scheduler"], {"core.scheduler": {"max_concurrent_tasks": -1}})

    with pytest.raises(SettingsError, match="max_concurrent_tasks"):
        scheduler.start()


def test_a_forked_process_is_told_to_start_after_the_fork_only(tmp_path: Path) -> None:
    script = f"""
        import os, sys, warnings
        warnings.simplefilter("ignore")
        from framework.sync import Forked
        from modules.core.scheduler.sync import SyncScheduler

        settings = {{"framework": {{"data_dir": {str(tmp_path)!r}}}}}
        scheduler = SyncScheduler(["core.scheduler"], settings).start()
        child = os.fork()
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        refused = 0
        for use in (scheduler.status, scheduler.start):
            try:
                use()
            except Forked as error:
                refused += "post_fork" in str(error)
        scheduler.stop()
        os._exit(refused)
    """
    assert ran(script).returncode == 2


def test_what_is_not_stopped_is_stopped_when_the_process_ends(tmp_path: Path) -> None:
    script = f"""
        from modules.core.scheduler.sync import SyncScheduler

        settings = {{"framework": {{"data_dir": {str(tmp_path)!r}}}}}
        print(SyncScheduler(["core.scheduler"], settings).start().status().success)
    """
    first = ran(script)

    assert (first.returncode, first.stdout) == (0, "True\n"), first.stderr
    with on_a_file(tmp_path) as scheduler:
        scheduler.run_due()
        nodes = scheduler.call(scheduler.service.list_nodes).unwrap()
    assert [node["pid"] for node in nodes] == [os.getpid()], "the one that ended has taken its leave"


def ran(script: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=os.environ)
