"""Licences of the installed libraries: `python -m tools.check_licences`. Part of `make lint`.

Only licences that allow use in a program under Apache-2.0 without conditions on that program; others need an entry.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ALLOWED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Mozilla|MPL|0BSD|Unlicense|Zlib|CC0|EPL-2.0 OR BSD", re.I
)
OTHER = re.compile(r"(?<!L)GPL|AGPL|proprietary|commercial|SSPL|UNKNOWN", re.I)
# name: why it may be used
EXCEPTIONS = {
    "axe-playwright-python": "MIT, by its LICENSE file; the axe-core in it is MPL-2.0; tests only",
    "codespell": "GPL-2.0, a program that only checks; nothing of it is shipped",
    "esptool": "GPL-2.0, a program that `pip install cityvitals[node]` puts beside ours; it is never imported",
    "psycopg": "LGPL-3.0, installed beside ours and imported unchanged: its conditions are on changes of psycopg",
    "psycopg-binary": "as psycopg; the libpq in it has PostgreSQL's licence, like MIT",
    "quickjs": "MIT, by the LICENSE file of its source; its metadata name none",
}


def wrong(packages: list[dict[str, str]]) -> list[str]:
    """A sentence for each library whose licence is not allowed and that has no entry."""
    return [
        f"{p['Name']} {p['Version']}: licence '{p['License'].splitlines()[0]}' is not in tools/check_licences.py"
        for p in packages
        if p["Name"].lower() not in EXCEPTIONS and (not ALLOWED.search(p["License"]) or OTHER.search(p["License"]))
    ]


def installed() -> list[dict[str, str]]:
    """Name, version and licence of all libraries of this environment."""
    command = [str(Path(sys.executable).with_name("pip-licenses")), "--format=json", "--with-system"]
    found: list[dict[str, str]] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return [p for p in found if p["Name"] != "cityvitals"]


def main() -> int:
    """1 where a licence is not allowed."""
    sentences = wrong(installed())
    print(*sentences, sep="\n", end="\n" if sentences else "")
    return 1 if sentences else 0


if __name__ == "__main__":
    raise SystemExit(main())
