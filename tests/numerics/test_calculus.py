"""The table of the calculus, row by row, on random compositions up to depth 3.

Each composition is built twice: by the rules of the library, and as plain functions from the formulas of the
table and from argmin_u, the definition of prox. The two share the base families only.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from numerics.accuracy import EPS
from numerics.potentials import (
    Bits,
    Cantor,
    FiniteAtoms,
    NearestPoint,
    Potential,
    Quantile,
    Sphere,
    embed,
    product,
    rotate,
    scale,
    translate,
)
from numerics.potentials.carried import Carried
from numerics.potentials.nearest_arc import NearestArcPoint
from numerics.potentials.nearest_curved import NearestCurvedPoint
from numerics.potentials.nearest_ellipse import NearestEllipsePoint
from numerics.potentials.product_potential import Product
from tests.numerics import laws
from tests.numerics.allowances import of_prox, of_transport
from tests.numerics.registry import INSTANCES

BASES = [p for p in INSTANCES if p.dim <= 6 and not isinstance(p, Carried | Product | NearestCurvedPoint)]
RULES = ["rotate", "translate", "scale", "embed", "product"]
SOME = [laws.fenchel_young_equality, laws.prox_recovers_data, laws.prox_is_optimal, laws.prox_closes_the_gap]


@dataclass(frozen=True)
class Plain:
    """φ*, T, φ(T(·)) and prox as functions: of a datum that is moved, φ has the domain to rounding alone."""

    conjugate: Callable
    transport: Callable
    value: Callable
    prox: Callable


def _plain(p):
    return Plain(p.conjugate, p.transport, lambda x0: p.value(p.transport(x0)), p.prox)


def _rotated(f, q):
    """φ*(Qᵀ·) and φ(Qᵀ·)."""
    return Plain(
        lambda x0: f.conjugate(x0 @ q),
        lambda x0: f.transport(x0 @ q) @ q.T,
        lambda x0: f.value(x0 @ q),
        lambda z, step: f.prox(z @ q, step) @ q.T,
    )


def _translated(f, b):
    """φ* + ⟨b,·⟩ and φ(·−b)."""
    return Plain(
        lambda x0: f.conjugate(x0) + x0 @ b,
        lambda x0: f.transport(x0) + b,
        f.value,
        lambda z, step: f.prox(z - b, step) + b,
    )


def _scaled(f, s):
    """sφ* and sφ(·/s): with v = u/s, sφ(v) + s²|v − z/s|²/2λ is least at prox_{λ/s}(z/s)."""
    return Plain(
        lambda x0: s * f.conjugate(x0),
        lambda x0: s * f.transport(x0),
        lambda x0: s * f.value(x0),
        lambda z, step: s * f.prox(z / s, step / s),
    )


def _product(f, g, d):
    """φ*⊕ψ* and φ⊕ψ."""
    return Plain(
        lambda x0: f.conjugate(x0[:, :d]) + g.conjugate(x0[:, d:]),
        lambda x0: np.hstack([f.transport(x0[:, :d]), g.transport(x0[:, d:])]),
        lambda x0: f.value(x0[:, :d]) + g.value(x0[:, d:]),
        lambda z, step: np.hstack([f.prox(z[:, :d], step), g.prox(z[:, d:], step)]),
    )


def _orthonormal(rng, rows, columns):
    return np.linalg.qr(rng.standard_normal((rows, columns)))[0]


def _composed(base, rules, seed):
    """The base under the rules with random parameters: as a potential and as plain functions."""
    rng, target, plain = np.random.default_rng(seed), base, _plain(base)
    for rule in rules:
        d = target.dim
        if rule == "translate":
            b = target.finest * rng.standard_normal(d)  # x − b keeps to the domain's width
            target, plain = translate(target, b), _translated(plain, b)
        elif rule == "scale":
            s = float(2.0 ** rng.integers(-4, 5))
            target, plain = scale(target, s), _scaled(plain, s)
        elif rule == "product":
            other = BASES[rng.integers(len(BASES))]
            target, plain = product(target, other), _product(plain, _plain(other), d)
        else:
            q = _orthonormal(rng, d if rule == "rotate" else d + 2, d)
            target, plain = rotate(target, q) if rule == "rotate" else embed(target, q), _rotated(plain, q)
    return target, plain


DEPTH = 12  # roundings of x0 and z on the way through at most three rules, and of the data, in both

# Composed inside the tests: shape checks draw random entries, which Hypothesis forbids inside strategies.
bases = st.integers(0, len(BASES) - 1)
rules_ = st.lists(st.sampled_from(RULES), min_size=1, max_size=3)
seeds = st.integers(0, 999)


@given(base=bases, rules=rules_, seed=seeds, step=st.sampled_from([1e-3, 0.5, 40.0]))
@example(base=0, rules=["product", "product", "rotate"], seed=434, step=1e-3)
def test_table_row_by_row(base, rules, seed, step):
    target, plain = _composed(BASES[base], rules, seed)
    x0, x1 = target.sample(20, np.random.default_rng(seed))
    allowed = 2 * of_transport(target, x0, DEPTH)
    error = np.linalg.norm(x1 - plain.transport(x0), axis=1)
    assert (error <= allowed).all()
    pairing = np.linalg.norm(x0, axis=1) * (target.scale + allowed / EPS)
    assert (np.abs(target.conjugate(x0) - plain.conjugate(x0)) <= 64 * target.dim * EPS * pairing).all()
    gap = target.value(x1) - plain.value(x0)
    assert (np.abs(gap) <= 64 * target.dim * EPS * (pairing + np.abs(target.conjugate(x0)))).all()
    z = x1 + step * x0 + target.scale * np.random.default_rng(seed + 1).standard_normal(x0.shape)
    error = np.linalg.norm(target.prox(z, step) - plain.prox(z, step), axis=1)
    assert (error <= 2 * of_prox(target, z, step, DEPTH)).all()


@pytest.mark.parametrize("law", SOME, ids=lambda law: law.__name__)
@settings(max_examples=15)
@given(base=bases, rules=rules_, seed=seeds)
def test_laws_hold_on_compositions(law, base, rules, seed):
    law(_composed(BASES[base], rules, seed)[0], np.random.default_rng(5))


def test_embedding_is_infinite_off_its_range():
    """The indicator δ_{range V}: next to a finite point, φ is +inf across the range."""
    v = _orthonormal(np.random.default_rng(0), 4, 2)
    target = embed(FiniteAtoms.regular_polygon(5), v)
    across = np.linalg.svd(v)[0][:, 2]
    inside = (np.array([[0.1, -0.2]]) @ v.T)[0]
    assert np.isfinite(target.value([inside]))
    assert np.isinf(target.value([inside + 1e-9 * across]))


# --- wrong twins: what the table must tell apart -----------------------------------------------------------


def _wrongly_scaled(f, s):
    """The published slip: the argument is scaled, the step isn't."""
    return Plain(f.conjugate, f.transport, f.value, lambda z, step: s * f.prox(z / s, step))


@pytest.mark.parametrize("base", [p for p in BASES if not isinstance(p, NearestPoint)][:3], ids=repr)
def test_a_step_left_unscaled_is_seen(base: Potential):
    """Unequal atoms see it; an indicator (hypercube) couldn't."""
    z = 3 * np.random.default_rng(2).standard_normal((50, base.dim))
    right, wrong = _scaled(_plain(base), 7.0), _wrongly_scaled(_plain(base), 7.0)
    assert np.allclose(scale(base, 7.0).prox(z, 2.0), right.prox(z, 2.0))
    assert not np.allclose(scale(base, 7.0).prox(z, 2.0), wrong.prox(z, 2.0))


def test_a_small_body_far_away_keeps_its_domain():
    """x − b misses a sphere of radius 1e-3 by eps·|b|, beyond eps·1e-3, but within x's rounding."""
    target = translate(Sphere(5, 1e-3), [10.0, 0.0, -1.0, 3.0, 0.1])
    _, x1 = target.sample(50, np.random.default_rng(0))
    assert (target.value(x1) == 0).all()
    outward = (x1 - target.shift) / 1e-3
    assert np.isinf(target.value(x1 + 1e-11 * outward)).all()


# Sets whose faces have no closed form are left out: of a spiral's the law takes minutes there.
FAR = [p for p in BASES if not isinstance(p, Bits | Cantor)]
FAR += [p for p in INSTANCES if isinstance(p, NearestArcPoint | NearestEllipsePoint)]
FAR += [
    scale(Sphere(2), 1e-3),
    scale(FiniteAtoms.regular_polygon(5), 1e-3),
    rotate(Sphere(3), np.eye(3)[[1, 2, 0]]),
    product(Sphere(2), Sphere(1, 3.0)),
]


@pytest.mark.parametrize("p", FAR, ids=lambda p: repr(p)[:60])
def test_data_far_away_keep_their_noise(p):
    """x₁ = T(x₀) errs by eps·distance, so that it may lie inside what it is on: ∂φ there holds x₀ still."""
    rng = np.random.default_rng(0)
    laws.subdifferential_holds_the_noise(translate(p, 1e4 * p.scale * rng.standard_normal(p.dim)), rng)


@pytest.mark.parametrize("p", FAR, ids=lambda p: repr(p)[:60])
def test_data_beside_far_ones_keep_their_noise(p):
    """The same where it is products with an isometry that err by the size of another block."""
    rng = np.random.default_rng(0)
    far = translate(Sphere(2, p.scale), 1e3 * p.scale * np.ones(2))
    turned = rotate(product(p, far), _orthonormal(rng, p.dim + 2, p.dim + 2))
    laws.subdifferential_holds_the_noise(turned, rng)


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e3])
def test_what_is_inside_stays_inside(factor):
    """A point of the disc that lies deeper than rounding explains is no point of the circle."""
    distance = 1e4 * factor
    target = translate(scale(Sphere(2), factor), [distance, 0.0])
    edge = distance + factor
    assert target.subdifferential([edge - EPS * distance, 0.0]).dimension == 1
    assert target.subdifferential([edge - 128 * EPS * distance, 0.0]).dimension == 0


@pytest.mark.parametrize("square", [True, False])
def test_a_small_block_beside_a_large_one_keeps_its_domain_when_turned(square):
    """Vᵀx misses a circle by eps·1e3, of the block beside it, but within what products with V err by."""
    small, large = Sphere(2), translate(Sphere(2), [700.0, -700.0])
    v = _orthonormal(np.random.default_rng(0), 4 if square else 6, 4)
    target = (rotate if square else embed)(product(small, large), v)
    x0, x1 = target.sample(100, np.random.default_rng(1))
    expected = (x0 * x1).sum(axis=1) - target.conjugate(x0)  # Fenchel and Young's equality
    rounding = 64 * target.dim * EPS * 1000 * np.linalg.norm(x0, axis=1)
    assert (np.abs(target.value(x1) - expected) <= rounding).all()
    outward = np.hstack([(x1 @ v)[:, :2], np.zeros((100, 2))]) @ v.T
    assert np.isinf(target.value(x1 + 1e-10 * outward)).all()
    assert (target.roundings.domain(x1).bound < 1e-10).all()
    for point, noise in zip(x1[:20], x0, strict=False):
        assert target.subdifferential(point).contains([noise]).all()


def test_an_end_of_a_law_keeps_its_noise_when_turned():
    """Products leave data that T does not tell from an end a little inside it: its noise may be farther out.

    In 60 rotations about half of the points lie inside; ∂φ at a point inside is one noise, about −8.
    """
    inside = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        p = rotate(product(Sphere(2), translate(Quantile(stats.expon()), [-1.0])), turn)
        x0 = turn @ np.array([*rng.standard_normal(2), -rng.uniform(9, 40)])
        x1 = p.transport(x0[None])[0]
        inside += (turn.T @ x1)[2] > -1
        found = p.subdifferential(x1)
        assert found.distance(x0[None])[0] <= found.rounding * (1 + np.linalg.norm(x0)) + found.blur
    assert 10 < inside < 50


def test_a_translate_has_a_subdifferential_where_it_has_a_value():
    """Both read a point that misses the domain by eps·|b| as the nearest one inside."""
    target = translate(Sphere(2), [1.0, 2.0])
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 200)
    outward = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    x = target.shift + (1 + 60 * EPS) * outward
    inside = np.isfinite(target.value(x))
    assert inside.all()
    for point, noise in zip(x, outward, strict=True):
        assert target.subdifferential(point).distance(noise)[0] <= 256 * EPS


@pytest.mark.parametrize("step", [1e-12, 1.0, 1e12])
def test_at_the_centre_of_spheres_statements_are_finite(step):
    """Inside the ball D prox is I, however near its centre: nothing is divided by |z|."""
    p = rotate(product(Sphere(2, 3.0), Sphere(3)), _orthonormal(np.random.default_rng(0), 5, 5))
    found = p.proximal_point(np.zeros((1, 5)), step)
    assert np.isfinite(found.rounding.jacobian.bound).all()
    np.testing.assert_allclose(found.jacobian[0], np.eye(5), atol=1e-14)
