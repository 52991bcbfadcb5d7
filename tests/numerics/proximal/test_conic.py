"""The conic routes against oracles, from λ = 1e−6 to 1e6; their statuses, statistics and refusals."""

import cvxpy as cp
import numpy as np
import pytest

from numerics.potentials import FiniteAtoms, Potential, Sphere
from numerics.proximal import certificate, conic
from numerics.proximal.conic import ConicProx
from tests.numerics.proximal.targets import CLOUD, CLOUD_HEIGHTS, TARGETS, draw, wide

ROUTES = [(t, "primal") for t in TARGETS] + [(t, "conjugate") for t in TARGETS[4:]]


@pytest.mark.parametrize("support", [True, False], ids=["support", "anywhere"])
@pytest.mark.parametrize(("target", "route"), ROUTES, ids=lambda x: str(x))
def test_agrees_with_the_oracle(target, route, support):
    z, step = wide(target, np.random.default_rng(1), 120, support)
    error = np.linalg.norm(ConicProx(target.potential, route, 25)(z, step) - target.oracle(z, step), axis=1)
    # The accuracy that the class promises: 1e−5·S where the minimum is flat, far better as a rule.
    assert error.max() <= 3e-5 * target.potential.scale
    assert np.median(error) <= 1e-7 * target.potential.scale


@pytest.mark.parametrize(("target", "route"), ROUTES, ids=lambda x: str(x))
def test_agrees_with_the_closed_form_within_its_certificate(target, route):
    z, step = wide(target, np.random.default_rng(2), 60, True)
    u = ConicProx(target.potential, route, 25)(z, step)
    found = certificate.transport(target.potential, z, step, u)
    apart = np.linalg.norm(u - target.potential.prox(z, step), axis=1)
    assert (apart <= found.bound + found.rounding).all()
    assert np.median(found.bound) <= 1e-7 * target.potential.scale


def test_a_scalar_step_and_a_single_point():
    z = np.array([3.0, 4.0])
    assert np.abs(ConicProx(Sphere(2), block=4)(z, 0.5) - [[0.6, 0.8]]).max() < 1e-9


def test_padding_and_grouping_change_nothing_but_rounding():
    target = TARGETS[5]
    z, step = wide(target, np.random.default_rng(3), 33, False)
    small, large = (ConicProx(target.potential, "conjugate", b)(z, step) for b in (1, 25))
    assert np.abs(small - large).max() < 1e-6


def test_groups_hold_every_row_once_within_a_decade():
    step = 10.0 ** np.random.default_rng(4).uniform(-6, 6, 500)
    for block in (20, 500):
        groups = list(conic._groups(step, block))
        assert np.array_equal(np.sort(np.concatenate(groups)), np.arange(500))
        assert all(len(g) <= block and step[g].max() <= 10 * step[g].min() for g in groups)


def test_compiles_once_and_keeps_account_of_its_time():
    target = TARGETS[0]
    prox = ConicProx(target.potential, block=25)
    z, step = draw(target, np.random.default_rng(5), 25, 0.0, True)
    step = np.clip(step, 0.9, 1.1)
    prox(z, step)
    compiled, solves = prox.compile_seconds, prox.solves
    prox(z, step)
    assert prox.compile_seconds == compiled > 0
    assert prox.solves == 2 * solves
    assert 0 < prox.solver_seconds < prox.solve_seconds


class Broken:
    """The least that ConicProx asks of a potential, with an infeasible or unbounded program."""

    dim, scale = 2, 1.0

    def __init__(self, kind):
        self.kind = kind

    def __repr__(self):
        return f"Broken({self.kind!r})"

    def conic(self, u):
        if self.kind == "infeasible":
            return np.zeros(u.shape[0]), [u >= 1, u <= -1]
        if self.kind == "not disciplined":
            return cp.sum(cp.sqrt(u), axis=1), []
        if self.kind == "parametrised":  # convex, but a parameter meets those of the step
            return cp.sum(cp.multiply(cp.Parameter(u.shape), u), axis=1), []
        return None


Potential.register(Broken)  # it answers what is asked, and shapes are checked by class


def test_an_infeasible_program_raises_naming_status_block_and_steps():
    prox = ConicProx(Broken("infeasible"), block=5)
    with pytest.raises(
        RuntimeError, match=r"Broken.*status PrimalInfeasible.*block 1 \(2 points, λ from 0.5 to 2"
    ):
        prox(np.zeros((2, 2)), [2.0, 0.5])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((Broken("none"),), "potential: .*no conic form; use its closed form"),
        ((Sphere(2), "conjugate"), "no conic_conjugate; use route='primal'"),
        ((Broken("not disciplined"),), "not disciplined"),
        ((Broken("parametrised"),), "not disciplined"),
        ((Sphere(2), "dual"), "route: got 'dual'; it must be 'primal' or 'conjugate'"),
        ((Sphere(2), "primal", 0), "block: got 0"),
        ((Sphere(2), "primal", 2.5), "block: got 2.5"),
    ],
)
def test_bad_construction(arguments, message):
    with pytest.raises(ValueError, match=message):
        ConicProx(*arguments)


@pytest.mark.parametrize(
    ("z", "step", "message"),
    [
        (np.zeros((3, 3)), 1.0, "z: got shape"),
        ([[np.nan, 0.0]], 1.0, "z: entry"),
        (np.zeros((2, 2)), 0.0, "step: got 0.0"),
        (np.zeros((2, 2)), [1.0, -1.0], "step: got -1.0"),
        (np.zeros((2, 2)), [1.0, 1.0, 1.0], "step: got 3 values for 2 points"),
        (np.zeros((0, 2)), 1.0, "z: .*empty"),
    ],
)
def test_bad_points(z, step, message):
    with pytest.raises(ValueError, match=message):
        ConicProx(Sphere(2), block=2)(z, step)


def test_a_wrong_twin_is_told_from_the_truth():
    """Thrice the step, and heights doubled: either is far outside what the solver's accuracy explains."""
    target = TARGETS[5]
    z, step = draw(target, np.random.default_rng(6), 40, 0.0, True)
    truth = target.oracle(z, step)
    for wrong in (
        ConicProx(target.potential, block=40)(z, 3 * step),
        ConicProx(FiniteAtoms(CLOUD, 2 * CLOUD_HEIGHTS), "conjugate", 40)(z, step),
    ):
        assert np.linalg.norm(wrong - truth, axis=1).max() > 1e-2
