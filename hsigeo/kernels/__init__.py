"""Spectral attention, computed: one contract, one readable form, faster forms beside it."""
