"""Paths that are walked here lead where JMESPath leads."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decoding.paths import compiled

_NAMES = st.sampled_from(["a", "b", "c"])
_PATHS = st.recursive(
    _NAMES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" || ", " && "]), inner).map(lambda p: f"({p[0]}{p[1]}{p[2]})"),
        st.tuples(inner, _NAMES).map(lambda p: f"{p[0]}.{p[1]}"),
    ),
    max_leaves=6,
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([None, False, True, 0, 0.0, 1, "", "x", [], [1]]),
    lambda inner: st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(_PATHS, _VALUES)
def test_a_path_leads_where_the_library_leads(path: str, message: Any) -> None:
    expected, found = jmespath.search(path, message), compiled(path)(message)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize("path", ["a[0]", "a | b", "length(a)", "!a", "a == b", "a || length(b)"])
def test_what_is_not_walked_is_left_to_the_library(path: str) -> None:
    for message in ({"a": [1, 2], "b": [1]}, {"a": "xy", "b": "xy"}, {"b": {"c": 1}, "a": []}):
        assert compiled(path)(message) == jmespath.search(path, message)
