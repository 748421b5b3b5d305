"""The command line, the configuration, and the wiring of the processes."""

__version__ = "0.1.0"
