"""Scripts, styles and symbols, shipped with the package: what comes from others is named, with its checksum."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from framework.web.problems import Problem
from framework.web.scopes import anyone

KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
FOR_A_YEAR = {"Cache-Control": "public, max-age=31536000, immutable"}  # the address changes with the content


def add(router: APIRouter) -> None:
    """Serve the files."""

    @router.get("/assets/{name}", dependencies=[Depends(anyone)])
    async def asset(name: str) -> Response:
        if name not in names():
            raise Problem(404, "NOT_FOUND", "there is no such file")
        kind = KINDS[name[name.rindex(".") :]]
        return Response(content(name), media_type=kind, headers=FOR_A_YEAR)


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Return the names of the files that are served."""
    folder = files("modules.core.scheduler.dashboard").joinpath("static")
    return frozenset(each.name for each in folder.iterdir() if each.name.endswith(tuple(KINDS)))


@lru_cache(maxsize=50)
def content(name: str) -> bytes:
    """Return the content of a file."""
    return files("modules.core.scheduler.dashboard").joinpath("static", name).read_bytes()


@lru_cache(maxsize=50)
def fingerprint(name: str) -> str:
    """Return what tells one content of a file from another."""
    return hashlib.sha256(content(name)).hexdigest()[:12]
