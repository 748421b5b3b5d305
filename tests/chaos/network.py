"""A line of the kernel for a chaos run: a process in a network namespace of its own, reached by a pair of interfaces.

A TCP proxy ends or stops connections, but the kernels on both sides of it go on answering each other. On a line packets
are lost without any notice: what retransmits, times out and is half open is TCP itself.
Linux and root only; `why_not` says what is missing.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from tests.processes import SEARCH_PATH, end, start, wait_for

_BENCHMARKS = IPv4Address("198.18.0.0")  # a range for tests of networks (RFC 2544): nobody's address
_NETWORK = 0x40000000  # CLONE_NEWNET
_LOSE = ("rate", "8bit", "burst", "16", "limit", "16")  # no packet is as small as what may pass
_THIN = ("rate", "24kbit", "burst", "3000", "limit", "15000")


def why_not() -> str:
    """Why there can be no lines here; empty where there can."""
    if sys.platform != "linux":
        return "not Linux"
    missing = [tool for tool in ("ip", "tc", "unshare", "nsenter") if not shutil.which(tool, path=SEARCH_PATH)]
    if missing:
        return f"no {', '.join(missing)} (packages iproute2, util-linux)"
    tried = "ip link add near type veth peer name far && tc qdisc add dev near root tbf " + " ".join(_LOSE)
    made = _run("unshare", "--net", "sh", "-c", tried)
    return "" if made.returncode == 0 else f"not allowed: {made.stderr.decode().strip()[:100] or 'no rights'}"


def _run(*words: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PATH": SEARCH_PATH}
    return subprocess.run(words, capture_output=True, check=False, env=environment)


def _must(*words: str) -> None:
    done = _run(*words)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr.decode().strip()}"


@contextmanager
def apart() -> Iterator[None]:
    """This thread and its children in a network namespace of its own: other programs of the machine do not see its
    interfaces come and go (a browser gives up its requests when an interface changes).
    """
    kernel = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as before:
        if kernel.unshare(_NETWORK):
            raise OSError(ctypes.get_errno(), "no network namespace")
        try:
            _must("ip", "link", "set", "lo", "up")
            yield
        finally:
            kernel.setns(before.fileno(), _NETWORK)


class Line:
    """A namespace and the line to it. It lasts as long as the process that holds it, which ends with ours."""

    def __init__(self, folder: Path, name: str) -> None:
        self._holder = start(["unshare", "--net", "sleep", "infinity"], log=folder / f"line-{name}.log")
        self._space = Path(f"/proc/{self._holder.pid}/ns/net")
        ours = Path("/proc/self/ns/net").readlink()
        wait_for(lambda: self._space.readlink() != ours, 10, "a network namespace")
        self._near = f"cv{self._holder.pid}"
        _must("ip", "link", "add", self._near, "type", "veth", "peer", "name", "far", "netns", str(self._holder.pid))
        # The kernel numbers interfaces, so runs beside each other have different addresses.
        network = _BENCHMARKS + 4 * (socket.if_nametoindex(self._near) % 32768)
        self.host = str(network + 1)  # under which what runs outside is reached from inside
        _must("ip", "address", "add", f"{self.host}/30", "dev", self._near)
        _must("ip", "link", "set", self._near, "up")
        self._inside("ip", "link", "set", "lo", "up")
        self.inner = str(network + 2)  # under which what runs inside is reached from outside
        self._inside("ip", "address", "add", f"{self.inner}/30", "dev", "far")
        self._inside("ip", "link", "set", "far", "up")

    @property
    def prefix(self) -> list[str]:
        """Words before a command that is to run inside. It keeps its process id."""
        return ["nsenter", f"--net={self._space}"]

    def _inside(self, *words: str) -> None:
        _must(*self.prefix, *words)

    def set(self, mode: str) -> None:
        """`open`, `unplugged`, `deaf` (nothing gets in), `mute` (nothing gets out), `dead` (neither) or `thin`."""
        for inside, device in ((True, "far"), (False, self._near)):
            call = self._inside if inside else _must
            _run(*(self.prefix if inside else ()), "tc", "qdisc", "delete", "dev", device, "root")
            shape = _THIN if mode == "thin" else _LOSE if mode in ("dead", "mute" if inside else "deaf") else ()
            if shape:
                call("tc", "qdisc", "add", "dev", device, "root", "tbf", *shape)
        self._inside("ip", "link", "set", "far", "down" if mode == "unplugged" else "up")

    def close(self) -> None:
        """End the holder; with it go namespace and line."""
        end(self._holder)
