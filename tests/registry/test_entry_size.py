"""What an entry of the city file takes in memory."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

from registry.config import load_city

_DEVICES, _MOST = 2000, 450  # bytes; 320 were measured, 1,750 as models
_HEAD = '[city]\nid = "large"\nname = "Large"\ncountry = "NO"\ntimezone = "UTC"\n'
_METER = '[[device]]\nid = "m{}"\nkind = "electricity_meter"\nquantities = ["energy_total"]\ninterval_s = 10\n'


def test_an_entry_takes_a_few_hundred_bytes(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text(_HEAD + "".join(_METER.format(n) for n in range(_DEVICES)), encoding="utf-8")
    load_city(path)  # what is made once
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        city = load_city(path)
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(city.device) == _DEVICES
    assert taken / _DEVICES < _MOST


_LOAD = """
import gc, sys
from pathlib import Path
from registry.config import load_city
city = load_city(Path(sys.argv[1]))
gc.collect()
sys._debugmallocstats()
"""


def test_what_the_parsed_file_took_is_free_for_other_things(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text(_HEAD + "".join(_METER.format(n) for n in range(20_000)), encoding="utf-8")
    stats = subprocess.run([sys.executable, "-c", _LOAD, str(path)], check=True, capture_output=True, text=True).stderr
    found = re.search(r"bytes in available blocks += +([\d,]+)", stats)
    assert found, stats
    assert int(found[1].replace(",", "")) < 3e6  # 8 MB where ids stand among the keys of the file's tables


def test_entries_share_their_lists_of_quantities(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text(_HEAD + _METER.format(1) + _METER.format(2), encoding="utf-8")
    one, other = load_city(path).device
    assert one.quantities is other.quantities
