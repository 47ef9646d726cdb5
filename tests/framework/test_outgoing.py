"""Nothing goes out to where it may not, whatever a URL, a name server or an answer says."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from framework.outgoing import Outgoing

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


class Server:
    """A server on the loopback that gives every caller the same answer, and keeps what they said."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.listening = listening if tls is None else tls.wrap_socket(listening, server_side=True)
        self.port = self.listening.getsockname()[1]
        self.answer: bytes | None = OK
        self.heard: list[bytes] = []
        self.held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self.listening.accept()
            except ssl.SSLError:  # a caller who does not trust it
                continue
            except OSError:
                return
            with contextlib.suppress(OSError):
                self.heard.append(request(caller))
                if self.answer is None:
                    self.held.append(caller)
                else:
                    caller.sendall(self.answer)
                    caller.close()

    def close(self) -> None:
        for each in (self.listening, *self.held):
            each.close()


def request(caller: socket.socket) -> bytes:
    """Read a whole request: who closes before has not let the other one finish."""
    data = caller.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length:")]
    while len(body) < sum(lengths):
        body += caller.recv(65_536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def allowing(server: Server, host: str = "localhost", **options: Any) -> tuple[Outgoing, str]:
    """Return a way out to the server, and its URL."""
    outgoing = Outgoing([f"{host}:{server.port}"], ["127.0.0.0/8", "::1/128"], **options)
    return outgoing, f"http://{host}:{server.port}/hook?token=1"


async def test_a_body_is_posted_to_a_host_that_is_allowed(server: Server) -> None:
    outgoing, url = allowing(server, "127.0.0.1")

    problem = await outgoing.send(url, b'{"alert": 1}')

    assert problem is None
    head, _, body = server.heard[0].partition(b"\r\n\r\n")
    assert (head.splitlines()[0], body) == (b"POST /hook?token=1 HTTP/1.1", b'{"alert": 1}')
    assert f"Host: 127.0.0.1:{server.port}".encode() in head
    assert b"Authorization" not in head


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://evil.example/", "evil.example is not among the hosts that FRAMEWORK_OUTGOING_HOSTS allows"),
        ("http://good.example.evil.example/", "good.example.evil.example is not among"),
        ("http://good.example:22/", "good.example:22 is not among"),
        ("http://good.example@evil.example/", "it names a user"),
        ("http://user:secret@good.example/", "it names a user"),
        ("file:///etc/passwd", "it is no URL of http or https"),
        ("gopher://good.example/", "it is no URL of http or https"),
        ("http://good.example/\r\nHost: evil", "it is no URL of http or https"),
        ("http:///nowhere", "it is no URL of http or https"),
        ("http://good.example:99999/", "it is no URL"),
    ],
)
async def test_only_urls_of_allowed_hosts_are_called(url: str, problem: str) -> None:
    refused = await Outgoing(["good.example"]).send(url)

    assert refused is not None
    assert refused.startswith(problem)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%2",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::ffff:ffff",
    ],
)
async def test_an_allowed_name_leads_to_no_address_within(address: str, monkeypatch: Any) -> None:
    resolve(monkeypatch, ["93.184.215.14", address])
    connected: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, place: connected.append(place))

    problem = await Outgoing(["good.example"]).send("http://good.example/")

    assert problem is not None
    assert "which FRAMEWORK_OUTGOING_NETWORKS does not allow" in problem
    assert connected == []


@pytest.mark.parametrize("address", ["64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::ffff:ffff"])
async def test_an_allowed_network_that_leads_to_another_needs_that_one(address: str, monkeypatch: Any) -> None:
    resolve(monkeypatch, [address])
    monkeypatch.setattr(socket.socket, "connect", lambda *_: None)

    problem = await Outgoing(["good.example"], ["64:ff9b::/96", "2001::/16", "2002::/16"]).send("http://good.example/")

    assert "which FRAMEWORK_OUTGOING_NETWORKS does not allow" in str(problem)


def resolve(monkeypatch: Any, addresses: list[str]) -> list[str]:
    """Let every name lead to these addresses; return the names that are asked for."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        families = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(families[":" in each], socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


async def test_a_name_is_looked_up_once_and_that_address_is_called(server: Server, monkeypatch: Any) -> None:
    asked = resolve(monkeypatch, ["127.0.0.1"])
    outgoing, url = allowing(server, "good.example")

    assert await outgoing.send(url) is None
    assert asked == ["good.example"]
    assert f"Host: good.example:{server.port}".encode() in server.heard[0]


async def test_redirects_are_not_followed(server: Server) -> None:
    outgoing, url = allowing(server)
    server.answer = f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n".encode()

    assert await outgoing.send(url) == "answered with 302: redirects are not followed"
    assert len(server.heard) == 1


async def test_an_answer_may_take_only_so_long(server: Server) -> None:
    outgoing, url = allowing(server, seconds=0.2)
    server.answer = None

    assert await outgoing.send(url) == "no answer within 0.2 seconds"


async def test_of_a_long_answer_only_a_part_is_read(server: Server, monkeypatch: Any) -> None:
    outgoing, url = allowing(server)
    server.answer = b"HTTP/1.1 200 OK\r\n\r\n" + bytes(3_000_000)
    read, parts = http.client.HTTPResponse.read, []

    def counted(answer: http.client.HTTPResponse, most: int | None = None) -> bytes:
        parts.append(read(answer, most))
        return parts[-1]

    monkeypatch.setattr(http.client.HTTPResponse, "read", counted)

    assert await outgoing.send(url) is None
    assert [len(part) for part in parts] == [65_536]


async def test_an_answer_that_is_no_success_or_no_http_is_a_problem(server: Server) -> None:
    outgoing, url = allowing(server)
    server.answer = b"HTTP/1.1 500 Oops\r\n\r\n"
    broken = await outgoing.send(url)
    server.answer = b"220 mail.example ESMTP\r\n"

    assert broken == "answered with 500"
    assert await outgoing.send(url) is not None


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_a_server_whose_certificate_nobody_knows_is_told_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    made, key = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(made, key)
    server = Server(tls)
    outgoing, url = allowing(server)

    unknown = await outgoing.send(url.replace("http:", "https:"), b"{}")
    monkeypatch.setenv("SSL_CERT_FILE", str(made))
    known = await outgoing.send(url.replace("http:", "https:"), b"{}")
    server.close()

    assert unknown is not None
    assert "CERTIFICATE_VERIFY_FAILED" in unknown
    assert (known, len(server.heard)) == (None, 1)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that nobody has signed, and its key."""
    made, key = folder / "certificate.pem", folder / "key.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    new = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    subprocess.run([*new, *subject, "-days", "2", "-out", made, "-keyout", key], check=True, capture_output=True)
    return made, key
