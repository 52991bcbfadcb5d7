r"""N3 (2), (3): what an error of the field moves, at most, and where the perturbed path ends.

Proof. Over a short time h the path leaves the exact flow by what the error adds, so that u moves by at most
∫_r^{r+h}|e|/β, and y by ∫|e|/α (N3 (1)). Summed: (2), and Y_t = α_t y + β_t u with |y(t,Y_t)| ≤ |y(s,Y_s)|
+ ∫_s^t|e|/α gives (3), as u(t, ·) lies in the domain of ∂φ. If α is nonincreasing, α_t∫_s^t|e|/α → 0 by
dominated convergence. The same holds for errors that are impulses, and these need no integrator: between
them the pair is constant. So it is impulses over the grammar, and solved paths, whose integrator is
estimated, beside them.

Assumed: errors with ∫_s^1|e| < ∞. Controls: a schedule whose α dips, under which Y_1 does not exist; the
bound without 1/β.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.flows.perturbed import kick_bound, kicked, solved_end
from numerics.geometry import norms
from numerics.potentials import (
    FiniteAtoms,
)
from numerics.schedules import Linear, Schedule, Trigonometric
from theorems.setting.draws import generator
from theorems.setting.instances import chosen
from theorems.setting.quantifiers import SCHEDULES, SEEDS, TARGETS, for_all
from theorems.setting.values import Values
from theorems.stability.rational_steps import TwoAtoms

PLACES = Values(st.lists(st.integers(5, 98), min_size=3, max_size=4), [30, 60, 97], ([30, 60, 97],))
"""When impulses come, in hundredths; the path starts at the first."""
POWERS = Values(st.integers(-3, 1), -1, (-3, 0))
SOLVED = chosen("two atoms", "tilted line", "sphere of radius 2", "ellipsoid")
"""Whose prox is quick: an integrator asks for it a thousand times."""
TWO = FiniteAtoms.two([0.0], [2.0], 0.3)
TIE = 2.0 * float(TWO.heights[1] - TWO.heights[0]) / 4.0  # b = Φ⁻¹(w) = (g₁ − g₀)/Δ


@for_all("N3", target=TARGETS, schedule=SCHEDULES, hundredths=PLACES, power=POWERS, seed=SEEDS)
def test_impulses_move_the_pair_by_no_more_than_their_sum(
    evidence, target, schedule, hundredths, power, seed
):
    """From points anywhere, impulses of 10^power times the size of the data."""
    rng, field, n = generator(seed), ExactField(target, schedule), 25
    s, *at = sorted(k / 100 for k in hundredths)
    alpha, beta = (np.atleast_1d(part(np.array(at))) for part in (schedule.alpha, schedule.beta))
    first = float(schedule.alpha(s)), float(schedule.beta(s))
    size = first[0] * np.sqrt(target.dim) + first[1] * target.scale
    x = size * rng.standard_normal((n, target.dim))
    kicks = 10.0**power * target.scale * rng.standard_normal((len(at), n, target.dim))
    path = kicked(field, s, x, at, kicks)
    on = evidence.on(target, schedule=schedule, s=s, times=at, seed=seed)
    sizes = norms(kicks) * (1 + 4 * EPS)
    for name, ends, of_ends, weights in (
        ("|u(Y) − u(s, Y_s)| after impulses", path.data, path.of_data, beta),
        ("|y(Y) − y(s, Y_s)| after impulses", path.noise, path.of_noise, alpha),
    ):
        on.bounded(
            name,
            norms(ends[-1] - ends[0]),
            Rounding.measured(
                of_ends[0] + of_ends[-1] + kick_bound(weights, path.slips),
                "prox at both ends and at impulses",
            )
            + Rounding(norms(ends[-1]) + norms(ends[0]), target.dim + 4, "a length"),
            because="Σ|kick|/β, of y Σ|kick|/α; what rounds at an impulse is a further impulse",
            main=kick_bound(weights, sizes) * (1 + 16 * EPS),
            clause="bound",
        )


@pytest.mark.claim("N3")
@pytest.mark.parametrize("schedule", [Linear(), Trigonometric()], ids=repr)
def test_solved_paths_keep_the_bound(evidence, rng, schedule):
    """Error c·(cos(3t), cos(3t+1), …)/√d, turned by chance: DOP853, at two tolerances."""
    s, nodes = 0.2, np.polynomial.legendre.leggauss(40)
    t = s + (1 - s) * (nodes[0] + 1) / 2
    total = (1 - s) / 2 * nodes[1] @ (1 / np.atleast_1d(schedule.beta(t)))
    for target in SOLVED:
        field, strength = ExactField(target, schedule), 0.3 * target.scale
        x = field.flow(s, rng.standard_normal((3, target.dim)))
        frame = np.linalg.qr(rng.standard_normal((target.dim, target.dim)))[0]

        def error(at, points, frame=frame, strength=strength):
            wave = np.cos(3 * at + np.arange(len(frame))) / np.sqrt(len(frame))
            return np.broadcast_to(strength * frame @ wave, points.shape)

        start = field.denoise(s, x)
        fine, coarse = (solved_end(field, s, x, error, remaining=1e-5, tolerance=tol) for tol in (1e-7, 1e-5))
        evidence.on(target, schedule=schedule, s=s).estimated(
            "|lim u(t, Y_t) − u(s, Y_s)| of a solved path",
            norms(fine - start),
            strength * total + 2 * norms(fine - coarse) + 1.01e-5 * strength,
            by="two tolerances of the integrator; what is left at 1 − t = 1e−5",
            because="|e| ≤ c, so ∫|e|/β ≤ c∫1/β",
            clause="bound",
        )


@pytest.mark.claim("N3")
@pytest.mark.parametrize("target", [TWO, SOLVED[3]], ids=["two atoms", "ellipsoid"])
def test_the_path_comes_home(evidence, rng, target):
    """(3): |Y_t − u(t,Y_t)| ≤ α_t(|y_s| + ∫_s^t|e|/α) + (1 − β_t)|u| falls to 0 under a constant error."""
    s, field = 0.2, ExactField(target)
    x = field.flow(s, rng.standard_normal((20, target.dim)))
    push = rng.standard_normal((1, target.dim))
    y, left = field.noise(s, x), np.array([1e-1, 1e-2, 1e-3, 1e-4])
    largest = []
    for remaining in left:
        times = 1 - np.geomspace(1 - s, remaining, 60)
        kicks = np.diff(times)[:, None, None] * np.broadcast_to(push, (1, *x.shape))
        path = kicked(field, s, x, list(times[1:]), kicks)
        u, noise = path.data[-1], path.noise[-1]
        apart = remaining * norms(noise - u)
        reach = norms(y) + kick_bound(1 - times[1:], norms(kicks)) + norms(u)
        off = path.of_noise[-1] + path.of_noise[0] + path.of_data[-1] + kick_bound(1 - times[1:], path.slips)
        evidence.on(target, remaining=remaining).bounded(
            "|Y_t − u(t, Y_t)|",
            apart,
            Rounding.measured(remaining * off, "prox at both ends and at impulses")
            + Rounding(remaining * reach, 100, "sums"),
            because="(1−t)(|y_s| + Σ|kick|/α + |u|), linear schedule",
            main=remaining * reach,
            clause="end",
        )
        largest.append(apart.max())
    evidence.on(target).table(
        "how a path with a constant error comes home, linear schedule",
        ["1 − t", "largest |Y_t − u(t, Y_t)|"],
        zip(left, largest, strict=True),
    )


# --- the bound is attained ------------------------------------------------------------------------------

rationals = st.integers(-40, 40).map(lambda k: Fraction(k, 16))


@for_all(
    "N3",
    distance=st.integers(1, 40).map(lambda k: Fraction(k, 8)),
    tie=rationals,
    times=st.lists(st.integers(2, 31), min_size=2, max_size=6, unique=True),
    shares=st.lists(st.integers(1, 9), min_size=6, max_size=6),
)
def test_two_atoms_attain_the_bound_exactly(evidence, distance, tie, times, shares):
    """Impulses from atom to atom, in fractions: u moves by Σ kick/β, while that is at most Δ."""
    law = TwoAtoms(distance, tie)
    s, *at = sorted(Fraction(k, 32) for k in times)
    pieces = [Fraction(k, sum(shares[: len(at)])) * distance for k in shares[: len(at)]]
    position = (1 - s) * tie  # the gap's lower end, u = 0
    t = s
    for when, piece in zip(at, pieces, strict=True):
        u, y = law.pair(t, position)
        position = (1 - when) * y + when * u + when * piece
        t = when
    evidence.on("TwoAtoms", distance=distance, tie=tie, s=s, times=at).exact(
        "u(Y) − u(s, Y_s) = Σ kick/β",
        law.pair(t, position)[0] == sum(pieces) == distance,
        domain="Δ and ties in ℚ with denominators up to 16, times in ℤ/32, impulses that sum to Δ",
        clause="attained",
    )


@pytest.mark.claim("N3")
def test_two_atoms_attain_the_bound_in_continuous_time(evidence):
    """TWO(.3) from the middle of the gap at s = .3, constant error ε: u moves by ε log(1/s), the bound."""
    s, rows = 0.3, []
    field, predicted = ExactField(TWO), np.log(1 / 0.3)
    middle = (1 - s) * TIE + s * 1.0
    for epsilon in (0.5, 0.1, 0.01):
        solved = [
            solved_end(
                field,
                s,
                [[middle]],
                lambda _, x, e=epsilon: np.full_like(x, e),
                remaining=1e-8,
                tolerance=tol,
            )[0, 0]
            for tol in (1e-12, 1e-9)
        ]
        found = (solved[0] - 1.0) / epsilon
        evidence.on(TWO, s=s, epsilon=epsilon).estimated(
            "|(lim u − u(s))/ε − log(1/s)|",
            abs(found - predicted),
            2 * abs(solved[0] - solved[1]) / epsilon + 2e-8 + 1e-11 / epsilon,
            by="two tolerances of the integrator; what is left at 1 − t = 1e−8",
            because="within the gap u' = e/β, so that equality holds in (2)",
            chosen="ten tolerances of the integrator for rounding",
            clause="attained",
        )
        rows.append([epsilon, found, predicted])
    evidence.on(TWO).table(
        "two atoms, w = 0.3, Δ = 2, s = 0.3: the bound is attained",
        ["ε", "(lim u − u(s))/ε", "log(1/s)"],
        rows,
    )


# --- controls -------------------------------------------------------------------------------------------


@pytest.mark.control("N3")
@pytest.mark.parametrize("s", [0.1, 0.3, 0.5])
def test_without_the_division_the_bound_is_too_small(evidence, s):
    """∫|e| instead of ∫|e|/β: an impulse at s in the gap moves u by 1/s of it."""
    field, kick = ExactField(TWO), 0.05 * s
    x = np.array([[(1 - s) * TIE + s * 0.5]])
    path = kicked(field, s, x, [s], np.full((1, 1, 1), kick))
    off = float(path.of_data.sum() + kick_bound([s], path.slips)[0])
    evidence.on(TWO, s=s).control(
        "∫|e| in place of ∫|e|/β: how far u moves, over the bound",
        predicted=1 / s,
        measured=float(norms(path.data[-1] - path.data[0])[0]) / kick,
        agreement=(off + 16 * EPS) / kick,
        because="equality in (2) within the gap; rounding",
        intact=1.0,
    )


@dataclass(frozen=True)
class Dipping(Schedule):
    """α = (1−t)^{1 + 2 sin²(π log₂(1−t))}, β = t: from (1−t) at 1 − t = 2^−j down to its cube between."""

    terminal_order = np.nan  # (1−t)α̇/α has no limit

    def _power(self, r):
        return 1 + 2 * np.sin(np.pi * np.log2(r)) ** 2

    def _alpha(self, t, r):
        return np.where(r > 0, r ** self._power(np.where(r > 0, r, 1.0)), 0.0)

    def _alpha_dot(self, t, r):
        turn = 2 * np.pi / np.log(2) * np.sin(2 * np.pi * np.log2(r)) * np.log(r)
        return -self._alpha(t, r) / r * (self._power(r) + turn)

    def _beta(self, t, r):
        return t

    def _beta_dot(self, t, r):
        return np.ones_like(t)


@pytest.mark.control("N3")
@pytest.mark.parametrize("octaves", [6, 12, 24])
def test_where_alpha_dips_the_path_has_no_end(evidence, octaves):
    """One atom at 0, impulses (1−t)² in the dips 1 − t = 2^−(j+½), of finite sum: Y_t stays away from u."""
    schedule, point = Dipping(), FiniteAtoms([[0.0]], [0.0])
    at = [1 - 2.0 ** -(j + 0.5) for j in range(1, octaves + 1)]
    kicks = np.array([(1 - t) ** 2 for t in at]).reshape(-1, 1, 1)
    path = kicked(ExactField(point, schedule), 0.25, np.zeros((1, 1)), at, kicks)
    top = 2.0 ** -(octaves + 1)
    height = float(schedule.alpha(remaining=top))
    # α(1−t) at a dip errs by what rounds 1 − t: 2^(j+½)·u there, times a power of 3 and of log r.
    rounding = 64 * EPS * 2.0 ** (octaves + 1) * (octaves + 2)
    evidence.on(point, schedule=schedule, octaves=octaves).control(
        "an α that dips: |Y_t − lim u| at the last top, after impulses of finite sum",
        predicted=np.sqrt(2) * (1 - 2.0**-octaves),
        measured=height * float(norms(path.noise[-1])[0]),
        agreement=rounding,
        because="α_t Σ kick/α = 2^−(J+1) Σ_{j≤J} 2^{j+½}: hypothesis (3) fails, and so does its conclusion",
    )
