"""docs/scale.md: what a nation of cities costs, from the measurements in docs/scale.json and docs/scale_flink.json, and
the runs on Flink in docs/scale_runs.json. `--check`: only compare.
"""

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
FLINK_FACTOR = 1.5  # of processor time with Flink around the job (docs/decisions.md): 26.8 s to 18.7, 10.6 to 7.4
BUSY = 0.5  # of each core, so that a worker that ended can be caught up with
BROKER_BYTES_S = 50e6  # that a broker takes, before replication
REPLICAS = 3
LOG_DAYS = 7
PARTITION_CORES = 1.0  # a partition is worked on by one core at a time
EURO_CORE_MONTH, EURO_GB_MONTH, EURO_BROKER_MONTH = 20.0, 0.08, 250.0
_SLOPES = {"processor time": "cpu_s", "log": "log_bytes", "values": "value_bytes", "state": "state_bytes"}
Cost = dict[str, Any]  # an entry of docs/scale.json


_PAGE = """# Past one machine: what it costs

Made by `python -m tools.scale_docs` from docs/scale.json, which `python -m tests.scale.load` measures, from docs/scale_flink.json by
`python -m tests.scale.flink_load`, and from docs/scale_runs.json, what runs of `make scale-test` have printed.

## Measured

The job of `scale/` without an engine around it: one window a series and minute, one tick a city and minute, in compressed time. A worker is
a process with at most 40 cities; of more cities one worker follows another, because cities do not know of each other. So the 10^6 series were
worked on by ten workers in turn on one core, without Kafka and Flink.

{measured}

Slope from {smallest} to {largest} series (1 is linear): {slopes}.
The last row is one city over an hour: windows of the running hour are gone through again by each tick, and two hours of windows stay in memory.
Memory is with the state, which Flink keeps in RocksDB.

From this, of a device with {series} series and of a city of {city_devices} such devices, without copies:

| | processor time | memory | network to the job | network of values | state |
|---|---|---|---|---|---|
{each}

Not measured: more than an hour of one city, a year of history in the state, a network between machines.

The same with a real Kafka and Flink, on two slots, from the log to committed values; processor time with that of checkpoints (each 5 s) and city files:

{on_flink}

{on_flink_notes}

## Kills, rescaling, restarts

`make scale-test`, two processors shared with other work (load 0.6 to 54), Flink 2.3.0 with RocksDB, Kafka 4.3.1, checkpoints
each 3 s. Compared byte for byte with one process are all values that were committed, also those that later ones replaced; of random and recorded
cities also the newest with those of the embedded engine.

{runs}

{notes}

## Extrapolated

Linear, with what a window cost in the hour: an estimate from {largest} series over one and two orders of magnitude, not a measurement. Assumed: one
window a minute, {assumed}
with copies counted, the windows of a year in the state once. Prices a month: {prices}.

| devices | windows/s | log, MB/s | cores | memory, TB | brokers | partitions | log, TB | state, TB | EUR a month: cores + brokers + storage |
|---|---|---|---|---|---|---|---|---|---|
{rows}

## What breaks first

1. **Storage of windows.** The state keeps every window, as the embedded store does. It is the largest cost;
   windows older than the gateways' own 30 days could be dropped, with hours kept. Not built.
2. **Memory of workers.** {worker_memory}
3. **A megacity.** A city is one key, worked on by one core: at the rate of the hour that core is full at
   {core} series. Districts take windows and hours from it; days and KPIs stay with one core.
4. **A restart.** A worker reads the whole state of a city before its first record, and evaluates it again where windows
   came after the last tick: with years of history this decides the time of recovery. Not measured.
"""  # noqa: E501 - a table

_NOTES = """The last is the whole test on the code of 2026-11-29, beside the tests of the house; by kind of city it printed

| cities |  | records | values written | lost | doubled | in another order | differ from the embedded engine |
|---|---|---|---|---|---|---|---|
| random | 100 | 917 | 33,747 | 0 | 0 | 0 | 0 of 25,691 |
| recorded | 5 | 297 | 6,630 | 0 | 0 | 0 | 0 of 2,275 |
| steady | 4 | 1,604 | 18,460 | 0 | 0 | 0 | - |

35,150 values were committed while workers were killed, the others after that. First values came 16 s after a disturbance (median), 84 s at the longest.
It took 16 minutes with what goes before Flink, the values of one process. The fifth run printed the same counts at a load of about 35, before two changes
of the job (owners of devices and the limit of series in a worker's memory); only 8,132 values were committed between its kills, and it took 26 minutes.

Runs 1 to 3 are older than the districts. The second printed 1 lost: its reference restarted between records and wrote one value more, by a fault
of the engine that is repaired; against a replay of its log without restarts 41,879 of 41,879 values are equal. The third printed 217 that differ, because
the test had given the embedded engine only 5,000 windows of a city at once. It was the whole test from a fresh clone: `make dev` took 19.5 minutes
before it (75 s of processor time) and `make engine` 6.9 (42 s). Not done: an idle machine."""  # noqa: E501 - a paragraph


_FLINK_NOTES = """Not run with Kafka and Flink: 10^5 and 10^6 series. Two other loads, 150,000 windows of 10 cities of 250 meters and 100,000 of 4 cities of 2,500
over ten minutes, had 5,600 and 9,400 windows/s/core of Flink (docs/decisions.md); in two minutes the first ones weigh more: city files, checkpoints and
code that is compiled while it runs."""  # noqa: E501 - a paragraph


def series_of(cost: Cost) -> int:
    """All series of a measurement."""
    return int(cost["cities"] * cost["series_a_city"])


def windows_of(cost: Cost) -> int:
    """All windows of a measurement."""
    return int(series_of(cost) * cost["minutes"])


def slope(small: Cost, large: Cost, key: str) -> float:
    """d log(cost a minute) / d log(series): 1 is linear."""
    amounts = [c[key] / c["minutes"] for c in (small, large)]
    return math.log(amounts[1] / amounts[0]) / math.log(series_of(large) / series_of(small))


def memory_of(cost: Cost) -> float:
    """Bytes of memory a series beside those of an empty worker, of a measurement of one worker, with the state."""
    return float((cost["peak_rss_bytes"] - cost["base_rss_bytes"]) / series_of(cost))


def table(head: str, rows: list[list[str]]) -> str:
    """`head` and cells as a table."""
    lines = [head, "|---" * (head.count("|") - 1) + "|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def measured(costs: list[Cost]) -> str:
    """The measurements, by window."""
    rows = []
    for c in costs:
        windows = windows_of(c)
        amounts = [f"{c[key] / windows:.0f}" for key in ("log_bytes", "value_bytes", "state_bytes")]
        rows.append([
            f"{c['cities']}", f"{c['series_a_city']:,}", f"{series_of(c):,}", f"{windows:,}",
            f"{c['cpu_s'] / windows * 1e6:.0f} µs", f"{windows / c['cpu_s']:,.0f}", *amounts,
            f"{c['peak_rss_bytes'] / 2**20:,.0f} MiB",
        ])  # fmt: skip
    head = (
        "| cities | series a city | series | windows | processor time a window | windows/s/core | log, bytes a window"
        " | values, bytes a window | state, bytes a window | largest worker |"
    )
    return table(head, rows)


def each(hour: Cost, series: int) -> list[str]:
    """What so many series cost, by the measurement of an hour."""
    windows, second = windows_of(hour), series / 60
    return [
        f"{_rounded(second * hour['cpu_s'] / windows * 86_400)} s a day",
        f"{_rounded(series * memory_of(hour) / 1e6)} MB",
        f"{_rounded(second * hour['log_bytes'] / windows * 86_400 / 1e6)} MB a day",
        f"{_rounded(second * hour['value_bytes'] / windows * 86_400 / 1e6)} MB a day",
        f"{_rounded(second * hour['state_bytes'] / windows * 86_400 * 365 / 1e9)} GB a year",
    ]


def _rounded(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:,.2f}"


def extrapolated(hour: Cost, devices: int) -> list[str]:
    """One row for so many devices, from the cost of an hour."""
    windows = windows_of(hour)
    second = devices * SERIES_A_DEVICE / 60
    cores = math.ceil(second * hour["cpu_s"] / windows * FLINK_FACTOR / BUSY)
    memory = devices * SERIES_A_DEVICE * memory_of(hour)
    log_s = second * hour["log_bytes"] / windows
    brokers = max(3, math.ceil(log_s * REPLICAS / BROKER_BYTES_S))
    partitions = math.ceil(cores / PARTITION_CORES)
    log_gb = log_s * 86_400 * LOG_DAYS * REPLICAS / 1e9
    state_gb = second * 86_400 * 365 * hour["state_bytes"] / windows / 1e9
    euros = [cores * EURO_CORE_MONTH, brokers * EURO_BROKER_MONTH, (log_gb + state_gb) * EURO_GB_MONTH]
    return [
        f"{devices:,}", f"{second:,.0f}", f"{log_s / 1e6:,.0f}", f"{cores:,}", f"{memory / 1e12:,.2f}", f"{brokers}",
        f"{partitions:,}", f"{log_gb / 1e3:,.1f}", f"{state_gb / 1e3:,.0f}",
        " + ".join(f"{part:,.0f}" for part in euros) + f" = {sum(euros):,.0f}",
    ]  # fmt: skip


def on_flink(costs: list[Cost]) -> str:
    """The measurements with Kafka and Flink."""
    rows = []
    for c in costs:
        windows = windows_of(c)
        seconds = [c[f"{kind}_s"] / windows * 1e6 for kind in ("python", "jvm", "kafka")]
        rows.append([
            f"{c['cities']}", f"{c['series_a_city']:,}", f"{series_of(c):,}", f"{windows:,}",
            *(f"{each:.0f} µs" for each in seconds), f"{windows / (c['python_s'] + c['jvm_s']):,.0f}",
            f"{c['log_bytes'] / windows:.0f}", f"{c['value_bytes'] / windows:.0f}",
            f"{c['peak_bytes'] / 2**20:,.0f} MiB", f"{c['seconds']:,.0f} s",
        ])  # fmt: skip
    head = (
        "| cities | series a city | series | windows | Python, a window | Flink's JVMs | Kafka"
        " | windows/s/core of Flink | log with city files, bytes a window | values | memory of Flink | took |"
    )
    return table(head, rows)


def runs_on_flink(runs: list[dict[str, Any]]) -> str:
    """What `make scale-test` has printed."""
    rows = []
    for r in runs:
        newest = "not noted" if r["newest"] is None else f"{r['newest'][0]} of {r['newest'][1]:,}"
        rows.append([
            r["cities"], f"{r['records']:,}", f"{r['values']:,}", f"{r['killed']}", " → ".join(map(str, r["slots"])),
            f"{r['kafka']}", f"{r['lost']}", f"{r['doubled']}", f"{r['order']}", newest, f"{r['minutes']}",
            f"{r['mib']:,} MiB", r["says"],
        ])  # fmt: skip
    head = (
        "| cities | records | values | TaskManagers killed | slots | Kafka killed | lost | doubled | another order"
        " | newest that differ | minutes | memory | printed |"
    )
    return table(head, rows)


def text() -> str:
    """The page."""
    costs = json.loads((DOCS / "scale.json").read_text(encoding="utf-8"))
    runs = json.loads((DOCS / "scale_runs.json").read_text(encoding="utf-8"))
    flink = json.loads((DOCS / "scale_flink.json").read_text(encoding="utf-8"))
    sized = sorted((c for c in costs if c["cities"] > 1), key=series_of)
    hour, largest = max(costs, key=lambda c: int(c["minutes"])), sized[-1]
    amounts = [f"{name} {slope(sized[0], largest, key):.2f}" for name, key in _SLOPES.items()]
    core = 60 * BUSY / FLINK_FACTOR * windows_of(hour) / hour["cpu_s"]
    gb = memory_of(hour) * core / 1e9
    city_devices = 100_000
    facts = {
        "measured": measured(costs),
        "slopes": ", ".join(amounts),
        "smallest": f"{series_of(sized[0]):,}",
        "largest": f"{series_of(largest):,}",
        "series": f"{SERIES_A_DEVICE}",
        "city_devices": f"{city_devices:,}",
        "each": "\n".join(
            f"| {name} | {' | '.join(each(hour, devices * SERIES_A_DEVICE))} |"
            for name, devices in (("a device", 1), ("a city", city_devices))
        ),
        "core": f"{core:,.0f}",
        "worker_memory": f"After an hour a series takes {memory_of(hour) / 1e3:.0f} kB, so a core that is full has"
        f" {gb:.1f} GB in memory:\n   more than is usual for a core. The windows of two hours are most of it.",
        "on_flink": on_flink(flink),
        "on_flink_notes": _FLINK_NOTES,
        "runs": runs_on_flink(runs),
        "notes": _NOTES,
        "rows": "\n".join(f"| {' | '.join(extrapolated(hour, devices))} |" for devices in (10_000_000, 100_000_000)),
        "assumed": f"{SERIES_A_DEVICE} series a device, processor time times {FLINK_FACTOR:g} with Flink, cores\n"
        f"{BUSY:.0%} busy, {REPLICAS} copies of {LOG_DAYS} days of log, {BROKER_BYTES_S / 1e6:g} MB/s a broker",
        "prices": f"{EURO_CORE_MONTH:g} EUR a core with its memory, {EURO_BROKER_MONTH:g} EUR a broker, "
        f"{EURO_GB_MONTH:g} EUR a GB",
    }
    return _PAGE.format(**facts)


if __name__ == "__main__":
    sys.exit(generated(PAGE, text, sys.argv[1:]))
