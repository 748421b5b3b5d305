"""Flink's REST interface, as far as the proof uses it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from tests.processes import wait_for

ENDED = {"CANCELED", "FINISHED", "FAILED"}


class Rest:
    """The JobManager at this address."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:  # what the path answers
        """GET, or POST with a body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._address + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return "flink-version" in self.ask("/config")
        except (OSError, urllib.error.URLError, json.JSONDecodeError):
            return False

    def workers(self) -> int:
        """TaskManagers it knows."""
        return len(self.ask("/taskmanagers")["taskmanagers"])

    def jobs(self) -> list[str]:
        """The ids of all jobs."""
        return [job["id"] for job in self.ask("/jobs")["jobs"]]

    def state(self, job: str) -> str:
        """RUNNING, FINISHED ..."""
        return str(self.ask(f"/jobs/{job}")["state"])

    def is_running(self, job: str) -> bool:
        """Whether all of its tasks run."""
        found = self.ask(f"/jobs/{job}")
        return found["state"] == "RUNNING" and all(v["status"] == "RUNNING" for v in found["vertices"])

    def checkpoints(self, job: str) -> int:
        """Completed checkpoints."""
        return int(self.ask(f"/jobs/{job}/checkpoints")["counts"]["completed"])

    def stop(self, job: str) -> str:
        """End the job with a savepoint, whose address is returned; what it wrote is committed with it."""
        asked = self.ask(f"/jobs/{job}/stop", {"drain": False})["request-id"]

        def place() -> str:
            found = self.ask(f"/jobs/{job}/savepoints/{asked}")
            if found["status"]["id"] != "COMPLETED":
                return ""
            if "failure-cause" in found["operation"]:
                raise RuntimeError(found["operation"]["failure-cause"]["stack-trace"][:1500])
            return str(found["operation"]["location"])

        location = wait_for(place, 120, "the savepoint")
        wait_for(lambda: self.state(job) in ENDED, 60, "the end of the job")
        return location
