"""A real PostgreSQL for the tests, in a folder of its own. The server refuses to run as root: then as its own user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tests.servers import Server, need


def _programs() -> Path | None:
    """The folder of the server's programs, which Debian keeps out of the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class PostgreSQL(Server):
    """PostgreSQL whose users need no password; nothing is kept safe on disk, as tests need none of that."""

    command = "postgres"
    package = "postgresql"
    user = "tests"

    def __init__(self, folder: Path, port: int | None = None) -> None:
        super().__init__(folder, port)
        self._as_user: list[str] = []
        if os.getuid() == 0 and (own := next((u for u in pwd.getpwall() if u.pw_name == "postgres"), None)):
            shutil.chown(folder, own.pw_uid, own.pw_gid)
            self._as_user = ["setpriv", f"--reuid={own.pw_uid}", f"--regid={own.pw_gid}", "--clear-groups"]

    def start(self) -> None:
        """Make the data on the first start, then start and return once the server answers."""
        programs = _programs()
        if programs is None:
            need("initdb", self.package)
            return
        if not (self.folder / "data").exists():
            made: list[str | Path] = [
                programs / "initdb",
                "-D",
                self.folder / "data",
                "-A",
                "trust",
                "-U",
                self.user,
                "-N",
            ]
            subprocess.run([*self._as_user, *made, "-E", "UTF8"], check=True, capture_output=True)
        self.program = programs / "postgres"
        super().start()

    def command_line(self) -> list[str | Path]:
        """The server as its own user."""
        return [*self._as_user, self.program, *self.arguments()]

    def arguments(self) -> list[str | Path]:
        """On the loopback interface only, without waiting for the disk."""
        settings = {"port": self.port, "listen_addresses": self.host, "unix_socket_directories": "", "fsync": "off"}
        return ["-D", self.folder / "data", *(word for k, v in settings.items() for word in ("-c", f"{k}={v}"))]

    def ready(self) -> bool:
        """Whether it answers a query."""
        import psycopg

        try:
            self.run("SELECT 1")
        except psycopg.OperationalError as error:
            raise OSError(str(error)) from error
        return True

    def run(self, sql: str) -> None:
        """Run a statement of the administrator."""
        import psycopg

        with psycopg.connect(host=self.host, port=self.port, dbname="postgres", user=self.user, autocommit=True) as db:
            db.execute(sql)

    def create(self, database: str) -> str:
        """Make an empty database and return its name."""
        self.run(f'CREATE DATABASE "{database}"')
        return database

    def drop(self, database: str) -> None:
        """Remove a database, in use or not."""
        self.run(f'DROP DATABASE "{database}" WITH (FORCE)')
