"""P8 on curves: uniform laws on the circle and on two moons, by n atoms with exact weights.

Assumed: n pieces of the curve become atoms whose weights are their lengths. The heights along an arc, through
a spline f, are φ on the curve; f' is the tangential part of all noise that is sent there, and the covariant
Hessian is H = f'' − ⟨x₀, γ''⟩. On the circle φ is constant and H = |x₀|/R: true errors stand beside the
estimates. On the moons no closed form is known: 2n atoms judge what n atoms state, and the cells' mean noise,
from closed moments of the heights alone, judges the spline's slope. Control: the curve's bending forgotten.
"""

from functools import cache

import numpy as np
import pytest

from numerics.accuracy import Rounding
from numerics.potentials import Sphere
from numerics.transport.cells import laguerre
from numerics.transport.lifts import Arc, lift, two_moons
from theorems.proximal_denoiser.lift_figures import draw_moons
from theorems.setting.vectors import dot, norm

CIRCLE = Arc((0.0, 0.0), 2.0)
MOONS = two_moons()
SIZES = (128, 192, 288, 432, 648)
FINE = 288
"""From so many atoms on n⁻² is taken to lead."""
ESTIMATE = "lifts from n and n/2 atoms"
BECAUSE = (
    "|f_n − f_{n/2}| is three times the error of f_n where that falls like n⁻²; trend and ratio check that"
)
INSIDE = np.linspace(0.5, np.pi - 0.5, 60)
"""Places on a moon away from its ends, where φ' is singular like √log."""


@cache
def circle(n):
    """Pieces of unequal lengths, as equal ones are exact by symmetry and show nothing."""
    return lift((CIRCLE,), n, grading=0.5)


@cache
def moons(n):
    return lift(MOONS, n)


ROOM = 0.1
FALLS = "order near 2, where a lift that doesn't converge would show 0; threshold −1"
DERIVATIVES = ("φ", "φ'", "second derivative")


def _trend(on, quantity, errors, theory=-2.0, rule="interval contains theory", **options):
    """The slope of log errors against log n; as interval the range of the slopes from one n to the next.

    The errors are not random, so no confidence interval would mean anything: this is what was seen.
    """
    local = np.diff(np.log(errors)) / np.diff(np.log(SIZES))
    slope = np.log(errors[-1] / errors[0]) / np.log(SIZES[-1] / SIZES[0])
    on.trend(
        quantity,
        float(slope),
        (float(local.min()) - ROOM, float(local.max()) + ROOM),
        theory,
        rule,
        points=len(SIZES) * len(INSIDE),
        chosen=f"{ROOM} beyond the range of the slopes from one n to the next",
        **options,
    )


def _circle_errors(n, s):
    """True and estimated errors of φ = 0, φ' = 0 and, with the noise |x₀| = 1, H = |x₀|/R."""
    lifted = circle(n)
    noise = CIRCLE.point(s) / CIRCLE.radius
    true = (
        np.abs(lifted.value(0, s)),
        np.abs(lifted.slope(0, s)),
        np.abs(lifted.hessian(0, s, noise) - 1 / CIRCLE.radius),
    )
    return true, [lifted.error(0, s, order) for order in range(3)]


@pytest.mark.claim("P8")
def test_lift_of_the_circle_is_the_known_potential(evidence):
    """Bounds are the largest estimate on the circle, as an error may vanish where its estimate does not."""
    s = np.linspace(0, CIRCLE.length, 300, endpoint=False)
    names = ("φ, constant", "φ', zero", "H, |x₀|/R")
    largest = [[], [], []]
    for n in SIZES:
        for name, true, estimated, kept in zip(names, *_circle_errors(n, s), largest, strict=True):
            evidence.on("circle of radius 2", n=n).estimated(
                f"error of the lift on the circle: {name}",
                true,
                bound=estimated.max(),
                by=ESTIMATE,
                because=BECAUSE,
                clause="curves",
            )
            kept.append((true.max(), estimated.max()))
    on = evidence.on("circle of radius 2")
    for name, kept in zip(names, largest, strict=True):
        for n, (error, estimate) in zip(SIZES, kept, strict=True):
            if n >= FINE:
                evidence.on("circle of radius 2", n=n).estimated(
                    f"largest estimate against four times the largest error: {name}",
                    estimate,
                    bound=4 * error,
                    by="its leading term",
                    because="an error c·n⁻² + O(n⁻³) is estimated by (4 − 1)c·n⁻²",
                    chosen="a third more for the rest",
                    clause="curves",
                )
        for column, what in enumerate(("error", "estimate")):
            _trend(
                on,
                f"log of the {what} against log n: {name}",
                [pair[column] for pair in kept],
                alternative=-1.0,
            )
    evidence.table(
        "The circle by n atoms: largest error of φ, φ' and H beside its estimate",
        ("n", *(f"{name}: {what}" for name in names for what in ("error", "estimate"))),
        [(n, *(x for kept in largest for x in kept[k])) for k, n in enumerate(SIZES)],
    )


@pytest.mark.claim("P8")
def test_lift_of_the_circle_has_the_stretch_of_the_sphere(evidence, rng):
    """κ = 1/H is R/|x₀|, the trace of the closed form's K, whose rank is 1."""
    lifted, exact = circle(SIZES[-1]), Sphere(2, CIRCLE.radius)
    x0 = rng.standard_normal((200, 2))
    s = CIRCLE.radius * (np.arctan2(x0[:, 1], x0[:, 0]) % (2 * np.pi))
    kappa = np.trace(exact.transport_jacobian(x0), axis1=1, axis2=2)
    hessian = lifted.hessian(0, s, x0)
    of_kappa = exact.roundings.transport_jacobian(x0).amplified(np.sqrt(2)) + Rounding(kappa, 1, "a trace")
    own = of_kappa.amplified(hessian) + Rounding(1.0, 10, "γ'' and ⟨x₀, γ''⟩ of size 1/κ; Hκ − 1")
    evidence.on("circle of radius 2", n=SIZES[-1]).estimated(
        "|H·κ − 1| over noise, κ from the closed form of the circle",
        np.abs(hessian * kappa - 1),
        bound=kappa * lifted.error(0, s, 2).max() + own.bound,
        by=ESTIMATE,
        because=BECAUSE,
        clause="curves",
    )


@pytest.mark.claim("P8")
@pytest.mark.parametrize("order", [0, 1, 2], ids=["value", "slope", "curvature"])
def test_moons_of_twice_the_atoms_agree(evidence, order):
    """What 2n atoms find is within what n atoms state; it is nearly the truth for them."""
    largest = []
    for n in SIZES:
        stated = [moons(n).error(arc, INSIDE, order) for arc in range(2)]
        coarse, fine = ([_derivative(moons(k), arc, order) for arc in range(2)] for k in (n, 2 * n))
        evidence.on("two moons", n=n).estimated(
            f"|f_2n − f_n| on the moons: {DERIVATIVES[order]}",
            np.abs(np.subtract(fine, coarse)),
            bound=np.max(stated),
            by=ESTIMATE,
            because=BECAUSE,
            clause="curves",
        )
        largest.append(np.max(stated))
    _trend(
        evidence.on("two moons"),
        f"log of the stated error of {DERIVATIVES[order]} against log n: {FALLS}",
        largest,
        theory=-1.0,
        rule="interval lies below theory",
    )


def _derivative(lifted, arc, order):
    if order == 2:
        return lifted.hessian(arc, INSIDE, np.zeros((len(INSIDE), 2)))
    return (lifted.value, lifted.slope)[order](arc, INSIDE)


@pytest.mark.claim("P8")
def test_slope_on_the_moons_is_the_noise_that_is_sent_there(evidence):
    """⟨E[x₀ | cell], γ'⟩ by closed moments of the cells, against the slope of the spline through heights."""
    errors, left_out = [], 0
    for n in SIZES:
        lifted = moons(n)
        cells = laguerre(lifted.fine.points, lifted.fine.heights)
        mean = cells.first_moments / cells.masses[:, None]
        ends = np.cumsum([0] + [len(s) for s in lifted.fine_places])
        worst = 0.0
        for arc, s in enumerate(lifted.fine_places):
            inside = (s > INSIDE[0]) & (s < INSIDE[-1])
            left_out += int((~inside).sum())
            tangential = dot(mean[ends[arc] : ends[arc + 1]], MOONS[arc].tangent(s))
            worst = max(worst, np.abs(tangential - lifted.slope(arc, s))[inside].max())
        errors.append(worst)
    _trend(
        evidence.on("two moons"),
        f"log of |⟨mean noise of the cell, γ'⟩ − φ'| against log n: {FALLS}",
        errors,
        theory=-1.0,
        rule="interval lies below theory",
        left_out=left_out,
    )
    lifted = moons(SIZES[-1])
    evidence.figure(
        f"φ and H along two moons, from {SIZES[-1]} atoms with exact weights",
        "Moons coloured by φ; φ and its slope by arc length; H at the mean noise of each place, log scale",
        lambda figure: draw_moons(figure, lifted, mean),
        size=(9.5, 3.2),
    )


@pytest.mark.claim("P8")
def test_moons_are_exchanged_by_a_half_turn(evidence):
    """About (½, ¼) the law is its own half turn; φ goes with it (docs/theory.md §4.1), so is kept."""
    lifted = moons(SIZES[-1])
    slopes = [lifted.slope(arc, INSIDE) for arc in range(2)]
    cells = laguerre(lifted.fine.points, lifted.fine.heights)
    i, j = cells.pairs.T
    s = lifted.fine_places[0]
    wall = (j == i + 1) & (j < len(s))
    seen = wall & (s[np.minimum(i, len(s) - 1)] > INSIDE[0]) & (s[np.minimum(j, len(s) - 1)] < INSIDE[-1])
    evidence.on("two moons").bounded(
        "|φ' on one moon − φ' on the other|",
        np.abs(slopes[0] - slopes[1]),
        Rounding(
            len(cells.points) / cells.flux[seen].min(),
            32,
            "n masses off by 8·eps each push a neighbour's height, over their distance, by their sum over"
            " the Gaussian length of the wall between",
        ),
        because="φ is turned and moved with the law, so the slopes agree",
        clause="curves",
    )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("P8")
@pytest.mark.parametrize("length", [0.5, 2.0])
def test_forgetting_the_bending_loses_all_of_h(evidence, length):
    """Take f'' for H = f'' − ⟨x₀, γ''⟩: on the circle f is constant, so all of H = |x₀|/R is lost."""
    s = np.linspace(0, CIRCLE.length, 100, endpoint=False)
    lifted, noise = circle(SIZES[-1]), length * CIRCLE.point(s) / CIRCLE.radius
    assert np.allclose(norm(noise), length)
    without = lifted.hessian(0, s, 0 * noise)
    evidence.on("circle of radius 2", length=length).control(
        "covariant Hessian without the curve's second fundamental form: what is missing of |x₀|/R",
        predicted=np.full(len(s), length / CIRCLE.radius),
        measured=length / CIRCLE.radius - without,
        agreement=lifted.error(0, s, 2).max(),
        because="φ is constant on the circle; the stated error of the second derivative",
    )
