"""The unit of length changes nothing, to the last bit: neither a number nor what is stated of it.

Assumed: the contract. For c·x₁ in place of x₁ theory has c∇φ* for ∇φ*, cφ(·/c) for φ, and at cz and the step
cλ the prox of c times the length, with the same dual and the same D prox. With c = 2^±30 no product with it
rounds: parameters, and every operation on them, are c^k times what they were, so that equality is asked, with
no tolerance. A forgotten square or root, λ for 1/λ, or a threshold that is a number where it should be a
length breaks it by a power of c. Families of a given size, such as rotations, are stretched by `scale`.
Assumed of the libraries below: arrays of one shape are treated alike wherever they lie in memory.
"""

import numpy as np
import pytest

from numerics.potentials import Sphere
from numerics.transport import solve
from theorems.setting.draws import generator
from theorems.setting.instances import REPRESENTATIVES
from theorems.setting.units import in_both_units

UNITS = (2.0**30, 2.0**-30)
N = 12
BITWISE = "in doubles, of which a power of two times each rounds nothing"


def _drawn(target, rng):
    """Noise with few far and few near values, and steps."""
    size = 2.0 ** rng.uniform(-2, 2, N)
    return size[:, None] * rng.standard_normal((N, target.dim)), 2.0 ** rng.uniform(-4, 2, N)


@pytest.mark.claim("P1", "P2")
@pytest.mark.parametrize("unit", UNITS)
def test_numbers_and_statements_follow_the_unit(evidence, rng, unit):
    for target in REPRESENTATIVES:
        both = in_both_units(target, unit, *_drawn(target, rng))
        same = {name: np.ravel(expected == found) for name, (expected, found) in both.items()}
        wrong = ", ".join(name for name, equal in same.items() if not equal.all())
        on = evidence.on(target, unit=unit, differing=wrong) if wrong else evidence.on(target, unit=unit)
        on.exact(
            "T, φ*, φ, prox, their derivatives and what is stated of them are those of the other unit",
            np.concatenate([*same.values()]),
            BITWISE,
        )


@pytest.mark.claim("P1")
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("d", "n"), [(1, 9), (2, 30), (3, 20), (5, 6)])
def test_solved_transports_follow_the_unit(evidence, rng, unit, d, n):
    """On the line, in the plane, in space, and by samples: after as many steps, the same cells."""
    points, weights = rng.standard_normal((n, d)), rng.dirichlet(np.full(n, 4.0))
    old, new = solve(points, weights), solve(unit * points, weights)
    on = evidence.on("FiniteAtoms", n=n, d=d, unit=unit)
    on.exact("heights are those of the other unit", unit * old.heights == new.heights, BITWISE)
    on.exact("masses are those of the other unit", old.masses == new.masses, BITWISE)
    same = old.uncertainty == new.uncertainty
    on.exact("what is stated of masses is that of the other unit", same, BITWISE)
    on.exact("so is the number of steps", old.iterations == new.iterations, BITWISE)


# --- control --------------------------------------------------------------------------------------------


class SphereOfAnArea(Sphere):
    """Its φ* is once too often multiplied by the radius."""

    def _conjugate(self, x0):
        return self.radius * super()._conjugate(x0)


@pytest.mark.control("P1", "P2")
@pytest.mark.parametrize("unit", UNITS)
def test_a_factor_of_a_length_too_many_is_that_many_units(evidence, unit):
    target = SphereOfAnArea(3, 2.0)
    expected, found = in_both_units(target, unit, *_drawn(target, generator(1)))["φ*"]
    evidence.on("a sphere", unit=unit).control(
        "φ* over what it is in the other unit, with one length too many",
        predicted=unit,
        measured=float(np.median(found / expected)),
        agreement=1e-9 * unit,
        because="radius² for radius is unit² for unit",
        intact=1.0,
    )
