"""`python -m tools.install_size [EXTRA...]`: install extras into fresh environments; print libraries and MiB of each.

Counted is what the extra adds to an empty environment, CityVitals included, without pip and compiled files. An empty
name ("") is the core. Needs `uv` and a package index or its cache.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROLES = ("", "gateway", "central", "central,influx", "grafana", "node", "demo")


def installed(extra: str, folder: Path) -> tuple[int, float]:
    """Number of distributions and MiB of an environment with this extra."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", str(folder)], check=True)
    wanted = f"{ROOT}[{extra}]" if extra else str(ROOT)
    python = folder / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "-q", "--python", str(python), wanted], check=True)
    packages = next(folder.glob("lib/python3*/site-packages"))
    names = list(packages.glob("*.dist-info"))
    files = (p for p in packages.rglob("*") if p.is_file() and p.suffix != ".pyc")
    return len(names), sum(p.stat().st_size for p in files) / 2**20


def main(extras: list[str]) -> None:
    """Print the table."""
    print("| extra | libraries | MiB |\n|---|---|---|")
    for extra in extras or ROLES:
        with tempfile.TemporaryDirectory() as folder:
            count, size = installed(extra, Path(folder) / "env")
        print(f"| {extra or 'core'} | {count} | {size:.0f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
