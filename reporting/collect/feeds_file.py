"""FEEDS.toml: the feeds that an index copies."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from registry.toml import load


class Feed(BaseModel):
    """One server. `cities`: only these; default: all it serves. `key`: the fingerprint that signs its pages.

    `token_file`: a file with the token to send. `region`, `group`: set for its cities in the copy.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    cities: list[str] = []
    key: str = Field("", description="sha256:...")
    token_file: Path | None = None
    region: str = ""

    @field_validator("url")
    @classmethod
    def _over_http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"'{url}' is not the address of a feed; it starts with http:// or https://")
        return url


class FeedsFile(BaseModel):
    """All feeds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feed: list[Feed] = Field(min_length=1)


def read_feeds(path: Path) -> list[Feed]:
    """Raises UsageError with file, line and key."""
    return load(path, FeedsFile, "file of feeds").feed
