"""Noise and steps of many sizes, and what of a batch is enclosed."""

import numpy as np
import pytest
from flint import arb, ctx

from numerics.intervals.balls import PRECISION, UndecidedError, exact, norm
from numerics.intervals.bodies import ExactSphere
from numerics.intervals.exact_potential import interpolant
from numerics.potentials import Arc, NearestPoint
from theorems.exact_twins import TWINS
from theorems.extreme_twins import (
    EXTREME,
    LARGEST,
    SMALLEST,
    STEPS,
    beside,
    decided,
    envelope,
    noise_of_many_sizes,
    steps_of_many_sizes,
)


def test_all_twins_are_asked_but_arcs_and_rational_matrices() -> None:
    left = [t for t in TWINS if t not in EXTREME]
    assert len(left) == 3
    assert all(t.misfit or isinstance(t.target, NearestPoint) for t in left)
    assert not any(isinstance(getattr(t.target, "closed_set", None), Arc) for t in EXTREME)


def test_sizes_are_spread_over_decades(rng: np.random.Generator) -> None:
    lengths = np.log2(np.linalg.norm(noise_of_many_sizes(EXTREME[0], 4000, rng), axis=1))
    assert lengths.min() < SMALLEST + 1
    assert lengths.max() > LARGEST - 1
    assert abs(np.median(lengths) - (SMALLEST + LARGEST) / 2) < 2
    steps = np.log2(steps_of_many_sizes(4000, rng))
    assert (steps == np.round(steps)).all()
    assert (steps.min(), steps.max()) == (-STEPS, STEPS)


@pytest.mark.parametrize("twins", EXTREME[:12:3], ids=repr)
def test_a_place_is_data_and_a_step_of_noise_to_rounding(twins, rng: np.random.Generator) -> None:
    with ctx.workprec(PRECISION):
        for x0, step in zip(noise_of_many_sizes(twins, 4, rng), steps_of_many_sizes(4, rng), strict=True):
            z = beside(twins.exact, x0, step)
            data = np.array([float(x) for x in twins.exact.transport(exact(x0)).point])
            size = np.abs(data) + step * np.abs(x0)
            assert (np.abs(z - data - step * x0) <= 1e-15 * size).all()
            assert float(norm(exact(z))) < np.inf


def test_what_is_undecided_is_counted() -> None:
    def enclose(place: int) -> int:
        if place % 3 == 0:
            raise UndecidedError("a tie")
        return -place

    assert decided(range(7), enclose) == ([(1, -1), (2, -2), (4, -4), (5, -5)], 3)


@pytest.mark.parametrize("step", [2.0**-30, 0.75, 2.0**30])
def test_an_envelope_is_enclosed(step: float) -> None:
    """On the sphere of radius 2, of x₁ + λx₀: λ|x₀|²/2; within the ball it is 0."""
    with ctx.workprec(PRECISION):
        sphere, x0 = ExactSphere(2, 2.0), exact([3.0, 4.0])
        z = interpolant(sphere.transport(x0).point, x0, arb(step))
        found = envelope(sphere, z, arb(step))
        assert found.contains(arb(step) * 25 / 2)
        assert float(found.rad()) <= 1e-100 * (1 + step)
        assert envelope(sphere, exact([0.5, 1.0]), arb(step)).contains(0)
