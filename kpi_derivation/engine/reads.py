"""What a derivation reads of the city file and of the data, recorded while it runs. Pure.

A fact names one thing that was read:

    ("city", "population")             a key of [city]; likewise "rules", and "documented" for its sources and years
    ("kind", "noise")                  the registry entries of the devices of a kind; "*" of all
    ("rows", "no2", "air_reference")   sums of a quantity of devices of these kinds; likewise "days", "hours",
                                       "demand", "beside", and "listed": which devices have the quantity
    ("back", "year", "1826")           for a period of that kind, this many days before it

A derivation is a pure function of what it reads, so its value can change only when something it has read changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast
from zoneinfo import ZoneInfo

from registry.city import City, Device

Fact = tuple[str, ...]

DATA = frozenset({"listed", "rows", "beside", "days", "hours", "demand"})


class Reads:
    """Facts in the order in which they were first read, each with what was found, where that is kept."""

    __slots__ = ("found",)

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self.found: dict[Fact, Any] = dict.fromkeys(facts)

    @staticmethod
    def of(found: dict[Fact, Any]) -> Reads:
        """A record of these facts."""
        reads = Reads()
        reads.found = found
        return reads

    def add(self, *fact: str, value: Any = None) -> None:  # noqa: ANN401 - any value
        """Note one fact."""
        if fact not in self.found:
            self.found[fact] = value

    def update(self, other: Reads) -> None:
        """Note all facts of another record."""
        for fact, value in other.found.items():
            self.found.setdefault(fact, value)

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.found)

    def __contains__(self, fact: Fact) -> bool:
        return fact in self.found

    def __len__(self) -> int:
        return len(self.found)

    def in_order(self, what: str) -> list[str]:
        """Quantities ("data") or kinds of devices ("kind") in the order in which they were first read."""
        if what == "data":
            return list(dict.fromkeys(fact[1] for fact in self.found if fact[0] in DATA))
        named = (fact[1:] if fact[0] == "kind" else fact[2:] for fact in self.found if fact[0] in {"kind", *DATA})
        return list(dict.fromkeys(kind for kinds in named for kind in kinds))

    @property
    def quantities(self) -> set[str]:
        """The quantities whose data were read."""
        return {fact[1] for fact in self.found if fact[0] in DATA}

    @property
    def kinds(self) -> set[str]:
        """The kinds of devices whose registry entries were looked at."""
        return set(self.in_order("kind"))

    @property
    def has_demand(self) -> bool:
        """Whether the peaks of all meters together were read."""
        return any(fact[0] == "demand" for fact in self.found)

    def names(self, *sections: str) -> list[str]:
        """The keys that were read of these sections of the city file, in the order of reading."""
        return list(dict.fromkeys(fact[1] for fact in self.found if fact[0] in sections))

    def back_days(self) -> dict[str, int]:
        """Kind of period -> how many days before it were looked at."""
        reach: dict[str, int] = {}
        for fact in self.found:
            if fact[0] == "back":
                reach[fact[1]] = max(int(fact[2]), reach.get(fact[1], 0))
        return reach


class _Section:
    """The fields of a section of the city file; those that are read are noted."""

    __slots__ = ("_name", "_of", "_reads")

    def __init__(self, of: object, name: str, reads: Reads) -> None:
        self._of, self._name, self._reads = of, name, reads

    def __getattr__(self, field: str) -> Any:  # noqa: ANN401 - any field
        self._reads.add(self._name, field)
        return getattr(self._of, field)


class _Documented(Mapping[str, Any]):
    """The sources and years beside the keys of [city]; those that are read are noted."""

    def __init__(self, of: Mapping[str, Any], reads: Reads) -> None:
        self._of, self._reads = of, reads

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - any value
        self._reads.add("documented", key)
        return self._of[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)


class _TrackedCity:
    """A city whose keys are noted when they are read, but for its id: with another id it is another city."""

    __slots__ = ("plain", "reads")

    def __init__(self, of: City, reads: Reads) -> None:
        self.plain, self.reads = of, reads

    @property
    def id(self) -> str:
        """The city's id."""
        return self.plain.id

    @property
    def city(self) -> _Section:
        """[city]."""
        return _Section(self.plain.city, "city", self.reads)

    @property
    def rules(self) -> _Section:
        """[rules]."""
        return _Section(self.plain.rules, "rules", self.reads)

    @property
    def documented(self) -> _Documented:
        """Sources and years of the keys of [city]."""
        return _Documented(self.plain.documented, self.reads)

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        self.reads.add("city", "timezone")
        return self.plain.zone

    @property
    def device(self) -> list[Device]:
        """All devices."""
        self.reads.add("kind", "*")
        return self.plain.device

    @property
    def by_id(self) -> Mapping[str, Device]:
        """All devices by id."""
        self.reads.add("kind", "*")
        return self.plain.by_id

    def __getattr__(self, section: str) -> Any:  # noqa: ANN401 - any section
        self.reads.add(section, "*")
        return getattr(self.plain, section)


def tracked(city: City, reads: Reads) -> City:
    """The same city; `reads` notes what is read of it."""
    return cast(City, _TrackedCity(untracked(city), reads))


def untracked(city: City) -> City:
    """The city itself, behind any record."""
    given: object = city
    return given.plain if isinstance(given, _TrackedCity) else city
