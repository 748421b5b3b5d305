"""One mistake for each rule about what a number may claim: `python -m tests.mutation.rules [--only TEXT]`.

Prints a line for each rule of rules.toml: caught, or survived. Exit status 1 where one survives. The tests run in a
copy of the repository.
"""

from __future__ import annotations

import argparse
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

from tests.mutation.copies import ROOT, Runner, copied


class Mistake(NamedTuple):
    """`old` stands in `file` once; with `new` in its place one of `tests` must fail."""

    rule: str
    file: str
    old: str
    new: str
    tests: list[str]


def mistakes() -> list[Mistake]:
    """All of rules.toml."""
    table = tomllib.loads((Path(__file__).parent / "rules.toml").read_text(encoding="utf-8"))
    return [Mistake(**entry) for entry in table["rule"]]


def changed(m: Mistake) -> str:
    """The source with the mistake. Raises ValueError where its place is not there exactly once."""
    source = (ROOT / m.file).read_text(encoding="utf-8")
    if source.count(m.old) != 1:
        raise ValueError(f"{m.rule}: '{m.old}' stands in {m.file} {source.count(m.old)} times")
    return source.replace(m.old, m.new)


def main() -> int:
    """Make every mistake; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="rules with this text")
    only = parser.parse_args().only
    survived = 0
    with tempfile.TemporaryDirectory() as folder, Runner(copied(Path(folder))) as runner:
        for m in (m for m in mistakes() if only in m.rule):
            caught = runner.fails(m.file, changed(m), m.tests)
            survived += not caught
            print(f"{'caught  ' if caught else 'SURVIVED'}  {m.rule} ({m.file})", flush=True)
    print(f"{survived} survived")
    return int(survived > 0)


if __name__ == "__main__":
    raise SystemExit(main())
