"""The command line, the configuration, and the wiring of the processes."""

from registry.version import __version__ as __version__
