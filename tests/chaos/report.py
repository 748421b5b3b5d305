"""What a chaos run did and found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Report:
    """`problems` is empty where the promise held. `network`: how links were broken."""

    seed: int
    minutes: float
    store: str
    nodes: str
    revision: str = ""
    network: str = ""
    readings: int = 0
    records: int = 0
    healed_s: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    doors: dict[str, int] = field(default_factory=dict)  # requests that the clients of other doors saw acknowledged
    repaired: str = ""  # what the replay of rejects said
    load: float = 0.0  # of the machine, mean of the run
    holes: list[str] = field(default_factory=list)  # what decides whether and when missing records are asked for

    def __str__(self) -> str:
        faults = ", ".join(f"{name} {n}" for name, n in sorted(self.faults.items()))
        head = f"seed {self.seed}: {self.minutes:g} min, {self.store}, nodes {self.nodes}: {self.readings} readings"
        verdict = "; ".join(self.problems) or f"0 lost, 0 doubled, KPIs equal; healed after {self.healed_s:.0f} s"
        return (
            f"{head}\n  revision {self.revision}, network: {self.network}\n  faults: {faults}\n"
            f"  starts: {self.starts}, gateway: {self.counters}, doors: {self.doors}\n  {verdict}"
            + (f"\n  {self.repaired.strip()}" if self.repaired else "")
            + "".join(f"\n  {hole}" for hole in self.holes)
        )
