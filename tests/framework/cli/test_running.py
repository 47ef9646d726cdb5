"""`chamberlain run` serves over HTTP, says where, and refuses in one sentence where it cannot or should not."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_run_serves_where_it_says_until_it_is_stopped(project: Project, taken: int) -> None:
    with project.start("run", "--port", "0", "--no-ui", FRAMEWORK_HTTP_PORT=str(taken)) as running:
        url = running.until("url").split()[1]
        with urllib.request.urlopen(f"{url}/health/ready", timeout=30) as answer:
            ready = json.load(answer)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{url}/tasks", timeout=30)
        running.terminate()

        assert running.status() == 0
    assert ready == {"status": "ready"}
    assert running.seen[-1].endswith("stopped")


def test_run_refuses_a_taken_port_and_a_door_open_to_all(project: Project, taken: int) -> None:
    busy, public = project.calls(["run", "--port", str(taken)], ["run", "--host", "0.0.0.0"])

    assert (busy.status, public.status) == (1, 1)
    assert busy.err == (
        f"chamberlain: port {taken} of 127.0.0.1 is taken by another program; stop that one, or choose another port: "
        "`--port`, or FRAMEWORK_HTTP_PORT\n"
    )
    assert "`chamberlain tokens create NAME --scope admin`, or listen on 127.0.0.1\n" in public.err
    assert "Traceback" not in public.err


def test_who_only_carries_out_tasks_listens_nowhere(project: Project, taken: int) -> None:
    with project.start("worker", FRAMEWORK_HTTP_PORT=str(taken)) as running:
        running.until("Ctrl-C")
        running.interrupt()

        assert running.status() == 0
    assert not any(line.startswith("url") for line in running.seen)
