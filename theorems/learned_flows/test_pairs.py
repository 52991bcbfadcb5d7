"""L1, L3: pairs that networks are trained on, and derivatives that they are judged by.

Assumed: a cloud that was solved for. Pairs are exact noise by noise, with the labels of their data; the
Jacobian of a network is compared with differences of its values, row by row: a transposed one has the same
symmetric part, so the same spectrum.
"""

from fractions import Fraction

import numpy as np
import pytest

from numerics import flows
from numerics.accuracy import Rounding
from numerics.flows.pairs import semidiscrete
from numerics.flows.spectrum import jacobian
from numerics.potentials import FiniteAtoms
from theorems.learned_flows.circle import EQUAL, network


@pytest.mark.claim("L1")
def test_pairs_of_a_solved_cloud_are_exact(evidence, rng):
    """Every noise with the atom of the largest ⟨x₀, y⟩ − g, in fractions of the doubles, and its label."""
    points, heights, labels = rng.standard_normal((7, 3)), rng.uniform(0, 0.5, 7), rng.permutation(7) + 3
    target = FiniteAtoms(points, heights)
    x0, x1, label = flows.labelled(target, labels)(500, rng)
    y0, y1 = semidiscrete(target)(500, rng)
    on = evidence.on(target)
    for what, noise, data in (("labelled", x0, x1), ("semidiscrete", y0, y1)):
        best = [_best(x, points, heights) for x in noise]
        on.exact(
            f"{what} pairs: the datum is T(x₀)", data == points[best], "drawn noise", clause="exact pairs"
        )
        if what == "labelled":
            on.exact("the label is the datum's", label == labels[best], "drawn noise", clause="exact pairs")


def _best(noise, points, heights):
    """Which score ⟨x₀, y_i⟩ − g_i is the largest, without rounding."""
    x = [Fraction(v) for v in noise.tolist()]
    scores = [
        sum(a * Fraction(b) for a, b in zip(x, y, strict=True)) - Fraction(g)
        for y, g in zip(points.tolist(), heights.tolist(), strict=True)
    ]
    return scores.index(max(scores))


@pytest.mark.claim("L3")
def test_jacobians_of_networks_by_differences(evidence, rng, device):
    """Rows are components: differences of values in every direction, extrapolated."""
    learned = network("independent", EQUAL, device=device)
    t, x = rng.uniform(0.1, 0.9, 40), rng.standard_normal((40, 2))
    found = learned.jacobian(t, x)
    by_values = jacobian(lambda at, y: learned.velocity(at, y), t, x, 0.01)
    size = 1 + np.abs(learned.velocity(t, x)).max()
    on = evidence.on("a network on the circle")
    on.estimated(
        "|Dv_θ − Dv_θ by differences|",
        np.abs(found - by_values.jacobian).max(axis=(1, 2)),
        by_values.error + Rounding(size * 8 / 0.01, 512, "values over the narrowest step").bound,
        by="the two highest orders of differences",
        because="a smooth network, in float64",
        points=len(x),
    )
