"""Moved to `numerics.intervals.exact_potential`; this path goes with the next version."""

from numerics.deprecated import moved

__getattr__ = moved(__name__, "numerics.intervals.exact_potential")
