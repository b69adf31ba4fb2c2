"""``hsigeo qgis``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hsigeo.cli.options import overwrite_option, say

EXAMPLES = """\b
Examples:
  hsigeo qgis install
  hsigeo qgis install --profile fieldwork
"""


@click.group()
def qgis() -> None:
    """Use hsigeo from QGIS."""


@qgis.command(epilog=EXAMPLES)
@click.option("--profile", metavar="NAME", help="The QGIS profile. Default: the one QGIS starts with.")
@click.option(
    "--profiles-dir",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the profiles. Default: $QGIS_CUSTOM_CONFIG_PATH/profiles, else QGIS's default folder.",
)
@overwrite_option
def install(profile: str | None, profiles_dir: Path | None, overwrite: bool) -> None:
    """Put the plugin into a QGIS profile, and tell it where this hsigeo is.

    An older version of the plugin is replaced. Works with QGIS 3.22 or newer; nothing is installed into its Python.
    """
    from hsigeo.qgis_profiles import find_profile, find_profiles_dir, install_plugin

    folder = find_profile(profiles_dir or find_profiles_dir(), profile)
    made = install_plugin(folder, [sys.executable, "-m", "hsigeo"], overwrite=overwrite)
    say(f"{made}: installed")
    say("Start QGIS anew, tick hsigeo in Plugins > Manage and Install Plugins, and find it in the Processing Toolbox")
