"""What the pages use of others is what it says, byte for byte; and all of it is small."""

from __future__ import annotations

import gzip
import hashlib
import tomllib
from pathlib import Path

import modules.core.scheduler.dashboard as dashboard

STATIC = Path(dashboard.__file__).parent / "static"
OURS = {"app.js", "theme.js", "app.css", "mark.svg", "VENDORED.toml"}
MOST_OVER_THE_WIRE = 150_000


def test_each_file_is_ours_or_named_with_its_checksum() -> None:
    vendored = tomllib.loads((STATIC / "VENDORED.toml").read_text())

    assert {path.name for path in STATIC.iterdir()} == OURS | set(vendored)
    for name, told in vendored.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == told["sha256"]
        assert told.keys() == {"name", "version", "licence", "sha256"}


def test_scripts_and_styles_are_small() -> None:
    sizes = [len(gzip.compress(path.read_bytes())) for path in STATIC.iterdir() if path.suffix in (".js", ".css")]

    assert sum(sizes) < MOST_OVER_THE_WIRE
