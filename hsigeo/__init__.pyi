"""What type checkers see of the lazily imported names in ``__init__.py``."""

from hsigeo.bands import BandTable as BandTable
from hsigeo.classes import ClassTable as ClassTable
from hsigeo.classification import classify as classify
from hsigeo.errors import HsigeoError as HsigeoError
from hsigeo.evaluation import evaluate as evaluate
from hsigeo.explanation import explain as explain
from hsigeo.grid import Grid as Grid
from hsigeo.io.labels import open_labels as open_labels
from hsigeo.io.map_writer import write_map as write_map
from hsigeo.io.scene_reader import open_scene as open_scene
from hsigeo.model import load_model as load_model
from hsigeo.model import write_model as write_model
from hsigeo.training import train as train

__version__: str
