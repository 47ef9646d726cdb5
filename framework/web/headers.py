"""What a request says of itself, read from its ASGI scope."""

from __future__ import annotations

from starlette import types as asgi

from framework.web.problems import Problem

_PROXY_HEADERS = frozenset({b"forwarded", b"via", b"x-real-ip"})
_LOOPBACK = ("127.", "::ffff:127.")


def single(scope: asgi.Scope, name: bytes) -> str | None:
    """Return the value of a header, None where there is none; a header that is repeated raises a `Problem`."""
    found = [value for key, value in scope["headers"] if key == name]
    if not found:
        return None
    if len(found) > 1:
        raise Problem(400, "REPEATED_HEADER", f"the header {name.decode()!r} came more than once")
    return str(found[0].decode("latin-1"))


def path_of(scope: asgi.Scope) -> str:
    """Return the path below where this application is mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def address_of(scope: asgi.Scope) -> str:
    """Return the address that the request came from; empty where the server does not know it."""
    return str(scope["client"][0]) if scope.get("client") else ""


def is_loopback(address: str) -> bool:
    """Tell whether an address is reached from the same machine only."""
    return address == "::1" or address.startswith(_LOOPBACK)


def is_from_here(scope: asgi.Scope) -> bool:
    """Tell whether a program on this machine sent the request, and no proxy on behalf of somebody else."""
    if not is_loopback(address_of(scope)):
        return False
    return not any(key in _PROXY_HEADERS or key.startswith(b"x-forwarded-") for key, _ in scope["headers"])
