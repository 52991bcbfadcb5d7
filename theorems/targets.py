"""Old names of `theorems.setting`: new checks say `for_all` (theorems.setting.quantifiers)."""

from hypothesis import strategies as st

from numerics.potentials import Potential
from theorems.setting.grammar import (
    families,
    generator,
    orthogonal,
    schedules,
    seeds,
    targets,
    times,
    varying,
)
from theorems.setting.traits import few, has_a_manifold, is_analytic, parts

__all__ = [
    "analytic_targets",
    "families",
    "few",
    "generator",
    "has_a_manifold",
    "is_analytic",
    "orthogonal",
    "parts",
    "schedules",
    "seeds",
    "targets",
    "times",
    "varying",
]


def analytic_targets() -> st.SearchStrategy[Potential]:
    """The part of the grammar through which complex steps pass."""
    return targets().filter(is_analytic)
