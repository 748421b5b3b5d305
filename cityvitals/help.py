"""The help of a group of commands: listed by section, in 80 columns; and option names of earlier versions."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

from cityvitals.cli import SECTIONS

# Command, former option, present option. Documents named them: they work, with a notice.
FORMER = (
    ("enrol", "--folder", "--pki"),
    ("ota", "--folder", "--pki"),
    ("enrol device", "--node", "--kind"),
    ("enrol broker", "--at", "--copies"),
    ("grafana build", "--folder", "--out"),
)


class Sections(TyperGroup):
    """A group whose help lists its commands by section; a section is the `rich_help_panel` of a command."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - click's or typer's own classes, by version
        """Write one table for each section that has commands, in the order of `SECTIONS`, then those without one."""
        shown = {name: self.commands[name] for name in self.list_commands(ctx) if not self.commands[name].hidden}
        width = max(map(len, shown), default=0)
        for section in (*SECTIONS, None):
            rows = [
                (name.ljust(width), command.get_short_help_str(formatter.width - width - 4))
                for name, command in sorted(shown.items())
                if getattr(command, "rich_help_panel", None) == section
            ]
            if rows:
                with formatter.section(section or "Commands"):
                    formatter.write_dl(rows)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as above
        """Replace former option names where this is the outermost group."""
        return super().parse_args(ctx, args if ctx.parent else present_names(args))


def present_names(args: Sequence[str]) -> list[str]:
    """The arguments with former option names replaced by the present ones, each with a notice on standard error."""
    words = [a for a in args if not a.startswith("-")]
    made = list(args)
    for command, former, present in FORMER:
        if words[: len(command.split())] != command.split():
            continue
        for i, arg in enumerate(made):
            name, equals, value = arg.partition("=")
            if name == former:
                sys.stderr.write(f"cityvitals {command}: {former} is now {present}; the former name will be removed.\n")
                made[i] = f"{present}{equals}{value}"
    return made
