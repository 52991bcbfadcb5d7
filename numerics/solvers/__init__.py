"""Solvers that know no potential: they are handed arrays and functions."""
