"""The ``hsigeo`` command: dispatches to the commands and turns errors into one line."""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
from typing import Any

import click

from hsigeo import __version__
from hsigeo.__main__ import INTERRUPTED
from hsigeo.cli.interrupts import heed_signals
from hsigeo.errors import HsigeoError, Interrupted
from hsigeo.limits import limit_libraries

# The commands, each in the module of its name. They are imported when called, so `hsigeo --help` stays instant.
_SUMMARIES = {
    "info": "Describe a scene: bands, CRS, repairs, problems; or a model.",
    "quicklook": "Make a picture of a scene, or of a class map.",
    "train": "Train a model on labelled pixels.",
    "classify": "Classify a scene, or many.",
    "ablate": "Measure what each component of the model contributes.",
    "evaluate": "Compare a class map with reference labels.",
    "explain": "Show which wavelengths decide, for each class or for a pixel.",
    "report": "Write an HTML page about a class map, or about all maps of a folder.",
    "mosaic": "Combine the maps of many flight lines.",
    "refine": "Filter a map, merge or rename its classes, drop uncertain pixels.",
    "vectorise": "Turn a class map into polygons with areas, as a GeoPackage.",
    "statistics": "Count the pixels and measure the area of each class of a map.",
    "agree": "Compare the maps of flight lines where they overlap.",
    "export": "Write a model as ONNX, to run it without torch.",
    "qgis": "Use hsigeo from QGIS.",
    "catalogue": "Describe a folder of maps as a STAC catalogue.",
}


_LONGEST = 2000
"""Characters of a message; some name every scene of a run."""


class _LazyGroup(click.Group):
    """A group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _SUMMARIES:
            return None
        command: click.Command = getattr(importlib.import_module(f"hsigeo.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_SUMMARIES.items()))


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: hsigeo classify sample_scenes/line_1.hdr -o map.tif",
)
@click.version_option(__version__, "--version", message="hsigeo %(version)s")
def cli() -> None:
    """Class maps from hyperspectral scenes."""


def main() -> None:
    """Run the command line; exit 0 done, 1 a reported error, 2 wrong usage, 130 interrupted."""
    # Importing torch and xarray makes two hundred thousand objects, none of them garbage; looking for some again and
    # again takes a tenth of the time.
    gc.set_threshold(50_000, 20, 20)
    limit_libraries()
    # GDAL would keep a twentieth of the machine's memory of files that are read once; 64 MB is a row of large blocks.
    os.environ.setdefault("GDAL_CACHEMAX", "64")
    code = _run(cli)
    if code == INTERRUPTED:
        # Python would wait for the tiles that its threads are still computing, half a minute perhaps. The command has
        # cleared away its outputs by now, and the threads write none.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    # Nor need Python look through all that torch and xarray made before it ends, which takes half a second.
    # Where Triton is loaded it has to: the library beneath counts what is left of its objects, and complains.
    if "triton" not in sys.modules:
        gc.freeze()
    sys.exit(code)


def _pass_over_logs(unraisable: Any) -> None:
    """Keep quiet about GDAL messages that rasterio cannot log: they quote bytes of a damaged file that are no text.

    The error that the message is about is raised all the same.
    """
    about = f"{unraisable.err_msg or ''} {unraisable.object!r}"
    if not (issubclass(unraisable.exc_type, UnicodeDecodeError) and "log_error" in about):
        sys.__unraisablehook__(unraisable)


def _one_line(text: str) -> str:
    """A message on one line of bearable length, though it may quote a file's name or content, which can be anything."""
    line = " ".join(text.splitlines())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 2 :]}"


def _run(command: click.Command, **kwargs: Any) -> int:
    # GDAL prints what happens outside rasterio's view on stderr, beside the error that hsigeo makes of it.
    os.environ.setdefault("CPL_LOG", os.devnull)
    heed_signals()
    sys.unraisablehook = _pass_over_logs
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a class name shows its code points rather than stopping the command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        command.main(standalone_mode=False, prog_name="hsigeo", **kwargs)
    except HsigeoError as error:
        click.echo(f"hsigeo: {_one_line(str(error))}", err=True)
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as interruption:
        # click makes every KeyboardInterrupt its own; the first one knows what was kept.
        cause = interruption.__cause__ or interruption
        said = str(cause) if isinstance(cause, Interrupted) else ""
        click.echo(f"hsigeo: interrupted; {said or 'no partial output was left'}", err=True)
        return INTERRUPTED
    except OSError as error:
        # What no module foresaw, results that cannot be printed among it.
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"hsigeo: {where}{error.strerror or error}", err=True)
        return 1
    except UnicodeEncodeError as error:
        # What came from the system as bytes that are no text, of a file's name: nothing that says it can be written.
        from hsigeo.campaign.inputs import NO_TEXT

        click.echo(f"hsigeo: {ascii(error.object)[1:-1]:.200}: {NO_TEXT}", err=True)
        return 1
    except MemoryError as error:
        click.echo(f"hsigeo: out of memory: {error}", err=True)
        return 1
    return 0
