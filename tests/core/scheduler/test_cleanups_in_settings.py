"""Cleanups in TOML say whatever a cleanup can say."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from expiring_sessions import fill

SETTINGS = """
[[cleanups]]
module_id = "acme.test"
cleanup_type = "rows"
table_name = "sessions"
date_column = "at"
cleanup_interval = "1h"
window = "22:00-05:00"
priority = 3
description = "old sessions"
max_age = "1d"
max_rows = 1000
where = { id = [1, 2] }
hold_column = "id"
keep_where = { id = 3 }
max_size_mb = 1.5
size_column = "id"
min_age = "1h"
keep_newest = { count = 2, per = ["id"] }
tiers = { daily = 7, monthly = 12 }
timezone = "Europe/Berlin"
min_kept = 1
children = "refuse"
batch_size = 50
batch_seconds = "2s"
pause = "1s"
max_seconds = "5m"
max_rows_per_run = 10000
count_kept = true
max_fraction = 0.5
max_deletions = 100
min_left = 1
preview_first = true

[[cleanups]]
module_id = "acme.test"
cleanup_type = "files"
directory = "{folder}"
cron = "0 4 * * *"
window = "03:00-05:00"
pattern = "*.log"
exclude = ["keep*"]
recursive = true
max_age = "1d"
max_files = 10
max_size_mb = 2.5
start_below_free = "10%"
stop_at_free = "20%"
age_by = "mtime"
keep_newest = { count = 2, per = "folder" }
tiers = { weekly = 4 }
min_age = "1h"
min_kept = 1
max_files_per_run = 1000
max_seconds = "5m"
remove_empty = true
max_bytes = 1000000

[[cleanups]]
module_id = "core.scheduler"
cleanup_type = "again"
function_name = "prune_history"
parameters = { dry_run = true }
cron = "0 5 * * *"
"""


async def test_a_cleanup_in_the_settings_is_stored_with_all_that_it_says(start_node: Any, tmp_path: Path) -> None:
    first = await start_node()
    await fill(first.app_context.database, first.clock.now(), old=1, new=1)
    declared = tomllib.loads(SETTINGS.replace("{folder}", str(tmp_path / "data" / "logs")))["cleanups"]

    node = await start_node(cleanups=declared)

    stored = {each["cleanup_type"]: each for each in (await node.scheduler.list_cleanups()).unwrap()}
    for config in declared:
        given = {name: value for name, value in config.items() if name not in ("module_id", "cleanup_type")}
        found = stored[config["cleanup_type"]]
        assert (found["module_id"], found["enabled"]) == (config["module_id"], True)
        shown = {name: found["config"].get(name) for name in given}
        assert {name: value for name, value in shown.items() if _unlike(value, given[name])} == {}


def _unlike(found: Any, given: Any) -> bool:
    if isinstance(given, dict) and isinstance(found, dict):
        return {name: value for name, value in found.items() if value} != given
    return bool(found != given)
