"""What a derivation read for a value, so that a proof shows exactly what the value is derived from. Pure."""

from __future__ import annotations

import msgspec

from kpi_derivation.catalogue import Derivation
from kpi_derivation.engine.reads import Reads
from kpi_derivation.engine.view import Part, Rows, View
from registry.city import DeviceKind


class Read:
    """The record of one run: the view, the parts it gave, and the facts that were read."""

    def __init__(self) -> None:
        self.view: View | None = None
        self.parts: list[Part] = []
        self.facts = Reads()
        self.marks: dict[str, set[str]] = {}

    def counts(self, part: str) -> set[str] | None:
        """The devices that count in a part; None of a derivation that marks none (`View.mark`)."""
        return self.marks.get("", set()) | self.marks.get(part, set()) if self.marks else None

    @property
    def names(self) -> list[str]:
        """Rules and denominators, in the order of reading."""
        return self.facts.names("city", "rules")

    @property
    def kinds(self) -> tuple[DeviceKind, ...]:
        """The kinds of devices whose registry entries were looked at."""
        return tuple(self.facts.in_order("kind"))  # type: ignore[arg-type]

    @property
    def rows(self) -> list[tuple[str, tuple[DeviceKind, ...], Rows]]:
        """Quantity, kinds of devices and rows; quantities that were read day by day or hour by hour come last."""
        found = [(fact[1], _kinds(fact[2:]), rows) for fact, rows in self.facts.found.items() if fact[0] == "rows"]
        for fact in self.facts:
            if fact[0] in ("days", "hours") and self.view and all(fact[1] != seen for seen, _, _ in found):
                kinds = _kinds(fact[2:])
                found.append((fact[1], kinds, self.view.rows(fact[1], kinds)))
        return found


def _kinds(names: tuple[str, ...]) -> tuple[DeviceKind, ...]:
    return names  # type: ignore[return-value]


def watching(derivation: Derivation, read: Read) -> Derivation:
    """The same derivation, which keeps in `read` what it reads of the view it is given."""

    def derive(view: View) -> list[Part]:
        read.view = view
        # Nothing that another derivation found is taken over, because what it marked is not known.
        object.__setattr__(view, "found", {})
        object.__setattr__(view, "marks", read.marks)
        read.parts, read.facts = view.recording(derivation.derive)
        view.reads.update(read.facts)
        return read.parts

    return msgspec.structs.replace(derivation, derive=derive)
