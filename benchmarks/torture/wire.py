"""The wire: a relay between the product and PostgreSQL that can strike at the n-th message, before or after it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from urllib.parse import parse_qs, urlsplit

Strike = Callable[[], None]

SIZE = 1 << 16


class Wire:
    """Relays connections to a server; `url` is where clients find it.

    `strike(number, before, blow)` sets a blow: at the n-th message from then on, before it reaches the server or
    before the answer reaches the client, `blow` is called and the connection is cut.
    """

    def __init__(self, url: str) -> None:
        self._server = _address(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        parts = urlsplit(url)
        user = f"{parts.username}@" if parts.username else ""
        port = self._listener.getsockname()[1]
        self.url = f"{parts.scheme}://{user}127.0.0.1:{port}{parts.path}?ssl=disable"
        self._guard = threading.Lock()
        self._left = 0
        self._before = True
        self._blow: Strike | None = None
        self.struck = False
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._open):
            _cut(each)

    def strike(self, number: int, *, before: bool, blow: Strike) -> None:
        """Set the blow for the n-th message from now on."""
        with self._guard:
            self._left, self._before, self._blow, self.struck = number, before, blow, False

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed: the relay has ended
                return
            server = socket.socket(self._server[0])
            try:
                server.connect(self._server[1])
            except OSError:
                client.close()
                continue
            self._open |= {client, server}
            deaf = threading.Event()
            for source, target, counts in ((client, server, True), (server, client, False)):
                pump = threading.Thread(target=self._pump, args=(source, target, counts, deaf), daemon=True)
                pump.start()

    def _pump(self, source: socket.socket, target: socket.socket, counts: bool, deaf: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(SIZE):
                if counts and self._is_hit():
                    if not self._before:
                        deaf.set()  # the server does what it is told, and nobody hears of it
                        target.sendall(data)
                        self._answered(target)
                    self._fall()
                    break
                if not counts and deaf.is_set():
                    break
                target.sendall(data)
        _cut(source)
        _cut(target)

    def _is_hit(self) -> bool:
        with self._guard:
            if self._blow is None:
                return False
            self._left -= 1
            return self._left == 0

    def _answered(self, server: socket.socket) -> None:
        """Wait until the server has answered: by then it has done what it was told."""
        with suppress(OSError):
            server.settimeout(5)
            server.recv(1, socket.MSG_PEEK)

    def _fall(self) -> None:
        blow, self._blow = self._blow, None
        self.struck = True
        if blow is not None:
            blow()


def _cut(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


def _address(url: str) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    """Return where the server listens: a socket in the folder that `host` names, or host and port."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = query.get("host", [parts.hostname or "127.0.0.1"])[0]
    port = int(query.get("port", [str(parts.port or 5432)])[0])
    if host.startswith("/"):
        return socket.AF_UNIX, f"{host}/.s.PGSQL.{port}"
    return socket.AF_INET, (host, port)
