"""Every error hsigeo raises on purpose.

`HsigeoError` is the one root, so ``except HsigeoError`` catches what the package knows about and nothing else.
Each error is also the built-in a caller would expect (`FileNotFoundError`, `ValueError`, …).

A message says *what, the value, where, and what would do*, in one line.
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


class DeviceError(HsigeoError, RuntimeError):
    """The requested compute device is not available."""
