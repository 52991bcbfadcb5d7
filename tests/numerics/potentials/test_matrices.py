"""Stiefel, Grassmannian and SO(3) against independent formulas and conic solvers."""

import time

import cvxpy as cp
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.accuracy import EPS, UNIT
from numerics.potentials.grassmannian import Grassmannian
from numerics.potentials.rotations import SpecialOrthogonal
from numerics.potentials.stiefel import Stiefel
from tests.numerics.allowances import of_prox, of_transport
from tests.numerics.potentials.matrix_families import DIMENSIONS, FAMILIES, symmetric, vector

every_family = pytest.mark.parametrize("p", FAMILIES, ids=repr)


def _rng():
    return np.random.default_rng(11)


# --- oracles -----------------------------------------------------------------------------------


def _signed_values(x):
    s = np.linalg.svd(x.reshape(3, 3), compute_uv=False)
    return s * [1, 1, np.sign(np.linalg.det(x.reshape(3, 3)))]


def _conjugate_oracle(p, x0):
    """Written from docs/theory.md with other LAPACK drivers than the code's."""
    if isinstance(p, Stiefel):
        gram = x0.reshape(p.n, p.p).T @ x0.reshape(p.n, p.p)
        return np.trace(scipy.linalg.sqrtm(gram).real)
    if isinstance(p, Grassmannian):
        return np.sort(np.linalg.eigvals(symmetric(p, x0)).real)[-p.k :].sum()
    return _signed_values(x0).sum()


def _transport_oracle(p, x0):
    if isinstance(p, Stiefel):
        return scipy.linalg.polar(x0.reshape(p.n, p.p))[0].ravel()
    if isinstance(p, Grassmannian):
        values, vectors = scipy.linalg.eigh(symmetric(p, x0), driver="evr")
        top = vectors[:, values.argsort()[-p.k :]]
        return vector(p, top @ top.T)
    u, _, vt = np.linalg.svd(x0.reshape(3, 3))
    return (u * [1, 1, np.linalg.det(u @ vt)] @ vt).ravel()


# --- transport -----------------------------------------------------------------------------------


@every_family
def test_conjugate_and_transport_match_other_formulas(p):
    x0 = _rng().standard_normal((40, p.dim))
    allowance = of_transport(p, x0, roundings=64 * p.dim)
    image = np.stack([_transport_oracle(p, x) for x in x0])
    allowance += p.dim * EPS * p.scale  # the oracle's own factors
    assert (np.linalg.norm(p.transport(x0) - image, axis=1) <= allowance).all()
    support = np.array([_conjugate_oracle(p, x) for x in x0])
    # sqrtm of the Gram matrix halves the digits of small singular values: √eps·|x0| each
    allowed = (np.sqrt(EPS) if isinstance(p, Stiefel) else 64 * EPS) * np.linalg.norm(x0, axis=1)
    assert (np.abs(p.conjugate(x0) - support) <= p.dim * allowed).all()
    assert (
        np.abs(p.conjugate(x0) - (x0 * p.transport(x0)).sum(axis=1))
        <= allowance * np.linalg.norm(x0, axis=1) + p.roundings.conjugate(x0).bound
    ).all()


@every_family
def test_dimension_counted_by_hand(p):
    m = DIMENSIONS[FAMILIES.index(p)]
    x0, x1 = p.sample(10, _rng())
    (group,) = p.manifolds(x1, x0)
    assert group.dimension == m
    rank = np.linalg.matrix_rank(p.transport_jacobian(x0), tol=1e-8)
    assert (rank == m).all()
    assert p.subdifferential(x1[0]).dimension == p.dim - m


@every_family
def test_hessian_is_the_second_derivative_along_the_manifold(p):
    """−⟨x0, ·⟩ along T(x1 + τξ), a curve in M with γ'' normal to first order, at τ = 1e−4."""
    x0, x1 = p.sample(5, _rng())
    (group,) = p.manifolds(x1, x0)
    if not group.dimension:
        return
    tau = 1e-4
    for i in range(5):
        for xi in group.tangent[i].T:
            ahead, behind = p.transport(x1[i] + tau * xi)[0], p.transport(x1[i] - tau * xi)[0]
            measured = -(x0[i] @ (ahead + behind - 2 * x1[i])) / tau**2
            quadratic = (group.tangent[i].T @ xi) @ group.hessian[i] @ (group.tangent[i].T @ xi)
            size = np.linalg.norm(x0[i])
            # truncation O(τ²|x0|), rounding 4·eps·|x0||x1|/τ²
            assert abs(measured - quadratic) <= 100 * tau**2 * size + 16 * EPS * size * p.scale / tau**2


def test_grassmannian_quadratic_form_of_theory():
    p = Grassmannian(4, 2)
    x0, direction = _rng().standard_normal((2, p.dim))
    values, vectors = np.linalg.eigh(symmetric(p, x0))
    e = vectors.T @ symmetric(p, direction) @ vectors
    expected = sum(2 * e[i, j] ** 2 / (values[i] - values[j]) for i in (2, 3) for j in (0, 1))
    assert direction @ p.transport_jacobian(x0)[0] @ direction == pytest.approx(expected, rel=1e-12)


def test_rotations_are_projective_space():
    """R(q) from the formula of any textbook equals the transport of the noise R*(·) dual to qqᵀ."""
    q = _rng().standard_normal(4)
    w, x, y, z = q / np.linalg.norm(q)
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    p = SpecialOrthogonal()
    assert np.allclose(p.transport(rotation.ravel())[0], rotation.ravel(), atol=16 * EPS, rtol=0)
    assert np.isfinite(p.value(rotation.ravel())).all()
    assert np.isinf(p.value(-rotation.ravel())).all()  # the other component of O(3)
    assert np.isinf(p.value(1.0001 * rotation.ravel())).all()


# --- prox ------------------------------------------------------------------------------------------


@every_family
@pytest.mark.parametrize("step", 10.0 ** np.arange(-6, 7, 3))
def test_prox_recovers_data(p, step):
    x0, x1 = p.sample(200, _rng())
    z = x1 + step * x0
    error = np.linalg.norm(p.prox(z, step) - x1, axis=1)
    formed = UNIT * (2 * step * np.linalg.norm(x0, axis=1) + np.linalg.norm(x1, axis=1))
    moved = p.roundings.transport(x0).bound + 2 * formed
    assert (error <= p.roundings.prox(z, step, moved).bound + moved).all()


def _anywhere(p, n):
    rng = _rng()
    _, x1 = p.sample(n, rng)
    return x1 * rng.uniform(0, 2, (n, 1)) + rng.standard_normal((n, p.dim)) * 10 ** rng.uniform(
        -2, 0.5, (n, 1)
    )


@every_family
def test_prox_is_the_projection_that_the_conic_solver_finds(p):
    z = _anywhere(p, 4)
    u = cp.Variable(z.shape)
    value, constraints = p.conic(u)
    cp.Problem(cp.Minimize(cp.sum_squares(u - z) + cp.sum(value)), constraints).solve(solver=cp.CLARABEL)
    # strongly convex: a duality gap of 1e−8·(1 + |z|²) moves the minimiser by its root
    assert np.linalg.norm(u.value - p.prox(z, 3.0)) <= 1e-4 * (1 + np.linalg.norm(z))


@every_family
def test_prox_residual_is_normal_at_any_point(p):
    z = _anywhere(p, 30)
    u = p.prox(z, 1.0)
    v = p.transport(_rng().standard_normal((30, p.dim)))
    rounding = of_prox(p, z, 1.0, p.dim + 4) * (np.linalg.norm(z, axis=1) + p.scale)
    assert (((z - u)[:, None] * (v - u[:, None])).sum(axis=2) <= rounding[:, None]).all()
    for point, residual in zip(u, z - u, strict=True):
        assert p.subdifferential(point).distance(residual)[0] <= 1e-9 * (1 + np.linalg.norm(residual))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(FAMILIES), st.floats(-150, 150))
def test_prox_survives_every_size(seed, p, exponent):
    z = np.random.default_rng(seed).standard_normal((3, p.dim)) * 10.0**exponent
    u = p.prox(z, 1.0)
    assert np.isfinite(p.value(u)).all() or exponent > 15  # beyond 1e15 the condition |z| eps exceeds 1
    assert np.isfinite(u).all()


# --- edges and bad input ---------------------------------------------------------------------------------


def test_the_one_point_grassmannian():
    p = Grassmannian(3, 3)
    x0 = _rng().standard_normal((4, 6))
    assert np.allclose(p.transport(x0), vector(p, np.eye(3)), atol=8 * EPS, rtol=0)
    assert np.abs(p.transport_jacobian(x0)).max() == 0
    assert np.allclose(p.conjugate(x0), x0[:, [0, 3, 5]].sum(axis=1))
    assert p.subdifferential(vector(p, np.eye(3))).dimension == 6


@pytest.mark.parametrize("gap", [1e-3, 1e-8, 1e-12])
def test_nearly_repeated_eigenvalues_cost_what_the_condition_says(gap):
    """A gap g between λ_k and λ_{k+1}: K = 1/g there, and T within 64 eps/g of the exact projector."""
    p = Grassmannian(3, 1)
    q = np.linalg.qr(_rng().standard_normal((3, 3)))[0]
    x0 = vector(p, q * [1 + gap, 1.0, -1.0] @ q.T)
    exact = vector(p, np.outer(q[:, 0], q[:, 0]))
    assert np.linalg.norm(p.transport(x0)[0] - exact) <= of_transport(p, x0[None], roundings=4)[0]
    assert np.linalg.norm(p.transport_jacobian(x0)[0], 2) == pytest.approx(1 / gap, rel=64 * EPS / gap)


def test_repeated_values_inside_the_kept_block_cost_nothing():
    for p, x0 in [
        (Grassmannian(4, 2), vector(Grassmannian(4, 2), np.diag([2.0, 2.0, 1.0, 1.0]))),
        (Stiefel(3, 3), np.diag([1.0, 1.0, 1.0]).ravel()),
        (SpecialOrthogonal(), np.diag([2.0, 2.0, 2.0]).ravel()),
    ]:
        assert np.isfinite(p.transport_jacobian(x0)).all()
        assert np.isfinite(p.prox_jacobian(x0, 1.0)).all()


@pytest.mark.parametrize(
    ("p", "x0"),
    [
        (Stiefel(3, 2), np.zeros(6)),
        (Stiefel(3, 2), [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
        (Grassmannian(3, 1), np.zeros(6)),
        (Grassmannian(3, 1), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
        (SpecialOrthogonal(), np.diag([1.0, 1.0, -1.0]).ravel()),
    ],
)
def test_cut_locus_is_refused(p, x0):
    with pytest.raises(ValueError, match=r"x0: row 1 .* perturb it"):
        p.transport(np.stack([p.sample(1, _rng())[0][0], x0]))
    with pytest.raises(ValueError, match="perturb it"):
        p.transport_jacobian(x0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Stiefel(2, 3), r"p: got 3 > n = 2"),
        (lambda: Stiefel(0, 1), r"n: got 0"),
        (lambda: Stiefel(2.0, 1), r"n: got 2.0"),
        (lambda: Grassmannian(2, 3), r"k: got 3 > n = 2"),
        (lambda: Grassmannian(2, 0), r"k: got 0"),
        (lambda: SpecialOrthogonal().transport(np.zeros(8)), r"x0: got shape"),
        (lambda: Stiefel(2, 1).transport([[1.0, 1j]]), r"complex"),
        (lambda: Stiefel(2, 1).subdifferential([2.0, 0.0]), r"x1: its largest singular value is 2"),
        (lambda: Grassmannian(2, 1).subdifferential([2.0, 0.0, 0.0]), r"x1: its eigenvalues"),
        (lambda: SpecialOrthogonal().subdifferential(2 * np.eye(3).ravel()), r"x1: lies .* outside"),
        (lambda: Stiefel(2, 1).manifold([0.5, 0.0], [1.0, 0.0]), r"x1: row 0 has columns"),
        (lambda: Grassmannian(2, 1).manifold([0.5, 0.0, 0.5], [1.0, 0.0, 0.0]), r"x1: row 0 is no projector"),
        (
            lambda: SpecialOrthogonal().manifold(-np.eye(3).ravel(), np.zeros(9)),
            r"x1: row 0 is not a rotation",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- speed -------------------------------------------------------------------------------------------------


def _seconds(task, repeats=5):
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()  # of this process alone: other workers don't count
        task()
        best = min(best, time.process_time() - start)
    return best


# Not of the one list: sizes at which a batch is timed.
@pytest.mark.parametrize(
    "p", [Stiefel(3, 2), Stiefel(4, 3), Grassmannian(3, 1), SpecialOrthogonal()], ids=repr
)
@pytest.mark.parametrize("member", ["transport", "prox"])
def test_batches_beat_a_loop_twentyfold(p, member):
    x = _rng().standard_normal((10_000, p.dim))
    call = p.transport if member == "transport" else lambda z: p.prox(z, 1.0)
    few = x[:300]
    loop = _seconds(lambda: [call(point) for point in few]) * len(x) / len(few)
    assert loop >= 20 * _seconds(lambda: call(x))


@pytest.mark.parametrize(("n", "p"), [(3, 2), (2, 2), (5, 3)])
def test_matrices_of_lower_rank_are_projected_as_vectors(n, p):
    """One column alone, beside batches of full rank: min(|z|, 1)·ẑ, and the statement is finite and small."""
    potential, sizes = Stiefel(n, p), np.array([0.0, 1e-15, 0.3, 1.0, 7.0, 1e8, 5e15])
    z = np.zeros((len(sizes), n, p))
    z[:, :, 0] = sizes[:, None] * np.array([3.0, 4.0, 0.0, 0.0, 0.0])[:n] / 5
    full = 3 * np.eye(n, p)
    solved = potential.proximal_point(np.concatenate([z, full[None]]).reshape(-1, n * p), 0.5)
    length = np.linalg.norm(z, axis=(1, 2))
    exact = z / np.maximum(length, 1.0)[:, None, None]
    off = np.linalg.norm(solved.point[:-1].reshape(z.shape) - exact, axis=(1, 2))
    assert (off <= solved.rounding.point.bound[:-1]).all()
    assert (solved.rounding.point.bound <= 1e-14 * np.append(length + 1, 3.0)).all()
    np.testing.assert_allclose(solved.point[-1].reshape(n, p), np.eye(n, p), atol=1e-14)
