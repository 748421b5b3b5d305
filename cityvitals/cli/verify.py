"""`cityvitals keygen` and `cityvitals verify`: keys for signed packs, and the check of one on any machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import VALUES


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel=VALUES)(keygen)
    app.command(rich_help_panel=VALUES)(verify)


def keygen(
    out: Annotated[Path, typer.Argument(help="The private key's file; the public key goes to FILE.pub.")],
) -> None:
    """Create an Ed25519 key for `kpi pack --sign`. Example: cityvitals keygen aberdeen.key."""
    from reporting.evidence.keys import new_pair  # noqa: PLC0415

    sys.stdout.write(f"{new_pair(out)}\n")
    sys.stderr.write(f"Publish {out}.pub or this fingerprint; keep {out} secret.\n")


def verify(
    pack: Annotated[Path, typer.Argument(help="The folder of a signed pack.")],
    key: Annotated[str, typer.Option(help="The signer's public key file, or its fingerprint sha256:...")] = "",
    readings: Annotated[
        list[Path] | None, typer.Option("--readings", help="A file of readings, as for `replay`; or many after it.")
    ] = None,
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="More files of readings, after --readings.")
    ] = None,
) -> None:
    """Check a signed pack, without a store.

    Signature, files, windows, and every derived value to the last bit.

    With --readings the windows are recalculated from these files; differences are listed with the values that would
    change. Example: cityvitals verify aberdeen-2018 --key aberdeen.key.pub
    """
    from cityvitals.evidence import verify_command  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    if more and not readings:
        raise UsageError(f"{more[0]} is not a part of a pack; readings to compare with follow --readings.")
    if not verify_command(pack, key, [*(readings or []), *(more or [])]):
        raise typer.Exit(1)
