"""docs/scale.md: what a nation of cities costs, from the measurements in docs/scale.json. `--check`: only compare."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from tools.generated import generated

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "scale.md"

# What the extrapolation assumes; none of it is measured here.
SERIES_A_DEVICE = 2
FLINK_FACTOR = 3.0  # of processor time with Flink around the job, one run (docs/decisions.md): 47 s against 16 s
BUSY = 0.5  # of each core, so that a worker that ended can be caught up with
BROKER_BYTES_S = 50e6  # that a broker takes, before replication
REPLICAS = 3
LOG_DAYS = 7
_SLOPES = {"processor time": "cpu_s", "log": "log_bytes", "state": "state_bytes"}
PARTITION_CORES = 1.0  # a partition is worked on by one core at a time
EURO_CORE_MONTH, EURO_GB_MONTH, EURO_BROKER_MONTH = 20.0, 0.08, 250.0


_PAGE = """# Past one machine: what it costs

Made by `python -m tools.scale_docs` from docs/scale.json, which `python -m tests.scale.load` measures: the job of
`scale/` in one process, one window a series and minute, one tick a city and minute, without an engine around it.

## Measured

{measured}

Slope from the smallest to the largest size (1 is linear): {slopes}.
Not measured: 10^6 series, a year of history in the state, a network between machines, the cost of Flink at these sizes.

## On Flink

`make scale-test`, two processors shared with other work (load 0.6 to 54), Flink 2.3.0 with RocksDB, Kafka 4.3.1, checkpoints
each 3 s. Compared byte for byte with one process are all values that were committed, also those that later ones replaced.

| cities | records | values | TaskManagers killed | slots | Kafka killed | lost | doubled | another order | minutes | memory |
|---|---|---|---|---|---|---|---|---|---|---|
| 8 random, 5 recorded, 1 steady | 531 | 10,513 | 2 | 1 → 4 → 2 | 1 | 0 | 0 | 0 | 13.8 | 1,566 MiB |
| 100 random, 5 recorded, 1 steady | 1,412 | 41,879 | 8 | 1 → 4 → 2 | 1 | 0 (printed: 1) | 0 | 0 | 20.3 | 2,023 MiB |
| 100 random, 5 recorded, 4 steady | 2,815 | 58,837 | 10 | 1 → 4 → 2 | 1 | 0 | 0 | 0 | 17.1 | 1,790 MiB |
| 3 random, 1 steady, three of them in 3 districts each | 85 | 1,900 | 1 | 1 → 4 → 2 | 1 | 0 | 0 | 0 | 6.6 | 1,570 MiB |

In the first run the newest 3,813 values of random and recorded cities were those of the embedded engine, bit for bit, and the first committed
values came 11 s after a disturbance. The second printed NOT EQUAL, 1 lost: its reference restarted between records and wrote one value more, by a
fault of the engine that is repaired. Against a replay of its log without restarts, 41,879 of 41,879 values are equal, and 27,427 newest values are
those of the embedded engine.

The third is the whole test from a fresh clone, ten minutes with a kill each 30 s except while a rescaling waited for all tasks (load 20 to 30; first values 41 s
after a disturbance). It printed NOT EQUAL as well: 25,691 newest values of random cities were those of the embedded engine, 217 of 2,143 of recorded ones
were not, because the test had given the embedded engine only 5,000 windows of a city at once. Given all, 0 of 2,275 newest values of recorded cities differ
between the embedded engine and the job in one process. Before it, `make dev` took 19.5 minutes (75 s of processor time) and
`make engine` 6.9 (42 s). The fourth, with districts, printed Equal: the values of divided cities on Flink are those of the undivided ones in one
process. Not done: a whole run that prints Equal, an idle machine.

## Extrapolated

Linear from {largest} series: an estimate over two orders of magnitude and more, not a measurement. Assumed: one window a minute,
{assumed}
with copies counted, the windows of a year in the state once. Prices a month: {prices}.

| devices | windows/s | log, MB/s | cores | brokers | partitions | log, TB | state, TB | EUR a month: cores + brokers + storage |
|---|---|---|---|---|---|---|---|---|
{rows}

## What breaks first

1. **Storage of windows.** The state keeps every window, as the embedded store does. It is the largest cost;
   windows older than the gateways' own 30 days could be dropped, with hours kept. Not built.
2. **A megacity.** A city is one key, worked on by one core: at the rate of the largest city measured that core is full at
   {core} series. Districts take windows and hours from it; days and KPIs stay with one core.
3. **A restart.** A worker reads the whole state of a city before its first record, and evaluates it again where windows
   came after the last tick: with years of history this decides the time of recovery. Not measured.
"""  # noqa: E501 - a table


def slope(small: dict[str, Any], large: dict[str, Any], key: str) -> float:
    """d log(cost a minute) / d log(series): 1 is linear."""
    amounts = [c[key] / c["minutes"] for c in (small, large)]
    sizes = [c["cities"] * c["series_a_city"] for c in (small, large)]
    return math.log(amounts[1] / amounts[0]) / math.log(sizes[1] / sizes[0])


def measured(costs: list[dict[str, Any]]) -> list[str]:
    """The table of the measurements, by window."""
    lines = [
        "| cities | series a city | series | windows | processor time a window | windows/s/core | log, bytes a window"
        " | state, bytes a window |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for c in costs:
        series = c["cities"] * c["series_a_city"]
        windows = series * c["minutes"]
        lines.append(
            f"| {c['cities']} | {c['series_a_city']:,} | {series:,} | {windows:,} | {c['cpu_s'] / windows * 1e6:.0f} µs"
            f" | {windows / c['cpu_s']:,.0f} | {c['log_bytes'] / windows:.0f} | {c['state_bytes'] / windows:.0f} |"
        )
    return lines


def extrapolated(cost: dict[str, Any], devices: int) -> str:
    """One row for so many devices, from the cost of the largest size."""
    windows = cost["cities"] * cost["series_a_city"] * cost["minutes"]
    second = devices * SERIES_A_DEVICE / 60
    cores = math.ceil(second * cost["cpu_s"] / windows * FLINK_FACTOR / BUSY)
    log_s = second * cost["log_bytes"] / windows
    brokers = max(3, math.ceil(log_s * REPLICAS / BROKER_BYTES_S))
    partitions = math.ceil(cores / PARTITION_CORES)
    log_gb = log_s * 86_400 * LOG_DAYS * REPLICAS / 1e9
    state_gb = second * 86_400 * 365 * cost["state_bytes"] / windows / 1e9
    euros = [cores * EURO_CORE_MONTH, brokers * EURO_BROKER_MONTH, (log_gb + state_gb) * EURO_GB_MONTH]
    cells = [
        f"{devices:,}", f"{second:,.0f}", f"{log_s / 1e6:,.0f}", f"{cores:,}", f"{brokers}", f"{partitions:,}",
        f"{log_gb / 1e3:,.1f}", f"{state_gb / 1e3:,.0f}",
        " + ".join(f"{part:,.0f}" for part in euros) + f" = {sum(euros):,.0f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def text() -> str:
    """The page."""
    costs = json.loads((DOCS / "scale.json").read_text(encoding="utf-8"))
    sized = sorted(costs, key=lambda c: int(c["cities"]) * int(c["series_a_city"]))
    largest = sized[-1]
    amounts = [f"{name} {slope(sized[0], largest, key):.2f}" for name, key in _SLOPES.items()]
    city = max((c for c in costs if c["cities"] == 1), key=lambda c: int(c["series_a_city"]))
    core = 60 * BUSY / FLINK_FACTOR * city["series_a_city"] * city["minutes"] / city["cpu_s"]
    facts = {
        "measured": "\n".join(measured(costs)),
        "slopes": ", ".join(amounts),
        "largest": f"{largest['cities'] * largest['series_a_city']:,}",
        "core": f"{core:,.0f}",
        "rows": "\n".join(extrapolated(largest, devices) for devices in (10_000_000, 100_000_000)),
        "assumed": f"{SERIES_A_DEVICE} series a device, processor time times {FLINK_FACTOR:g} with Flink, cores\n"
        f"{BUSY:.0%} busy, {REPLICAS} copies of {LOG_DAYS} days of log, {BROKER_BYTES_S / 1e6:g} MB/s a broker",
        "prices": f"{EURO_CORE_MONTH:g} EUR a core with its memory, {EURO_BROKER_MONTH:g} EUR a broker, "
        f"{EURO_GB_MONTH:g} EUR a GB",
    }
    return _PAGE.format(**facts)


if __name__ == "__main__":
    sys.exit(generated(PAGE, text, sys.argv[1:]))
