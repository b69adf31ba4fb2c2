"""Accuracy of hsigeo and its rivals on real data, on splits that keep whole tiles, blocks or polygons apart.

Run from the repository root as ``python -m benchmarks.accuracy``; what the numbers mean is in ``benchmarks/README.md``.
Read in this order: `pixels` (what the data are), `splits` (how they are divided), `rivals`, `fits` and `methods` (what
is compared), `results` (measuring, and remembering what was measured), `table`.
"""
