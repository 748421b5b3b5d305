"""`tls` whose certificate check follows the board's clock, as mbedTLS does on the port."""

import sys
import time as _time

_path = sys.path[:]
sys.path[:] = []
try:
    from tls import *  # noqa: F403 - the built-in module behind this one

    from tls import SSLContext as _Context
finally:
    sys.path[:] = _path

_EPOCH = 946684800


class SSLContext:
    """The built-in context; with a clock outside `valid` (Unix seconds) every certificate is invalid."""

    def __init__(self, protocol) -> None:
        self._context = _Context(protocol)

    def __setattr__(self, name, value) -> object:
        if name == "_context":
            object.__setattr__(self, name, value)
        else:
            setattr(self._context, name, value)

    def load_verify_locations(self, data) -> object:
        """As the built-in one."""
        self._context.load_verify_locations(data)

    def load_cert_chain(self, cert, key) -> object:
        """As the built-in one."""
        self._context.load_cert_chain(cert, key)

    def wrap_socket(self, sock, **options) -> object:
        """Raise ValueError where the clock is outside `valid`, else as the built-in one."""
        import board

        start, end = board.WORLD.get("valid", (0, 1 << 40))
        now = _time.time() + _EPOCH
        if self._context.verify_mode != CERT_REQUIRED:  # noqa: F405
            return self._context.wrap_socket(sock, **options)
        if now > end:
            raise ValueError("The certificate validity has expired")
        if now < start:
            raise ValueError("The certificate validity starts in the future")
        return self._context.wrap_socket(sock, **options)
