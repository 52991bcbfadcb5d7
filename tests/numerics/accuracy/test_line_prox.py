"""Prox, envelope, Jacobian, kinks, φ and φ* on the line against 200 digits, from both sides.

The oracle finds the noise of λs + T(s) = z by bisection with T from textbook formulas: it shares nothing with
the library but the place where the bisection starts.
"""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from numerics.potentials import AtomAndDensity, Cantor, Quantile
from tests.numerics.accuracy import line_oracles as oracle
from tests.numerics.accuracy.harness import judge, judge_with_twins


def _affine(name, loc, scale, *shapes):
    """A listed law and its T."""
    form = oracle.closed(name)
    p = Quantile(getattr(stats, name)(*shapes, loc=loc, scale=scale))
    return p, lambda s: mp.mpf(loc) + mp.mpf(scale) * form(s, *shapes)


def _mixed(atoms, weights, name):
    p = AtomAndDensity(atoms, weights, getattr(stats, name)())
    return p, oracle.mixture(atoms, weights, oracle.PARTS[name])


def _poisson():
    mean = mp.mpf(3)
    masses = [mp.exp(-mean) * mean**k / mp.factorial(k) for k in range(120)]
    return Quantile(stats.poisson(3)), oracle.staircase(range(120), masses)


def _finite():
    atoms, masses = [-2.0, 0.0, 5.0], [0.5, 0.2, 0.3]
    p = Quantile(stats.rv_discrete(values=(atoms, masses)))
    return p, oracle.staircase(atoms, [mp.mpf(m) for m in masses])


with mp.workdps(oracle.DIGITS):
    SMOOTH = [
        _affine("norm", 1.0, 2.0),
        _affine("uniform", -1.0, 3.0),
        _affine("expon", 0.0, 1.0),
        _affine("lognorm", 0.0, 1.0, 0.5),
        _affine("logistic", 2.0**20, 2.0**-10),
        _affine("pareto", 0.0, 1e3, 3.0),
    ]
    MIXED = [
        _mixed([0.25, 0.75], [0.375, 0.25], "uniform"),
        _mixed([-1.0, 2.5], [0.2, 0.3], "uniform"),
        _mixed([0.0, 0.25], [0.0625, 0.0625], "expon"),
        _mixed([-0.5, 1.25, 1.5], [0.25, 0.3125, 0.1875], "expon"),
        _mixed([0.25, 0.75], [0.3609056121188901, 0.6390943868811099], "uniform"),
        _mixed([0.5], [1e-9], "expon"),
    ]
    STEPS = [_poisson(), _finite()]
CANTOR = [(Cantor(), oracle.cantor)]
ALL = SMOOTH + MIXED + STEPS + CANTOR


@pytest.fixture(autouse=True)
def digits():
    """All oracles work in many digits."""
    with mp.workdps(oracle.DIGITS):
        yield


def _problems(p, rng, n):
    """Points made from pairs, points near the hull, and points beside corners; steps 1e−12 to 1e12."""
    step = 10.0 ** rng.uniform(-12, 12, n)
    step[: n // 2] = 10.0 ** rng.uniform(-2, 2, n // 2)
    x0 = rng.standard_normal(n) * rng.choice([1.0, 3.0], n)
    z = p.transport(x0[:, None])[:, 0] + step * x0
    far = rng.random(n) < 0.2
    z = np.where(far, z + p.scale * rng.standard_normal(n), z)
    noise, places = (values[0] for values in p.law.corners(np.zeros(1)))
    k = rng.integers(0, len(noise), n)
    beside = (rng.random(n) < 0.3) & (np.abs(noise[k]) < 10)
    aside = p.scale * 10.0 ** rng.uniform(-14, -3, n) * rng.choice([-1, 1], n)
    return np.where(beside, step * noise[k] + places[k] + aside, z), step


def _in_holes(p, rng, n):
    """Points whose prox is inside one of the 63 largest holes of the Cantor set."""
    s = ndtri(rng.choice(np.arange(1, 64), n, replace=False) / 64)
    ends = [p.transport(s[:, None] + side * 1e-9)[:, 0] for side in (-1, 1)]
    step = 10.0 ** rng.uniform(-6, 6, n)
    return ends[0] + rng.uniform(0.1, 0.9, n) * (ends[1] - ends[0]) + step * s, step


def _solved(p, exact, n, seed=0):
    rng = np.random.default_rng(seed)
    z, step = _problems(p, rng, n)
    if isinstance(p, Cantor):
        holes = _in_holes(p, rng, 10)
        z, step = np.concatenate([z, holes[0]]), np.concatenate([step, holes[1]])
    found = p.proximal_point(z[:, None], step)
    near = p._solve(z[:, None], step).noise
    with mp.workdps(70 if (p, exact) in SMOOTH else oracle.DIGITS):  # no closed T cancels
        truth = [oracle.prox(exact, *case) for case in zip(z, step, near, strict=True)]
    return z, step, found, [u for u, _ in truth], [s for _, s in truth]


@pytest.mark.parametrize(("p", "exact"), ALL, ids=lambda c: repr(c) if not callable(c) else "")
def test_prox_and_its_jacobian(p, exact):
    """Errors within the statements, and somewhere at least 1/64 of them."""
    n = 30 if isinstance(p, Cantor) else 50
    _, step, found, points, noise = _solved(p, exact, n)
    judge(oracle.errors(found.point[:, 0], points), found.rounding.point.bound)
    clear = found.kink > 0
    assert clear.sum() >= 10
    if isinstance(p, Cantor):
        slopes = [mp.mpf(10) ** 60 if k > 0 else mp.mpf(0) for k in found.kink]
    else:
        cut = [min(max(s, mp.mpf(-20)), mp.mpf(20)) if abs(s) < 20 else None for s in noise]
        slopes = [oracle.slope(exact, s) if s is not None else mp.mpf(0) for s in cut]
    jacobian = [k / (mp.mpf(float(t)) + k) for k, t in zip(slopes, step, strict=True)]
    error = oracle.errors(found.jacobian[:, 0, 0], jacobian)[clear]
    bound = found.rounding.jacobian.bound[clear]
    own = 1e-30 + 1e-33 * step[clear]  # of the oracle's difference quotient
    assert (error <= bound + own).all(), f"{error[error > bound]} stated {bound[error > bound]}"
    smooth = (found.jacobian[clear, 0, 0] > 1e-3) & (found.jacobian[clear, 0, 0] < 0.999)
    if (p, exact) in SMOOTH[1:]:
        judge(error[smooth], bound[smooth])


def test_twins_of_the_prox_are_rejected():
    """100 times the statement of the prox, or a quarter of it."""
    for p, exact in SMOOTH[4:5]:
        _, _, found, points, _ = _solved(p, exact, 120, seed=1)
        judge_with_twins(oracle.errors(found.point[:, 0], points), found.rounding.point.bound)


CLOSED = [
    (Quantile(stats.norm(1, 2)), lambda s: s + s**2, lambda x: (x - 1) ** 2 / 4),
    (
        Quantile(stats.uniform(0, 1)),
        lambda s: s * oracle.phi(s) + mp.npdf(s) - mp.npdf(0),
        lambda x: mp.npdf(0) - mp.npdf(mp.sqrt(2) * mp.erfinv(2 * x - 1)),
    ),
    (
        Quantile(stats.lognorm(0.5)),
        lambda s: 2 * (mp.exp(s / 2) - 1),
        lambda x: 2 * (x * mp.log(x) - x + 1),
    ),
]


@pytest.mark.parametrize(
    ("p", "conjugate", "value"), CLOSED, ids=lambda c: repr(c) if not callable(c) else ""
)
def test_potentials_in_closed_form(p, conjugate, value):
    """φ*, φ and the envelope φ(u) + |z−u|²/(2λ), which the dual gives as sz − λs²/2 − φ*(s)."""
    rng = np.random.default_rng(2)
    s = np.concatenate([rng.uniform(-8, 8, 150), 10.0 ** rng.uniform(-6, 0, 50) * rng.choice([-1, 1], 50)])
    error = oracle.errors(p.conjugate(s[:, None]), [conjugate(mp.mpf(r)) for r in s.tolist()])
    judge(error, p.roundings.conjugate(s[:, None]).bound)
    x = p.transport(s[np.abs(s) < 6][:, None])
    x = x[(x[:, 0] > p._first) & (x[:, 0] < p._last)]
    error = oracle.errors(p.value(x), [value(mp.mpf(r)) for r in x[:, 0].tolist()])
    judge(error, p.roundings.value(x).bound)
    form = dict(
        zip(
            [id(q) for q, _, _ in CLOSED], (SMOOTH[0][1], oracle.closed("uniform"), SMOOTH[3][1]), strict=True
        )
    )
    z, step, found, _, noise = _solved(p, form[id(p)], 60, seed=3)
    inside = np.array([abs(r) < 20 for r in noise])
    dual = [
        r * mp.mpf(float(a)) - mp.mpf(float(b)) * r**2 / 2 - conjugate(r)
        for r, a, b in zip(noise, z, step, strict=True)
    ]
    judge(oracle.errors(found.envelope, dual)[inside], found.rounding.envelope.bound[inside])


@pytest.mark.parametrize(
    ("p", "exact"), [SMOOTH[2], MIXED[1], MIXED[3]], ids=lambda c: repr(c) if not callable(c) else ""
)
def test_conjugates_by_adaptive_quadrature(p, exact):
    """∫_0^s T in 30 digits, cut where T bends."""
    corners = [float(r) for r in p.law.corners(np.zeros(1))[0][0]]
    s = np.random.default_rng(4).uniform(-4, 4, 30)
    s = np.append(s, [1e-3, -0.02])
    truth = []
    with mp.workdps(30):
        for r in s.tolist():
            low, high = min(0.0, r), max(0.0, r)
            ends = [low, *sorted(c for c in set(corners) if low < c < high), high]
            sign = 1 if r > 0 else -1
            truth.append(sign * mp.quad(exact, [mp.mpf(end) for end in ends]))
    judge(oracle.errors(p.conjugate(s[:, None]), truth), p.roundings.conjugate(s[:, None]).bound)


def test_steps_of_discrete_laws():
    """Where T jumps: Φ⁻¹ of exact sums of masses."""
    for p, exact in STEPS:
        law = p.law
        kept = np.abs(law.steps) < 9
        truth = []
        for s in law.steps[kept].tolist():
            low, high = mp.mpf(s) - mp.mpf(10) ** -9, mp.mpf(s) + mp.mpf(10) ** -9
            before = exact(low)
            for _ in range(120):
                middle = (low + high) / 2
                low, high = (middle, high) if exact(middle) == before else (low, middle)
            truth.append(low)
        judge(oracle.errors(law.steps[kept], truth), law.step_errors[kept])


@pytest.mark.parametrize("p", [p for p, _ in MIXED], ids=repr)
def test_kinks_of_mixtures(p):
    """No further than the nearest place where the oracle's T starts or stops to move, and not much nearer.

    Ends of the atoms' intervals and of the support inside the hull, from exact weights.
    """
    weights = [mp.mpf(w) for w in p.weights.tolist()]
    rest, passed = 1 - sum(weights), mp.mpf(0)
    _, distribution = oracle.PARTS[p.distribution.dist.name]
    levels, places = [], []
    for atom, weight in zip(p.atoms.tolist(), weights, strict=True):
        start = rest * distribution(mp.mpf(atom)) + passed
        passed += weight
        levels += [start, start + weight]
        places += [atom, atom]
    for end in (0.0, 1.0) if p.distribution.dist.name == "uniform" else (0.0,):
        below = sum(w for w, a in zip(weights, p.atoms.tolist(), strict=True) if a < end)
        levels.append(below + rest * distribution(mp.mpf(end)))
        places.append(end)
    cut = [(mp.mpf(side * 20), mp.mpf(float(p._map(np.array([20.0 * side]))[0]))) for side in (-1, 1)]
    rng = np.random.default_rng(5)
    z, step = _problems(p, rng, 200)
    kink = p.proximal_point(z[:, None], step).kink
    corners = [
        (_noise_at(level), mp.mpf(place))
        for level, place in zip(levels, places, strict=True)
        if 0 < level < 1
    ]
    distance = np.array(
        [
            float(min(abs(mp.mpf(float(t)) * s + x - mp.mpf(float(a))) for s, x in [*corners, *cut]))
            for a, t in zip(z, step, strict=True)
        ]
    )
    assert (kink <= distance * (1 + 1e-12)).all()
    blurred = 1e-6 * (p.scale + step)  # with a billionth of the mass, corners are known to 1e−7
    assert (kink >= distance * (1 - 1e-12) - blurred).all()


def _noise_at(level):
    """Φ⁻¹ by Newton's iteration."""
    s = mp.mpf(stats.norm.ppf(float(level)))
    for _ in range(9):
        s += (level - oracle.phi(s)) / mp.npdf(s)
    return s


def test_the_cantor_law_errs_as_stated():
    """T jumps in every interval, and the statement is what it can jump by within the rounding of Φ(s)."""
    p = CANTOR[0][0]
    rng = np.random.default_rng(6)
    dyadic = rng.integers(1, 2**6, 1000) / 2.0 ** rng.integers(7, 10, 1000)
    steps = ndtri(dyadic) * (1 + rng.integers(-4, 5, 1000) * 2.0**-53)  # where T jumps
    s = np.concatenate([rng.uniform(-9, 9, 1000), steps])
    error = oracle.errors(p.transport(s[:, None])[:, 0], [oracle.cantor(r) for r in s.tolist()])
    judge(error, p.roundings.transport(s[:, None]).bound)


@pytest.mark.parametrize(("p", "exact"), MIXED, ids=lambda c: repr(c) if not callable(c) else "")
def test_transport_of_mixtures(p, exact):
    """In the body, and beside the ends of the atoms' intervals."""
    rng = np.random.default_rng(7)
    corners = p.law.corners(np.zeros(1))[0][0]
    beside = rng.choice(corners[np.abs(corners) < 9], 100) + 10.0 ** rng.uniform(-16, -3, 100) * rng.choice(
        [-1, 1], 100
    )
    s = np.concatenate([rng.uniform(-7, 7, 200), beside])
    error = oracle.errors(p.transport(s[:, None])[:, 0], [exact(mp.mpf(r)) for r in s.tolist()])
    judge(error, p.roundings.transport(s[:, None]).bound)
    smooth = np.abs(s[:, None] - corners).min(axis=1) > 1e-6
    slope = p.transport_jacobian(s[smooth][:, None])[:, 0, 0]
    error = oracle.errors(slope, [oracle.slope(exact, r) for r in s[smooth].tolist()])
    judge(error, p.roundings.transport_jacobian(s[smooth][:, None]).bound + 1e-60)
