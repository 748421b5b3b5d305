"""Mutation testing of the core modules: `python -m tests.mutation [--each N] [--seed S] [--only TEXT]`.

Each mutant is a copy of the repository with one mistake; the tests of modules.toml must fail with it. Survivors that no
result can tell from the original are in justified.toml with their reason. Prints a table and every other survivor;
writes build/mutation.json. Exit status 1 where a survivor is not justified. With --each, N random mutants of a module.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from tests.mutation.mutate import Mutant, mutants

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
TIMEOUT_S = 240


def copied(folder: Path) -> Path:
    """A copy of the versioned files, with the shared data beside it as the tests expect."""
    copy = folder / "repository"
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in (n for n in names if (ROOT / n).is_file()):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    if (ROOT.parent / "shared").exists():
        (folder / "shared").symlink_to(ROOT.parent / "shared")
    return copy


def fails(copy: Path, module: str, source: str, tests: list[str]) -> bool:
    """Whether the tests fail with this source of the module; the copy has the original afterwards."""
    path = copy / module
    original = path.read_text(encoding="utf-8")
    path.write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        answer = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=TIMEOUT_S, check=False)
        return answer.returncode != 0
    except subprocess.TimeoutExpired:
        return True  # a mistake that makes the tests hang is noticed
    finally:
        path.write_text(original, encoding="utf-8")


def justified() -> set[tuple[str, str, str]]:
    """(module, text of the line, mistake) of the survivors with a reason."""
    table = tomllib.loads((HERE / "justified.toml").read_text(encoding="utf-8"))
    return {(entry["module"], entry["line"], entry["mistake"]) for entry in table.get("survivor", [])}


def examined(copy: Path, module: str, tests: list[str], chosen: list[Mutant]) -> list[dict[str, Any]]:
    """The survivors of a module. Raises SystemExit where its tests fail without a mistake."""
    source = (ROOT / module).read_text(encoding="utf-8")
    if fails(copy, module, ast.unparse(ast.parse(source)), tests):
        raise SystemExit(f"{module}: its tests fail without a mistake: {' '.join(tests)}")
    known, lines = justified(), source.splitlines()
    survived = []
    for mutant in chosen:
        if not fails(copy, module, mutant.source, tests):
            text = lines[mutant.line - 1].strip()
            entry = {"line": mutant.line, "text": text, "mistake": mutant.what}
            survived.append({**entry, "justified": (module, text, mutant.what) in known})
    return survived


def shown(result: dict[str, Any]) -> str:
    """One row of the table, and its survivors without a reason."""
    unexplained = [s for s in result["survived"] if not s["justified"]]
    killed = result["mutants"] - len(result["survived"])
    numbers = f"{result['mutants']:4} of {result['of']:4} mutants {killed:4} killed {len(unexplained):3} open"
    row = f"{result['module']:45} {numbers}"
    return "\n".join([row, *(f"    {s['line']}: {s['mistake']}: {s['text']}" for s in unexplained)])


def main() -> int:
    """Run the mutants; 1 where a survivor is not justified."""
    options = argparse.ArgumentParser(prog="python -m tests.mutation")
    options.add_argument("--each", type=int, default=0, help="mutants of each module; 0: all")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", default="", help="only modules whose path contains this")
    given = options.parse_args()
    results: list[dict[str, Any]] = []
    modules = tomllib.loads((HERE / "modules.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        for module, tests in modules.items():
            if given.only in module:
                every = list(mutants((ROOT / module).read_text(encoding="utf-8")))
                count = min(given.each or len(every), len(every))
                chosen = sorted(random.Random(given.seed).sample(every, count))
                survived = examined(copy, module, tests, chosen)
                results.append({"module": module, "mutants": count, "of": len(every), "survived": survived})
                print(shown(results[-1]), flush=True)
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "mutation.json").write_text(json.dumps(results, indent=1))
    return 1 if any(not s["justified"] for r in results for s in r["survived"]) else 0


if __name__ == "__main__":
    sys.exit(main())
