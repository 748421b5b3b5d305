"""`cityvitals kpi pack`: the verifier's pack of a city's period, the same bytes from the same readings.

Files: the sheet (.xlsx and .csv), the provenance of every derived value (.json), the city snapshot (.svg), plots
(.png), a summary (.pdf) and the checksums of all of them. Its content does not depend on the time or place of its
creation.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from adapters.store import Store
from kpi_derivation.catalogue import DERIVATIONS
from registry.city import City
from registry.extras import need
from registry.version import version
from reporting.figures.figures import Figure
from reporting.figures.rules import Context, Finding, check
from reporting.figures.stored import figures_of, reported_of
from reporting.figures.template import HEADINGS, rows
from reporting.goals.stored import entries_of, goals_of
from reporting.pack.content import Pack
from reporting.proof.explain import Explainer
from reporting.proof.proof import Proof
from reporting.scoring import OUR_CHOICE
from reporting.show import stored_city
from reporting.snapshot import wanted_targets
from reporting.submission.work import with_states
from reporting.targets import score
from reporting.wheel import snapshot
from telemetry.kpi_value import KpiQuery
from telemetry.periods import Period


def collect(store: Store, city_id: str, period_text: str, targets: Path | None, now: int) -> Pack:
    """Read everything from the store. Raises UsageError."""
    city = stored_city(store, city_id)
    wanted = wanted_targets(city, targets)
    period, found = figures_of(store, city, period_text)
    figures = with_states(store, city, found, period)
    explainer = Explainer(store, city, now)
    proofs = [
        p for code in DERIVATIONS for p in explainer.proofs(code, period) if p.devices or p.value.value is not None
    ]
    return Pack(
        city=city, period=period, figures=figures, proofs=[_timeless(p) for p in proofs],
        findings=_findings(store, city, period, figures), targets=wanted, scores=score(figures, wanted),
        months=[v.kpi for v in store.kpis(KpiQuery(city.id, ["month"], None, period.start, period.end))],
        goals=goals_of(store, city, entries_of(targets)),
    )  # fmt: skip


def _timeless(proof: Proof) -> Proof:
    """Without the time of storage, which differs between two stores of the same readings."""
    return msgspec.structs.replace(proof, stored="")


def _findings(store: Store, city: City, period: Period, figures: list[Figure]) -> list[Finding]:
    said = [f.reported for f in figures if f.reported]
    derived = {(f.code, f.part): f.derived.value for f in figures if f.derived and f.derived.value is not None}
    earlier = [f for f in reported_of(store, city) if f.year < int(period.label[:4])]
    numbers = {name: getattr(city.city, name) for name in ("population", "households")}
    return check(said, Context(denominators=numbers, earlier=earlier, derived=derived))


def write_pack(pack: Pack, folder: Path) -> list[Path]:
    """Write all files; returns their paths. Raises CityVitalsError where a library is missing."""
    need("report", "xlsxwriter", "matplotlib", "reportlab")
    from reporting.pack.pdf import summary  # noqa: PLC0415 - only packs need these libraries
    from reporting.pack.plots import plots  # noqa: PLC0415
    from reporting.pack.xlsx import workbook  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    drawn = plots(pack)
    svg = snapshot(pack.city.city.name, pack.period.label, pack.figures, pack.scores)
    files: dict[str, Callable[[], bytes]] = {
        "figures.xlsx": lambda: workbook(pack),
        "figures.csv": lambda: _csv(pack).encode(),
        "provenance.json": lambda: _provenance(pack),
        "snapshot.svg": svg.encode,
        "summary.pdf": lambda: summary(pack, drawn),
        **{name: partial(bytes, data) for name, data in drawn.items()},
    }
    sums = []
    for name, make in sorted(files.items()):
        data = make()
        (folder / name).write_bytes(data)
        sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
    (folder / "SHA256SUMS").write_text("".join(sums))
    return [folder / name for name in [*sorted(files), "SHA256SUMS"]]


def _csv(pack: Pack) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADINGS)
    writer.writerows(row.cells for row in rows(pack.figures, pack.scores, pack.period.label))
    return out.getvalue()


def _provenance(pack: Pack) -> bytes:
    """The provenance of every value, machine-readable; `schema` increases with every change of the structure."""
    plain = {
        "schema": 3,
        "software": f"cityvitals {version()}",
        "city": pack.city.model_dump(mode="json", exclude_defaults=True),
        "period": pack.period._asdict(),
        "not_reported_share": pack.not_reported,
        "derived": pack.proofs,
        "reported": [f.reported for f in pack.figures if f.reported],
        "findings": pack.findings,
        "goals": pack.goals,
        "targets": {"note": OUR_CHOICE, "targets": list(pack.targets.values())},
        "scores": {"figures": list(pack.scores.items.values()), "categories": pack.scores.categories},
    }
    return msgspec.json.format(msgspec.json.encode(plain, order="deterministic"), indent=1) + b"\n"
