"""The serial console of a board, on MicroPython's unix port, which has no raw REPL of its own.

Runs on MicroPython with the console's pseudo-terminal as standard input and output and the board's file system as
current folder. Speaks the protocol of MicroPython's documentation (Ctrl-A raw, Ctrl-B friendly, Ctrl-D run or soft
reset) without raw paste; what it is sent is executed for real. Nothing runs that Ctrl-C could interrupt.
"""

import sys

BANNER = "\r\nMicroPython on a virtual board\r\n>>> "
RAW = "raw REPL; CTRL-B to exit\r\n>"


def execute(code: bytes, names: dict[str, object]) -> None:
    """Run what was sent, print its traceback; SystemExit is a reset."""
    try:
        exec(code.decode(), names)  # noqa: S102
    except Exception as err:  # noqa: BLE001
        sys.print_exception(err)  # type: ignore[attr-defined]


def raw_execute(code: bytes, names: dict[str, object]) -> None:
    """Output, end mark, traceback, end mark, prompt."""
    sys.stdout.write("OK")
    try:
        exec(code.decode(), names)  # noqa: S102
        sys.stdout.write("\x04")
    except Exception as err:  # noqa: BLE001
        sys.stdout.write("\x04")
        sys.print_exception(err)  # type: ignore[attr-defined]
    sys.stdout.write("\x04>")


def console() -> None:
    """Serve until the end of the input."""
    names: dict[str, object] = {}
    raw, code = False, b""
    sys.stdout.write(BANNER)
    while True:
        char = sys.stdin.buffer.read(1)
        if not char:
            return
        if char in (b"\x01", b"\x02"):
            raw, code = char == b"\x01", b""
            sys.stdout.write(RAW if raw else BANNER)
        elif char == b"\x04" and code:
            raw_execute(code, names)
            code = b""
        elif char == b"\x04":
            names = {}
            sys.stdout.write("OK\r\nMPY: soft reboot\r\n" + (RAW if raw else BANNER))
        elif char == b"\x05" and raw and not code:
            sys.stdin.buffer.read(2)
            sys.stdout.write("R\x00")
        elif char == b"\x03":
            code = b""
        elif char == b"\r" and not raw:
            sys.stdout.write("\r\n")
            execute(code, names)
            code = b""
            sys.stdout.write(">>> ")
        else:
            code += char
            if not raw:
                sys.stdout.write(char.decode())


console()
