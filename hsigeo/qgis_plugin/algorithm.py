"""What the algorithms share: from parameters to a command line, and from a run of hsigeo to a result."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any, ClassVar

from processing.core.ProcessingConfig import ProcessingConfig
from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingParameterDefinition,
)
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon

from .command import SETTING, CommandError, Listener, Stopped, find_command, run_command
from .sources import is_file

__all__ = ["HsigeoAlgorithm", "given", "tr", "write_report"]

ICON = Path(__file__).with_name("icon.png")


def tr(text: str) -> str:
    """The text in the user's language, where there is a translation."""
    return str(QCoreApplication.translate("hsigeo", text))


def given(option: str, value: Any) -> list[str]:
    """``[option, value]``, or nothing where the value is empty."""
    return [] if value in (None, "") else [option, str(value)]


def write_report(path: str, title: str, text: str, picture: str = "") -> None:
    """A small HTML page that the results viewer of QGIS shows."""
    image = f'<p><img src="{html.escape(Path(picture).as_uri())}" style="max-width: 100%"></p>' if picture else ""
    page = (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>'
        f"<body><h1>{html.escape(title)}</h1><pre>{html.escape(text)}</pre>{image}</body></html>\n"
    )
    Path(path).write_text(page, encoding="utf-8")


class HsigeoAlgorithm(QgsProcessingAlgorithm):
    """One command. A subclass says which, what it asks for, and how that becomes a command line.

    The method names in mixed case are QGIS's.
    """

    COMMAND = ""
    TITLE = ""
    HELP = ""
    FILES: tuple[str, ...] = ()
    """Parameters for which a file will do that QGIS itself cannot open."""

    def __init__(self) -> None:
        super().__init__()
        self._command: list[str] = []
        self._arguments: list[str] = []
        self._results: dict[str, Any] = {}
        self._to_load: dict[str, Any] = {}

    def command_line(self, parameters: Any, context: Any) -> tuple[list[str], dict[str, Any]]:
        """The arguments for hsigeo, and the results there will be."""
        raise NotImplementedError

    def finish(self, printed: str, results: dict[str, Any]) -> dict[str, Any]:
        """Make the results of what was printed; the files are there already."""
        return results

    def outputs(self, parameters: Any, context: Any, *names: str) -> dict[str, Any]:
        """The files of those raster outputs that are wanted."""
        wanted = [name for name in names if parameters.get(name)]
        return {name: self.parameterAsOutputLayer(parameters, name, context) for name in wanted}

    def number(self, parameters: Any, name: str, context: Any) -> float | None:
        """A number that may be left out; 0 is as good as none."""
        return self.parameterAsDouble(parameters, name, context) if parameters.get(name) else None

    def createInstance(self) -> HsigeoAlgorithm:  # noqa: N802
        """A fresh one for each run."""
        return type(self)()

    def name(self) -> str:
        """The part after the colon in ``hsigeo:classify``."""
        return self.COMMAND

    def displayName(self) -> str:  # noqa: N802
        """For people."""
        return tr(self.TITLE)

    def shortHelpString(self) -> str:  # noqa: N802
        """Beside the dialog."""
        return tr(self.HELP)

    def icon(self) -> Any:
        """In the toolbox."""
        return QIcon(str(ICON))

    def checkParameterValues(self, parameters: Any, context: Any) -> tuple[bool, str]:  # noqa: N802
        """As QGIS does it, but let pass files of sensors that only hsigeo reads."""
        files = [name for name in self.FILES if _names_files(parameters.get(name))]
        passed = {name: value for name, value in parameters.items() if name not in files}
        required = {name: self.parameterDefinition(name).flags() for name in files}
        for name, flags in required.items():
            self.parameterDefinition(name).setFlags(flags | QgsProcessingParameterDefinition.FlagOptional)
        try:
            ok, message = super().checkParameterValues(passed, context)
        finally:
            for name, flags in required.items():
                self.parameterDefinition(name).setFlags(flags)
        return bool(ok), str(message)

    def prepareAlgorithm(self, parameters: Any, context: Any, feedback: Any) -> bool:  # noqa: N802
        """Read everything from QGIS here, in its main thread; what follows needs none of it."""
        try:
            self._command = find_command(str(ProcessingConfig.getSetting(SETTING) or ""))
        except CommandError as error:
            raise QgsProcessingException(str(error)) from error
        self._arguments, self._results = self.command_line(parameters, context)
        wanted = context.layersToLoadOnCompletion()
        self._to_load = {path: wanted[path] for path in self._results.values() if path in wanted}
        return True

    def processAlgorithm(self, parameters: Any, context: Any, feedback: Any) -> dict[str, Any]:  # noqa: N802
        """Run hsigeo, and tell the feedback how far it is."""
        said: list[str] = []

        def advance(what: str, percent: float) -> None:
            if what not in said:
                said.append(what)
                feedback.setProgressText(what)
            feedback.setProgress(percent)

        listener = Listener(say=feedback.pushInfo, advance=advance, is_cancelled=feedback.isCanceled)
        arguments = [self.COMMAND, *self._arguments]
        feedback.pushCommandInfo(" ".join(["hsigeo", *arguments]))
        try:
            printed = run_command(self._command, arguments, listener)
        except CommandError as error:
            raise QgsProcessingException(str(error)) from error
        except Stopped:
            feedback.pushInfo(tr("Cancelled; hsigeo has ended."))
            return {}
        if printed:
            feedback.pushConsoleInfo(printed)
        # A run in a thread has a context of its own, and what that one does not load is forgotten.
        for path, details in self._to_load.items():
            again = QgsProcessingContext.LayerDetails(details.name, details.project, details.outputName)
            again.setPostProcessor(_Styler.make())
            context.addLayerToLoadOnCompletion(path, again)
        return self.finish(printed, self._results)


def _names_files(value: Any) -> bool:
    """Whether there is a file in a parameter's value; what else is in it, `raster_paths` will tell."""
    return any(is_file(part) for part in (value if isinstance(value, (list, tuple)) else [value]))


class _Styler(QgsProcessingLayerPostProcessorInterface):
    """Gives a result the style beside it. QGIS does so with what is dragged into it, but not with results."""

    _kept: ClassVar[list[_Styler]] = []

    @classmethod
    def make(cls) -> _Styler:
        """A new one for each layer: QGIS deletes it with the layer's details, and 3.22 crashes where two share one.

        It is kept because QGIS holds only the C++ half of it, which forgets its method without the other.
        """
        cls._kept.append(cls())
        return cls._kept[-1]

    def postProcessLayer(self, layer: Any, context: Any, feedback: Any) -> None:  # noqa: N802
        """Called by QGIS in its main thread, once the layer is there."""
        layer.loadDefaultStyle()
