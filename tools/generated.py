"""Documents that a tool writes: without arguments the tool writes its page, with `--check` it compares.

A tool ends with `sys.exit(generated(PAGE, text, sys.argv[1:]))` and is started with `python -m tools.NAME`; `make
generated` starts all of them, and what makes other files from the code.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Each writes a table or files of a room from that room's own code, and a test compares them.
OF_ROOMS = ("edge.tools.quantities", "edge.tools.drivers", "edge.tools.node_kinds", "grafana build")


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


def tools() -> list[str]:
    """The modules of this folder that write a page."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "tools").glob("*.py"))}
    return [name for name, text in texts.items() if "\n    sys.exit(generated(" in text]


def write_all() -> None:
    """Write everything that is made from the code. Raises CalledProcessError."""
    for command in (*OF_ROOMS, *(f"tools.{name}" for name in tools())):
        print(f"python -m {command}", flush=True)
        subprocess.run([sys.executable, "-m", *command.split()], cwd=ROOT, check=True)


if __name__ == "__main__":
    write_all()
