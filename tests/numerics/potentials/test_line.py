"""Laws on the line against SciPy quadrature, closed forms, exact rationals and 40-digit quantiles."""

import itertools
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import ndtr, ndtri

from numerics.accuracy import EPS
from numerics.potentials import FiniteAtoms, embed
from numerics.potentials.cantor import Cantor
from numerics.potentials.line import AtomAndDensity, Quantile
from tests.numerics.allowances import of_prox, of_transport
from tests.numerics.potentials.laws_on_the_line import CONTINUOUS, DISCRETE, LAWS, MIXED, every_law, generator

MILLS = np.sqrt(np.pi / 2)

# --- transport -------------------------------------------------------------------------------------


def _mp_quantile(name, p, args):
    """Quantiles in closed form, for a lower-tail probability p with all its digits."""
    q = 1 - p
    forms = {
        "norm": lambda m, s: m + s * mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1),
        "uniform": lambda a, w: a + w * p,
        "expon": lambda: -mpmath.log(q),
        "logistic": lambda: mpmath.log(p / q),
        "laplace": lambda: mpmath.log(2 * p) if p < 0.5 else -mpmath.log(2 * q),
        "lognorm": lambda s: mpmath.exp(s * mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1)),
        "weibull_min": lambda c: (-mpmath.log(q)) ** (1 / mpmath.mpf(c)),
        "gumbel_r": lambda: -mpmath.log(-mpmath.log(p)),
        "gumbel_l": lambda: mpmath.log(-mpmath.log(q)),
        "pareto": lambda b: q ** (-1 / mpmath.mpf(b)),
        "arcsine": lambda: mpmath.sin(mpmath.pi * p / 2) ** 2,
        "rayleigh": lambda: mpmath.sqrt(-2 * mpmath.log(q)),
        "halfnorm": lambda: mpmath.sqrt(2) * mpmath.erfinv(p),
        "powerlaw": lambda a: p ** (1 / mpmath.mpf(a)),
    }
    return forms[name](*args) if name in forms else None


@pytest.mark.parametrize("law", CONTINUOUS, ids=lambda d: d.dist.name)
def test_transport_has_the_stated_accuracy(law):
    """Against closed forms at 60 digits; elsewhere the cdf must lead back to the noise."""
    p = Quantile(law)
    noise = np.array([-8.0, -5.0, -2.0, -0.3, 0.0, 0.1, 1.0, 3.0, 6.0, 8.0])
    image = p.transport(noise[:, None])[:, 0]
    bound = 64 * EPS * (np.abs(image) + law.std() * MILLS) + of_transport(p, noise[:, None], 4)
    if law.dist.name == "triang":  # no isf of its own: left off the list
        noise, image, bound = noise[:7], image[:7], bound[:7]
    with mpmath.workdps(60):
        exact = [_mp_quantile(law.dist.name, mpmath.ncdf(mpmath.mpf(float(s))), law.args) for s in noise]
    if exact[0] is not None:
        assert (np.abs(image - np.array([float(x) for x in exact])) <= bound).all()
    else:
        lower = np.where(noise <= 0, law.cdf(image), law.sf(image))
        density = law.pdf(image)
        assert (np.abs(lower - ndtr(-np.abs(noise))) <= density * bound + 64 * EPS * lower).all()


@every_law
def test_transport_increases_and_has_the_law_as_image(p):
    s = np.sort(generator().uniform(-9, 9, 3000))
    x = p.transport(s[:, None])[:, 0]
    assert (np.diff(x) >= -8 * EPS * (np.abs(x[1:]) + p.scale)).all()
    u = np.linspace(0.0005, 0.9995, 1000)
    if isinstance(p, Quantile):
        # P(X ≤ Q(u)) ≥ u > P(X < Q(u)), to the rounding of u
        image = p.transport(ndtri(u)[:, None])[:, 0]
        below = p.distribution.cdf(image * (1 + 4 * EPS) + 4 * EPS * p.scale)
        assert (below >= u - 64 * EPS).all()


@pytest.mark.parametrize("p", LAWS[: len(CONTINUOUS)] + MIXED, ids=repr)
def test_jacobians_by_central_differences(p):
    """Richardson's rule at steps h and h/2: truncation O(h⁴), rounding eps·condition/h."""
    s = np.array([[-2.0], [-0.7], [0.4], [1.5]])
    h = 1e-3

    def slope(f, width):
        return (f(s + width) - f(s - width))[:, 0] / (2 * width)

    measured = (4 * slope(p.transport, h / 2) - slope(p.transport, h)) / 3
    jacobian = p.transport_jacobian(s)[:, 0, 0]
    rounding = 4 * of_transport(p, s) / h
    assert (np.abs(measured - jacobian) <= 100 * h**4 * (jacobian + p.scale) + rounding).all()
    z = p.transport(s) + 0.7 * s
    measured = (4 * slope(lambda t: p.prox(p.transport(s) + 0.7 * s + t - s, 0.7), h / 2)) / 3
    measured -= slope(lambda t: p.prox(p.transport(s) + 0.7 * s + t - s, 0.7), h) / 3
    rounding = 4 * of_prox(p, z, 0.7) / h
    assert (np.abs(measured - p.prox_jacobian(z, 0.7)[:, 0, 0]) <= 1e3 * h**4 + rounding).all()


# --- potentials --------------------------------------------------------------------------------------


@every_law
def test_conjugate_is_the_integral_of_transport(p):
    """SciPy's adaptive quadrature of T, and of Φ⁻¹∘F for φ, each with its own error estimate."""
    for s in (-2.5, -0.8, 0.6, 3.0):
        jumps = getattr(p.law, "steps", None)
        if isinstance(p, Cantor):
            return  # dense jumps: its own test
        inner = (
            jumps if jumps is not None else np.concatenate([p.law.starts, p.law.stops]) if p in MIXED else []
        )
        low, high = min(0.0, s), max(0.0, s)
        ends = [low, *[b for b in inner if low < b < high], high]
        parts = [
            integrate.quad(lambda r: p.transport([r])[0, 0], a, b, epsabs=1e-13, epsrel=1e-13)
            for a, b in itertools.pairwise(ends)
        ]
        total, error = (sum(column) for column in zip(*parts, strict=True))
        assert abs(p.conjugate([s])[0] - np.sign(s) * total) <= error + 1e-12 * (1 + abs(total))


CLOSED_FORMS = [
    (stats.norm(1, 2), lambda s: s + s**2, lambda x: (x - 1) ** 2 / 4),
    (
        stats.uniform(0, 1),
        lambda s: s * ndtr(s) + stats.norm.pdf(s) - stats.norm.pdf(0),
        lambda x: stats.norm.pdf(0) - stats.norm.pdf(ndtri(x)),
    ),
    (
        stats.lognorm(0.5),
        lambda s: (np.exp(s / 2) - 1) / 0.5,
        lambda x: 2 * (x * np.log(x) - x) + 2,
    ),
]


@pytest.mark.parametrize(("law", "conjugate", "value"), CLOSED_FORMS, ids=lambda c: getattr(c, "args", ""))
def test_closed_forms(law, conjugate, value):
    p = Quantile(law)
    s = np.linspace(-6, 6, 49)
    x = p.transport(s[:, None])
    assert np.allclose(p.conjugate(s[:, None]), conjugate(s), rtol=64 * EPS, atol=64 * EPS * 6 * p.scale)
    size = np.abs(s * x[:, 0]) + p.scale
    assert (np.abs(p.value(x) - value(x[:, 0])) <= 64 * EPS * size * (1 + np.abs(s))).all()


def test_exponential_value_by_quadrature():
    p = Quantile(stats.expon())
    for x in (0.01, 0.5, np.log(2), 2.0, 9.0):
        expected, error = integrate.quad(
            lambda u: ndtri(-np.expm1(-u)), np.log(2), x, epsabs=1e-13, epsrel=1e-13
        )
        assert abs(p.value([x])[0] - expected) <= error + 64 * EPS * (1 + x) * 8


@pytest.mark.parametrize("law", DISCRETE, ids=lambda law: repr(Quantile(law)))
def test_discrete_laws_are_finite_atoms(law):
    """Same φ up to a constant, φ*, T and prox as `FiniteAtoms.on_line`, which solves a quadratic program."""
    p = Quantile(law)
    atoms = p.law.atoms[p.law.atoms <= law.isf(1e-6) + 1]
    weights = np.append(law.pmf(atoms[:-1]), law.sf(atoms[-2]))
    weights /= weights.sum()
    other = FiniteAtoms.on_line(atoms, weights)
    rng = generator()
    s = rng.uniform(-4, 4, (200, 1))
    assert np.array_equal(p.transport(s), other.transport(s))
    constant = p.conjugate([0.0]) - other.conjugate([0.0])
    assert np.allclose(
        p.conjugate(s), other.conjugate(s) + constant, rtol=0, atol=1e-12 * (1 + np.abs(s).max())
    )
    z = p.transport(s) + rng.standard_normal((200, 1))
    for step in (1e-3, 0.5, 20.0):
        assert np.allclose(p.prox(z, step), other.prox(z, step), rtol=0, atol=1e-12 * (1 + step) * atoms[-1])


# --- geometry --------------------------------------------------------------------------------------------


def test_intervals_of_a_mixture():
    """The atom 0 of weight .4 in N(0,1): ∂φ(0) = Φ⁻¹[.3, .7], and m = 0 there, 1 elsewhere."""
    p = MIXED[0]
    found = p.subdifferential([0.0])
    assert (found.low, found.high) == pytest.approx((ndtri(0.3), ndtri(0.7)), rel=1e-14)
    assert found.dimension == 1
    assert found.boundary_distance([0.1])[0] == pytest.approx(ndtri(0.7) - 0.1, rel=1e-14)
    assert found.distance([1.0])[0] == pytest.approx(1 - ndtri(0.7), rel=1e-14)
    assert p.subdifferential([0.5]).dimension == 0
    x0 = np.array([[0.0], [2.0], [-0.2], [-3.0]])
    groups = p.manifolds(p.transport(x0), x0)
    assert [(g.dimension, g.rows.tolist()) for g in groups] == [(0, [0, 2]), (1, [1, 3])]
    smooth = groups[1]
    inverse = p.transport_jacobian(x0[smooth.rows])[:, 0, 0] * smooth.hessian[:, 0, 0]
    assert np.allclose(inverse, 1, rtol=1e-12)


def test_second_derivative_of_phi_is_the_hessian():
    """φ'' by differences of φ' = Φ⁻¹∘F, not through T."""
    law = stats.gamma(2.5)
    p = Quantile(law)
    x0 = np.array([[-1.0], [0.3], [1.7]])
    x1 = p.transport(x0)
    h = 1e-5
    slope = (ndtri(law.cdf(x1 + h)) - ndtri(law.cdf(x1 - h)))[:, 0] / (2 * h)
    hessian = p.manifolds(x1, x0)[0].hessian[:, 0, 0]
    assert np.allclose(hessian, slope, rtol=1e-8)  # truncation h², rounding eps/h


def test_an_atom_that_an_isometry_rounds_is_still_an_atom(rng):
    """Vᵀ(V·1.75) = 1.7499999999999998: what is a point must not be taken for a place on the line."""
    base = AtomAndDensity([0.0, 1.75], [0.0625, 0.0625], stats.uniform(-1.0, 2.0))
    turned = embed(base, np.array([[15 / 17], [-8 / 17]]))
    x0 = rng.standard_normal((500, 2))
    dimensions = np.full(500, -1)
    for group in turned.manifolds(turned.transport(x0), x0):
        dimensions[group.rows] = group.dimension
    position = base.transport(x0 @ [[15 / 17], [-8 / 17]])[:, 0]
    np.testing.assert_array_equal(dimensions, np.where((position == 0) | (position == 1.75), 0, 1))
    faces = [turned.subdifferential(x) for x in turned.transport(x0)[:100]]
    assert [face.dimension for face in faces] == (2 - dimensions[:100]).tolist()
    assert all(face.contains(x).all() for face, x in zip(faces, x0[:100], strict=True))


# --- bad input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Quantile(stats.cauchy()), "variance is"),
        (lambda: Quantile(stats.t(2)), "variance is inf"),
        (lambda: Quantile(stats.pareto(1.5)), "variance is inf"),
        (lambda: Quantile(stats.norm), "frozen scipy law"),
        (lambda: Quantile(3), "frozen scipy law"),
        (lambda: Quantile(stats.rv_discrete(values=([2], [1.0]))), "variance is 0"),
        (lambda: Quantile(stats.randint(0, 2**21)), "more than 1048576 atoms"),
        (lambda: AtomAndDensity([0.0], [1.0], stats.norm()), "weights: got"),
        (lambda: AtomAndDensity([0.0], [-0.1], stats.norm()), "weights: got"),
        (lambda: AtomAndDensity([1.0, 0.0], [0.1, 0.1], stats.norm()), "atoms: got"),
        (lambda: AtomAndDensity([1.0], [0.1, 0.1], stats.norm()), "weights: got 2 for 1"),
        (lambda: AtomAndDensity([1.0], [0.1], stats.poisson(2)), "is discrete"),
        (lambda: AtomAndDensity([np.nan], [0.1], stats.norm()), "atoms: entry"),
        (lambda: Cantor.quantile_exact(Fraction(3, 2)), "p: got 3/2"),
        (lambda: Quantile(stats.norm()).transport([[1j]]), "complex"),
        (lambda: Quantile(stats.uniform()).subdifferential([1.5]), "outside the support"),
        (lambda: Quantile(stats.norm()).manifold([0.5], [0.0]), "is not T"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@every_law
def test_repr_rebuilds_the_law(p):
    rebuilt = eval(
        repr(p), {"Quantile": Quantile, "AtomAndDensity": AtomAndDensity, "Cantor": Cantor, "stats": stats}
    )
    x0 = generator().standard_normal((20, 1))
    assert np.array_equal(rebuilt.transport(x0), p.transport(x0))


@pytest.mark.parametrize("distribution", CONTINUOUS, ids=lambda law: f"{law.dist.name}{law.args}")
def test_places_beyond_the_cut_have_the_noise_of_its_ends(distribution):
    """Whether SciPy's own distribution function tells or the noise is enclosed."""
    law = Quantile(distribution).law
    beyond = np.array([law.ends[0] - 1, law.ends[0], law.ends[1], law.ends[1] + 1])
    low, high = law.interval(beyond)
    assert low[0] == low[1] == -np.inf
    assert high[2] == high[3] == np.inf
    np.testing.assert_allclose(high[:2], law.cut[0], rtol=1e-12)
    np.testing.assert_allclose(low[2:], law.cut[1], rtol=1e-12)
    np.testing.assert_allclose(law._enclosed(beyond), np.repeat(law.cut, 2), rtol=1e-12)
