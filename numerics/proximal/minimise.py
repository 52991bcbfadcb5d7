"""Moved to `numerics.solvers.minimise`; this path goes with the next version."""

from numerics.deprecated import moved

__getattr__ = moved(__name__, "numerics.solvers.minimise")
