"""Commands called in this process, in a project folder of their own: starting Python takes longer than most of them."""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from framework.cli import main

OURS = ("FRAMEWORK_", "CORE_", "ACME_", "CHAMBERLAIN_")


class Told(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Commands:
    """Calls commands in a folder."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    def __call__(self, *arguments: str) -> Told:
        self._capture.readouterr()
        importlib.invalidate_caches()
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        captured = self._capture.readouterr()
        return Told(int(end.value.code or 0), captured.out, captured.err)

    def put(self, path: str, text: str) -> Path:
        """Write a file of the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Commands]:
    """An empty project folder, and the commands in it; what they import of it is forgotten again."""
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "modules").mkdir()  # one that comes later, only another process would see
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield Commands(tmp_path, capsys)
    for name in set(sys.modules) - before:
        if name == "modules.acme" or name.startswith("modules.acme."):
            del sys.modules[name]


class Server(HTTPServer):
    """Answers everything with one status and one object."""

    status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b'{"detail": "unhealthy: core.scheduler"}')

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on this machine."""
    with Server(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
