"""W₂² in closed form against 50 digits, from both sides: in dimension 1 to a million."""

import mpmath as mp
import numpy as np
import pytest

from numerics.accuracy import UNIT
from numerics.potentials import Sphere, transport_costs
from numerics.potentials.instances import instances
from numerics.potentials.transport_costs import mean_length, sphere

DIMENSIONS = [*range(1, 120), 255, 300, 1000, 3072, 10_000, 99_999, 10**6]
ROUNDINGS = 56
"""As its docstring states."""


def _length(d):
    with mp.workdps(50):
        return mp.sqrt(2) * mp.exp(mp.loggamma(mp.mpf(d + 1) / 2) - mp.loggamma(mp.mpf(d) / 2))


def test_mean_length_of_noise():
    share = [float(abs(mean_length(d) / _length(d) - 1)) / (ROUNDINGS * UNIT) for d in DIMENSIONS]
    assert max(share) <= 1, DIMENSIONS[int(np.argmax(share))]
    assert max(share) >= 1 / 64


def test_costs_of_spheres_at_their_nearest_radius_and_beyond():
    shares = []
    for d in DIMENSIONS:
        if d > 3072:  # a `Sphere` holds no matrix, but the law is the same
            continue
        for radius in (1e-3, 1.0, np.sqrt(d), 10 * np.sqrt(d)):
            found = sphere(Sphere(d, radius))
            with mp.workdps(50):
                exact = d + mp.mpf(radius) ** 2 - 2 * mp.mpf(radius) * _length(d)
                shares.append(float(abs(found.w2_squared - exact)) / found.error)
    assert max(shares) <= 1
    assert max(shares) >= 1 / 64


def _two_atoms():
    quantile = mp.sqrt(2) * mp.erfinv(2 * mp.mpf(0.3) - 1)
    return 2 + mp.mpf("3.1") - 2 * mp.sqrt(5) * mp.npdf(quantile)


def _ellipse():
    """Everything by quadrature over the angle θ of the noise."""

    def mean(f):
        return mp.quad(lambda a: f(4 * mp.cos(a) ** 2, mp.sin(a) ** 2), [0, mp.pi / 2]) * 2 / mp.pi

    moment = mean(lambda p, q: (4 * p + q) / (p + q))
    return 2 + moment - 2 * _length(2) * mean(lambda p, q: mp.sqrt(p + q))


EXACT = {
    transport_costs.clifford_torus: lambda _: 6 - 4 * _length(2),
    transport_costs.two_atoms: lambda _: _two_atoms(),
    transport_costs.cube: lambda d: 2 * d * (1 - mp.sqrt(2 / mp.pi)),
    transport_costs.gaussian_on_a_line: lambda _: mp.mpf(3),
    transport_costs.ellipse: lambda _: _ellipse(),
}
"""By functions that are given in closed form, from the dimension."""


@pytest.mark.parametrize("cost", EXACT, ids=lambda cost: cost.__name__)
def test_other_closed_forms(cost):
    met = [instance for instance in instances() if instance.known is cost]
    assert met
    for instance in met:
        found = cost(instance.potential)
        with mp.workdps(50):
            exact = EXACT[cost](instance.dim)
        assert abs(found.w2_squared - exact) <= found.error
