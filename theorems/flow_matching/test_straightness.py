"""F7: which trajectories are straight, and at constant speed.

The number S = E∫|ẋ_t − (x₁ − x₀)|²dt sees speed as well as shape.
"""

import numpy as np
import pytest
from scipy.special import comb, ndtr
from scipy.stats import binom
from scipy.stats import norm as norm_law

from numerics.accuracy import Rounding
from numerics.flows.exact import ExactField
from numerics.flows.integration import trajectory
from numerics.flows.mixtures import MixtureField
from numerics.flows.straightness import straightness
from numerics.potentials import FiniteAtoms
from numerics.transport.minibatch import expected_cost
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.flow_matching.drawn import NOTES, mixture
from theorems.flow_matching.quadrature import grid, resolved
from theorems.flow_matching.roundings import SOLVED, TWO_ORDERS, TWO_STEPS
from theorems.setting.fits import last_slope
from theorems.setting.instances import chosen
from theorems.setting.vectors import norm

TINY = np.finfo(float).tiny


@pytest.mark.claim("F7")
@pytest.mark.parametrize(
    "target",
    chosen("sphere of radius 2", "pentagon", "line through (1, 0)"),
    ids=lambda target: type(target).__name__,
)
def test_optimal_trajectories_are_straight(evidence, rng, target):
    """S = 0 with velocities from the field at points of the flow, every trajectory for itself."""
    field, x0 = ExactField(target), rng.standard_normal((40, target.dim))
    times = np.linspace(0, 0.95, 20)
    path = np.stack([field.flow(t, x0) for t in times])
    speed = np.stack([field.velocity(t, x) for t, x in zip(times, path, strict=True)])
    evidence.on(target).bounded(
        "√S",
        np.sqrt(np.maximum(straightness(times, path, speed), 0)),
        _of_straightness(field, x0, times, path),
        because="trajectories are straight at constant speed, and S is exact for cubic splines",
        clause="straight",
    )


def _of_straightness(field, x0, times, path):
    """Of √S, the norm of what slopes and velocities err by: |·| for slopes less their mean, and ⅓|·|² bends.

    A point errs by what the flow states, and α = 1 − t by one rounding; a velocity by what the field states
    at the point as it is, and the mean of the slopes counts once more.
    """
    stated = [field.roundings.flow(t, x0) + Rounding(norm(x0), 1, "1 − t") for t in times]
    moved = np.stack([s.bound for s in stated])
    # At t = 0 the field is T(x₀) − x₀ of x₀ itself.
    first = field.potential.roundings.transport(x0) + Rounding(norm(path[-1]) + norm(x0), 2, "T(x₀) − x₀")
    speeds = [
        field.roundings.velocity(t, x, moved=m)
        for t, x, m in zip(times[1:], path[1:], moved[1:], strict=True)
    ]
    speed = np.stack([s.bound for s in (first, *speeds)]).max(axis=0)
    slope = 2 * moved.max(axis=0) / np.diff(times).min()
    return Rounding.measured(2 * slope + (speed + slope) / np.sqrt(3), "points over the step, and velocities")


@pytest.mark.claim("F7")
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_straightness_of_the_independent_coupling(evidence, rng, parts):
    """On the line the flow ends at the monotone map: S = ∫E|u_t|²dt − W₂², by paths and by densities."""
    drawn = mixture(rng, 1, parts)
    # Its parts, of variance 0.1 or more, are moved to within 1: no hole makes the monotone map steep.
    field = MixtureField(drawn.means / max(3, np.ptp(drawn.means)), drawn.covariances, drawn.weights)
    (number, optimal, error), (coarse, optimal_coarse, _) = (_along(field, k) for k in (2, 1))
    energy = [_energy(field, order) for order in (32, 24)]
    evidence.on("mixture on the line", parts=parts).estimated(
        "|S along trajectories − (∫E|u_t|²dt − W₂²)|",
        abs(number - (energy[0] - optimal)),
        resolved(
            abs(number - coarse) / 7 + abs(optimal - optimal_coarse) + abs(energy[0] - energy[1]) + error,
            1 + optimal,
            1e-5,
        ),
        by=f"splines of order 4: a fifteenth of the last change, doubled; {TWO_STEPS} in noise; {TWO_ORDERS} "
        f"in t; {SOLVED}",
        because="the flow ends at the monotone map, whose cost is W₂²; tails: 10⁻¹³",
        chosen="no more than 10⁻⁵ of 1 + W₂²; 10⁻¹² for tails and rounding",
        clause="minibatches",
    )


def _along(field, refinement):
    """S and W₂² over noises of the line, splines in time, and the error of the flow in both.

    A state that errs by e moves ẋ = u_t(x) by at most Lip(u)·e, and E of squares by 2E|·| times that.
    """
    noise, cell = grid(8.0, 1 / (16 * refinement), 1)
    weight = np.exp(-(noise[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi) * cell
    times = np.linspace(0, 1, 24 * refinement + 1)
    found = trajectory(field.velocity, noise, times)
    speed = np.stack([field.velocity(t, x) for t, x in zip(times, found.states, strict=True)])
    moved = (found.states[-1] - noise)[:, 0]
    number = float(weight @ straightness(times, found.states, speed))
    steep = max(float(np.abs(field.divergence(t, x)).max()) for t, x in zip(times, found.states, strict=True))
    widest = float((np.abs(speed[:, :, 0]) @ weight).max() + np.abs(moved) @ weight)
    error = 1e-12 + 4 * (1 + steep) * float(found.error.max()) * widest
    return number, float(weight @ moved**2), error


def _energy(field, order):
    """∫∫u_t²p_t dx dt, the trapezoid rule in x."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    x, cell = grid(14.0, 1 / 16, 1)
    return sum(
        s / 2 * cell * float(np.exp(field.log_density(t, x)) @ field.velocity(t, x)[:, 0] ** 2)
        for t, s in zip((nodes + 1) / 2, weights, strict=True)
    )


@pytest.mark.claim("F7")
def test_minibatches_straighten(evidence):
    """Two atoms: S_n = (c_n − W₂²) − ∫E Var dt, from S_1 of the independent coupling to 0 of OT, like 1/n."""
    w, distance, sizes = 0.3, 2.0, [1, 4, 16, 64]
    found = [_two_atoms(w, distance, n) for n in sizes]
    numbers, errors = [s for s, _ in found], np.array([e for _, e in found])
    on = evidence.on("TwoAtomLaw", w=w, distance=distance)
    direct = [_two_atoms_directly(w, distance, n) for n in sizes]
    both = list(zip(direct, sizes, strict=True))
    on.estimated(
        "|S_n − (∫E|v_t|²dt − W₂²)|, n = 1, 4, 16, 64",
        np.abs(np.array(numbers) - np.array([s for s, _ in direct])),
        resolved(errors + np.array([e for _, e in direct]), share=1e-4),
        by=f"{TWO_ORDERS} in t and {TWO_STEPS} in x; the library's stated errors, by two rules, too",
        because="binomial sums of SciPy in place of the library's plan",
        chosen="no more than 10⁻⁴; 10⁻¹² for tails and rounding",
        clause="minibatches",
    )
    on.estimated(
        "S_n by the energy of the field, above c_n − W₂², which is O(1/n) by M6",
        np.maximum(
            [s - expected_cost(FiniteAtoms.two([0.0], [distance], w), n).excess for (s, _), n in both], 0.0
        ),
        np.array([e for _, e in direct]),
        by=f"{TWO_ORDERS} in t and {TWO_STEPS} in x",
        because="the energy of E[ẋ|x_t] is at most the cost of the pairs, c_n (Jensen)",
        chosen="10⁻¹² for tails and rounding",
        clause="minibatches",
    )
    on.estimated(
        "S_n above that of the smaller batch",
        np.diff(numbers),
        errors[1:] + errors[:-1],
        by=f"{TWO_ORDERS} in t; the library's stated errors in space, by two rules, too",
        because="S_n falls with n",
        clause="minibatches",
    )
    _rate(on, sizes, numbers)


def _rate(on, sizes, numbers):
    """S_n against n on log–log axes, and all of them beside OT's."""
    slope, interval = last_slope(sizes, numbers)
    on.trend(
        "log S_n against log n, n = 1 … 64",
        slope=slope,
        interval=interval,
        theory=-1.0,
        rule="interval contains theory",
        alternative=-0.5,
        points=len(sizes),
        clause="minibatches",
    )
    on.table(
        "Straightness S of the flow to two atoms, w = 0.3, Δ = 2",
        ["coupling", "S"],
        [
            *(
                (f"batches of {n}" if n > 1 else "independent", s)
                for n, s in zip(sizes, numbers, strict=True)
            ),
            ("OT", 0.0),
        ],
    )


def _two_atoms(w, distance, n):
    """S_n and its error. Times gather at 0, where the floor falls within n^{-1/2}."""
    cost, law = expected_cost(FiniteAtoms.two([0.0], [distance], w), n), TwoAtomLaw([[0.0], [distance]], w, n)
    floors, error = [], cost.error
    for order in (28, 22):
        nodes, shares = np.polynomial.legendre.leggauss(order)
        values = [law.loss_floor(t) for t in (nodes + 1) ** 2 / 4]
        floors.append(float(shares * (nodes + 1) / 2 @ np.array([f.value for f in values])))
        error += max(f.error for f in values)
    return cost.excess - floors[0], error + abs(floors[0] - floors[1])


def _two_atoms_directly(w, distance, n):
    """S_n = ∫E|v_t|²dt − W₂² and how far it moves; W₂² = 1 + (1−w)Δ² − 2Δφ(Φ⁻¹(w))."""
    w2_squared = 1 + (1 - w) * distance**2 - 2 * distance * norm_law.pdf(norm_law.ppf(w))
    fine, coarse = (_energy_of_plan(w, distance, n, *rule) for rule in ((28, 1 / 24), (22, 1 / 16)))
    return fine - w2_squared, abs(fine - coarse) + 1e-12


def _energy_of_plan(w, distance, n, order, step):
    """∫E|v_t|²dt: the noise of the first atom has the density φ(z)G_n(Φ(z), w), and x_t may be either's."""
    fewer = np.arange(n)
    ways, more = comb(n - 1, fewer), binom(n, w).sf(fewer)
    z, cell = grid(9.0, step, 1)

    def shares(noise):
        below, above = ndtr(noise)[:, None], ndtr(-noise)[:, None]
        first = below**fewer * above ** (n - 1 - fewer) @ (ways * more)
        return norm_law.pdf(noise) * np.stack([first, 1 - first])

    nodes, weights = np.polynomial.legendre.leggauss(order)
    total = 0.0
    for t, share in zip((nodes + 1) ** 2 / 4, weights * (nodes + 1) / 2, strict=True):
        shift = t * distance / (1 - t)
        for label, (a, b) in enumerate(((z[:, 0], z[:, 0] - shift), (z[:, 0] + shift, z[:, 0]))):
            first, second = shares(a)[0], shares(b)[1]
            speed = (first * -a + second * (distance - b)) / np.maximum(first + second, TINY)
            total += share * cell * float((first, second)[label] @ speed**2)
    return total


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.claim("F7")
@pytest.mark.control("F7")
@pytest.mark.parametrize("dim", [2, 3])
def test_straight_but_not_at_constant_speed(evidence, rng, dim):
    """N(0,I) to itself, independent: x_t = √(t²+(1−t)²)x₀, a segment there and back. S = (2 − π/2)|x₀|²."""
    field = MixtureField([np.zeros(dim)], [np.eye(dim)], [1.0])
    x0 = rng.standard_normal((10, dim)) + 0.5
    values = []
    for steps in (64, 32):
        times = np.linspace(0, 1, steps + 1)
        found = trajectory(field.velocity, x0, times)
        speed = np.stack([field.velocity(t, x) for t, x in zip(times, found.states, strict=True)])
        values.append(straightness(times, found.states, speed))
    across = found.states - (found.states * x0).sum(axis=2, keepdims=True) / (norm(x0) ** 2)[:, None] * x0
    on = evidence.on("N(0, I), independent coupling", dim=dim)
    on.control(
        "shape alone taken for straightness: S of paths that stay on a line",
        predicted=(2 - np.pi / 2) * norm(x0) ** 2,
        measured=values[0],
        agreement=np.abs(values[0] - values[1]) / 7 + 16 * float(found.error.max()) * norm(x0),
        because="∫(2t−1)²/(t²+(1−t)²)dt = 2 − π/2, displacement 0; splines of order 4: a fifteenth of the "
        "last change, doubled; error of the flow",
    )
    away = float(np.abs(across).max())
    on.estimated(
        "distance from the line through 0 and x₀",
        away,
        np.sqrt(dim) * float(found.error.max()),
        by=SOLVED,
        because="x_t is a multiple of x₀",
        clause="same law",
    )
    at_rest = np.sqrt(0.5) * norm(x0)
    on.estimated(
        "|x_½| − |x₀|/√2, though it ends at |x₀|: the speed is not constant",
        np.abs(norm(found.states[len(found.states) // 2]) - at_rest),
        np.sqrt(dim) * resolved(float(found.error.max())),
        by=SOLVED,
        because="x_t = √(t²+(1−t)²)x₀",
        clause="same law",
    )


@pytest.mark.control("F7")
def test_trajectories_to_a_point_are_straight(evidence):
    """One atom y: X_t = (1−t)x₀ + ty, straight in space, and in time and space. Two atoms bend them."""
    x0, times = np.array([[-1.0], [0.5], [2.0]]), np.linspace(0, 0.9, 31)
    bends, errors = [], []
    for places in ([[1.5]], [[0.0], [1.5]]):
        field = MixtureField(places, np.zeros((len(places), 1, 1)), np.full(len(places), 1 / len(places)))
        found = trajectory(field.velocity, x0, times)
        chord = x0 + (times / times[-1])[:, None, None] * (found.states[-1] - x0)
        bends.append(float(np.abs(found.states - chord).max()))
        errors.append(2 * float(resolved(found.error).max()))
    on = evidence.on("one atom, independent coupling")
    on.control(
        "curved trajectories taken for granted: largest distance from the chord, in time and space",
        predicted=0.0,
        measured=bends[0],
        agreement=errors[0],
        because="u_t(x) = (y−x)/(1−t); error of the trajectory and of its end",
        intact=bends[1],
    )
    on.audit(
        "Are marginal trajectories curved? Distance from the chord in time and space, data a single point",
        "agrees" if bends[0] > errors[0] else "deviates",
        "positive",
        bends[0],
        because=f"u_t(x) = (y−x)/(1−t): straight at constant speed; for two atoms it is {bends[1]:.3g}",
        subject=f"{NOTES}, Figure 2",
        kind="equation",
    )
