r"""H9, the cells of the twin's arc and their mass: proved for symbols, in balls, and by quadrature.

The noise of g(s), s > 0, is {(3s² − ds, 1 + d)} between its tie with the atom (1, 0) and that with the left
arc; see test_twin.py for what follows from it.
"""

import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx
from scipy.special import ndtr

from numerics.accuracy import EPS, Rounding
from numerics.intervals.balls import above
from numerics.potentials import Twin
from numerics.potentials.twin_faces import SLOPE, jumps
from theorems.normal_hyperbolicity.roots import positive_root

P = Twin()
K = SLOPE - 3
s, r, d = sp.symbols("s r d", positive=True)
FIRST, SECOND = 3 * s**2 - d * s, d  # v₁ and v₂ − 1 of the cell of g(s), s > 0
LEAST = (3 * s - 2 * s**2) / (1 - s / 2)


def _score(x, cubic):
    """⟨v, g(x)⟩ − f(x) with f = x²/2 + cubic·|x|³."""
    return FIRST * x + SECOND * x**2 / 2 - cubic * sp.Abs(x) ** 3


@pytest.mark.claim("H9")
def test_cells_of_the_arc_symbolically(evidence):
    """By how much g(s), s > 0, wins at v = (3s² − ds, 1 + d): the cell is what the three signs say."""
    on = evidence.on(P)
    mine = _score(s, 1)
    same = sp.expand(mine - _score(r, 1) - (r - s) ** 2 * (2 * s + r - d / 2))
    on.exact(
        "over g(r): (r−s)²(2s + r − d/2) ≥ 0 iff d ≤ 4s, all r > 0",
        same == 0,
        "all s, r > 0, d",
        clause="cells",
    )
    atom = sp.simplify(mine - FIRST - (1 - s / 2) * s * (d - LEAST))
    on.exact("over (1, 0): s(1−s/2)(d − (3s−2s²)/(1−s/2))", atom == 0, "all s > 0, d", clause="cells")
    other = sp.expand(mine - _score(-r, 8) - (8 * r**3 + 3 * s**2 * r + 2 * s**3 - d * (r + s) ** 2 / 2))
    on.exact("over g(−r): 8r³ + 3s²r + 2s³ − d(r+s)²/2", other == 0, "all s, r > 0, d", clause="cells")
    rho, k = sp.symbols("rho k")
    cubic_of_rho = 8 * rho**3 + 24 * rho**2 - 3 * rho - 1
    most = 2 * (8 * rho**3 + 3 * rho + 2) / (1 + rho) ** 2
    slope = sp.simplify(sp.diff(most, rho) - 2 * cubic_of_rho / (1 + rho) ** 3)
    roots = sp.Poly(cubic_of_rho, rho).count_roots(0, None)
    on.exact(
        "the largest d/s is that at the one root ρ > 0 of 8ρ³ + 24ρ² − 3ρ − 1",
        [slope == 0, roots == 1, cubic_of_rho.subs(rho, 0) < 0, sp.simplify(most.subs(rho, 0) - 4) == 0],
        "r = ρs, all ρ ≥ 0, as .2615 s < .45; at ρ = 0 it is the 4 of the same side",
        clause="cells",
    )
    room = sp.expand(sp.together((3 + k) * s * (1 - s / 2) - s * (3 - 2 * s)))
    on.exact(
        "the cell has an interior: (3+k)s − (3s−2s²)/(1−s/2) = s(k + (1−k)s/2)/(1−s/2) > 0 for 0 < k < 1",
        sp.expand(room - s * (k + (1 - k) * s / 2)) == 0,
        "all 0 < s < 2: so g(s) has mass around it, and the support is M near x₁",
        clause="support",
    )


@pytest.mark.claim("H9")
def test_the_constant_of_the_cells_in_balls(evidence):
    """k* = 12/(3+ρ*) − 3 by a proved root; the library's, and the value published with the construction."""
    with ctx.workprec(256):
        root = positive_root([-1, -3, 24, 8])
        direct = 2 * (8 * root**3 + 3 * root + 2) / (1 + root) ** 2 - 3
        for name, number, bound in (
            ("the library's k*", K, 8 * EPS),
            (".6792614", 0.6792614, 0.5e-7),
            ("12/(3+ρ) − 3", None, 2.0**-150),
        ):
            other = 12 / (3 + root) - 3 if number is None else arb(number)
            evidence.on(P).certified(
                f"|k* − {name}|",
                above(abs(direct - other)),
                bound,
                because="the root is isolated in balls",
                clause="cells",
            )
        evidence.on(P).certified(
            "|ρ* − .2615242|", above(abs(root - arb(0.2615242))), 0.5e-7, because="the same", clause="cells"
        )


def _mass_by_cells(top, nodes):
    """P₁{g(r) : 0 < r < top}: the density of (3r²−dr, 1+d), times |∂v/∂(r,d)| = 6r − d, over the cells."""
    x, weight = np.polynomial.legendre.leggauss(nodes)
    x, weight = (x + 1) / 2, weight / 2
    radius = top * x[:, None]
    low = radius * (3 - 2 * radius) / (1 - radius / 2)
    width = SLOPE * radius - low
    height = low + width * x
    density = np.exp(-((3 * radius**2 - height * radius) ** 2 + (1 + height) ** 2) / 2) / (2 * np.pi)
    return float((top * weight[:, None] * weight * width * (6 * radius - height) * density).sum())


def _mass_by_jumps(top, nodes):
    """The same by strips of v₂: between the library's jumps, and where T passes g(top)."""
    x, weight = np.polynomial.legendre.leggauss(nodes)
    turn, total = top * (3 - 2 * top) / (1 - top / 2), 0.0
    for low, high in ((0.0, turn), (turn, SLOPE * top)):
        delta = low + (high - low) * (x + 1) / 2
        at = jumps(delta)
        end = np.where(delta <= turn, at.second, (3 * top - delta) * top)
        strip = np.exp(-((1 + delta) ** 2) / 2) / np.sqrt(2 * np.pi) * (ndtr(end) - ndtr(at.first))
        total += float((high - low) / 2 * (weight * strip).sum())
    return total


@pytest.mark.claim("H9")
def test_mass_of_the_right_arc(evidence):
    """P₁{g(r) : 0 < r < s} ~ c·s³, c = (3k − k²/2)/3·e^{−1/2}/2π = .0581474: both sides of x₁ have mass."""
    c = (3 * K - K**2 / 2) / 3 * np.exp(-0.5) / (2 * np.pi)
    published = {0.1: 0.806307, 0.05: 0.904126, 0.025: 0.952553, 0.0125: 0.976431}
    places = np.array(list(published))
    cells, coarse, strips = (
        np.array([route(x, n) for x in places])
        for route, n in ((_mass_by_cells, 24), (_mass_by_cells, 12), (_mass_by_jumps, 24))
    )
    on = evidence.on(P, s=places)
    leading = c * places**3
    by, asked = "Gauss rules with 12 and 24 nodes", {"clause": "support"}
    on.estimated(
        "|mass of the cells − mass between the jumps of T|/(cs³)",
        np.abs(cells - strips) / leading,
        2 * np.abs(cells - coarse) / leading + 16 * EPS * SLOPE * places / leading,
        by,
        because="two parametrisations of one set; each Φ, near ½, errs by 8 roundings over a width ks",
        **asked,
    )
    on.estimated(
        "|P₁{g(r) : 0 < r < s}/(cs³) − the published ratio|",
        np.abs(cells / leading - list(published.values())),
        0.5e-6 + 2 * np.abs(cells - coarse) / leading,
        by,
        because="published to six decimals",
        **asked,
    )
    on.bounded(
        "|c − .0581474|",
        abs(c - 0.0581474),
        Rounding(c * (3 * K + K**2 / 2) / (3 * K - K**2 / 2), 24, "k* to 4, its square, a difference, e^−½"),
        because="a closed form in k*, published to seven decimals",
        main=0.5e-7,
        **asked,
    )
