"""Mutation testing of the core modules: `python -m tests.mutation [--each N] [--seed S] [--only TEXT] [--write]`.

Each mutant is a copy of the repository with one mistake; the tests of modules.toml must fail with it. Survivors whose
results never differ from the original's are in justified.toml with their reason. Prints a table and the other ones;
writes build/mutation.json, and with --write docs/mutation.md. Exit status 1 where a survivor is not justified. With
--each, N random mutants of a module.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from tests.mutation.copies import FAST, ROOT, Runner, copied
from tests.mutation.mutate import Mutant, mutants
from tests.mutation.table import page, shown

HERE = Path(__file__).parent


def justified() -> dict[tuple[str, str, str], str]:
    """(module, text of the line, mistake) -> reason, of the survivors that have one."""
    table = tomllib.loads((HERE / "justified.toml").read_text(encoding="utf-8"))
    return {(entry["module"], entry["line"], entry["mistake"]): entry["reason"] for entry in table.get("survivor", [])}


def examined(runner: Runner, module: str, tests: list[str], chosen: list[Mutant]) -> list[dict[str, Any]]:
    """The survivors of a module. Raises SystemExit where its tests fail without a mistake."""
    source = (ROOT / module).read_text(encoding="utf-8")
    if runner.fails(module, ast.unparse(ast.parse(source)), tests):
        raise SystemExit(f"{module}: its tests fail without a mistake: {' '.join(tests)}")
    known, lines = justified(), source.splitlines()
    survived = []
    for mutant in chosen:
        if not runner.fails(module, mutant.source, tests):
            text = lines[mutant.line - 1].strip()
            reason = known.get((module, text, mutant.what), "")
            survived.append({"line": mutant.line, "text": text, "mistake": mutant.what, "reason": reason})
            if not reason:
                print(f"    {module}:{mutant.line}: {mutant.what}: {text}", flush=True)
    return survived


def main() -> int:
    """Run the mutants; 1 where a survivor is not justified."""
    options = argparse.ArgumentParser(prog="python -m tests.mutation")
    options.add_argument("--each", type=int, default=0, help="mutants of each module; 0: all")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", default="", help="only modules whose path contains this")
    options.add_argument("--write", action="store_true", help="put the modules' rows into docs/mutation.md")
    given = options.parse_args()
    results: list[dict[str, Any]] = []
    modules = tomllib.loads((HERE / "modules.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(dir=FAST) as folder, Runner(copied(Path(folder))) as runner:
        for module, tests in modules.items():
            if given.only in module:
                every = list(mutants((ROOT / module).read_text(encoding="utf-8")))
                count = min(given.each or len(every), len(every))
                chosen = sorted(random.Random(given.seed).sample(every, count))
                survived = examined(runner, module, tests, chosen)
                results.append({"module": module, "mutants": count, "of": len(every), "survived": survived})
                print(shown(results[-1]), flush=True)
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "mutation.json").write_text(json.dumps(results, indent=1))
    if given.write:
        path = ROOT / "docs" / "mutation.md"
        path.write_text(page(path.read_text(encoding="utf-8") if path.exists() else "", results), encoding="utf-8")
    return 1 if any(not s["reason"] for r in results for s in r["survived"]) else 0


if __name__ == "__main__":
    sys.exit(main())
