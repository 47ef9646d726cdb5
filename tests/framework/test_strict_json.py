"""JSON in and out: plain, strict and bounded."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.strict_json import JsonError, dumps, loads, loads_own

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_what_is_written_is_read_back(value: object) -> None:
    assert loads(dumps(value)) == value


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), {1: "a"}, {None: "a"}, object(), {1, 2}, b"x", [[float("-inf")]]],
    ids=lambda value: repr(value).split(" at ")[0],  # an address would differ between the processes of one run
)
def test_what_is_not_json_is_not_written(value: object) -> None:
    with pytest.raises(JsonError):
        dumps(value)


def test_what_contains_itself_is_not_written() -> None:
    circle: list[object] = []
    circle.append(circle)

    with pytest.raises(JsonError, match="nested deeper than 64 levels"):
        dumps(circle)


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", "1e400", '{"a": 1, "a": 2}', "{", "", "'a'", "[1,]", "9" * 5000, "[" * 100_000],
    ids=lambda text: text[:20],
)
def test_what_is_not_json_is_not_read(text: str) -> None:
    with pytest.raises(JsonError):
        loads(text)


@pytest.mark.parametrize("depth", [64, 65])
def test_nesting_is_bounded_both_ways(depth: int) -> None:
    value: object = 1
    for _ in range(depth):
        value = [value]
    text = json.dumps(value)

    if depth <= 64:
        assert loads(text) == value
        assert loads(dumps(value)) == value
        return
    with pytest.raises(JsonError):
        dumps(value)
    with pytest.raises(JsonError):
        loads(text)


def test_length_is_bounded_both_ways() -> None:
    with pytest.raises(JsonError, match="12 bytes of JSON; at most 10 are allowed"):
        dumps("x" * 10, max_bytes=10)
    with pytest.raises(JsonError, match="12 bytes of JSON; at most 10 are allowed"):
        loads('"' + "x" * 10 + '"', max_bytes=10)


def test_the_text_is_ascii_and_compact() -> None:
    assert dumps({"b": "ü", "a": [1, 2]}, sort_keys=True) == '{"a":[1,2],"b":"\\u00fc"}'


@pytest.mark.parametrize(
    "text", ["{", "NaN", "[1e999]", "-1E999", f"[1{'0' * 400}.0]", "[" * 70 + "]" * 70, "[" * 100_000, '"\x00']
)
def test_what_somebody_else_has_put_into_the_database_is_refused(text: str) -> None:
    with pytest.raises(JsonError):
        loads_own(text)


def test_what_was_written_here_is_read_as_it_was() -> None:
    value = {"a": [1, 2.5, None, {"b": "ä\ud800"}], "": [[]] * 100}

    assert loads_own(dumps(value)) == value
    assert [loads_own(dumps(each)) for each in ("ä\ud800", 1e300, 10**30)] == ["ä\ud800", 1e300, 10**30]
