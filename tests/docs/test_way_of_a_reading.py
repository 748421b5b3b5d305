"""The page of a reading's way names functions that exist, in an order in which one file leads to the next."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "way-of-a-reading.md"
ROW = re.compile(r"^\| `([\w/]+\.py)` \| `(\w+)` \| (.+) \|$", re.M)


def steps() -> list[tuple[str, str, str]]:
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_function_of_the_page_exists() -> None:
    missing = [(f, name) for f, name, _ in steps() if not (ROOT / f).is_file() or name not in functions(ROOT / f)]
    assert missing == []


def test_files_and_forms_stay_few() -> None:
    """50 files and 33 forms in the first version."""
    files = {file for file, _, _ in steps()}
    forms = [form for _, _, form in steps() if not form.startswith(("(", "the same"))]
    print(f"\n{len(files)} files, {len(forms)} forms")
    assert len(steps()) > 30
    assert len(files) <= 32
    assert len(forms) <= 22
