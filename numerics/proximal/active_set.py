"""Moved to `numerics.solvers.active_set`; this path goes with the next version."""

from numerics.deprecated import moved

__getattr__ = moved(__name__, "numerics.solvers.active_set")
