"""What Stiefel, Grassmannian and SO(3) err by, against 40 to 60 digits, on hostile matrices.

In batches, where Jacobi rotations work, and one by one, where LAPACK does.
"""

import mpmath
import numpy as np
import pytest

from numerics.potentials.grassmannian import Grassmannian
from numerics.potentials.rotations import SpecialOrthogonal
from numerics.potentials.stiefel import Stiefel
from tests.numerics.accuracy import matrix_oracles as oracles
from tests.numerics.accuracy.harness import judge, judge_with_twins
from tests.numerics.accuracy.hostile_matrices import (
    SMOOTH,
    every_family,
    generator,
    kinked_values,
    noise_cases,
    prox_cases,
    turned,
)


def errors(p, x, computed, g):
    """|computed − exact| for every row; what 40 digits don't tell apart is no error."""
    with mpmath.workdps(40):
        found = np.array(
            [
                oracles.distance(c, oracles.spectral_map(p, oracles.exact(row), g))
                for row, c in zip(x, computed, strict=True)
            ]
        )
    return np.where(found <= 1e-35 * (1 + np.linalg.norm(x, axis=1)), 0.0, found)


def jacobian_errors(p, x, computed, g):
    """The same for Jacobians; central differences over 1e−20 leave 1e−30 of constants."""
    with mpmath.workdps(60):
        found = np.array(
            [
                oracles.distance(c.ravel(), list(oracles.derivative(p, row, g, 60)))
                for row, c in zip(x, computed, strict=True)
            ]
        )
    return np.where(found <= 1e-30, 0.0, found)


# --- the statements ------------------------------------------------------------------------------------


def _size(p):
    """How many cases of each kind: 60 digits of a 4×4 matrix take milliseconds."""
    return 40 if p.dim <= 6 else 16 if p.dim <= 10 else 10


def _chosen(p, cases):
    """Every so many, of all kinds: the oracle of a Jacobian takes 2d decompositions."""
    return slice(None, None, len(cases) // (20 if p.dim <= 6 else 8))


def _plateau(p):
    return lambda values: oracles.plateau(p, values)


def _clip(p):
    return lambda values: oracles.clip(p, values)


def _split(call, *arguments, few=20):
    """What ``call`` makes of few points at a time, which LAPACK decomposes: Jacobi does batches of 32."""
    parts = [call(*(a[i : i + few] for a in arguments)) for i in range(0, len(arguments[0]), few)]
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


@every_family
def test_transport(p):
    """T is exact for the real line (the sign) and needs no statement there."""
    x0 = noise_cases(p, _size(p))
    stated = p.roundings.transport(x0).bound
    wrong = errors(p, x0, p.transport(x0), _plateau(p))
    if p.dim == 1:
        assert (wrong == 0).all()
        return
    judge_with_twins(wrong, stated)
    computed, stated = _split(lambda x: (p.transport(x), p.roundings.transport(x).bound), x0)
    judge_with_twins(errors(p, x0, computed, _plateau(p)), stated)


@every_family
def test_transport_jacobian(p):
    """The bend of K is bounded over all directions of the backward error; it is met within a factor of 10."""
    x0 = noise_cases(p, _size(p))
    x0 = x0[_chosen(p, x0)]
    wrong = jacobian_errors(p, x0, p.transport_jacobian(x0), _plateau(p))
    if p in SMOOTH:
        stated = p.roundings.transport_jacobian(x0).bound
        for kind in np.array_split(np.arange(len(x0)), 3):  # plain, a small gap, a small gap and equal values
            judge(wrong[kind], stated[kind])
        return
    assert (wrong == 0).all()


@every_family
def test_conjugate(p):
    x0 = noise_cases(p, _size(p))
    with mpmath.workdps(40):
        exact = [_conjugate(p, oracles.factors(p, oracles.exact(x))[1]) for x in x0]
        wrong = np.array(
            [abs(float(mpmath.mpf(float(v)) - e)) for v, e in zip(p.conjugate(x0), exact, strict=True)]
        )
    if p.dim == 1:
        assert (wrong == 0).all()
        return
    judge_with_twins(wrong, p.roundings.conjugate(x0).bound)


def _conjugate(p, values):
    return sum(values[: p.k] if isinstance(p, Grassmannian) else values)


@every_family
def test_prox_and_envelope(p):
    z, step = prox_cases(p, _size(p))
    found = p.proximal_point(z, step)
    wrong = errors(p, z, found.point, _clip(p))
    with mpmath.workdps(40):
        exact = [_envelope(p, x, s) for x, s in zip(z, step, strict=True)]
        off = np.array(
            [abs(float(mpmath.mpf(float(v)) - e)) for v, e in zip(found.envelope, exact, strict=True)]
        )
    off[off <= 1e-35 * (1 + np.linalg.norm(z, axis=1)) ** 2 / step] = 0.0
    judge(off, found.rounding.envelope.bound)
    if p.dim == 1:
        assert (wrong == 0).all()
        return
    judge_with_twins(wrong, found.rounding.point.bound)

    def few(x, s):
        single = p.proximal_point(x, s)
        return single.point, single.rounding.point.bound

    computed, stated = _split(few, z, step)
    judge_with_twins(errors(p, z, computed, _clip(p)), stated)


def _envelope(p, z, step):
    point = oracles.spectral_map(p, oracles.exact(z), _clip(p))
    square = sum((a - b) ** 2 for a, b in zip(oracles.exact(z), point, strict=True))
    return square / (2 * mpmath.mpf(float(step)))


@pytest.mark.parametrize("p", SMOOTH, ids=repr)
def test_far_out_prox_errs_as_little_as_transport(p):
    """At z = x₁ + λx₀, λ = 1e4, the backward error is λ·eps but prox shrinks it by 1/λ; the statement too."""
    rng = generator()
    x0, x1 = p.sample(_size(p), rng)
    z = x1 + 1e4 * x0
    found = p.proximal_point(z, 1e4)
    judge_with_twins(errors(p, z, found.point, _clip(p)), found.rounding.point.bound)


@every_family
def test_prox_jacobian_at_this_very_point(p):
    """On both sides of a kink, down to 1e−10 from it."""
    z, step = prox_cases(p, _size(p))
    z, step = z[_chosen(p, z)], step[_chosen(p, z)]
    found = p.proximal_point(z, step)
    wrong = jacobian_errors(p, z, found.jacobian, _clip(p))
    assert (found.kink > 0).all()
    if p in SMOOTH:
        judge_with_twins(wrong, found.rounding.jacobian.bound)
        return
    assert (wrong == 0).all()


@pytest.mark.parametrize("p", SMOOTH, ids=repr)
def test_a_kink_within_rounding_is_said_to_be_one(p):
    """Where both Jacobians may be meant, the statement covers either."""
    rng = generator()
    on_manifold = p.sample(60 // p.dim, rng)[1]
    near = turned(p, kinked_values(p, 60 // p.dim, rng, exponents=(-17, -16)), rng)
    z = on_manifold if isinstance(p, Stiefel) else near
    found = p.proximal_point(z, 1.0)
    assert (found.kink == 0).any()
    assert np.median(found.kink) <= 1e-14
    wrong = jacobian_errors(p, z, found.jacobian, _clip(p))
    assert (wrong <= found.rounding.jacobian.bound).all()


@pytest.mark.parametrize("p", SMOOTH, ids=repr)
def test_kink_is_the_distance_to_another_face(p):
    """No point nearer is on another face, and some point a little further is: faces by the exact values."""
    rng = generator()
    z, _ = prox_cases(p, 4)
    z = z[-8:]
    kink = p.proximal_point(z, 1.0).kink
    for point, radius in zip(z, kink, strict=True):
        with mpmath.workdps(40):
            values = oracles.factors(p, oracles.exact(point))[1]
        values = np.array([float(v) for v in values])
        moved = _directions(len(values), rng)
        here = _face(p, values[None])
        assert (_face(p, values + 0.999 * radius * moved) == here).all()
        assert (_face(p, values + 1.1 * radius * moved) != here).any()


def _directions(m, rng):
    """Directions in the space of values, dense, and those along which two or all of them part."""
    signs = np.array(np.meshgrid(*[[-1, 0, 1]] * m)).reshape(m, -1).T
    weights = np.concatenate([signs, rng.standard_normal((4000, m))])
    weights = weights[np.linalg.norm(weights, axis=1) > 0]
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


def _face(p, values):
    """A number for the face on which the projection of the values lies."""
    if isinstance(p, Stiefel):
        return ((values > 1) * 2 ** np.arange(values.shape[1])).sum(axis=1)
    k = 1
    if isinstance(p, SpecialOrthogonal):  # quaternion eigenvalues of trace 1
        a, b, c = values.T
        values = np.stack([a + b + c, a - b - c, b - a - c, c - a - b], axis=1) / 4 + 0.25
    else:
        k = p.k
    low, high = values.min(axis=1) - 1, values.max(axis=1)
    for _ in range(100):
        theta = (low + high) / 2
        above = np.clip(values - theta[:, None], 0, 1).sum(axis=1) > k
        low, high = np.where(above, theta, low), np.where(above, high, theta)
    moved = values - low[:, None]
    return (
        (moved > 0) * 2 ** np.arange(values.shape[1]) + (moved >= 1) * 32 ** np.arange(values.shape[1])
    ).sum(axis=1)


@every_family
def test_domain(p):
    """Computed points of the domain are at a distance from it that is stated, and sharply."""
    z, step = prox_cases(p, _size(p))
    u = p.prox(z, step)
    wrong = errors(p, u, u, _clip(p))
    if p.dim == 1:
        assert (wrong == 0).all()
        return
    judge_with_twins(wrong, p.roundings.domain(u).bound)
    assert np.isfinite(p.value(u)).all()
    assert (p.roundings.value(u).bound == 0).all()


@every_family
def test_off_the_domain_no_more_is_allowed_than_on_it(p):
    """Otherwise a check could not fail where it allows for the domain: whatever is wrong would be allowed."""
    x0, x1 = p.sample(40, generator())
    off = x1 + 1e-3 * x0 / np.linalg.norm(x0, axis=1, keepdims=True)
    assert p.dim == 1 or np.isinf(p.value(off)).all()
    assert (p.roundings.domain(off).bound <= 1e-10 * p.scale).all()


@every_family
def test_members_of_the_subdifferential_are_computed_to_be_members(p):
    x0, x1 = p.sample(40, generator())
    for size in (1.0, 1e3):
        for noise, point in zip(size * x0, x1, strict=True):
            assert p.subdifferential(point).contains(noise)[0]


@pytest.mark.parametrize(
    ("p", "x0"),
    [
        (Stiefel(2, 2), [1.0, 3.0, 1 / 3, 1.0]),
        (Stiefel(3, 3), np.arange(9.0)),
        (Grassmannian(2, 1), [1.0, 0.0, 1.0]),
        (SpecialOrthogonal(), np.diag([3.0, 1 / 3, -1 / 3]).ravel()),
    ],
)
def test_no_transport_where_the_gap_is_rounding(p, x0):
    """Singular to rounding, though the other singular values are not small: either sign of det is near."""
    with pytest.raises(ValueError, match="perturb it"):
        p.transport(x0)
    with pytest.raises(ValueError, match="perturb it"):
        p.roundings.transport(np.tile(x0, (40, 1)))


@every_family
@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-200])
def test_tiny_matrices_have_a_statement_within_the_diameter(p, size):
    """Where ‖K‖ overflows, and where a gap of subnormal numbers is within what the factors miss."""
    asked = [_stated(p, size * np.round(row)) for row in generator().standard_normal((40, p.dim))]
    held = [bound for bound in asked if bound is not None]
    assert len(held) >= 3
    stated = np.concatenate(held)
    assert np.isfinite(stated).all()
    assert (stated <= 4 * np.sqrt(p.dim)).all()


def _stated(p, row):
    """What T errs by there; None where T is refused."""
    try:
        p.transport(row[None])
    except ValueError:
        return None
    return p.roundings.transport(row[None]).bound


@pytest.mark.parametrize("k", [2, 3])
def test_equal_eigenvalues_at_one_leave_no_free_ones(k):
    """λ = (2, 2, 0) up to the last places: prox is the projector on the plane, a vertex of the Fantope."""
    p = Grassmannian(3, k)
    z = turned(p, np.tile([2.0, 2.0, 0.0] if k == 2 else [2.0, 2.0, 2.0], (200, 1)), generator())
    found = p.proximal_point(z, 1.0)
    assert (found.rounding.jacobian.bound <= 1e-13).all()
    assert (found.kink >= 0.7).all()  # (2 − 0 − 1)/√2
