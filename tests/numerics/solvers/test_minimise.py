"""The route that knows only values: against oracles, with its error estimate, and its refusals."""

import numpy as np
import pytest

from numerics.potentials import Sphere
from numerics.solvers import minimise
from numerics.solvers.minimise import Parametrisation
from tests.numerics.proximal.targets import TARGETS, draw

PARAMETRISED = [t for t in TARGETS if t.parametrisation is not None]


def run(target, z, step):
    return minimise.minimise(target.value or target.potential.value, target.parametrisation, z, step)


@pytest.mark.parametrize("support", [True, False], ids=["support", "anywhere"])
@pytest.mark.parametrize("exponent", [-6, -2, 0, 2, 6])
@pytest.mark.parametrize("target", PARAMETRISED, ids=str)
def test_agrees_with_the_oracle_within_its_estimate(target, exponent, support):
    z, step = draw(target, np.random.default_rng(1), 3, exponent, support)
    found = run(target, z, step)
    error = np.linalg.norm(found.point - target.oracle(z, step), axis=1)
    assert error.max() <= 1e-6 * target.potential.scale
    # An estimate and no certificate: the factor is what it is trusted to.
    assert (error <= 10 * found.error + 1e-12 * target.potential.scale).all()


@pytest.mark.parametrize("target", PARAMETRISED, ids=str)
def test_estimate_has_power(target):
    """At steps of order 1 it promises more digits than a wrong step could hide behind."""
    z, step = draw(target, np.random.default_rng(2), 3, 0.0, True)
    assert run(target, z, step).error.max() < 1e-5 * target.potential.scale


@pytest.mark.parametrize("target", PARAMETRISED, ids=str)
def test_parametrisations_stay_in_the_domain_and_reach_its_boundary(target):
    rng = np.random.default_rng(3)
    gamma = target.parametrisation
    s = 3 * rng.standard_normal((200, gamma.starts.shape[1]))
    value = target.value or target.potential.value
    assert np.isfinite(value(gamma.map(s))).all()
    far = target.oracle(100 * rng.standard_normal((3, gamma.dim)), np.ones(3))
    found = run(target, far, np.full(3, 1e-6))  # the prox of a point of the domain at a tiny step is itself
    assert np.linalg.norm(found.point - far, axis=1).max() < 1e-4 * target.potential.scale


def test_it_calls_nothing_but_values():
    """A bare function is enough: no potential is handed over."""
    found = minimise.minimise(
        lambda u: np.abs(u).sum(axis=1) * 0 + (u**2).sum(axis=1) / 2,
        minimise.affine(np.zeros(2), np.eye(2)),
        [[3.0, -1.0]],
        2.0,
    )
    assert np.abs(found.point - [[1.0, -1 / 3]]).max() < 1e-7


def test_the_best_of_several_starts_wins():
    """γ(s) = s + 3 sin s folds: a descent from 20 ends in a fold far from the minimum at 0."""
    folded = Parametrisation(lambda s: s + 3 * np.sin(s), np.array([[0.3], [20.0]]), 1)
    found = minimise.minimise(lambda u: 0 * u[:, 0], folded, [[0.0]], 1.0)
    assert np.abs(found.point).max() < 1e-6


def test_a_wrong_step_is_seen():
    target = TARGETS[3]
    z, step = draw(target, np.random.default_rng(4), 3, 0.0, True)
    found = run(target, z, 2 * step)
    apart = np.linalg.norm(found.point - target.oracle(z, step), axis=1)
    assert (apart > 100 * found.error).all()


def test_leaving_the_domain_is_named():
    outside = Parametrisation(lambda s: 2 + s, np.zeros((1, 2)), 2)
    with pytest.raises(ValueError, match=r"parametrisation: maps .* where φ is inf"):
        minimise.minimise(Sphere(2).value, outside, [[3.0, 4.0]], 1.0)


@pytest.mark.parametrize(
    ("z", "step", "message"),
    [
        ([[1.0]], 1.0, "z: got shape"),
        ([[1.0, np.nan]], 1.0, "z: entry"),
        ([[1.0, 1.0]], 0.0, "step: got 0.0"),
    ],
)
def test_bad_input(z, step, message):
    with pytest.raises(ValueError, match=message):
        minimise.minimise(Sphere(2).value, minimise.ball(2, 1.0), z, step)
