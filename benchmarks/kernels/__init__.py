"""How fast spectral attention is, against what one would use otherwise."""
