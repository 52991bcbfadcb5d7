"""N7: the potential is the convex envelope of its restriction to the support.

Assumed: noise with a density that is positive almost everywhere; P₀ = N(0, I). For finite atoms the support
is the set of visible atoms, and the envelope over them is φ, in rationals, primally and dually. On an ellipse
φ* is held to the maxima over finitely many points.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.geometry import norms
from numerics.potentials import Curve, FiniteAtoms, NearestPoint
from theorems.proximal_denoiser.rational_atoms import RationalAtoms, dot, solve_linear
from theorems.proximal_denoiser.rational_draws import atoms_and_points, shares
from theorems.proximal_denoiser.shape_figures import draw_envelope
from theorems.setting.quantifiers import for_all

DOMAIN = "atoms, heights, points in ⅛ℤ, d ≤ 2, at most 6 atoms"


def _hidden(atoms):
    """Atoms on or above the envelope of the others: their cells have no interior, so no mass."""
    found = set()
    for i, (point, height) in enumerate(zip(atoms.points, atoms.heights, strict=True)):
        others = atoms.without(found | {i})
        value = others.value(point) if others.points else None
        if value is not None and value <= height:
            found.add(i)
    return found


@for_all("N7", problem=atoms_and_points(count=2, most_dimensions=2, most=6), data=st.data())
def test_potential_is_the_envelope_of_its_restriction_exactly(evidence, problem, data):
    """φ on all atoms, and the envelope of its heights on the visible ones alone, at a point of the hull."""
    atoms, noise = problem
    visible = atoms.without(_hidden(atoms))
    u = atoms.point(data.draw(shares(len(atoms.points))))
    on = evidence.on(atoms, u=u, noise=noise)
    on.exact(
        "φ(u) = the envelope over visible atoms",
        atoms.value(u) == visible.value(u),
        DOMAIN,
        clause="envelope",
    )
    on.exact(
        "φ* = the maximum over visible atoms",
        [atoms.conjugate(x) == visible.conjugate(x) for x in noise],
        DOMAIN,
        clause="envelope",
    )
    slopes = _slopes(visible)
    dual = max((dot(x, u) - visible.conjugate(x) for x in slopes), default=None)
    on.exact(
        "φ(u) = the maximum of ⟨x, u⟩ − φ*(x) over the vertices of cells",
        dual is None or dual == visible.value(u),
        DOMAIN + "; where the visible atoms span the space",
        clause="envelope",
    )


def _slopes(atoms):
    """Noise at which d + 1 affinely independent atoms tie: all vertices of cells are among them."""
    found, d = [], len(atoms.points[0])
    for members in itertools.combinations(range(len(atoms.points)), d + 1):
        first = members[0]
        rows = [
            [a - b for a, b in zip(atoms.points[i], atoms.points[first], strict=True)] for i in members[1:]
        ]
        x = solve_linear(rows, [atoms.heights[i] - atoms.heights[first] for i in members[1:]])
        if x is not None:
            found.append(x)
    return found


@pytest.mark.claim("N7")
@pytest.mark.parametrize("count", [40, 160, 640])
def test_envelope_of_points_of_a_curve_tends_to_the_potential(evidence, rng, count):
    """N points of the ellipse with their heights (a/2)|y|²: φ* is missed by (h²/8)(2|x| + 3a) at most."""
    a, step = 0.75, 2 * np.pi / count
    target = NearestPoint(Curve.ellipse(2.0, 1.0), a)
    angle = step * np.arange(count)
    points = np.stack([2 * np.cos(angle), np.sin(angle)], axis=1)
    inscribed = FiniteAtoms(points, a / 2 * (points**2).sum(axis=1))
    found = inscribed.proximal_point(1.5 * rng.standard_normal((40, 2)), 0.5)
    u, slope = found.point, target.proximal_point(found.point, 1e-6).dual
    above = inscribed.value(u) - target.value(u)
    stated = target.roundings.value(u) + inscribed.roundings.value(u)
    stated = stated + target.roundings.domain(u).amplified(
        2 * norms(slope), "u stands for a point of the hull"
    )
    on = evidence.on(target, count=count)
    on.bounded(
        "how far the envelope of N points lies below φ",
        np.maximum(-above, 0.0),
        stated,
        because="fewer points have the larger envelope",
        clause="envelope",
    )
    conjugate = target.conjugate(slope) - inscribed.conjugate(slope)
    on.bounded(
        "how far φ* lies above the maximum over N points",
        np.maximum(conjugate, 0.0),
        target.roundings.conjugate(slope) + inscribed.roundings.conjugate(slope),
        because="⟨x, γ(θ)⟩ − (a/2)|γ(θ)|² has second derivative at most 2|x| + 3a, and a node within h/2",
        main=step**2 / 8 * (2 * norms(slope) + 3 * a),
        clause="envelope",
    )


@pytest.mark.claim("N7")
def test_envelope_is_drawn(evidence):
    """The figure: φ of six atoms as the envelope of its restriction, and of a curve by inscribed polygons."""
    atoms = RationalAtoms(
        tuple((Fraction(k),) for k in range(6)), tuple(Fraction(h) for h in (1, 0, 2, 1, 0, 3))
    )
    visible = atoms.without(_hidden(atoms))
    evidence.on(atoms).exact(
        "atoms 0…5 of heights 1, 0, 2, 1, 0, 3: those at 2 and 3 are hidden",
        [p[0] for p in visible.points] == [0, 1, 4, 5],
        "one example",
        clause="envelope",
    )
    evidence.figure(
        "φ is the envelope of its restriction to the support",
        "Left: heights over six atoms on a line, two of them hidden above the envelope of the others. Right:"
        " on the long axis of an ellipse, envelopes of inscribed polygons come down to φ.",
        lambda figure: draw_envelope(figure, atoms, visible),
    )
