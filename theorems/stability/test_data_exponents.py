r"""N5: the exponent ½ is the best, with its constants.

Two antipodal atoms turned by θ: labels differ on the share θ/π of directions, so ‖T_θ − T_0‖² =
(θ/π)4cos²(θ/2) + (1 − θ/π)4sin²(θ/2), and with δ = 2 sin(θ/2) its share of δ is 4/π but for θ. The comb:
strips of width 2cℓ|x₂| at every ℓ, so ‖T_Q − T_P‖²/δ → 2√(2/π) and ‖prox_Q − prox_P‖²/δ → λ²c²·16√(2/π)/3
while λh ≤ ℓ there: the exponent of the prox over a class of pairs.

Control: exponent 1 for T.
"""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import norm as normal

from numerics.accuracy import EPS, Rounding
from numerics.geometry import norms
from numerics.transport.neighbours import Comb, polygon_in_circle, turned
from theorems.stability.comb import errors, predicted, strips
from theorems.stability.figures import draw_rates

ANGLES = np.array([0.4, 0.1, 0.025, 0.00625])
SPACINGS = np.array([0.4, 0.2, 0.1, 0.05])
CONSTANT = 2 * np.sqrt(2 / np.pi)
DIRECTIONS = 2**18
SHALLOW = 1e-6
"""Chosen: places in the strips of the comb that are shallower are left out, and counted."""
ENDS = 1e-9
"""Chosen: what the rounding of the ends of cells may move a slope by."""


def _transports(angle):
    """‖T_θ − T_0‖ in closed form."""
    share = angle / np.pi
    return np.sqrt(share * 4 * np.cos(angle / 2) ** 2 + (1 - share) * 4 * np.sin(angle / 2) ** 2)


@pytest.mark.claim("N5")
@pytest.mark.parametrize("angle", ANGLES)
def test_turned_atoms_in_closed_form(evidence, angle):
    """T at directions in equal steps: piecewise constant with four jumps of at most 2, and 4 squared."""
    pair = turned(angle)
    at = 2 * np.pi * (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS
    x0 = np.column_stack([np.cos(at), np.sin(at)])
    squares = norms(pair.second.transport(x0) - pair.first.transport(x0)) ** 2
    found = math.fsum(squares) / DIRECTIONS
    on = evidence.on(pair.first, angle=angle)
    on.certified(
        "| ‖T_θ − T_0‖² − closed form |, by directions in equal steps",
        abs(found - _transports(angle) ** 2),
        4 * 4 / DIRECTIONS + 12 * EPS * 4,
        because="each of four jumps misses at most one step, by at most 4; a dozen roundings of at most 4:"
        " atoms, lengths and their squares, a sum that is rounded once, and the closed form",
        clause="exponent",
        points=DIRECTIONS,
    )
    on.certified(
        "| ‖T_θ − T_0‖²/δ − 4/π |, by directions in equal steps",
        abs(found / pair.distance - 4 / np.pi),
        angle + (4 * 4 / DIRECTIONS + 12 * EPS * 4) / pair.distance + 4 * EPS,
        because="(θ/2)cos²(θ/2)/sin(θ/2) lies in [cos²(θ/2), 1], and the other term in [0, θ]; four jumps"
        " miss at most one step each; the roundings of the mean, a quotient and a difference",
        clause="exponent",
    )


def _turned_prox(angle, step, count):
    """‖prox_θ − prox_0‖ by quadrature over x = ⟨x₀, e₀⟩, given which the label is + with P = Φ(x cot θ)."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    c, s = np.cos(angle), np.sin(angle)
    breaks = sorted(
        {
            -9.0,
            9.0,
            0.0,
            *(
                float(np.clip(v, -9, 9))
                for a in (1, -1)
                for b in (1, -1)
                for v in [(a - b * c) / step, a * 6 * np.tan(angle), b * angle]
            ),
        }
    )
    total = 0.0
    for low, high in pairwise(breaks):
        x = (low + high) / 2 + (high - low) / 2 * nodes
        plus = normal.cdf(x * c / s)
        for sign, share in ((1, plus), (-1, 1 - plus)):
            off = sign * c - np.clip(sign * c + step * x, -1, 1)
            total += (high - low) / 2 * weights @ (normal.pdf(x) * share * (s**2 + off**2))
    return np.sqrt(total)


@pytest.mark.claim("N5")
@pytest.mark.parametrize("step", [1.0, 100.0])
def test_turned_atoms_and_their_prox(evidence, rng, step):
    """At fixed λ the prox errs by far less than T: pointwise by the library, in the mean by quadrature."""
    angle = 0.025
    pair = turned(angle)
    x0 = rng.standard_normal((400, 2))
    u = pair.second.transport(x0)
    z = u + step * x0
    off = u - pair.first.prox(z, step)
    expected = np.column_stack([u[:, 0] - np.clip(z[:, 0], -1, 1), u[:, 1]])
    on = evidence.on(pair.first, angle=angle, step=step)
    on.bounded(
        "|F − its closed form|",
        norms(off - expected),
        pair.first.roundings.prox(z, step) + Rounding(norms(z) + 2, 4, "differences"),
        because="the prox of ±e₀ is the projection on the segment between",
        clause="exponent",
    )
    found, again = _turned_prox(angle, step, 60), _turned_prox(angle, step, 40)
    # up to 14 panels of 60 nodes, both signs; shares to 8 roundings of terms of 5 at most; then the root
    own = Rounding((found**2 + 5) / (2 * found), 28 * 60 + 60, "densities, shares, products and a sum")
    bounds = _transports(angle), pair.distance + np.sqrt(2 * step * np.sqrt(2) * pair.distance)
    on.estimated(
        "‖prox_θ − prox_0‖",
        found,
        min(bounds) + 2 * abs(found - again) + own.bound,
        by="quadratures of two orders",
        because="min(‖T_θ − T_0‖, δ + √(2λ√d δ))",
        clause="mean",
    )
    on.table(
        f"atoms ±e₀ turned by 0.025, λ = {step:g}",
        ["‖prox_θ − prox_0‖", "‖T_θ − T_0‖", "δ + √(2λ√d δ)"],
        [[found, *bounds]],
    )


@pytest.mark.claim("N5")
@pytest.mark.parametrize("step", [1.0, 4.0])
@pytest.mark.parametrize("spacing", [0.4, 0.1])
def test_comb_pointwise(evidence, rng, spacing, step):
    """Library transports and prox at points of the strips, against the closed form of |F|."""
    comb = Comb.of(spacing)
    nodes = strips(comb, step, 8)
    strip = nodes.weight > 0  # a rule of no width, past the break where λh = ℓ, has no points
    inside = np.flatnonzero(strip & (nodes.depth > SHALLOW) & (np.abs(nodes.x[:, 0]) < 5))
    fewer = {
        "left_out": int(strip.sum()) - len(inside),
        "chosen": f"noise with |⟨x₀, e₀⟩| < 5 and deeper in a strip than {SHALLOW:g}",
    }
    pick = rng.choice(inside, 150, replace=False)
    x0, depth = nodes.x[pick], nodes.depth[pick]
    u, image = comb.second.transport(x0), comb.first.transport(x0)
    z = u + step * x0
    found = norms(u - comb.first.prox(z, step))
    size = np.abs(comb.first.heights).max() / spacing + norms(z)
    rounding = comb.first.roundings.prox(z, step) + Rounding(
        (1 + step) * size, 2 * len(comb.ends) + 16, "cells' ends from summed heights"
    )
    on = evidence.on("Comb", spacing=spacing, step=step)
    on.bounded(
        "| |prox_Q − prox_P| − √(min(λh, ℓ)² + δ²) |",
        np.abs(found - predicted(comb, step, depth)),
        rounding,
        because="φ of the shadows is linear from atom to atom, of slope where their cells meet",
        clause="exponent",
        **fewer,
    )
    on.bounded(
        "| |T_Q − T_P| − √(ℓ² + δ²) | in the strips",
        np.abs(norms(u - image) - np.hypot(spacing, comb.distance)),
        Rounding(norms(u) + norms(image), 6, "a length"),
        because="labels are one off between the ends of two cells",
        clause="exponent",
        **fewer,
    )


def _constant_and_exponent(on, name, values, delta, wanted, quadrature):
    """‖·_Q − ·_P‖² less δ², over δ, against its limit, and its root against δ on log–log axes."""
    share = values**2 / delta - delta  # the squares are (constant + O(ℓ²))δ + δ²
    change = np.abs(np.diff(share))
    on.estimated(
        f"| ‖{name}_Q − {name}_P‖²/δ − δ − its limit |, ℓ = 0.05",
        abs(share[-1] - wanted),
        2 * change[-1] + 4 * quadrature[-1] * values[-1] / delta[-1],
        by="the change from ℓ = 0.1, of order ℓ², far above rounding; quadratures of two orders",
        because="2√(2/π), and λ²c²·16√(2/π)/3: strips of width 2cℓ|x₂| at every ℓ",
        clause="exponent",
    )
    slopes = np.diff(np.log(np.sqrt(share))) / np.diff(np.log(delta)) + 0.5
    reach = 2 * abs(slopes[-2] - 0.5) + ENDS
    on.trend(
        f"log √(‖{name}_Q − {name}_P‖² − δ²) against log δ, ℓ = 0.1 and 0.05",
        slopes[-1],
        (slopes[-1] - reach, slopes[-1] + reach),
        theory=0.5,
        rule="interval contains theory",
        alternative=1.0,
        points=2,
        chosen=f"twice what the slope before is off by, and {ENDS:g} for the rounding of the cells' ends",
        clause="exponent",
    )


@pytest.mark.claim("N5")
def test_comb_reaches_its_constants(evidence):
    rows, measured = [], []
    for spacing in SPACINGS:
        comb = Comb.of(spacing)
        values = [errors(comb, step, 16) for step in (1.0, 4.0)]
        rough = [errors(comb, step, 12) for step in (1.0, 4.0)]
        transports, proximal, saturated = values[0][0], values[0][1], values[1][1]
        root = np.sqrt(comb.distance)
        rows.append([spacing, comb.distance, transports / root, proximal / root, saturated / root])
        measured.append((comb.distance, transports, proximal, saturated, abs(values[0][1] - rough[0][1])))
    delta, transports, proximal, _, quadrature = np.array(measured).T
    wanted = {"T": CONSTANT, "prox": (1 / 32) ** 2 * 16 * np.sqrt(2 / np.pi) / 3}
    on = evidence.on("Comb", bend=1 / 32)
    for name, values in (("T", transports), ("prox", proximal)):
        _constant_and_exponent(on, name, values, delta, wanted[name], quadrature)
    on.table(
        "the comb, c = 1/32: errors over √δ",
        ["ℓ", "δ", "T", "prox, λ = 1", "prox, λ = 4"],
        [
            *rows,
            ["limit", 0, np.sqrt(wanted["T"]), np.sqrt(wanted["prox"]), "saturates"],
        ],
    )
    distances = np.array([turned(a).distance for a in ANGLES])
    lines = {
        "comb: T": (delta, transports),
        "comb: prox, λ = 1": (delta, proximal),
        "two atoms turned: T": (distances, np.array([_transports(a) for a in ANGLES])),
        "two atoms turned: prox": (distances, np.array([_turned_prox(a, 1.0, 60) for a in ANGLES])),
    }
    on.figure(
        "How far transports and proximal maps differ, against the distance of the data",
        "On log–log axes T falls like the root of δ for both families, and so does the prox of the comb; "
        "the prox of two turned atoms falls like δ",
        lambda figure: draw_rates(figure, lines, ("δ = $W_2(P, Q)$", "root mean square"), (0.5, 1.0)),
    )


@pytest.mark.claim("N5")
@pytest.mark.parametrize("corners", [8, 32])
def test_polygon_against_the_circle(evidence, corners):
    """One arc by quadrature: a corner's noise r(cos a, sin a), |a| ≤ π/n, step 1."""
    pair, step, found, own = polygon_in_circle(corners), 1.0, [], 0.0
    for count in (30, 24):
        nodes, weights = np.polynomial.legendre.leggauss(count)
        angle, radius = np.pi / corners * nodes, 6 * (nodes + 1)
        a, r = (grid.ravel() for grid in np.meshgrid(angle, radius))
        w = np.outer(6 * weights * radius * np.exp(-(radius**2) / 2), weights / 2).ravel()
        x0 = np.column_stack([r * np.cos(a), r * np.sin(a)])
        u = pair.second.transport(x0)
        z = u + step * x0
        found.append(np.sqrt(w @ norms(u - pair.first.prox(z, step)) ** 2))
        # the root of a mean of squares moves by no more than what is squared; then products and their sum
        formed = pair.second.roundings.transport(x0) + Rounding(norms(u) + 2 * step * norms(x0), 4, "z and u")
        missed = (pair.first.roundings.prox(z, step) + formed.amplified(2.0)).bound.max()
        own = max(own, missed + float(Rounding(found[-1], len(w) + 50, "a mean of squares").bound))
    bound = pair.distance + np.sqrt(2 * step * np.sqrt(2) * pair.distance)
    evidence.on(pair.second, other=pair.first).estimated(
        "‖prox_Q − prox_P‖, polygon against circle",
        found[0],
        min(bound, _polygon_transports(corners)) + 2 * abs(found[0] - found[1]) + own,
        by="quadratures of two orders",
        because="min(‖T_Q − T_P‖, δ + √(2λ√d δ)), and here T is the nearest-point map: ‖T_Q − T_P‖ = δ",
        clause="mean",
    )


@pytest.mark.claim("N5")
def test_distance_of_polygons_by_hand(evidence):
    """1 − sin(h)/h = Σ (−1)^{k+1} h^{2k}/(2k+1)!, in rationals of the double h: many corners and few."""
    for corners in (2, 3, 8, 62, 63, 64, 200, 4096):
        half = Fraction(np.pi / corners)
        lack = sum((-1) ** (k + 1) * half ** (2 * k) / math.factorial(2 * k + 1) for k in range(1, 20))
        pair = polygon_in_circle(corners)
        evidence.on(pair.second, other=pair.first).bounded(
            "|δ² − 2(1 − sin(h)/h)| over δ², polygon against circle, h = π/n",
            abs(float(Fraction(pair.distance) ** 2 / (2 * lack) - 1)),
            Rounding(1 + min(7 / float(half) ** 2, 2800.0), 8, "1 − sin(h)/h ≥ h²/7, or its series; a root"),
            because="each corner takes its arc of the circle; h⁶/60480 is left of three terms of the series",
            main=float(half) ** 6 / 60480,
            clause="mean",
        )


def _polygon_transports(corners):
    return polygon_in_circle(corners).distance


# --- control --------------------------------------------------------------------------------------------


@pytest.mark.control("N5")
@pytest.mark.parametrize("angle", ANGLES)
def test_exponent_one_is_broken_by_turned_atoms(evidence, angle):
    """‖T_Q − T_P‖ ≤ δ, as on the line: the ratio grows like (2/√π)δ^{−½}."""
    pair = turned(angle)
    at = 2 * np.pi * (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS
    x0 = np.column_stack([np.cos(at), np.sin(at)])
    found = np.sqrt((norms(pair.second.transport(x0) - pair.first.transport(x0)) ** 2).mean())
    closed = 2 / np.sqrt(np.pi * pair.distance)
    evidence.on(pair.first, angle=angle).control(
        "exponent 1 in the plane: ‖T_θ − T_0‖ over δ",
        predicted=closed,
        measured=found / pair.distance,
        agreement=(angle + 16 / DIRECTIONS / pair.distance) / (pair.distance * closed),
        because="the square over δ² is (4/π + at most θ)/δ, and four jumps miss at most one direction each",
        intact=1.0,
    )
