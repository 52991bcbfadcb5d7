"""P1, the Fenchel–Young gap: zero on ∂φ*(x₀) and nowhere else, and by how much it is positive elsewhere.

Assumed: nothing beyond the contract; finite atoms with fractions for coordinates, so that nothing rounds.
∂φ*(x₀) is the hull of the atoms that are best at x₀. That is T(x₀) alone for almost every noise; at a tie it
is a whole face, which is the control. The converse is quantitative: gap ≥ |u − prox_{λφ}(u + λx₀)|²/λ.
"""

from fractions import Fraction

import pytest
from hypothesis import strategies as st

from theorems.proximal_denoiser.rational_atoms import ONE, ZERO, RationalAtoms, combine, dot
from theorems.proximal_denoiser.rational_draws import atoms_and_points, positive, shares, ties
from theorems.setting.quantifiers import for_all

DOMAIN = "atoms, heights, noise in ⅛ℤ, d ≤ 3, at most 7 atoms; u a mixture of atoms"


def _gap(atoms, u, x0):
    return atoms.value(u) + atoms.conjugate(x0) - dot(u, x0)


@for_all("P1", problem=ties(), data=st.data())
def test_gap_is_zero_on_the_face_of_the_best_atoms_and_nowhere_else(evidence, problem, data):
    """U a mixture of the tied atoms alone, or of any: gap 0 iff u is in the hull of the tied ones."""
    atoms, x0, k = problem
    among = data.draw(st.sampled_from([k, len(atoms.points)]))
    weights = data.draw(shares(among)) + [ZERO] * (len(atoms.points) - among)
    u = atoms.point(weights)
    best = RationalAtoms(atoms.points[:k], (ZERO,) * k)
    on = evidence.on(atoms, x0=x0, u=u)
    on.exact(
        "gap = 0 iff u ∈ ∂φ*(x₀)",
        (_gap(atoms, u, x0) == 0) == (best.value(u) is not None),
        DOMAIN,
        clause="gap",
    )
    on.exact(
        "gap ≥ 0",
        _gap(atoms, u, x0) >= 0,
        DOMAIN,
        clause="gap",
    )


@for_all("P1", problem=atoms_and_points(most=6), data=st.data(), step=positive)
def test_gap_grows_with_the_distance_from_the_prox(evidence, problem, data, step):
    """With p the prox and y = x₀ + (u−p)/λ ∈ ∂φ(p): the gap is ⟨y − x₀, u − p⟩ = |u−p|²/λ at least."""
    atoms, (x0,) = problem
    u = atoms.point(data.draw(shares(len(atoms.points))))
    found = atoms.point(atoms.prox_weights(combine((ONE, u), (step, x0)), step))
    away = combine((ONE, u), (-ONE, found))
    evidence.on(atoms, x0=x0, u=u, step=step).exact(
        "gap ≥ |u − prox_{λφ}(u + λx₀)|²/λ",
        _gap(atoms, u, x0) >= dot(away, away) / step,
        DOMAIN + "; λ a quotient of 1…12",
        clause="uniqueness",
    )


@pytest.mark.control("P1")
@pytest.mark.parametrize("parts", [4, 16])
def test_gap_is_zero_on_a_whole_segment_at_a_tie(evidence, parts):
    """Not for T(x₀) alone: at noise that ties two atoms all of their segment has gap 0."""
    zero, two = Fraction(0), Fraction(2)
    atoms = RationalAtoms(((zero, ONE), (two, zero), (two, two)), (zero, Fraction(1, 2), Fraction(4)))
    x0 = (Fraction(1, 2), Fraction(1, 2))
    assert atoms.scores(x0)[0] == atoms.scores(x0)[1] > atoms.scores(x0)[2]
    weights = [[ONE - Fraction(k, parts), Fraction(k, parts), ZERO] for k in range(parts + 1)]
    gaps = [_gap(atoms, atoms.point(w), x0) for w in weights]
    evidence.on(atoms, x0=x0).control(
        "noise at a tie of two atoms: points of their segment with gap 0",
        predicted=parts + 1,
        measured=sum(gap == 0 for gap in gaps),
        agreement=0,
        because="∂φ*(x₀) is the segment: in rationals",
        intact=1,
    )
