"""What each derivation has ever read in one city: so it is known which ones a change concerns. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from kpi_derivation.engine.due import LooksBack
from kpi_derivation.engine.reads import Fact, Reads
from telemetry.periods import CALENDAR

Stored = Mapping[str, Iterable[Iterable[str]]]  # KPI code -> facts, as they are stored


class Record:
    """Facts by KPI code.

    `codes`: all KPIs. `first`: what a derivation reads before there are data. `stored`: what is known of earlier runs.
    `unknown`: KPIs of which not every run was recorded; any change concerns them. `everywhere`: what the engine itself
    reads, which concerns all.
    """

    def __init__(
        self,
        codes: Callable[[], Iterable[str]],
        first: Callable[[str], Reads],
        stored: Mapping[str, Iterable[Iterable[str]]],
    ) -> None:
        self._codes, self._first, self._stored = codes, first, stored
        self.unknown: set[str] = set()
        self.everywhere = Reads()
        self.version = 0  # counts what was new
        self._reads: dict[str, Reads] = {}
        self._quantities: dict[str, frozenset[str]] = {}
        self._kinds: dict[str, set[str]] = {}
        self._back: dict[str, list[LooksBack]] = {}

    def of(self, code: str) -> Reads:
        """What the derivation has read so far."""
        if code not in self._reads:
            self._reads[code] = Reads(tuple(fact) for fact in self._stored.get(code, ()))
            self.note(code, self._first(code))
            self._index(code)
        return self._reads[code]

    def note(self, code: str, reads: Reads) -> None:
        """Add what a run has read; `version` grows where anything of it is new."""
        known = self._reads.get(code) or self.of(code)
        if not reads.found.keys() <= known.found.keys():
            known.update(Reads(reads))  # without the values
            self._index(code)

    def resting_on(self, *facts: Fact) -> tuple[str, ...]:
        """The KPIs that have read one of these."""
        codes = tuple(self._codes())
        if any(fact[0] in ("city", "rules") and fact in self.everywhere for fact in facts):
            return codes
        return tuple(c for c in codes if c in self.unknown or any(self._has(c, fact) for fact in facts))

    def _has(self, code: str, fact: Fact) -> bool:
        reads = self.of(code)
        return fact[1] in self._kinds[code] if fact[0] == "kind" else fact in reads

    def stored(self) -> dict[str, list[Fact]]:
        """What is to be stored: the facts of the KPIs of which every run was recorded."""
        return {code: sorted(self.of(code)) for code in sorted(self._codes()) if code not in self.unknown}

    def _index(self, code: str) -> None:
        self.version += 1
        reads = self._reads[code]
        self._quantities[code], self._kinds[code] = frozenset(reads.quantities), reads.kinds
        reach = reads.back_days().items()
        self._back[code] = [LooksBack(kind, days, self._quantities[code]) for kind, days in reach if kind in CALENDAR]

    def quantities(self, code: str) -> frozenset[str]:
        """The quantities whose data the derivation has read; none of a KPI that depends on the city file alone."""
        if code not in self._quantities:
            self.of(code)
        return self._quantities[code]

    def all_quantities(self) -> set[str]:
        """The quantities that any derivation has asked for."""
        return set().union(*self._quantities.values())

    def looks_back(self, codes: Sequence[str]) -> Iterator[LooksBack]:
        """How far these derivations look back."""
        for code in codes:
            if code not in self._back:
                self.of(code)
            yield from self._back[code]
