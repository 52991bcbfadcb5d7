"""Old names: `few` is in `theorems.setting.draws`; traits are the potential's own (``target.traits``)."""

from numerics.potentials import Potential
from theorems.setting.draws import few

__all__ = ["few", "has_a_manifold", "is_analytic"]


def is_analytic(target: Potential) -> bool:
    """Whether complex steps pass."""
    return target.traits.analytic


def has_a_manifold(target: Potential) -> bool:
    """Whether A1 can hold."""
    return target.traits.manifold
