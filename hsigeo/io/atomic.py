"""Moved to `hsigeo.atomic`, where the model writer can reach it too."""

from hsigeo.atomic import check_output, replaced_on_success

__all__ = ["check_output", "replaced_on_success"]
