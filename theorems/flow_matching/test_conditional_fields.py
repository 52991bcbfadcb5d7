"""F6: the field of a conditional Gaussian path, by SymPy for the three paths of the notes; then numbers.

Controls: μ_t(x) for μ_t(x₁), as is printed in (27)–(31), sends noise elsewhere; the variance-exploding and
-preserving paths do not start at N(0,I), as (17) says, and do not move at constant speed.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st

from numerics.accuracy import COMPLEX, Rounding
from numerics.flows.integration import trajectory
from numerics.flows.paths import OptimalTransportPath, VarianceExploding, VariancePreservingPath
from theorems.flow_matching.drawn import NOTES
from theorems.flow_matching.figures import draw_conditional_paths
from theorems.flow_matching.quadrature import gaussian_nodes
from theorems.flow_matching.roundings import LIBRARY
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all

PATHS = (
    OptimalTransportPath(),
    OptimalTransportPath(0.1),
    VarianceExploding(0.01, 10.0),
    VariancePreservingPath(),
)
t, x, x0, x1 = sp.symbols("t x x0 x1", real=True)
low, high, rate, last, smallest = sp.symbols("sigma_low sigma_high b0 b1 sigma_min", positive=True)


def symbolic(gain, deviation):
    """u_t(x|x₁) from ψ_t(x₀|x₁) = σx₀ + a x₁: differentiate in time, then put x₀ = (x − a x₁)/σ."""
    flow = deviation * x0 + gain * x1
    return sp.diff(flow, t).subs(x0, (x - gain * x1) / deviation)


SYMBOLIC = {
    "OT": (t, 1 - (1 - smallest) * t),
    "VE": (sp.Integer(1), low * (high / low) ** (1 - t)),
    "VP": (
        sp.exp(-(rate * (1 - t) + (last - rate) * (1 - t) ** 2 / 2) / 2),
        sp.sqrt(1 - sp.exp(-(rate * (1 - t) + (last - rate) * (1 - t) ** 2 / 2))),
    ),
}


@pytest.mark.claim("F6")
def test_derivation_for_any_path(evidence):
    """(27)–(31) and the transport equation, for any μ_t(x₁), σ_t(x₁), on the line and in R³."""
    mean, deviation = sp.Function("mu")(t), sp.Function("sigma", positive=True)(t)
    field = sp.diff(deviation * x0 + mean, t).subs(x0, (x - mean) / deviation)
    formula = sp.diff(deviation, t) / deviation * (x - mean) + sp.diff(mean, t)
    on = evidence.on("μ_t, σ_t > 0, functions of t")
    on.exact(
        "d/dt ψ_t at ψ_t⁻¹(x) = (σ̇/σ)(x − μ) + μ̇",
        sp.simplify(field - formula) == 0,
        "any C¹ μ, σ (symbolic, formulas; the code: test_numbers)",
        clause="field",
    )
    places = sp.symbols("y1:4", real=True)
    means = [sp.Function(f"mu{i}")(t) for i in range(3)]
    speeds = [formula.subs({mean: m, x: y}).doit() for m, y in zip(means, places, strict=True)]
    square = sum((y - m) ** 2 for m, y in zip(means, places, strict=True))
    density = sp.exp(-square / (2 * deviation**2)) / deviation**3
    residual = sp.diff(density, t) + sum(sp.diff(u * density, y) for u, y in zip(speeds, places, strict=True))
    on.exact(
        "∂_t p + div(u p) = 0 in R³",
        sp.simplify(residual / density) == 0,
        "any C¹ μ, σ (symbolic, formulas; the code: test_numbers)",
        clause="field",
    )


@pytest.mark.claim("F6")
def test_three_paths(evidence):
    """The three closed forms; primes are derivatives of a function taken at 1 − t."""
    s = sp.symbols("s", positive=True)
    for name, variable, expected in (
        ("VE", SYMBOLIC["VE"][1].subs(t, 1 - s), lambda g, d: -d / g * (x - x1)),
        ("VP", SYMBOLIC["VP"][0].subs(t, 1 - s), lambda g, d: d / (1 - g**2) * (g * x - x1)),
    ):
        back = {s: 1 - t}
        form = expected(variable.subs(back), sp.diff(variable, s).subs(back))
        evidence.on(f"{name} path").exact(
            "u_t(x|x₁): −(σ'/σ)(x − x₁) for VE, α'/(1−α²)·(αx − x₁) for VP",
            sp.simplify(symbolic(*SYMBOLIC[name]) - form) == 0,
            domain="geometric σ; α = exp(−T/2), T quadratic (symbolic, formulas; the code: test_numbers)",
            clause="field",
        )
    field = symbolic(*SYMBOLIC["OT"])
    on = evidence.on("OT path")
    form = (x1 - (1 - smallest) * x) / (1 - (1 - smallest) * t)
    on.exact(
        "u_t(x|x₁) = (x₁ − (1−σ_min)x)/(1 − (1−σ_min)t)",
        sp.simplify(field - form) == 0,
        "all (symbolic, formulas)",
        clause="field",
    )
    along = field.subs(x, SYMBOLIC["OT"][1] * x0 + t * x1)
    on.exact(
        "(35): along the path u = x₁ − (1−σ_min)x₀, the same at every t",
        sp.simplify(along - (x1 - (1 - smallest) * x0)) == 0,
        domain="all t, x₀, x₁, σ_min (symbolic, formulas; the code: test_numbers)",
        clause="OT",
    )
    theta = sp.Function("u_theta")(t, sp.Symbol("z"))
    losses = [(theta - along) ** 2, (theta - (x1 - x0)) ** 2]
    on.exact(
        "(36) ⇒ (37): the integrands agree at σ_min = 0",
        sp.simplify(losses[0].subs(smallest, 0) - losses[1]) == 0,
        domain="all t, x₀, x₁, u_θ (symbolic, formulas; the code: test_numbers)",
        clause="OT",
    )


@pytest.mark.claim("F6")
def test_coefficients_are_the_codes(evidence):
    """The library's own a and σ, fed with symbols; VP's exponentials take numbers alone (next check)."""
    ends = [sp.Rational(0), sp.Rational(1, 10), sp.Rational(1)]
    for end in ends:
        path = OptimalTransportPath(end)
        gain, deviation = (part.subs(smallest, end) for part in SYMBOLIC["OT"])
        evidence.on("OT path", smallest=str(end)).exact(
            "a, σ and their derivatives are those of the formulas",
            [
                sp.expand(path.gain(t) - gain) == 0,
                sp.expand(path.deviation(t) - deviation) == 0,
                sp.nsimplify(path.gain_dot(t)) == sp.diff(gain, t),
                sp.expand(path.deviation_dot(t) - sp.diff(deviation, t)) == 0,
            ],
            domain="the code, all t (symbolic), σ_min as given",
            clause="field",
        )
    path = VarianceExploding(sp.Rational(1, 100), sp.Integer(10))
    sigma = SYMBOLIC["VE"][1].subs({low: path.smallest, high: path.largest})
    evidence.on("VE path").exact(
        "a and σ are those of the formulas",
        [
            sp.nsimplify(path.gain(t)) == 1,
            sp.simplify(path.deviation(t) - sigma) == 0,
        ],
        domain="the code, all t (symbolic), σ from 10 to 1/100",
        clause="field",
    )


@pytest.mark.parametrize("path", PATHS, ids=str)
@for_all("F6", seed=SEEDS, dim=st.integers(1, 4), time=st.integers(0, 31).map(lambda k: k / 32))
def test_numbers(evidence, seed, dim, path, time):
    """The library's field beside dψ/dt by complex steps, and beside the formulas that SymPy derived."""
    rng = generator(seed)
    noise, data = rng.standard_normal((2, 16, dim))
    here = path.flow(time, noise, data)
    field = path.velocity(time, here, data)
    stepped = path.flow(time + 1e-30j, noise, data).imag / 1e-30
    on = evidence.on(path, seed=seed, dim=dim, t=time)
    rounding = _of_field(path, time, noise, data)
    on.bounded(
        "|u_t(ψ_t(x₀|x₁)|x₁) − dψ_t/dt|",
        np.abs(field - stepped),
        rounding.amplified(1 + COMPLEX, "the second time by complex steps"),
        because="u_t(ψ_t(x₀|x₁)|x₁) is dψ_t/dt, and complex steps have no truncation",
        clause="field",
    )
    name, values = numbers_of(path)
    expression = symbolic(*SYMBOLIC[name]).subs(values)
    formula, formula_length = sp.lambdify((t, x, x1), expression, "numpy"), int(sp.count_ops(expression))
    on.bounded(
        "|u_t(x|x₁) − SymPy's formula|",
        np.abs(field - formula(time, here, data)),
        rounding + _of_formula(rounding, path, time, formula_length),
        because="they are one function of t, x and x₁ (SymPy, above)",
        clause="field",
    )


def _of_field(path, time, noise, data):
    """Of σ̇/σ·(x − a x₁) + ȧ x₁ at x = σx₀ + a x₁.

    The coefficients err relatively by 4 roundings of their exponent and 3 library calls; x and the difference
    by 5 of σ|x₀| + 2a|x₁|, seen through σ̇/σ.
    """
    gain, sigma = abs(float(path.gain(time))), float(path.deviation(time))
    rise, rate = abs(float(path.gain_dot(time))), abs(float(path.deviation_dot(time))) / sigma
    size = rate * (sigma * np.abs(noise) + 2 * gain * np.abs(data)) + rise * np.abs(data)
    exponent = 2 * max(abs(np.log(gain)) if gain else 0.0, _exponent(path))
    return Rounding(size, 4 * exponent + 3 * LIBRARY + 8, "coefficients of the path; x − a x₁ divided by σ")


def _exponent(path):
    """The largest exponent in the coefficients, and 1."""
    if isinstance(path, VarianceExploding):
        return 1 + np.log(path.largest / path.smallest)
    return 1 + (path.first + path.last) / 4 if isinstance(path, VariancePreservingPath) else 1.0


def _of_formula(rounding, path, time, length):
    """Of SymPy's form: each operation rounds once, a power or exponential 8 times; 1 − a² cancels in σ²."""
    loss = 1.0
    if isinstance(path, VariancePreservingPath):
        loss = 1 + float(path.gain(time)) ** 2 / float(path.deviation(time)) ** 2
    count = LIBRARY * length / rounding.count
    return rounding.amplified(max(count, 1.0) * loss, f"{length} operations of SymPy's form; 1 − a² cancels")


def numbers_of(path):
    if isinstance(path, OptimalTransportPath):
        return "OT", {smallest: path.smallest}
    if isinstance(path, VarianceExploding):
        return "VE", {low: path.smallest, high: path.largest}
    return "VP", {rate: path.first, last: path.last}


@pytest.mark.claim("F6")
def test_start_at_noise_in_the_limit(evidence):
    """KL(p_0(·|x₁) ‖ N(0,I)) is positive for VE and VP, and vanishes as σ₁ → ∞ (after scaling), α₁ → 0."""
    sigma, alpha = sp.symbols("sigma_1 alpha_1", positive=True)
    scaled = divergence_from_noise(x1 / sigma, 1)
    kept = divergence_from_noise(alpha * x1, 1 - alpha**2)
    on = evidence.on("VE and VP paths")
    on.exact(
        "KL = x₁²/(2σ₁²) for x/σ₁ (VE), → 0 as σ₁ → ∞",
        [sp.simplify(scaled - x1**2 / (2 * sigma**2)) == 0, sp.limit(scaled, sigma, sp.oo) == 0],
        domain="all x₁ (symbolic, formulas; the code: test_numbers)",
        clause="start",
    )
    on.exact(
        "KL = (α₁²x₁² − α₁² − log(1−α₁²))/2 (VP), → 0 as α₁ → 0; it rises at α₁x₁² + α₁³/(1−α₁²) > 0",
        [
            sp.simplify(kept - (alpha**2 * (x1**2 - 1) - sp.log(1 - alpha**2)) / 2) == 0,
            sp.limit(kept, alpha, 0) == 0,
            sp.simplify(sp.diff(kept, alpha) - alpha * x1**2 - alpha**3 / (1 - alpha**2)) == 0,
        ],
        domain="all x₁ (symbolic, formulas; the code: test_numbers)",
        clause="start",
    )


def divergence_from_noise(mean, variance):
    """KL(N(mean, variance) ‖ N(0, 1))."""
    return (mean**2 + variance - 1 - sp.log(variance)) / 2


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("F6")
@pytest.mark.parametrize("end", [0.1, 0.5])
def test_mean_at_the_wrong_point(evidence, end):
    """μ_t(x) for μ_t(x₁): u = (σ̇/σ)(x − tx) + x forgets x₁, and x₀ goes to x₀·σ^{−σ/(1−σ)}, σ = σ_min."""
    path, noise, data = OptimalTransportPath(end), np.array([[-1.0], [0.5], [1.5]]), 3.0

    def printed(time, place):
        return path.deviation_dot(time) / path.deviation(time) * (place - time * place) + place

    flow = trajectory(printed, noise, [0.0, 1.0])
    right = trajectory(lambda time, z: path.velocity(time, z, [[data]]), noise, [0.0, 1.0])
    on = evidence.on(path, x1=data)
    on.control(
        "μ_t(x) for μ_t(x₁): where x₀ = −1, ½, 3/2 go",
        predicted=noise[:, 0] * end ** (-end / (1 - end)),
        measured=flow.states[-1][:, 0],
        agreement=float(flow.error[-1]),
        because="∫σ_min/σ_t dt = −σ_min log σ_min/(1−σ_min); error of the integration",
        intact=right.states[-1][:, 0],
    )
    apart = float(np.abs(flow.states[-1][:, 0] - (end * noise[:, 0] + data)).max())
    on.audit(
        f"(31) with μ_t(x), σ_min = {end}: largest distance of the end from σ_min x₀ + x₁, x₁ = 3",
        "agrees" if apart <= float(flow.error[-1]) else "deviates",
        0.0,
        apart,
        because="ψ_1(x₀|x₁) = σ_min x₀ + x₁ by (26)",
        subject=f"{NOTES}, equations (27)–(31)",
        kind="equation",
    )


@pytest.mark.control("F6")
@pytest.mark.parametrize(
    "path", [VarianceExploding(0.01, 10.0), VariancePreservingPath(0.1, 4.0)], ids=["VE", "VP"]
)
def test_paths_that_do_not_start_at_noise(evidence, path):
    """W₂²(p_0(·|x₁), N(0,I)) = a₀²|x₁|² + d(σ₀ − 1)², from the moments of ψ_0(x₀|x₁)."""
    data = np.array([[1.5, -2.0]])
    noise, weights = gaussian_nodes(4, 2)
    start = path.flow(0.0, noise, data)
    mean = weights @ start
    deviation = np.sqrt(weights @ (start - mean) ** 2)
    gain, sigma = (
        (1.0, 10.0)
        if isinstance(path, VarianceExploding)
        else (np.exp(-4.1 / 4), np.sqrt(-np.expm1(-4.1 / 2)))
    )
    predicted = float(gain**2 * (data**2).sum() + 2 * (sigma - 1) ** 2)
    measured = float(mean @ mean + ((deviation - 1) ** 2).sum())
    on = evidence.on(path)
    on.control(
        "(17) claimed for (32), (33): W₂²(p_0(·|x₁), N(0,I))",
        predicted=predicted,
        measured=measured,
        agreement=Rounding(
            1 + predicted, 2 * (16 + 3 * LIBRARY), "16 weighted squares, of points by exp"
        ).bound,
        because="Gaussians with commuting covariances; quadrature exact for squares",
    )
    on.audit(
        "(17): W₂² of p_0(x|x₁) from N(0,I), x₁ = (1.5, −2)",
        "agrees" if measured < 1e-9 else "deviates",
        0.0,
        measured,
        because="p_0(x|x₁) = p_0(x) for every x₁",
        subject=f"{NOTES}, equation ({'32' if gain == 1 else '33'}) against (17)",
        kind="equation",
    )


@pytest.mark.control("F6")
def test_paths_that_are_not_at_constant_speed(evidence):
    """VE: dψ/dt = σ̇x₀ falls by (σ̇_1 − σ̇_0)x₀ = log(σ_high/σ_low)·(σ_high − σ_low)x₀; OT: by nothing."""
    path, noise, data = VarianceExploding(0.1, 5.0), np.array([[0.5], [-1.0]]), np.array([[2.0]])
    speeds = [path.velocity(s, path.flow(s, noise, data), data) for s in (0.0, 1.0)]
    evidence.on(path).control(
        "constant speed claimed for VE: u at t = 1 minus u at t = 0",
        predicted=np.log(50.0) * 4.9 * noise[:, 0],
        measured=(speeds[1] - speeds[0])[:, 0],
        agreement=Rounding(50 * 5 * np.log(50), 3 * LIBRARY, "x − x₁ over σ; a power and a log").bound,
        because="σ̇ = −log(50)σ; x − x₁ is a difference, divided by σ down to 1/10",
    )
    evidence.figure(
        "Conditional paths ψ_t(x₀|x₁) for x₁ = 2 and nine noises",
        "Three panels of position against time. OT: straight lines from noise to 2. Variance preserving: "
        "bent lines. Variance exploding: from a cloud five times as wide around 2.",
        draw_conditional_paths,
        size=(8.0, 2.8),
    )
