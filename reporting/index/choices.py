"""A choice from the words of a user. Pure."""

from __future__ import annotations

from typing import get_args

import msgspec

from reporting.index.aggregate import AGGREGATIONS
from reporting.index.normalise import NORMALISATIONS
from reporting.index.workbench import Choice, Weights
from telemetry.errors import UsageError, nearest


def choice_of(normalisation: str, weights: str, aggregation: str, draws: int, seed: int) -> Choice:
    """Raises UsageError naming the nearest word."""
    for given, known, name in (
        (normalisation, NORMALISATIONS, "normalisation"), (weights, get_args(Weights), "kind of weights"),
        (aggregation, AGGREGATIONS, "mean"),
    ):  # fmt: skip
        if given not in known:
            raise UsageError(f"'{given}' is not a {name}; {nearest(given, known)}")
    plain = {
        "normalisation": normalisation,
        "weights": weights,
        "aggregation": aggregation,
        "draws": draws,
        "seed": seed,
    }
    return msgspec.convert(plain, Choice)
