"""The audit as people read it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from framework.terminal import moment_text

AUDIT_COLUMNS = ("WHEN", "WHO", "BY", "DID", "TO", "CHANGED")


def audit_rows(entries: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return one row of `AUDIT_COLUMNS` for each deed."""
    return [_row(entry) for entry in entries]


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    target = entry["name"] or entry["target"] or ""
    what = f"{entry['kind']} {target}".strip()
    return moment_text(entry["at"]), entry["actor"], entry["door"], entry["action"], what, _changed(entry)


def _changed(entry: Mapping[str, Any]) -> str:
    before, after = entry["before"] or {}, entry["after"] or {}
    told = [f"{name}: {_text(before.get(name))} → {_text(after.get(name))}" for name in {**before, **after}]
    return ", ".join(told)


def _text(value: Any) -> str:
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
