# %% [markdown]
# # From a scene and a few labels to a map one can trust
#
# The whole way in one sitting: look at a hyperspectral scene, learn from a few polygons, make the map, judge it on
# ground that the model has not seen, clean it up, and count. Run it from the repository's root, cell by cell (VS Code,
# PyCharm, Spyder and Jupytext know the `# %%` marks; `first_map.ipynb` is the same as a notebook), or as a whole:
# `python examples/first_map.py`.
#
# The scene is one of the [sample scenes](../sample_scenes/README.md): invented, 112 bands, 4 m pixels, rotated as
# flight lines are.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import hsigeo
from hsigeo.io import open_map
from hsigeo.refinement import Refinement, Smoothing, measure_class_spectra, measure_classes, refine_map

SCENES = Path("sample_scenes")
RESULTS = Path("first_map")
RESULTS.mkdir(exist_ok=True)

# %% [markdown]
# ## Look at the scene
# Opening reads headers only. What comes back is an `xarray.DataArray` with the dims band, y and x, so everything
# xarray can do works; `scene.hsi` adds what is about spectra.

# %%
scene = hsigeo.open_scene(SCENES / "line_1.hdr")
print(scene.sizes, f"{scene.hsi.wavelengths[0]:.0f} to {scene.hsi.wavelengths[-1]:.0f} nm")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(7, 6), layout="constrained")
scene.hsi.plot_rgb(ax=left)
left.set_title("true colour")
scene.hsi.plot_rgb("cir", ax=right)
right.set_title("infrared, red, green")
figure.savefig(RESULTS / "scene.png")

# %% [markdown]
# ## Learn from a few polygons
# `train` cross-validates first, on folds that keep whole polygons together: pixels of one polygon look alike, and a
# random split would put some of them on both sides. The figure it gives for a random split shows how much that
# flatters.

# %%
labels = hsigeo.open_labels(SCENES / "training.gpkg", field="class")
model = hsigeo.train(scene, labels, seed=0)
hsigeo.write_model(model, RESULTS / "model.safetensors", overwrite=True)

validation = model.card.validation
disjoint, random = (validation[split]["overall_accuracy"] for split in ("disjoint", "random_split_optimistic"))
print(
    f"{len(model.card.classes)} classes; on unseen polygons {disjoint:.1%} are right, a random split says {random:.1%}"
)

# %% [markdown]
# ## Make the map
# Nothing is computed until it is written, strip by strip, so the scene may be larger than the memory. A cut is
# classified like the whole.

# %%
result = scene.hsi.classify(model)
print(result.isel(y=slice(60, 64), x=slice(40, 46)).class_id.values)

# %%
counts = hsigeo.write_map(
    result,
    RESULTS / "map.tif",
    confidence=RESULTS / "map_confidence.tif",
    probabilities=RESULTS / "map_probabilities.tif",
    overwrite=True,
)
print(counts)

# %% [markdown]
# ## Judge it
# On points that nobody trained on. The polygons were drawn where people were sure; the points lie where chance put
# them, on edges and in shade too. So this figure is lower, and the one to believe. The interval says what so few
# points can tell.

# %%
evaluation = hsigeo.evaluate(RESULTS / "map.tif", SCENES / "validation.gpkg", field="class")
low, high = evaluation.intervals.overall
print(f"{evaluation.accuracy.overall:.1%} of {evaluation.accuracy.total} points are right ({low:.1%} to {high:.1%})")
for name, recall in zip(evaluation.accuracy.names, evaluation.accuracy.recall, strict=True):
    print(f"{recall:7.1%} found: {name}" if np.isfinite(recall) else f"no point of {name} lies on this scene")

# %% [markdown]
# ## Clean it up, and see whether that was wise
# Smoothing with edges from the scene: neighbours that look alike pull each other. It is off unless asked for, since it
# takes small things away where things are small; so evaluate again.

# %%
smoothing = Smoothing(strength=2, scene=SCENES / "line_1.hdr")
refine_map(open_map(RESULTS / "map.tif"), RESULTS / "calm.tif", Refinement(smoothing=smoothing), overwrite=True)
calm = hsigeo.evaluate(RESULTS / "calm.tif", SCENES / "validation.gpkg", field="class")
print(f"as classified {evaluation.accuracy.overall:.1%}, smoothed {calm.accuracy.overall:.1%}")

# %%
raster, refined = open_map(RESULTS / "map.tif"), open_map(RESULTS / "calm.tif")
palette = np.full((256, 3), 255, dtype=np.uint8)  # white where there is no class
palette[list(raster.classes.ids)] = [entry.color for entry in raster.classes]
figure, axes = plt.subplots(1, 2, figsize=(7, 6), layout="constrained")
for ax, shown, title in zip(axes, (raster, refined), ("as classified", "smoothed"), strict=True):
    ax.imshow(palette[shown.read(slice(None))])
    ax.set_title(title)
figure.savefig(RESULTS / "maps.png")

# %% [markdown]
# ## Count and measure
# Areas are hectares on the ground, whatever the CRS. The spectra that each class was given say whether the map makes
# sense: water must be dark in the infrared, and leaves bright.

# %%
for row in measure_classes(refined).classes:
    print(f"{row.area:8.2f} ha  {row.share:6.1%}  {row.entry.name}")

# %%
spectra = measure_class_spectra(refined, scene)
good = spectra.bands.good
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for entry, mean in zip(spectra.classes, spectra.mean, strict=True):
    ax.plot(spectra.bands.wavelength[good], mean[good], ".", color=np.array(entry.color) / 255, label=entry.name)
ax.set(xlabel="wavelength (nm)", ylabel="reflectance", title="mean spectrum of each class")
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
figure.savefig(RESULTS / "spectra.png")
