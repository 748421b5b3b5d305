"""A flat JSON object per message, as most Wi-Fi sensors send: the template `flat_json` for topics that name the device.

`{"time": ..., "pm2_5": 12.3, "no2": {"value": 5, "unit": "ppb"}}`

Names that are not catalogue quantities are renamed or ignored by the source's configuration, else reported.
"""

from __future__ import annotations

from functools import lru_cache

from gateway.decoding.decoded import Decoded, SourceOptions
from gateway.decoding.mapping import Mapper
from gateway.devices import messages
from gateway.formats import json
from registry.settings import SourceSettings


def decode(payload: bytes, arrival: int, options: SourceOptions) -> Decoded:
    """Rows of the objects of a payload. Raises Rejected where there is none."""
    rename, ignore = tuple(sorted(options.rename.items())), tuple(sorted(options.ignore))
    mapper = _mapper(rename, ignore, options.time_key, options.secret)
    return mapper.decoded(json.read(payload, {}), {}, arrival)


@lru_cache(maxsize=256)
def _mapper(rename: tuple[tuple[str, str], ...], ignore: tuple[str, ...], time_key: str, secret: bytes) -> Mapper:
    settings = SourceSettings(
        family="flat_json", device="", rename=dict(rename), ignore=list(ignore), time_key=time_key
    )
    return Mapper(messages(settings)[0], {}, None, secret)
