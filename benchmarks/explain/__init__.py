"""Faithfulness of explanations: removing the wavelengths they name should hurt more than removing others.

Run from the repository root as ``python -m benchmarks.explain``; what the numbers mean is in ``docs/explain.md``.
"""
