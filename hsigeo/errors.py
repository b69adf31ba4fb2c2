"""Every error hsigeo raises on purpose.

`HsigeoError` is the one root, so ``except HsigeoError`` catches what the package knows about and nothing else.
Each error is also the built-in a caller would expect (`FileNotFoundError`, `ValueError`, …).

A message says in one line *what is wrong, the value, where, and what to do*.
"""


class HsigeoError(Exception):
    """Root of all errors raised on purpose by hsigeo."""


class SceneNotFoundError(HsigeoError, FileNotFoundError):
    """The scene, or the data file its header describes, is not there."""


class SceneError(HsigeoError, ValueError):
    """The scene exists but cannot be read as what it says it is."""


class LabelError(HsigeoError, ValueError):
    """Labels cannot be read, or do not fit the scene."""


class BandMismatchError(HsigeoError, ValueError):
    """The scene's bands do not cover what the model needs."""


class ModelNotFoundError(HsigeoError, FileNotFoundError):
    """No model was given and none was found."""


class ModelError(HsigeoError, ValueError):
    """The file is not a usable hsigeo model."""


class TrainingError(HsigeoError, ValueError):
    """The labels or spectra cannot train a model."""


class OutputExistsError(HsigeoError, FileExistsError):
    """The output is already there, and overwriting was not asked for."""


class OutputError(HsigeoError, OSError):
    """The output cannot be written."""


class DiskFullError(OutputError):
    """No space is left where an output is written; with more space the same command resumes."""


class LockedError(OutputError):
    """Another process is at work on the same output."""


class ClusterError(HsigeoError, RuntimeError):
    """The dask cluster cannot be reached, or cannot do the work."""


class MemoryLimitError(HsigeoError, MemoryError):
    """The memory limit is too small for the work."""


class DeviceError(HsigeoError, RuntimeError):
    """The requested compute device is not available."""


class KernelError(HsigeoError, RuntimeError):
    """The form of the fast loops that was asked for is unknown, or cannot run here."""


class Interrupted(KeyboardInterrupt):
    """Stopped by the user at a point from which the same command resumes. Its text says how far it came."""
