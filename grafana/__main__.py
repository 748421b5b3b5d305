"""`python -m grafana build|check`: write the dashboards' JSON and the alert rules, or print which of it is out of date."""

from __future__ import annotations

import sys

from grafana.build import build, build_alerts, check, check_alerts


def main(arguments: list[str]) -> int:
    """Exit code 0: done or up to date; 1: out of date; 2: not a command."""
    if arguments == ["build"]:
        sys.stdout.writelines(f"{path}\n" for path in (*build(), build_alerts()))
        return 0
    if arguments == ["check"]:
        stale = check() + check_alerts()
        if stale:
            sys.stderr.write(f"Out of date: {', '.join(stale)}. Run `python -m grafana build` and commit the result.\n")
        return 1 if stale else 0
    sys.stderr.write("Write `python -m grafana build` or `python -m grafana check`.\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
