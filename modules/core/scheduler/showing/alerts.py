"""Rules of alerts as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from framework.terminal import span

ALERT_COLUMNS = ("RULE", "TELLS", "WAITING", "SENDING", "SILENT FOR")


def alert_rows(alerts: Iterable[Mapping[str, Any]], now: datetime) -> list[tuple[str, ...]]:
    """Return one row of `ALERT_COLUMNS` for each rule."""
    return [
        (
            alert["rule"],
            ", ".join(alert["on"]),
            "-" if alert["waiting"] is None else str(alert["waiting"]["count"]),
            "-" if alert["sending"] is None else _sending(alert),
            "-" if alert["silent_until"] is None else span(alert["silent_until"] - now),
        )
        for alert in alerts
    ]


def _sending(alert: Mapping[str, Any]) -> str:
    tried = f", tried {alert['tries']} times" if alert["tries"] else ""
    return f"{alert['sending']['count']}{tried}"
