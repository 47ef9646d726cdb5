"""The sockets that the server listens on."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from framework.errors import FrameworkError
from framework.web.headers import is_loopback

_ANY = {"": None, "*": None}


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on every address of the host; port 0 takes a free one, the same for all.

    Raises `FrameworkError` where the port is taken, or the host is none of this machine.
    """
    try:
        found = socket.getaddrinfo(_ANY.get(host, host), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise FrameworkError(f"FRAMEWORK_HTTP_HOST is {host!r}, which has no address here: {error.strerror}") from None
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
            try:
                sockets.append(_listening(family, (address[0], port_of(sockets) or port, *address[2:])))
            except OSError as error:
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                missing = error  # a name may have an address of a family that this machine does not speak
        if not sockets and missing is not None:
            raise missing
    except OSError as error:
        for each in sockets:
            each.close()
        raise FrameworkError(_why_not(host, port, error)) from None
    return sockets


def port_of(sockets: Sequence[socket.socket]) -> int:
    """Return the port of the sockets, 0 where there are none."""
    return int(sockets[0].getsockname()[1]) if sockets else 0


def url_of(sockets: Sequence[socket.socket]) -> str:
    """Return the URL under which a browser on this machine finds them."""
    address = str(sockets[0].getsockname()[0])
    if ip_address(address).is_unspecified:
        address = "::1" if ":" in address else "127.0.0.1"
    shown = f"[{address}]" if ":" in address else address
    return f"http://{shown}:{port_of(sockets)}"


def are_for_here_only(sockets: Sequence[socket.socket]) -> bool:
    """Tell whether only programs on this machine can reach the sockets."""
    return all(is_loopback(str(each.getsockname()[0])) for each in sockets)


def _listening(family: int, address: tuple[object, ...]) -> socket.socket:
    # With its protocol named, for only then asyncio lets connections send at once what else waits for an answer: 40 ms.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(2048)
    except OSError:
        made.close()
        raise
    made.settimeout(0)
    return made


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is taken by another program; stop that one, or choose another port: "
            "`--port`, or FRAMEWORK_HTTP_PORT"
        )
    if error.errno == errno.EACCES:
        return f"port {port} is only for the administrator of this machine; choose one above 1023"
    return f"nothing can listen on {host}, port {port}: {error.strerror}"
