"""Old names of `theorems.setting`: new checks say `for_all` (theorems.setting.quantifiers)."""

from hypothesis import strategies as st

from numerics.potentials import Potential
from theorems.setting.draws import few, generator
from theorems.setting.grammar import families, orthogonal, schedules, seeds, targets, times, varying

__all__ = [
    "analytic_targets",
    "families",
    "few",
    "generator",
    "has_a_manifold",
    "is_analytic",
    "orthogonal",
    "schedules",
    "seeds",
    "targets",
    "times",
    "varying",
]


def is_analytic(target: Potential) -> bool:
    """Whether complex steps pass."""
    return target.traits.analytic


def has_a_manifold(target: Potential) -> bool:
    """Whether A1 can hold."""
    return target.traits.manifold


def analytic_targets() -> st.SearchStrategy[Potential]:
    """The part of the grammar through which complex steps pass."""
    return targets().filter(is_analytic)
