r"""Rules for ∫h(z(y)) dy over the support of a law on the line, z(y) = Φ^{-1}(F_1(y)) the noise at y.

Every law on the line is a mixture of two-atom steps, so what is known of two atoms integrates:
$E x_0 T(x_0) = ∫φ_N(z(y))dy$, and the excess of a batch is $2∫D_n(z(y))dy$ with 2ΔD_n that of two atoms.
A rule is nodes z with weights, and coarser weights on nodes of their own for the error.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.polynomial.legendre import leggauss
from scipy.special import ndtri

from numerics.potentials import Cantor
from numerics.potentials.atoms_and_density import MixtureLaw
from numerics.potentials.cantor import hole_rule
from numerics.potentials.line import LinePotential
from numerics.potentials.line_laws import ContinuousLaw

Values = Float[np.ndarray, " k"]
_REACH, _PANEL = 9.5, 0.25  # Φ(−9.5) = 1e−21
_GENERATIONS = 45  # 3^{-45} = 3e−22


@dataclass(frozen=True)
class Rule:
    """∫h(z(y))dy ≈ weights @ h(nodes).

    Attributes:
        nodes: (k,) noise.
        weights: (k,) lengths in y.
    """

    nodes: Values
    weights: Values


def rules(target: LinePotential) -> tuple[Rule, Rule]:
    """A fine and a coarse rule for a law with a density, such a law mixed with atoms, or the Cantor law.

    Raises:
        ValueError: If the law is of another kind.
    """
    if isinstance(target, Cantor):
        return _self_similar(12), _self_similar(8)
    law = target.law
    if isinstance(law, MixtureLaw | ContinuousLaw):
        cuts = _cuts(law)
        return _panels(law, cuts, 16), _panels(law, cuts, 12)
    raise ValueError(f"target: got {target!r}; give a law with a density, a mixture or Cantor()")


def _cuts(law: MixtureLaw | ContinuousLaw) -> Values:
    """Places in y between which F₁ is smooth, at most a quarter of a deviation of the noise apart."""
    grid = np.arange(-_REACH, _REACH + _PANEL / 2, _PANEL)
    cuts = [law.transport(grid)]
    if isinstance(law, MixtureLaw):
        ends = law.continuous.transport(np.array([-_REACH, _REACH]))
        inside = [ends, law.atoms, law.transport(law.starts), law.transport(law.stops)]
        cuts += inside
    return np.unique(np.concatenate(cuts))


def _panels(law: MixtureLaw | ContinuousLaw, cuts: Values, order: int) -> Rule:
    nodes, weights = leggauss(order)
    half = np.diff(cuts) / 2
    y = (cuts[:-1, None] + half[:, None] * (1 + nodes)).ravel()
    low, high = (np.clip(z, -20.0, 20.0) for z in law.interval(y))
    return Rule((low + high) / 2, (half[:, None] * weights).ravel())


def _self_similar(order: int) -> Rule:
    r"""The holes of the Cantor set: ν = ⅓(δ_½ + ν∘(2w) + ν∘(2w−1)), graded dyadically towards both ends.

    On (2⁻ᵏ, 2¹⁻ᵏ) it is 3⁻ᵏ times itself, and 2⁻ᵏ carries 3⁻ᵏ; each piece by a Gauss rule of ν.
    """
    inner, masses = hole_rule(order)
    generation = np.arange(2, _GENERATIONS + 1.0)[:, None]
    places = np.concatenate(
        [np.broadcast_to(2.0**-generation, (len(generation), 1)), 2.0**-generation * (1 + inner)], axis=1
    )
    weights = 3.0**-generation * np.concatenate([[1.0], masses])
    lower = ndtri(places.ravel())
    return Rule(
        np.concatenate([[0.0], lower, -lower]), np.concatenate([[1 / 3], weights.ravel(), weights.ravel()])
    )
