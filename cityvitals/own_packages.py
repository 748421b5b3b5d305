"""Whether the packages that will be imported are those of CityVitals: several have names that others use too."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

NAMES = (
    "adapters", "api", "edge", "gateway", "grafana", "ingest", "kpi_derivation", "page", "planning", "registry",
    "reporting", "scale", "simulators", "telemetry",
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[1]


def foreign() -> str | None:
    """A sentence about the first package that is found elsewhere than beside this one; None where all are ours."""
    for name in NAMES:
        spec = find_spec(name)
        if spec is None:
            return f"The package '{name}' of CityVitals is missing; install CityVitals again."
        place = Path(spec.origin or next(iter(spec.submodule_search_locations or [""]), "")).resolve()
        if ROOT not in place.parents:
            folder = place.parent if spec.origin else place
            return (
                f"{folder} hides the package '{name}' of CityVitals. Run the command in another folder, or install"
                " CityVitals in an environment of its own: python3 -m venv."
            )
    return None
