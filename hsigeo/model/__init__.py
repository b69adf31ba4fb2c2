"""The model: spectral attention over bands, a prototype memory, a head. torch lives here; rasters do not."""
