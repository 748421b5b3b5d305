"""What stands for hardware on the unix port: ptys as serial lines and I2C, a file as flash, alarm(2) as watchdog."""

import os
import select


def open_line(path):
    """Open a pty; non-blocking, because a blocking read waits until the whole count is there."""
    import ffi

    line = open(path, "r+b", buffering=0)  # noqa: SIM115
    ffi.open(None).func("i", "fcntl", "iii")(line.fileno(), 4, 2048)  # F_SETFL, O_NONBLOCK
    return line


class FileNor:
    """A NOR flash partition in a file: programming only clears bits, erasing sets a whole block."""

    def __init__(self, path, blocks, size=4096):
        self.blocks = blocks
        self.size = size
        try:
            self.file = open(path, "r+b")  # noqa: SIM115
        except OSError:
            with open(path + ".new", "wb") as f:
                for _ in range(blocks * size // 256):
                    f.write(b"\xff" * 256)
            os.rename(path + ".new", path)
            self.file = open(path, "r+b")  # noqa: SIM115

    def readblocks(self, block, buf, offset=0):
        """Fill `buf` from a byte offset in a block."""
        self.file.seek(block * self.size + offset)
        self.file.readinto(buf)

    def writeblocks(self, block, data, offset=0):
        """Program bytes: bits go from 1 to 0 only."""
        old = bytearray(len(data))
        self.readblocks(block, old, offset)
        for i, byte in enumerate(data):
            old[i] &= byte
        self.file.seek(block * self.size + offset)
        self.file.write(old)

    def ioctl(self, op, arg):
        """4: number of blocks, 5: block size, 6: erase block `arg`."""
        if op == 4:
            return self.blocks
        if op == 5:
            return self.size
        if op == 6:
            self.file.seek(arg * self.size)
            for _ in range(self.size // 256):
                self.file.write(b"\xff" * 256)
        return 0


class PipeI2C:
    """An I2C bus whose devices live in another process: `address, write length, read length, bytes` over a pty."""

    def __init__(self, path):
        self._path = path
        self._file = None

    def _exchange(self, addr, data, count):
        if self._file is None:
            self._file = open_line(self._path)
            self._poll = select.poll()
            self._poll.register(self._file, select.POLLIN)
        try:
            if self._poll.poll(0):
                self._file.read(256)  # an answer that came too late is not the next one's
            self._file.write(bytes((addr, len(data), count)) + data)
            reply = self._gather(1 + count)
        except OSError:
            self._file.close()
            self._file = None
            raise
        if reply[0]:
            raise OSError(19)  # nobody answered to the address
        return reply[1:]

    def _gather(self, count):
        reply = b""
        while len(reply) < count and not (reply and reply[0]):
            part = self._file.read(count - len(reply)) if self._poll.poll(1000) else None
            if not part:
                raise OSError(110)  # the bus is stuck
            reply += part
        return reply

    def writeto(self, addr, data):
        """Write bytes to a device."""
        self._exchange(addr, bytes(data), 0)

    def readfrom(self, addr, count):
        """Read bytes from a device."""
        return self._exchange(addr, b"", count)

    def writeto_mem(self, addr, register, data):
        """Write bytes from a register on."""
        self._exchange(addr, bytes((register,)) + bytes(data), 0)

    def readfrom_mem(self, addr, register, count):
        """Read bytes from a register on."""
        return self._exchange(addr, bytes((register,)), count)


class Alarm:
    """Watchdog: the kernel ends the process when it is not fed, as the board's would reset it."""

    def __init__(self, timeout_ms, speed, least_s):
        import ffi

        self._seconds = max(least_s, timeout_ms // 1000 // speed)
        self._alarm = ffi.open(None).func("I", "alarm", "I")
        self.feed()

    def feed(self):
        """Start the countdown again."""
        self._alarm(self._seconds)
