r"""N5, pointwise, in ball arithmetic: all pairs of families and rules that share a dimension.

u = T_Q(x₀) in doubles stands for itself: F(u) = u − prox_{λφ_P}(u + λx₀) is no longer than u − T_P(x₀)
whatever u is, so only P has to be proved.
"""

import numpy as np
import pytest
from flint import arb, ctx

from numerics.accuracy import EPS
from numerics.intervals.balls import PRECISION, above, add, below, exact, norm, subtract, times
from theorems.exact_twins import TWINS

RESOLUTION = 2.0**-100  # chosen: what two enclosures may be wide together, far below every double's rounding


@pytest.fixture(autouse=True)
def _precision():
    with ctx.workprec(PRECISION):
        yield


def _residual(twins, u, x0, step):
    """|F(u)| in balls."""
    found = twins.exact.enclose(add(u, times(step, x0)), step)
    return norm([a - c + arb(0, found.radius.upper()) for a, c in zip(u, found.centre, strict=True)])


@pytest.mark.claim("N5")
def test_pairs_in_balls(evidence, rng):
    for first in TWINS:
        d = first.target.dim
        noise, step = rng.standard_normal((1, d)), arb(int(rng.integers(1, 65))) / 16
        x0 = exact(noise[0])
        image = first.exact.transport(x0).point
        others = [twins for twins in TWINS if twins.target.dim == d and twins is not first]
        excess, bound = [], []
        for second in others:
            u = exact(second.target.transport(noise)[0])
            apart = norm(subtract(u, image))
            excess.append(above(_residual(first, u, x0, step) - apart))
            bound.append(RESOLUTION * (1 + above(apart)))
        if others:
            evidence.on(first.target, x0=noise[0], step=float(step)).certified(
                "|prox_{λφ_Q}(z) − prox_{λφ_P}(z)| less |T_Q(x₀) − T_P(x₀)|, enclosed",
                excess,
                bound,
                because="at most 0; enclosed more narrowly than the resolution chosen, 2⁻¹⁰⁰",
                clause="pointwise",
            )


@pytest.mark.control("N5")
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_another_step_is_refuted_in_balls(evidence, factor):
    """P = Q = N(1, 2²): the bound is 0, and the prox of sλ misses by σ|x₀||s−1|λ/(σ+sλ)."""
    (twins,) = (t for t in TWINS if "norm" in repr(t) and "lognorm" not in repr(t))
    x0, step, sigma = exact(np.array([0.75])), 0.5, 2.0
    u = twins.exact.transport(x0).point
    found = twins.exact.enclose(add(u, times(step, x0)), arb(factor * step))
    missed = norm(subtract(u, found.centre)) - found.radius
    evidence.on(twins.target, factor=factor).control(
        "step sλ in one of the two: |F(T_Q(x₀))|, enclosed, where Q = P",
        predicted=sigma * 0.75 * abs(factor - 1) * step / (sigma + factor * step),
        measured=below(missed),
        agreement=8 * EPS,
        because="prox of a Gaussian in closed form; the prediction's rounding",
    )
