"""What the HTTP API needs to know from its configuration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Where to listen; every `poll_s` seconds the store is asked for changes, every `beat_s` live clients hear us."""

    host: str = "127.0.0.1"
    port: int = 8000
    poll_s: float = 1.0
    beat_s: float = 15.0
    title: str = "CityVitals"
