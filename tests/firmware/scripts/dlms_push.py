"""What the DLMS decoder makes of pushes: dlms_push.py FILE prints JSON; FILE has [{"hex", "key", "auth"}, ...]."""

import asyncio
import json
import sys
from binascii import unhexlify

from firmware.buses import ciphered, dlms, obis


class Board:
    """Only sleeps."""

    async def sleep_ms(self, ms: int) -> None:
        """Wait."""
        await asyncio.sleep_ms(ms)  # type: ignore[attr-defined]


async def decoded(case: dict) -> object:
    """The values, or the error."""
    try:
        plain = dlms.message(unhexlify(case["hex"]))
        if plain[:1] == b"\xdb":
            plain = await ciphered.Frames(case["key"], case.get("auth", "")).feed(Board(), plain)
        return obis.values(dlms.objects(dlms.notification(plain)))
    except ValueError as err:
        return str(err)


async def main() -> None:
    """All cases."""
    with open(sys.argv[1]) as file:  # noqa: PTH123
        cases = json.load(file)
    results = []
    for case in cases:
        results.append(await decoded(case))
    print(json.dumps(results))


asyncio.run(main())
