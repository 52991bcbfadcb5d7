"""P1, the push-forward T#P₀ = P₁ of laws that have a name: each is held to a description without transport.

Assumed: nothing beyond the contract. Invariant laws (sphere, frames, subspaces, rotations): T commutes with
the group, and only one law on a homogeneous space is kept by it; their marginals are tested, too.
Ellipsoids, curves, laws on the line and mixtures: distribution functions and masses, by levels that are
theorems. Control: signs left out of the polar factor, which leaves SO(3) for O(3).
"""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from numerics.accuracy import EPS, Rounding
from numerics.geometry import norms
from numerics.potentials import (
    Arc,
    AtomAndDensity,
    Cantor,
    Curve,
    Ellipsoid,
    Grassmannian,
    NearestPoint,
    Quantile,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    Torus,
)
from theorems.proximal_denoiser.supports import matrices
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all
from theorems.statistics import dkw, hoeffding

LEVEL = 1e-9
DRAWS = 100_000
SHIFT = 0.031
"""Three times √(log(2/level)/(2n)) = .01035 at that level and number, written out: no function of ours."""


def kolmogorov(uniform):
    """Distance of a sample's distribution function from that of the uniform law."""
    ordered, n = np.sort(uniform), len(uniform)
    return max((np.arange(1, n + 1) / n - ordered).max(), (ordered - np.arange(n) / n).max())


# --- laws that a group keeps --------------------------------------------------------------------------------


def _turn(d, rng):
    """A rotation of R^d, of determinant 1."""
    q, r = np.linalg.qr(rng.standard_normal((d, d)))
    q = q * np.sign(np.diag(r))
    q[:, 0] *= np.sign(np.linalg.det(q))
    return q


def _conjugate_by(q, x, n):
    """The upper triangles of QAQᵀ."""
    rows, columns = np.triu_indices(n)
    turned = q @ matrices(x, n) @ q.T
    return turned[:, rows, columns] * np.where(rows == columns, 1.0, np.sqrt(2))


def _from_left(q, x, shape):
    return (q @ x.reshape(-1, *shape)).reshape(len(x), -1)


HOMOGENEOUS = {
    "sphere": (Sphere(4, 2.0), 4, lambda q, x: x @ q.T),
    "frames": (Stiefel(4, 2), 4, lambda q, x: _from_left(q, x, (4, 2))),
    "subspaces": (Grassmannian(4, 2), 4, lambda q, x: _conjugate_by(q, x, 4)),
    "rotations": (SpecialOrthogonal(), 3, lambda q, x: _from_left(q, x, (3, 3))),
}


@pytest.mark.parametrize("name", HOMOGENEOUS)
@for_all("P1", seed=SEEDS)
def test_transport_commutes_with_the_group(evidence, name, seed):
    """N(0, I) is kept by rotations, so T#N(0, I) is: it is the one invariant law of the orbit (Haar)."""
    target, d, act = HOMOGENEOUS[name]
    rng = generator(seed)
    x0, q = rng.standard_normal((50, target.dim)), _turn(d, rng)
    moved = act(q, x0)
    evidence.on(target, seed=seed).bounded(
        f"|T(Qx₀) − QT(x₀)|, {name}",
        norms(target.transport(moved) - act(q, target.transport(x0))),
        target.roundings.transport(moved, moved=64 * EPS * norms(x0))
        + target.roundings.transport(x0)
        + Rounding(
            np.full(50, target.scale), 64, "Q is orthogonal to 8 roundings an entry, and is applied twice"
        ),
        because="φ*(Qx) = φ*(x) for every rotation Q",
        clause="push-forward",
    )


def _angle_law(x1):
    """The angle of a Haar rotation has the distribution function (θ − sin θ)/π."""
    trace = np.trace(x1.reshape(-1, 3, 3), axis1=1, axis2=2)
    angle = np.arccos(np.clip((trace - 1) / 2, -1, 1))
    return (angle - np.sin(angle)) / np.pi


def _normal_law(x1):
    """T(x₀) = Ax₀/h: the outward normal A⁻¹x₁ is a multiple of x₀, so its direction is uniform."""
    normal = np.linalg.solve(TILTED, x1.T).T
    return np.arctan2(normal[:, 1], normal[:, 0]) / (2 * np.pi) + 0.5


TILTED = np.array([[4.0, 1.2], [1.2, 1.0]])
_MIXTURE = stats.expon()

MARGINALS = {
    "ellipsoid, by its normals": (Ellipsoid(TILTED), _normal_law),
    "frames in R³, one entry": (Stiefel(3, 2), lambda x: (x[:, 1] + 1) / 2),
    "subspaces of R⁴, |Pe₁|²": (Grassmannian(4, 2), lambda x: x[:, 0]),
    "rotations, by their angle": (SpecialOrthogonal(), _angle_law),
    "torus, its longitude": (
        NearestPoint(Torus(2.0, 0.5), 1.0),
        lambda x: np.arctan2(x[:, 1], x[:, 0]) / (2 * np.pi) + 0.5,
    ),
    "exponential": (Quantile(stats.expon()), lambda x: stats.expon().cdf(x[:, 0])),
    "t with 5 degrees": (Quantile(stats.t(5.0)), lambda x: stats.t(5.0).cdf(x[:, 0])),
    "gamma": (Quantile(stats.gamma(2.5)), lambda x: stats.gamma(2.5).cdf(x[:, 0])),
    "Cantor, by its own distribution function": (Cantor(), lambda x: _cantor_function(x[:, 0])),
    "ellipse by its nearest points": (
        NearestPoint(Curve.ellipse(2.0, 1.0), 0.75),
        lambda x: _ellipse_law(np.arctan2(x[:, 1], x[:, 0] / 2)),
    ),
}


def _cantor_function(x):
    """Binary digits from ternary ones, 2 for 1."""
    total, at = np.zeros(len(x)), x.copy()
    for k in range(1, 34):
        digit = at > 0.5
        total += digit * 2.0**-k
        at = np.clip(3 * at - 2 * digit, 0.0, 1.0)
    return total


def _ellipse_law(angle):
    """Mass of the places (2cos θ, sin θ) below each angle: noise a(γ + rν) along the normals that end there.

    ∫∫ N(a(γ+rν); 0, I) a²|γ'|(1 + κr) dr dθ from where the inner normal meets the long axis, by Gauss nodes.
    """
    a = 0.75
    theta = np.linspace(-np.pi, np.pi, 721)
    point = np.stack([2 * np.cos(theta), np.sin(theta)])
    length = np.hypot(2 * np.sin(theta), np.cos(theta))
    normal = np.stack([np.cos(theta), 2 * np.sin(theta)]) / length
    curvature = 2 / length**3
    # ν = (cos θ, 2 sin θ)/|γ'|, so the normal through γ meets y = 0 at r = −|γ'|/2
    nodes, weights = np.polynomial.legendre.leggauss(80)
    low, high = -length / 2, np.full_like(theta, 14.0)
    r = low + (high - low) * (nodes[:, None] + 1) / 2
    square = ((point[:, None] + r * normal[:, None]) ** 2).sum(axis=0) * a**2
    inner = np.exp(-square / 2) / (2 * np.pi) * a**2 * length * (1 + curvature * r)
    density = (weights[:, None] * inner).sum(axis=0) * (high - low) / 2
    mass = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2) * (theta[1] - theta[0])])
    return np.interp(angle, theta, mass / mass[-1])


@pytest.mark.claim("P1")
@pytest.mark.parametrize("name", MARGINALS)
def test_marginals_are_those_of_the_named_law(evidence, rng, name):
    target, law = MARGINALS[name]
    x1 = target.sample(DRAWS, rng)[1]
    evidence.on(target, n=DRAWS).statistical(
        f"Kolmogorov distance of T(x₀) from the stated law: {name}",
        kolmogorov(law(x1)),
        threshold=dkw(DRAWS, LEVEL) + 1e-4 * name.startswith("ellipse"),
        level=LEVEL,
        because="Dvoretzky–Kiefer–Wolfowitz with Massart's constant; the ellipse's law by trapezia of ½°,"
        " which err by h²/8 of its density's slope, below 1e−5 each",
        points=DRAWS,
        chosen="1e−4 for the ellipse's trapezia",
        clause="push-forward",
    )


MASSES = {
    "arc: either end, and its first half": (
        NearestPoint(Arc(1.0, 0.25, 2.5), 0.75),
        lambda x: [
            norms(x - _on_circle(0.25)) < 1e-9,
            norms(x - _on_circle(2.5)) < 1e-9,
            np.arctan2(x[:, 1], x[:, 0]) < 1.375,
        ],
        [0.5 - 2.25 / (4 * np.pi), 0.5 - 2.25 / (4 * np.pi), 0.5],
    ),
    "mixture: the atom, below it, below 1": (
        AtomAndDensity([0.5], [0.375], _MIXTURE),
        lambda x: [x[:, 0] == 0.5, x[:, 0] < 0.5, x[:, 0] < 1],
        [0.375, 0.625 * _MIXTURE.cdf(0.5), 0.375 + 0.625 * _MIXTURE.cdf(1.0)],
    ),
    "Poisson: 0, 1, 2, at least 5": (
        Quantile(stats.poisson(2.0)),
        lambda x: [x[:, 0] == 0, x[:, 0] == 1, x[:, 0] == 2, x[:, 0] >= 5],
        [*stats.poisson(2.0).pmf([0, 1, 2]), stats.poisson(2.0).sf(4)],
    ),
}


def _on_circle(angle):
    return np.array([np.cos(angle), np.sin(angle)])


@pytest.mark.claim("P1")
@pytest.mark.parametrize("name", MASSES)
def test_masses_are_those_of_the_named_law(evidence, rng, name):
    """An arc of length ω sends the noise of the other 2π − ω to its ends, half each."""
    target, events, masses = MASSES[name]
    x1 = target.sample(DRAWS, rng)[1]
    found = np.array([event.mean() for event in events(x1)])
    evidence.on(target, n=DRAWS).statistical(
        f"|share of T(x₀) − the stated mass|: {name}",
        np.abs(found - masses),
        threshold=hoeffding(DRAWS, 1.0, LEVEL / len(masses)),
        level=LEVEL,
        because="Hoeffding, the level shared among the events",
        points=DRAWS,
        clause="push-forward",
    )


# --- controls ---------------------------------------------------------------------------------------------


@pytest.mark.control("P1")
def test_polar_factor_without_its_sign_is_another_law(evidence, rng):
    """UVᵀ of the singular vectors, without the sign of the last one, is Haar on O(3): half of it reflects."""
    noise = rng.standard_normal((DRAWS, 3, 3))
    left, _, right = np.linalg.svd(noise)
    share = (np.linalg.det(left @ right) < 0).mean()
    target = SpecialOrthogonal()
    inside = np.linalg.det(target.transport(noise.reshape(-1, 9)).reshape(-1, 3, 3)) < 0
    assert not inside.any()
    evidence.on(target).control(
        "polar factor of a 3×3 matrix in place of the nearest rotation: share of determinant −1",
        predicted=0.5,
        measured=share,
        agreement=hoeffding(DRAWS, 1.0, LEVEL),
        because="the determinant of Gaussian noise is as often negative as positive; Hoeffding",
        level=LEVEL,
        points=DRAWS,
    )


@pytest.mark.control("P1")
@pytest.mark.parametrize("name", MARGINALS)
def test_a_shift_of_three_thresholds_is_rejected(evidence, rng, name):
    """Ranks moved up by three thresholds lie so far from uniform: the interval is not too wide."""
    target, law = MARGINALS[name]
    threshold = dkw(DRAWS, LEVEL)
    moved = np.minimum(law(target.sample(DRAWS, rng)[1]) + SHIFT, 1.0)
    evidence.on(target, n=DRAWS).control(
        f"ranks moved by three thresholds: Kolmogorov distance from uniform: {name}",
        predicted=SHIFT,
        measured=kolmogorov(moved),
        agreement=threshold + 1e-4 * name.startswith("ellipse"),
        because="the distribution function of the moved ranks is (p − shift)⁺ below 1; "
        "Dvoretzky–Kiefer–Wolfowitz with Massart's constant",
        level=LEVEL,
        points=DRAWS,
        intact=threshold,
        chosen="three thresholds; 1e−4 for the ellipse's trapezia",
    )


@pytest.mark.control("P1")
def test_noise_of_another_size_has_another_law(evidence, rng):
    """T at 2x₀: on the line the law is F₁'s quantile at Φ(2x₀), whose distance from uniform is known."""
    target = Quantile(stats.expon())
    uniform = stats.expon().cdf(target.transport(2 * rng.standard_normal((DRAWS, 1)))[:, 0])
    at = np.linspace(0, 4, 100_001)
    evidence.on(target).control(
        "noise of twice the size: Kolmogorov distance from the stated law",
        predicted=np.abs(ndtr(at) - ndtr(at / 2)).max(),
        measured=kolmogorov(uniform),
        agreement=dkw(DRAWS, LEVEL) + 1e-5,
        because="P(Φ(2x₀) ≤ p) = Φ(Φ⁻¹(p)/2): max |Φ(s) − Φ(s/2)|; Dvoretzky–Kiefer–Wolfowitz",
        level=LEVEL,
        points=DRAWS,
    )
