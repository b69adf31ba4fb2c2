"""One model, other sensors: what is lost when a model trained on EnMAP meets bands it was not trained on.

Run from the repository root as ``python -m benchmarks.sensors``; what the numbers mean is in ``docs/sensors.md``.
Read in this order: `targets` (the other sensors), `simulation` (what they would have seen), `ways` (of matching bands).
"""
