"""What hsigeo calls itself in the files that it writes."""

from __future__ import annotations

from hsigeo import __version__

__all__ = ["SOFTWARE"]

SOFTWARE = f"hsigeo {__version__}"
