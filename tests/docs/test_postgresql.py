"""docs/how-to/postgresql.md, followed on a real PostgreSQL."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.postgres import PostgreSQL

REPO = Path(__file__).parents[2]
PAGE = (REPO / "docs" / "how-to" / "postgresql.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


def test_every_command_of_the_page_works(postgresql: PostgreSQL, tmp_path: Path) -> None:
    [statements], (exports, commands, check), [settings] = blocks("sql"), blocks("sh"), blocks("toml")
    for statement in filter(str.strip, statements.split(";")):
        postgresql.run(statement)
    (tmp_path / "password").write_text("choose one\n")
    given = dict(line.removeprefix("export ").split("=", 1) for line in exports.splitlines())
    assert given.keys() == {"CITYVITALS__STORE__USERNAME", "CITYVITALS__STORE__PASSWORD_FILE"}
    given["CITYVITALS__STORE__PASSWORD_FILE"] = str(tmp_path / "password")
    environment = {**os.environ, **given, "PYTHONPATH": str(REPO)}
    (tmp_path / "examples").symlink_to(REPO / "examples")

    def run(line: str) -> subprocess.CompletedProcess[str]:
        words = shlex.split(line.replace("localhost:5432", f"127.0.0.1:{postgresql.port}"))
        assert words[0] == "cityvitals"
        command = [sys.executable, "-m", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)

    replayed, shown = map(run, commands.splitlines())
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert re.search(r"EN:EN:AQ:1C .*pm2_5 +[\d.]+ ", shown.stdout)

    here = settings.replace("localhost:5432", f"127.0.0.1:{postgresql.port}").replace("verify-full", "prefer")
    (tmp_path / "cityvitals.toml").write_text(here)
    examined = run(check.strip())
    assert re.search(r"store.*127\.0\.0\.1", examined.stdout), examined.stdout + examined.stderr
