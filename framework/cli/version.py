"""The command `chamberlain version`."""

from __future__ import annotations

import sys
from importlib.metadata import version

from framework.cli.opening import AsJson
from framework.terminal import PROGRAM, print_json, say

WAYS = (["version"], ["--version"])


def tell_version(as_json: AsJson = False) -> None:
    """Tell which version this is."""
    if as_json:
        print_json({PROGRAM: version(PROGRAM), "python": ".".join(map(str, sys.version_info[:3]))})
    else:
        say(f"{PROGRAM} {version(PROGRAM)}")
