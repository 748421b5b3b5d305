"""The command `cityvitals`. Exit codes: 0 done, 1 failed, 2 wrong usage."""

from __future__ import annotations

import logging
import sys

from cityvitals.own_packages import foreign


def main() -> None:
    """Run the command line; an error is printed as a sentence, without a traceback."""
    reason = foreign()
    if reason is not None:  # before anything else is imported
        sys.stderr.write(f"cityvitals: {reason}\n")
        sys.exit(1)
    _run()


def _run() -> None:
    from cityvitals.cli.main import app  # noqa: PLC0415
    from telemetry.errors import CityVitalsError, UsageError  # noqa: PLC0415

    try:
        app()
    except UsageError as error:
        sys.exit(_print_error(error, 2))
    except CityVitalsError as error:
        sys.exit(_print_error(error, 1))
    except ModuleNotFoundError as error:
        from registry.extras import explained  # noqa: PLC0415 - it looks into what is installed

        missing = explained(error)
        if missing is None:
            raise
        sys.exit(_print_error(missing, 1))
    except OSError as error:
        if error.filename is None:
            raise  # not about a file: a bug, to be shown with its traceback
        logging.getLogger(__name__).debug("traceback", exc_info=True)
        reason = f"{error.filename} cannot be used: {error.strerror}. Check the path, its permissions and the disk."
        sys.exit(_print_error(CityVitalsError(reason), 1))
    except KeyboardInterrupt:
        sys.exit(130)


def _print_error(error: Exception, code: int) -> int:
    from telemetry.untrusted import printable  # noqa: PLC0415

    text = "\n".join(map(printable, str(error).split("\n")))  # it may quote text from a node, a board or a broker
    sys.stderr.write(f"cityvitals: {text}\n")
    return code


if __name__ == "__main__":
    main()
