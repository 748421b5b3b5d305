"""The page on describing a family of your own: its configuration gives the readings of its case."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.batch import Batch
from gateway.sources import made_sources
from registry.settings import SourceSettings
from telemetry.periods import iso
from telemetry.series import SeriesTable
from telemetry.stamps import read_stamp
from telemetry.topics import matcher

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "own-family.md"


def test_the_example_of_the_page_gives_its_readings() -> None:
    configured, cases = (tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.S))
    [source] = made_sources(
        [SourceSettings.model_validate(s) for s in configured["gateway"]["source"]],
        zone_of=lambda _: ZoneInfo("Europe/Berlin"),
    )
    [case] = cases["case"]
    assert case["payload"] in PAGE.read_text().partition("```toml")[0]
    levels = matcher(source.topic)(case["topic"])
    assert levels is not None
    assert source.reading is not None
    decode = source.reading.bind(case["topic"], levels, "town")
    found = decode(case["payload"].encode(), read_stamp("2026-11-20T10:00:10Z"), source.options)
    table = SeriesTable()
    batch = Batch(table)
    assert batch.add("town", found.device or "", found, 0, 0) == []
    r, _ = batch.readings()
    rows = [
        [table[s].device, table[s].quantity, v, iso(t)]
        for s, v, t in zip(r.series.tolist(), r.value.tolist(), r.t.tolist(), strict=True)
    ]
    assert rows == case["readings"]
