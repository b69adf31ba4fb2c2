"""Files in and out: scenes, labels, maps. rasterio and xarray live here; torch does not."""
