"""What the topic of values has, against what it must have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

Message = tuple[bytes, bytes]  # key and value


class Difference(NamedTuple):
    """What the topic has, against what it must have. `wrong`: identities whose values came in another order."""

    wanted: int
    lost: int
    doubled: int
    wrong: int

    @property
    def is_equal(self) -> bool:
        """Nothing lost, nothing doubled, nothing in another order."""
        return not (self.lost or self.doubled or self.wrong)


def difference(wanted: Iterable[Message], found: Iterable[Message]) -> Difference:
    """Compare bytes: every value that was written, also those that a later one replaced."""
    wanted, found = list(wanted), list(found)
    counted, other = Counter(wanted), Counter(found)
    a, b = by_key(wanted), by_key(found)
    wrong = sum(1 for key, values in a.items() if sorted(values) == sorted(b.get(key, [])) and values != b[key])
    return Difference(len(wanted), (counted - other).total(), (other - counted).total(), wrong)


def by_key(messages: Iterable[Message]) -> dict[bytes, list[bytes]]:
    """The values of each key, in order."""
    found: dict[bytes, list[bytes]] = {}
    for key, value in messages:
        found.setdefault(key, []).append(value)
    return found
