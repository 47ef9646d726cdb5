"""The page about HTTP names every layer of the guard in its order, and every code with which it refuses."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from documents import ROOT, first_cells

from framework.web.guard import PROTECTIONS

PAGE = "docs/http.md"


def refusals() -> set[str]:
    """Return every `status CODE` with which the web door itself refuses."""
    found = set()
    for path in Path(ROOT / "framework" / "web").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and len(node.args) > 1:
                match node.args[:2]:
                    case [ast.Constant(value=int(status)), ast.Constant(value=str(code))]:
                        found.add(f"{status} {code}")
    return found


def test_every_layer_stands_in_the_table_in_its_order() -> None:
    names = [each.__name__ for each in PROTECTIONS]

    assert [name for name in first_cells(PAGE) if name in names] == names


def test_every_refusal_of_the_door_is_on_the_page() -> None:
    text = " ".join((ROOT / PAGE).read_text().split())
    told = {f"{status} {code}" for status, code in re.findall(r"(\d{3}) `([A-Z_]+)`", text)}

    assert refusals() - told == set()
    assert {"421 HOST_NOT_ALLOWED", "503 NOT_READY"} <= refusals()
