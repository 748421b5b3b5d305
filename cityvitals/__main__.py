"""The command `cityvitals`. Exit codes: 0 done, 1 failed, 2 wrong usage."""

from __future__ import annotations

import sys

from cityvitals.cli import app
from telemetry.errors import CityVitalsError, UsageError


def main() -> None:
    """Run the command line; an error is a sentence, not a traceback."""
    try:
        app()
    except UsageError as error:
        sys.exit(_tell(error, 2))
    except CityVitalsError as error:
        sys.exit(_tell(error, 1))
    except KeyboardInterrupt:
        sys.exit(130)


def _tell(error: CityVitalsError, code: int) -> int:
    sys.stderr.write(f"cityvitals: {error}\n")
    return code


if __name__ == "__main__":
    main()
