"""``scene.hsi``: what hsigeo does, on any scene that xarray holds.

Registered with xarray when a scene is opened by `hsigeo.open_scene`, or by ``import hsigeo.accessor`` for scenes that
come through ``xr.open_dataarray(…, engine="hsigeo")`` or were made by hand:

>>> import hsigeo
>>> scene = hsigeo.open_scene("sample_scenes/line_1.hdr")  # doctest: +SKIP
>>> scene.hsi.wavelengths  # doctest: +SKIP
>>> scene.hsi.plot_rgb()  # doctest: +SKIP
>>> scene.hsi.classify("sample_scenes/line_1.safetensors").class_id.plot()  # doctest: +SKIP
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.composites import parse_composite, pick_bands_of
from hsigeo.scene import check_scene, grid_of, spectral_axis

if TYPE_CHECKING:
    from hsigeo.model import Model

__all__ = ["HsiAccessor"]

PERCENT = (2.0, 98.0)
_SEEN_PIXELS = 1 << 20


@xr.register_dataarray_accessor("hsi")  # type: ignore[no-untyped-call]
class HsiAccessor:
    """The methods behind ``scene.hsi``.

    Parameters
    ----------
    scene : (band, y, x)
        A scene as `hsigeo.open_scene` gives it, or a cut of one. Everything stays lazy.

    Raises
    ------
    AttributeError
        The array is no scene: xarray has it as the reason why there is no ``.hsi``.
    """

    def __init__(self, scene: xr.DataArray) -> None:
        try:
            check_scene(scene)
        except SceneError as error:
            raise AttributeError(str(error)) from error
        self._scene = scene

    @property
    def wavelengths(self) -> NDArray[np.float64] | None:
        """(band,) centres in nm; `None` where they are not known."""
        return self.bands.wavelength

    @property
    def bands(self) -> BandTable:
        """Wavelengths, widths, and which bands are good."""
        return spectral_axis(self._scene)

    @property
    def grid(self) -> Grid:
        """Size and georeference, also of a cut."""
        return grid_of(self._scene)

    def classify(self, model: Model | str | os.PathLike[str], **options: Any) -> xr.Dataset:
        """`hsigeo.classify` of this scene; nothing is computed yet.

        Parameters
        ----------
        model
            A model, or the file of one.
        **options
            As for `hsigeo.classify`.

        Returns
        -------
        xarray.Dataset
            ``class_id``, ``confidence`` and ``probability``; `hsigeo.write_map` writes it.
        """
        import hsigeo

        loaded = hsigeo.load_model(model) if isinstance(model, str | os.PathLike) else model
        result: xr.Dataset = hsigeo.classify(self._scene, loaded, **options)
        return result

    def rgb(self, composite: str = "auto", *, percent: tuple[float, float] = PERCENT) -> xr.DataArray:
        """Three bands, stretched to 0-1.

        Parameters
        ----------
        composite
            ``auto``, ``true-colour``, ``cir``, ``swir``; wavelengths in nm (``860,650,555``); bands (``b30,b18,b7``).
        percent
            Percentiles of each band that become 0 and 1, of at most a million pixels spread over the scene.

        Returns
        -------
        (band, y, x) float32
            Red, green, blue; NaN where there is no data. Lazy, but for the percentiles.

        Raises
        ------
        SceneError
            The scene does not have what was asked for.
        ValueError
            `composite` is none.
        """
        chosen = pick_bands_of(self.bands, parse_composite(composite), where=str(self._scene.attrs.get("source", "it")))
        shown = self._scene.isel(band=[chosen[0]] * 3 if len(chosen) == 1 else list(chosen))
        step = max(1, int(np.ceil(np.sqrt(shown.sizes["y"] * shown.sizes["x"] / _SEEN_PIXELS))))
        sample = shown.isel(y=slice(None, None, step), x=slice(None, None, step)).values
        limits = [_limits(band, percent) for band in sample]
        low = xr.DataArray(np.array([limit[0] for limit in limits], dtype=np.float32), dims="band")
        spread = xr.DataArray(np.array([limit[1] - limit[0] for limit in limits], dtype=np.float32), dims="band")
        stretched: xr.DataArray = ((shown - low) / spread).clip(0.0, 1.0)
        return stretched.assign_attrs(long_name=f"{composite} composite")

    def plot_rgb(
        self, composite: str = "auto", *, percent: tuple[float, float] = PERCENT, ax: Any = None, **options: Any
    ) -> Any:
        """Draw the scene with xarray's own ``imshow``.

        Parameters
        ----------
        composite, percent
            As in `rgb`.
        ax
            Axes of matplotlib; by default xarray takes the current ones.
        **options
            As for `xarray.DataArray.plot.imshow`.

        Returns
        -------
        matplotlib.image.AxesImage
        """
        picture = self.rgb(composite, percent=percent).drop_vars("spatial_ref", errors="ignore").compute()
        if "y" not in picture.coords:  # a rotated scene is drawn as it is stored, the first row on top
            options.setdefault("yincrease", False)
        image = picture.plot.imshow(x="x", y="y", rgb="band", ax=ax, **options)
        image.axes.set_aspect("equal")
        return image


def _limits(band: NDArray[np.float32], percent: tuple[float, float]) -> tuple[float, float]:
    seen = band[np.isfinite(band)]
    if not seen.size:
        return 0.0, 1.0
    low, high = np.percentile(seen, percent)
    return float(low), float(high) if high > low else float(low) + 1.0
