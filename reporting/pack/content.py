"""What the files of a pack are made of. Pure."""

from __future__ import annotations

import msgspec

from registry.city import City
from reporting.figures.figures import Figure, not_reported_share, official
from reporting.figures.points import Point
from reporting.figures.rules import Finding
from reporting.goals.stored import GoalLine
from reporting.proof.proof import Proof
from reporting.scoring import Target
from reporting.targets import Scores
from telemetry.kpi_value import KpiValue
from telemetry.periods import Period


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """The data of all files of a pack."""

    city: City
    period: Period
    figures: list[Figure]
    proofs: list[Proof]
    findings: list[Finding]
    targets: dict[Point, Target]
    scores: Scores
    months: list[KpiValue]
    goals: list[GoalLine] = []

    @property
    def title(self) -> str:
        """City and period."""
        return f"{self.city.city.name}, {self.period.label}"

    @property
    def official(self) -> list[Figure]:
        """The figures of the 91."""
        return official(self.figures)

    @property
    def not_reported(self) -> float:
        """Share of the 91 without a figure, 0..1."""
        return not_reported_share(self.figures)
