"""Merkle roots against the published vectors of Certificate Transparency (RFC 6962), and their laws."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.evidence.merkle import leaf, root

# The inputs and roots of the reference implementation's test (certificate-transparency, merkle_tree_test).
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("n", ROOTS)
def test_the_roots_are_the_published_ones(n: int) -> None:
    assert root([leaf(bytes.fromhex(text)) for text in INPUTS[:n]]).hex() == ROOTS[n]


def by_definition(contents: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written there: split at the largest power of two under n."""
    if len(contents) <= 1:
        return hashlib.sha256(b"\0" + contents[0] if contents else b"").digest()
    k = 1 << ((len(contents) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + by_definition(contents[:k]) + by_definition(contents[k:])).digest()


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_a_root_is_that_of_the_recursive_definition(contents: list[bytes]) -> None:
    assert root([leaf(c) for c in contents]) == by_definition(contents)


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=20), st.data())
def test_another_leaf_is_another_root(contents: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(contents) - 1))
    other = [*contents]
    other[place] += b"x"
    assert root([leaf(c) for c in contents]) != root([leaf(c) for c in other])
