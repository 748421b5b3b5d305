"""Documents that a tool writes: without arguments the tool writes its page, with `--check` it compares.

A tool ends with `sys.exit(generated(PAGE, text, sys.argv[1:]))` and is started with `python -m tools.NAME`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def generated(page: Path, text: Callable[[], str], arguments: Sequence[str]) -> int:
    """The exit status: 0: written, or current; 1: not current; 2: an argument that is not `--check`."""
    tool = f"python -m {text.__module__}" if text.__module__ != "__main__" else f"python -m tools.{_stem(text)}"
    if arguments not in ([], ["--check"]):
        print(f"Unknown arguments {' '.join(arguments)}; use `{tool}` or `{tool} --check`.", file=sys.stderr)
        return 2
    if not arguments:
        page.write_text(text(), encoding="utf-8")
        return 0
    if page.is_file() and page.read_text(encoding="utf-8") == text():
        return 0
    print(f"{page.parent.name}/{page.name} is not current; run `{tool}`.", file=sys.stderr)
    return 1


def _stem(function: Callable[[], str]) -> str:
    return Path(function.__code__.co_filename).stem
