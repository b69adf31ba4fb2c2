"""``hsigeo export``."""

from __future__ import annotations

from pathlib import Path

import click

from hsigeo.atomic import check_not_an_input
from hsigeo.cli.options import overwrite_option, say

EXAMPLES = """\b
Example:
  hsigeo export sample_scenes/line_1.safetensors -o model.onnx
"""


@click.command(epilog=EXAMPLES)
@click.argument("model_path", metavar="MODEL", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="FILE.onnx", required=True, type=click.Path(path_type=Path), help="ONNX file to write."
)
@overwrite_option
def export(model_path: Path, output: Path, overwrite: bool) -> None:
    """Write a model as ONNX: from reflectance in its own bands to class probabilities and class ids.

    Needs the extra hsigeo[onnx]. Only the default network is exported.
    """
    from hsigeo.model import load_model
    from hsigeo.model.onnx_export import write_onnx

    check_not_an_input(output, [model_path])
    model = load_model(model_path)
    write_onnx(model, output, overwrite=overwrite)
    say(f"{output}: {model.card.bands.count} bands, {len(model.card.classes)} classes")
