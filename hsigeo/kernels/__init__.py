"""The model's inner loops: one contract each, a readable form in plain torch, faster forms beside it.

Which form runs is decided in `hsigeo.kernels.choice`, by device unless ``HSIGEO_KERNEL`` says otherwise. All forms of a
contract are tested against the plain one. Why they are as they are: docs/design/kernels.md.
"""
