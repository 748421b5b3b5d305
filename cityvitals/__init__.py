"""The command line, the long-running processes, demo, doctor and backup."""

from registry.version import __version__ as __version__
