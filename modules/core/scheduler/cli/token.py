"""The token that a server is shown: from the environment or a file of one's own, never from the command line."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from framework.errors import FrameworkError
from framework.terminal import complain

VARIABLE, FILE_VARIABLE = "CHAMBERLAIN_TOKEN", "CHAMBERLAIN_TOKEN_FILE"
OTHERS = 0o077  # the rights of everybody but the owner


class TokenFileError(FrameworkError):
    """The file with the token cannot be used."""


def token_for(url: str) -> str | None:
    """Return the token to show a server, None where there is none; says so where it would travel in the open."""
    token = os.environ.get(VARIABLE, "").strip() or _from_file()
    if token is not None and urlsplit(url).scheme == "http" and not _is_here(urlsplit(url).hostname or ""):
        complain(f"the token travels unencrypted to {url}; use https")
    return token


def _from_file() -> str | None:
    given = os.environ.get(FILE_VARIABLE)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    file = Path(given) if given else home / "chamberlain" / "token"
    if not given and not file.exists():
        return None
    try:
        if file.stat().st_mode & OTHERS:
            raise TokenFileError(f"others may read the token in {file}; first chmod 600 {file}")
        return file.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise TokenFileError(f"the token in {file} cannot be read: {error}") from error


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
