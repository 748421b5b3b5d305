"""The README of the API says what is there."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

README = (Path(__file__).parents[2] / "api" / "README.md").read_text(encoding="utf-8")


def test_the_readme_lists_exactly_the_paths_there_are(client: httpx.Client) -> None:
    listed = re.findall(r"^\| `(/[^`]*)`", README, re.MULTILINE)
    assert listed == list(dict.fromkeys(listed))
    assert set(listed) == set(client.get("/openapi.json").json()["paths"])


def test_the_readme_names_every_parameter(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    named = [
        p["name"] for path in paths.values() for p in path.get("get", {}).get("parameters", []) if p["in"] == "query"
    ]
    assert [name for name in named if f"{name}=" not in README] == []
