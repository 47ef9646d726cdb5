"""Every rail of the housekeeper has a test that it holds, and one in which something goes as soon as it is removed."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

SCHEDULER = Path(__file__).parents[1]

FILES, ROWS = "cleanup/test_file_rails.py", "cleanup/test_row_rails.py"
GUARDS, FROZEN = "test_cleanup_guards.py", "test_freezing.py"
RACES, PLANS, OTHERS = "cleanup/test_rows_races.py", "test_planning_cleanups.py", "test_plans_of_others.py"
TURNS, PREVIEW = "test_cleanup_turns.py", "test_preview_first.py"
ROWS_CEILING, FILES_CEILING = "cleanup/test_rows_ceiling.py", "cleanup/test_files_ceiling.py"

BOTH = None  # the test takes the rail away itself, in one of its parameters
RAILS = {
    "no link is followed": (FILES, "test_no_link_is_followed_that_takes_a_directorys_place", BOTH),
    "allowed roots": (FILES, "test_a_directory_must_lie_below_an_allowed_root_at_the_run_too", BOTH),
    "mounts": (FILES, "test_no_mount_is_crossed_even_of_the_same_device", BOTH),
    "devices": (FILES, "test_another_device_is_not_entered_whatever_its_mount_id", BOTH),
    "hard links": (FILES, "test_a_name_that_another_place_shares_is_not_taken", BOTH),
    "the file that was judged": (FILES, "test_a_file_that_takes_the_place_of_the_one_judged_is_not_deleted", BOTH),
    "moves through links": (FILES, "test_nothing_is_moved_through_a_link", BOTH),
    "restores through links": (FILES, "test_nothing_is_restored_through_a_link", BOTH),
    "the trash itself": (FILES, "test_the_trash_is_not_cleaned_by_a_policy_around_it", BOTH),
    "rows judged again": (
        RACES,
        "test_a_row_that_a_rule_keeps_by_now_stays",
        "test_without_the_second_look_it_would_go",
    ),
    "equality filters, hold and tags": (ROWS, "test_a_row_that_a_rule_keeps_stays", BOTH),
    "shape of dates": (ROWS, "test_a_value_without_the_shape_of_a_date_keeps_its_row", BOTH),
    "bytes of rows": (GUARDS, "test_rows_are_guarded_by_bytes_where_a_column_tells_them", BOTH),
    "guards": (
        GUARDS,
        "test_a_run_that_would_take_too_much_takes_nothing",
        "test_without_its_guard_the_same_run_takes_too_much",
    ),
    "guards while rows go": (
        ROWS_CEILING,
        "test_rows_of_other_tables_count_and_a_batch_too_many_is_undone",
        BOTH,
    ),
    "guards while files go": (FILES_CEILING, "test_a_run_takes_what_a_guard_allows_and_no_more", BOTH),
    "owners of tables": (
        GUARDS,
        "test_a_table_of_another_module_is_not_cleaned",
        "test_without_its_owner_the_same_table_is_cleaned",
    ),
    "freeze": (
        FROZEN,
        "test_frozen_cleanups_delete_nothing_on_any_node_until_they_are_let_go",
        "test_without_the_rail_frozen_cleanups_delete",
    ),
    "freeze of the history": (
        FROZEN,
        "test_the_retention_of_the_history_stops_where_cleanups_are_frozen_meanwhile",
        BOTH,
    ),
    "preview first": (
        PREVIEW,
        "test_a_new_policy_runs_dry_until_a_plan_of_it_was_confirmed",
        "test_without_that_rail_a_policy_that_nobody_has_seen_deletes",
    ),
    "plans are used once": (
        PLANS,
        "test_of_many_who_apply_a_plan_at_once_one_does",
        "test_a_plan_that_is_not_marked_as_used_would_delete_twice",
    ),
    "plans are counted again": (
        PLANS,
        "test_a_world_that_has_moved_beyond_the_tolerance_refuses_the_plan",
        "test_without_the_second_count_a_plan_deletes_what_nobody_has_seen",
    ),
    "plans of another policy": (
        PLANS,
        "test_a_plan_of_another_policy_is_refused",
        "test_without_that_rail_a_plan_carries_out_a_policy_that_nobody_has_seen",
    ),
}


@cache
def sources(file: str) -> dict[str, str]:
    """Return the source of each test of a file of the scheduler's tests, its decorators included, by its name."""
    source = (SCHEDULER / file).read_text(encoding="utf-8")
    found = (each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    return {
        each.name: "\n".join(ast.unparse(part) for part in (*each.decorator_list, each))
        for each in found
        if each.name.startswith("test_")
    }


@pytest.mark.parametrize("rail", RAILS)
def test_a_rail_is_shown_to_hold_and_to_be_missed(rail: str) -> None:
    file, holds, removal = RAILS[rail]
    tests = sources(file)

    assert holds in tests
    if removal is BOTH:
        assert "no-rail" in tests[holds] or "if rail" in tests[holds] or "if not rail" in tests[holds]
    else:
        assert removal in tests


def test_no_test_of_a_rail_is_left_out_of_the_table() -> None:
    named = {(file, name) for file, holds, removal in RAILS.values() for name in (holds, removal)}
    paired = {(FILES, name) for name, source in sources(FILES).items() if "if not rail" in source}
    paired |= {(ROWS, name) for name in sources(ROWS)}

    assert paired <= named
