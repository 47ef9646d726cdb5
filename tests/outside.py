"""A service outside, on the loopback: it hears what is sent to it, and answers as a test wants."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Outside:
    """What it has heard, as `(method, path, JSON or None)`; `status` is its answer."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, Any]] = []
        self.status = 200
        heard = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length)) if length else None
                heard.heard.append((self.command, self.path, body))
                self.send_response(heard.status)
                self.end_headers()

            do_GET = do_POST = _answer  # noqa: N815  # their names

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}"
        self.allowed = {"outgoing_hosts": [self.host], "outgoing_networks": ["127.0.0.0/8"]}
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def bodies(self) -> list[Any]:
        """Return the JSON of each request."""
        return [body for _, _, body in self.heard]

    def close(self) -> None:
        """Let it be gone."""
        self._server.shutdown()
        self._server.socket.close()
