"""P2 in rational arithmetic: finite atoms, no rounding and no tolerance.

Coordinates, heights, noise and times are fractions. The Karush–Kuhn–Tucker conditions of the prox are
decided exactly: u = Σ w_i y_i with w in the simplex, and y = (z − u)/λ makes every atom with w_i > 0 maximal.
The floating-point solver only proposes the active atoms; the exact solve on them is checked by itself.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Matrix, Rational

from numerics.accuracy import Rounding
from numerics.potentials import FiniteAtoms
from numerics.proximal import active_set

eighths = st.integers(-24, 24).map(lambda k: Fraction(k, 8))
DOMAIN = "atoms, heights, noise in ⅛ℤ, d ≤ 3, at most 7 atoms, times k/16"


@st.composite
def problems(draw):
    d = draw(st.integers(1, 3))
    row = st.tuples(*[eighths] * d)
    atoms = draw(st.lists(row, min_size=1, max_size=7, unique=True))
    heights = draw(st.lists(eighths, min_size=len(atoms), max_size=len(atoms)))
    return atoms, heights, draw(row), Fraction(draw(st.integers(1, 15)), 16)


def _dot(x, y):
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def _solves(atoms, heights, weights, z, step):
    """Whether weights on atoms satisfy every KKT condition of prox_{step·φ}(z), exactly."""
    u = [_dot(weights, column) for column in zip(*atoms, strict=True)]
    dual = [(a - b) / step for a, b in zip(z, u, strict=True)]
    scores = [_dot(dual, atom) - height for atom, height in zip(atoms, heights, strict=True)]
    in_simplex = sum(weights) == 1 and min(weights) >= 0
    return in_simplex and all(s == max(scores) for s, w in zip(scores, weights, strict=True) if w > 0)


@pytest.mark.claim("P2")
@given(problem=problems())
def test_interpolant_returns_its_atom_exactly(evidence, problem):
    atoms, heights, noise, t = problem
    scores = [_dot(noise, atom) - height for atom, height in zip(atoms, heights, strict=True)]
    best = scores.index(max(scores))
    xt = [(1 - t) * a + t * b for a, b in zip(noise, atoms[best], strict=True)]
    z, step = [x / t for x in xt], (1 - t) / t
    weights = [Fraction(int(i == best)) for i in range(len(atoms))]
    evidence.on("FiniteAtoms", atoms=atoms, heights=heights, noise=noise, t=t).exact(
        "prox_{λφ}(x_t/β) = x₁ by its KKT conditions",
        _solves(atoms, heights, weights, z, step),
        domain=DOMAIN,
    )


@pytest.mark.claim("P2")
@given(problem=problems())
def test_inverse_exists_at_every_point_exactly(evidence, problem):
    """An arbitrary rational point, mostly off the support of x_t: the prox is solved and proved optimal."""
    atoms, heights, z, t = problem
    step = (1 - t) / t
    members, weights = _exact_face(atoms, heights, z, step)
    spread = [weights[members.index(i)] if i in members else Fraction(0) for i in range(len(atoms))]
    on = evidence.on("FiniteAtoms", atoms=atoms, heights=heights, z=z, t=t)
    on.exact(
        "prox_{λφ}(z) by its KKT conditions, z anywhere", _solves(atoms, heights, spread, z, step), DOMAIN
    )
    u = np.array([float(_dot(spread, column)) for column in zip(*atoms, strict=True)])
    target = FiniteAtoms(np.array(atoms, dtype=float), np.array(heights, dtype=float))
    point, scale = np.array([z], dtype=float), float(step)
    on.bounded(
        "|prox in floating point − prox in rationals|",
        np.linalg.norm(target.prox(point, scale) - u),
        target.roundings.prox(point, scale)
        + Rounding(np.linalg.norm(point - u), 1, "λ is rounded to a double")
        + Rounding(np.linalg.norm(u), 1, "the rational answer is rounded"),
        because="the same prox in rationals; atoms, heights and z are exact in binary",
    )


def _exact_face(atoms, heights, z, step):
    """Active atoms proposed in floating point, and their weights solved in rationals.

    On the affine hull of the atoms: Gram matrix of the edges times the weights = edges·(z − y₀) − λ·rises.
    """
    (face,) = active_set.solve(
        np.array(atoms, dtype=float),
        np.array(heights, dtype=float),
        np.array([z], dtype=float),
        np.array([float(step)]),
    )
    members = [int(i) for i in face.members[0]]
    first, rest = members[0], members[1:]
    edges = [[a - b for a, b in zip(atoms[i], atoms[first], strict=True)] for i in rest]
    if not edges:
        return members, [Fraction(1)]
    gram = Matrix([[_rational(_dot(a, b)) for b in edges] for a in edges])
    away = [a - b for a, b in zip(z, atoms[first], strict=True)]
    right = Matrix(
        [
            _rational(_dot(e, away) - step * (heights[i] - heights[first]))
            for e, i in zip(edges, rest, strict=True)
        ]
    )
    tail = [Fraction(int(w.p), int(w.q)) for w in gram.LUsolve(right)]
    return members, [1 - sum(tail), *tail]


def _rational(value):
    return Rational(value.numerator, value.denominator)


@pytest.mark.control("P2")
@pytest.mark.parametrize("factor", [Fraction(1, 2), Fraction(2)])
def test_wrong_step_breaks_the_conditions(evidence, factor):
    """Atoms 0 and 1 on a line with threshold b = ½: with step sλ the noise p is read as p/s."""
    atoms, heights, t = [(Fraction(0),), (Fraction(1),)], [Fraction(0), Fraction(1, 2)], Fraction(1, 2)
    noises = [Fraction(k, 16) for k in range(-32, 33)]
    lost = 0
    for noise in noises:
        best = int(noise > heights[1])
        z = [noise + atoms[best][0]]
        weights = [Fraction(int(i == best)) for i in range(2)]
        lost += not _solves(atoms, heights, weights, z, factor * (1 - t) / t)
    b = heights[1]
    between = (b < p < factor * b if factor > 1 else factor * b < p <= b for p in noises)
    evidence.on("FiniteAtoms").control(
        f"step {factor}·λ: noises on a grid whose atom no longer satisfies the KKT conditions",
        predicted=sum(between),
        measured=lost,
        agreement=0,
        because="the upper atom is lost iff b < p < sb, the lower iff sb < p ≤ b",
    )
