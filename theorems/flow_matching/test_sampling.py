"""F8: algorithm 2, sampling. Euler's error has order 1 at worst; three fields with orders ∞, 2 and 1.

The law of the samples is compared with the target by a kernel distance whose radius is proved. Controls: the
field at the end of each step, whose error has another constant and sign, and sampling that stops half way.
"""

import numpy as np
import pytest

from numerics.accuracy import Rounding
from numerics.flows.discrepancy import KernelDistance
from numerics.flows.exact import ExactField
from numerics.flows.integration import trajectory
from numerics.flows.mixtures import MixtureField
from numerics.flows.sampling import euler
from numerics.potentials import Sphere
from theorems.flow_matching.figures import draw_euler
from theorems.flow_matching.prompted import MIXTURE
from theorems.setting.fits import last_slope
from theorems.setting.independent_sphere import IndependentSphere, bracket
from theorems.setting.instances import chosen
from theorems.setting.vectors import norm

LEVEL, SAMPLES = 1e-10, 2500
DISTANCE = KernelDistance(1.0)
SAME = MixtureField([[0.0]], [[[1.0]]], [1.0])
STEPS = (4, 16, 64, 256)
BY_AMOS = "the last step goes to E[x₁|x], of length R·A(s), and Amos' bounds hold for every s"
LAST_CHANGE = "the last change, from K = 64 to 256"


# --- Euler's error ------------------------------------------------------------------------------------


@pytest.mark.claim("F8")
@pytest.mark.parametrize(
    "target",
    chosen("circle", "pentagon", "two atoms", "line through (1, 0)"),
    ids=lambda target: type(target).__name__,
)
def test_exact_field_has_no_error(evidence, rng, target):
    """OT-CFM's exact field: any number of steps ends at T(x₀), to rounding."""
    x0 = rng.standard_normal((50, target.dim))
    x1 = target.transport(x0)
    for steps in (1, 2, 7, 64):
        path = euler(ExactField(target).velocity, x0, steps)
        found = path[-1]
        evidence.on(target, steps=steps).bounded(
            "|x after K = 1, 2, 7, 64 Euler steps − T(x₀)|",
            norm(found - x1),
            _of_steps(target, path) + target.roundings.transport(x0),
            because="trajectories are straight at constant speed, so that Euler's steps are exact (P6)",
            clause="exact field",
        )


def _of_steps(target, path):
    """Of Euler's end: a step from t to t' is max(t'/t, 1)-Lipschitz in x, and adds δ times what v states.

    At t = 0, v = T(x₀) − x₀, as accurate as T. The times, δ and 1 − t are rounded once or twice each, which
    moves the step by 6 roundings of δ|v|.
    """
    field, times = ExactField(target), np.linspace(0.0, 1.0, len(path))
    off = Rounding.none()
    for t, after, here, there in zip(times[:-1], times[1:], path[:-1], path[1:], strict=True):
        stated = field.roundings.velocity(t, here) if t else target.roundings.transport(here)
        stretch = after / t if t else 1.0
        own = stated.amplified(after - t) + Rounding(norm(there - here), 6, "δ, t and v, multiplied")
        start = Rounding(norm(here) + norm(there), 3, "x + δv, and v at t = 0")
        off = off.amplified(stretch) + own + start
    return Rounding.measured(off.bound, "a prox a step, as stated, carried to t = 1 by Euler's own steps")


@pytest.mark.claim("F8")
@pytest.mark.parametrize(("dim", "radius"), [(2, 1.0), (2, 2.0), (4, 1.5)])
def test_independent_coupling_on_spheres_has_order_two(evidence, rng, dim, radius):
    """The last step goes to E[x₁|x] itself: the error is R(1 − A(s)), s = (1−δ)R|x|/δ²: (d−1)δ²/(2R)."""
    field, x0 = IndependentSphere(dim, radius), rng.standard_normal((40, dim))
    on, errors = evidence.on("independent coupling on a sphere", dim=dim, radius=radius), []
    for steps in STEPS:
        path = euler(lambda t, x: field.velocity(np.full(len(x), 1 - t), x), x0, steps)
        delta, last = 1 / steps, norm(path[-2])
        missing = norm(path[-1] - radius * x0 / norm(x0)[:, None])
        s = (1 - delta) * radius * last / delta**2
        low, high = bracket(dim, s)
        rounding = _of_last_step(path, radius)
        for quantity, excess in (
            ("error − R(1 − lower bound of A), where it is positive", missing - radius * (1 - low)),
            ("R(1 − upper bound of A) − error, where it is positive", radius * (1 - high) - missing),
        ):
            on.bounded(quantity, np.maximum(excess, 0.0), rounding, because=BY_AMOS, clause="spheres")
        errors.append(missing.max())
    slope, interval = last_slope(STEPS, errors)
    on.trend(
        "log error against log K, K = 4 … 256",
        slope=slope,
        interval=interval,
        theory=-2.0,
        rule="interval contains theory",
        alternative=-1.0,
        points=len(STEPS),
        clause="spheres",
    )
    k = STEPS[-1]
    on.estimated(
        "|K²·error − (d−1)/(2R)|, K = 256",
        abs(k**2 * errors[-1] - (dim - 1) / (2 * radius)),
        abs(k**2 * errors[-1] - (k / 4) ** 2 * errors[-2]),
        by=LAST_CHANGE,
        because="the constant is approached at order 1/K",
        clause="spheres",
    )


def _of_last_step(path, radius):
    """Of |x_K − R x₀/|x₀||: the last step lands on R·A(s)x/|x|, and steps keep x/|x| but for rounding.

    v is (x₁ − x)/(1 − t), so the last step is x + δ·(…)/δ with |x|, R roundings magnified by δ/δ; A by two
    Bessel functions of 32 roundings each (SciPy, to 1e-15 relatively) and beside them Amos' square roots; and
    a step turns x/|x| by 8 roundings of (|x| + R)/|x| at most.
    """
    lengths = np.linalg.norm(path, axis=2)
    turned = (1 + radius / lengths[:-1]).sum(axis=0)
    own = Rounding(norm(path[-2]) + radius, 12 + path.shape[2], "the last step")
    return (
        own + Rounding(radius * turned, 8, "x/|x| at each step") + Rounding(radius, 64 + 8, "A(s) and Amos")
    )


@pytest.mark.claim("F8")
@pytest.mark.parametrize("start", [0.5, 1.0, -2.0])
def test_order_one_is_attained(evidence, start):
    """N(0,1) to itself: a = (2t−1)/(t²+(1−t)²), error −½(a(1) − a(0) + ∫a²)x₀δ = −½(1+π/2)x₀δ + O(δ²)."""
    errors = [float(euler(SAME.velocity, [[start]], k)[-1, 0, 0]) - start for k in STEPS]
    on = evidence.on("N(0,1), independent coupling", x0=start)
    slope, interval = last_slope(STEPS, errors)
    on.trend(
        "log error against log K, K = 4 … 256",
        slope=slope,
        interval=interval,
        theory=-1.0,
        rule="interval contains theory",
        alternative=-2.0,
        points=len(STEPS),
        clause="order one",
    )
    scaled = np.array(STEPS) * errors
    on.estimated(
        "|K·error + ½(1 + π/2)x₀|, K = 256",
        abs(scaled[-1] + (1 + np.pi / 2) / 2 * start),
        abs(scaled[-1] - scaled[-2]),
        by=LAST_CHANGE,
        because="the constant is approached at order 1/K",
        clause="order one",
    )


@pytest.mark.claim("F8")
def test_algorithm_2_as_printed(evidence):
    """Times 0, δ, …, 1−δ, and nothing but x + δu: with u = 1 the end is x₀ + 1 exactly, for K = 2^k."""
    for steps in (1, 2, 8, 64):
        asked = []
        end = euler(lambda t, x, asked=asked: asked.append(t) or np.ones_like(x), [[0.25]], steps)[-1]
        evidence.on("algorithm 2", steps=steps).exact(
            "times k/K, k < K, and end x₀ + 1",
            [asked == [k / steps for k in range(steps)], end[0, 0] == 1.25],
            domain="binary fractions",
            clause="bound",
        )


# --- the law of the samples ---------------------------------------------------------------------------


@pytest.mark.claim("F8")
def test_law_of_the_samples(evidence, rng):
    """Algorithm 2 with the exact field of the independent coupling, three Gaussians in the plane."""
    x0 = rng.standard_normal((SAMPLES, 2))
    flow = trajectory(MIXTURE.velocity, x0, [0.0, 1.0])
    for steps in (10, 50):
        samples = euler(MIXTURE.velocity, x0, steps)[-1]
        moved = float(norm(samples - flow.states[-1]).mean()) / DISTANCE.width
        evidence.on("three Gaussians in the plane", steps=steps, samples=SAMPLES).statistical(
            "D(samples, target)",
            DISTANCE.to_mixture(samples, MIXTURE),
            DISTANCE.radius(SAMPLES, LEVEL) + moved + np.sqrt(2) * float(flow.error[-1]),
            level=LEVEL,
            because="McDiarmid for samples of the exact flow; D moves by at most mean |Euler − flow|/h",
        )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("F8")
def test_field_at_the_end_of_the_step(evidence):
    """Steps x + δu(t+δ, x): the constant is ½(a(1) − a(0)) − ½∫a² = 3/2 − π/4, not −½(1 + π/2)."""
    scaled = [
        k * (float(euler(lambda t, x, k=k: SAME.velocity(t + 1 / k, x), [[1.0]], k)[-1, 0, 0]) - 1)
        for k in (128, 256)
    ]
    evidence.on("N(0,1), independent coupling").control(
        "u at t + δ in algorithm 2: K·error",
        predicted=1.5 - np.pi / 4,
        measured=scaled[1],
        agreement=2 * abs(scaled[1] - scaled[0]),
        because="Σ log(1 + δa) to second order; approached at order 1/K: twice the last change",
        intact=-(1 + np.pi / 2) / 2,
    )
    evidence.figure(
        "Euler's error against the number of steps",
        "Three curves on logarithmic axes: the exact OT field at rounding for every K, the independent "
        "coupling on the circle falling like K⁻², that of N(0,1) with itself like K⁻¹.",
        lambda figure: draw_euler(figure, *_curves()),
    )


def _curves():
    sphere, field = Sphere(2, 1.0), IndependentSphere(2, 1.0)
    x0 = np.array([[0.6, 0.4], [-1.0, 0.3]])
    unit, exact = x0 / norm(x0)[:, None], ExactField(sphere)
    rows = {
        "exact OT field on the circle": [norm(euler(exact.velocity, x0, k)[-1] - unit).max() for k in STEPS],
        "independent coupling on the circle": [
            norm(euler(lambda t, x: field.velocity(np.full(len(x), 1 - t), x), x0, k)[-1] - unit).max()
            for k in STEPS
        ],
        "N(0,1) to itself, independent": [
            abs(float(euler(SAME.velocity, [[1.0]], k)[-1, 0, 0]) - 1) for k in STEPS
        ],
    }
    return np.array(STEPS, float), {name: np.array(values) for name, values in rows.items()}


@pytest.mark.control("F8")
def test_stopping_half_way(evidence, rng):
    """Samples of t = ½ taken for samples of the target: D(p_½, p_1) in closed form, p_½ a mixture, too."""
    x0 = rng.standard_normal((SAMPLES, 2))
    samples = euler(MIXTURE.velocity, x0, 50, stop=0.5)[-1]
    flow = trajectory(MIXTURE.velocity, x0, [0.0, 0.5])
    half = MixtureField(MIXTURE.means / 2, MIXTURE.covariances / 4 + np.eye(2) / 4, MIXTURE.weights)
    moved = float(norm(samples - flow.states[-1]).mean()) / DISTANCE.width
    evidence.on("three Gaussians in the plane").control(
        "sampling stopped at t = ½: D(samples, target)",
        predicted=DISTANCE.between(half, MIXTURE),
        measured=DISTANCE.to_mixture(samples, MIXTURE),
        agreement=DISTANCE.radius(SAMPLES, LEVEL) + moved + np.sqrt(2) * float(flow.error[-1]),
        because="closed form of the kernel between mixtures; McDiarmid; mean of |Euler − flow|/h",
        level=LEVEL,
    )
