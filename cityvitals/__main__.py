"""The command `cityvitals`. Exit codes: 0 done, 1 failed, 2 wrong usage."""

from __future__ import annotations

import logging
import sys

from cityvitals.cli.main import app
from registry.extras import explained
from telemetry.errors import CityVitalsError, UsageError
from telemetry.untrusted import printable


def main() -> None:
    """Run the command line; an error is a sentence, not a traceback."""
    try:
        app()
    except UsageError as error:
        sys.exit(_tell(error, 2))
    except CityVitalsError as error:
        sys.exit(_tell(error, 1))
    except ModuleNotFoundError as error:
        missing = explained(error)
        if missing is None:
            raise
        sys.exit(_tell(missing, 1))
    except OSError as error:
        if error.filename is None:
            raise  # not about a file of the user's: a bug, which shall be loud
        logging.getLogger(__name__).debug("where it happened", exc_info=True)
        told = f"{error.filename} cannot be used: {error.strerror}. Check the path, its rights and the disk."
        sys.exit(_tell(CityVitalsError(told), 1))
    except KeyboardInterrupt:
        sys.exit(130)


def _tell(error: CityVitalsError, code: int) -> int:
    text = "\n".join(map(printable, str(error).split("\n")))  # it may quote a node, a board, a broker
    sys.stderr.write(f"cityvitals: {text}\n")
    return code


if __name__ == "__main__":
    main()
