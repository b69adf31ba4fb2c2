"""The command line: one module per command. click lives here only, and this is the only layer that prints."""

from hsigeo.cli.main import main

__all__ = ["main"]
