"""Moved to `numerics.intervals.matched_pair`; this path goes with the next version."""

from numerics.deprecated import moved

__getattr__ = moved(__name__, "numerics.intervals.matched_pair")
