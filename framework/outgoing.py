"""Requests to the outside: only to hosts that the settings name, at addresses that may be reached, bounded in all."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from framework.clock import SystemClock
from framework.errors import one_line

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = {"http": 80, "https": 443}
SECONDS = 10.0  # real seconds of one request, names and all
MOST_BYTES = 65_536  # of an answer that are read
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Outgoing:
    """The one way out over HTTP, guarded against being turned on the network that this process stands in.

    `hosts` are names, or `name:port` where the port is not that of the scheme. `networks` are those private ones that
    may be reached all the same. Proxies of the environment are not used, and redirects are not followed.
    """

    def __init__(self, hosts: Iterable[str] = (), networks: Iterable[str] = (), *, seconds: float = SECONDS) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._networks = tuple(ipaddress.ip_network(network) for network in networks)
        self._seconds = seconds

    def problem(self, url: str) -> str | None:
        """Return why this URL may not be called, or None; names are not looked up yet."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return "it is no URL"
        if parts.scheme not in PORTS or not parts.hostname or not url.isascii() or not url.isprintable() or " " in url:
            return "it is no URL of http or https"
        if "@" in parts.netloc:
            return "it names a user"
        named = parts.hostname if port in (None, PORTS[parts.scheme]) else f"{parts.hostname}:{port}"
        if named not in self._hosts:
            return f"{named} is not among the hosts that FRAMEWORK_OUTGOING_HOSTS allows"
        return None

    async def send(self, url: str, body: bytes | None = None, media_type: str = "application/json") -> str | None:
        """Send a GET, or a POST with a body; return None when it was answered with 2xx, else why it failed.

        Nothing of the answer but its status is of interest, and nothing of the URL but its host is told.
        """
        if (problem := self.problem(url)) is not None:
            return problem
        call = _Call(self, urlsplit(url), body, media_type)
        answered: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        done = asyncio.Event()
        answered.add_done_callback(lambda _: done.set())
        threading.Thread(target=call.run, args=(answered,), name="outgoing", daemon=True).start()
        if await SystemClock().wait(done, self._seconds):
            return answered.result()
        call.close()
        return f"no answer within {self._seconds:g} seconds"

    def addresses(self, host: str, port: int) -> list[tuple[int, Any]]:
        """Look a name up, once: `(family, socket address)` of each address; raises `OSError` where one is refused."""
        found: list[tuple[int, Any]] = [
            (each[0], each[4]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        ]
        for _, place in found:
            address = ipaddress.ip_address(str(place[0]).partition("%")[0])
            if not self._may_reach(address):
                raise PermissionError(f"{host} is at {address}, which FRAMEWORK_OUTGOING_NETWORKS does not allow")
        return found

    def _may_reach(self, address: Address) -> bool:
        return all(_is_public(each) or _is_in(each, self._networks) for each in _meant_by(address))


class _Call:
    """One request, in a thread of its own: looking up a name knows no time limit."""

    def __init__(self, outgoing: Outgoing, url: SplitResult, body: bytes | None, media_type: str) -> None:
        self._outgoing, self._url, self._body, self._media_type = outgoing, url, body, media_type
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None

    def run(self, answered: asyncio.Future[str | None]) -> None:
        """Send it, and tell the loop what came of it."""
        try:
            problem = self._send()
        except Exception as error:  # noqa: BLE001  # the boundary: whatever goes wrong out there is the answer
            problem = one_line(error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(_tell, answered, problem)

    def close(self) -> None:
        """End it; the thread comes back from whatever it waits for."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _send(self) -> str | None:
        host, is_tls = str(self._url.hostname), self._url.scheme == "https"
        port = self._url.port or PORTS[self._url.scheme]
        connection = (http.client.HTTPSConnection if is_tls else http.client.HTTPConnection)(host, port)
        connection.sock = self._connected(host, port)
        if is_tls:
            self._socket = connection.sock = ssl.create_default_context().wrap_socket(
                connection.sock, server_hostname=host
            )
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        headers = {"User-Agent": "chamberlain", "Connection": "close"}
        if self._body is not None:
            headers["Content-Type"] = self._media_type
        try:
            connection.request("GET" if self._body is None else "POST", path, self._body, headers)
            answer = connection.getresponse()
            answer.read(MOST_BYTES)
        finally:
            connection.close()
        return None if 200 <= answer.status < 300 else f"answered with {answer.status}{_why(answer.status)}"

    def _connected(self, host: str, port: int) -> socket.socket:
        """Connect to an address that was looked up and allowed: nobody looks the name up again."""
        problem: OSError = ConnectionError(f"{host} has no address")
        for family, place in self._outgoing.addresses(host, port):
            self._socket = socket.socket(family, socket.SOCK_STREAM)
            self._socket.settimeout(SECONDS)
            try:
                self._socket.connect(place)
            except OSError as error:
                self._socket.close()
                problem = error
            else:
                return self._socket
        raise problem


def _tell(answered: asyncio.Future[str | None], problem: str | None) -> None:
    if not answered.done():
        answered.set_result(problem)


def _why(status: int) -> str:
    return ": redirects are not followed" if 300 <= status < 400 else ""


def _meant_by(address: Address) -> list[Address]:
    """Return the address, and those that it leads to by the transitions of IPv6."""
    meant: list[Address | None] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo
        meant += [address.ipv4_mapped, address.sixtofour, *(teredo or ())]
        if address in NAT64:
            meant.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.ipv4_mapped is not None:
            meant.remove(address)
    return [each for each in meant if each is not None]


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_in(address: Address, networks: Collection[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
