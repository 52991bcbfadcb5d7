"""Laws on the line in 200 digits: T(s) for the very doubles that the library is given, textbook formulas."""

import mpmath as mp
import numpy as np

DIGITS = 200
STEP = mp.mpf(10) ** -35  # of difference quotients: they err by its square


def phi(s):
    """Φ(s)."""
    return mp.erfc(-mp.mpf(s) / mp.sqrt(2)) / 2


def closed(name):
    """T(s, *shapes) of a standard law, from its quantile function."""
    return {
        "norm": lambda s: s,
        "uniform": lambda s: phi(s),
        "expon": lambda s: -mp.log1p(-phi(s)) if s < 0 else -mp.log(phi(-s)),
        "laplace": lambda s: mp.log(2 * phi(s)) if s < 0 else -mp.log(2 * phi(-s)),
        "logistic": lambda s: mp.log(phi(s) / phi(-s)),
        "lognorm": lambda s, c: mp.exp(mp.mpf(c) * s),
        "rayleigh": lambda s: mp.sqrt(-2 * mp.log(phi(-s))),
        "weibull_min": lambda s, c: (-mp.log(phi(-s))) ** (1 / mp.mpf(c)),
        "gumbel_r": lambda s: -mp.log(-mp.log(phi(s))),
        "gumbel_l": lambda s: mp.log(-mp.log(phi(-s))),
        "pareto": lambda s, b: phi(-s) ** (-1 / mp.mpf(b)),
        "powerlaw": lambda s, a: phi(s) ** (1 / mp.mpf(a)),
        "halfnorm": _half_normal,
        "arcsine": lambda s: mp.sin(mp.pi / 2 * phi(s)) ** 2,
    }.get(name) or _of_probabilities(name)


def _of_probabilities(name):
    """T of a law of `QUANTILES`, its shapes as they are given."""
    return lambda s, *shapes: QUANTILES[name](mp.mpf(s), *map(mp.mpf, shapes))


def _normal_quantile(p):
    """Φ⁻¹(p), by Newton's iteration from a double near it."""
    from scipy.special import ndtri_exp

    s = mp.mpf(float(ndtri_exp(float(mp.log(p)))))
    for _ in range(5):
        s -= (phi(s) - p) / mp.npdf(s)
    return s


def _triangular(s, c):
    return mp.sqrt(c * phi(s)) if phi(s) <= c else 1 - mp.sqrt((1 - c) * phi(-s))


def _less_power(y, c):
    return (1 - y**c) / c if c else -mp.log(y)


QUANTILES = {
    "anglit": lambda s: mp.asin(mp.sqrt(phi(s))) - mp.pi / 4,
    "bradford": lambda s, c: ((1 + c) ** phi(s) - 1) / c,
    "burr": lambda s, c, d: (phi(s) ** (-1 / d) - 1) ** (-1 / c),
    "burr12": lambda s, c, d: (phi(-s) ** (-1 / d) - 1) ** (1 / c),
    "exponpow": lambda s, b: mp.log1p(-mp.log(phi(-s))) ** (1 / b),
    "exponweib": lambda s, a, c: (-mp.log1p(-(phi(s) ** (1 / a)))) ** (1 / c),
    "fisk": lambda s, c: (phi(s) / phi(-s)) ** (1 / c),
    "genextreme": lambda s, c: _less_power(-mp.log(phi(s)), c),
    "genhalflogistic": lambda s, c: (1 - (phi(-s) / (1 + phi(s))) ** c) / c,
    "genlogistic": lambda s, c: -mp.log(phi(s) ** (-1 / c) - 1),
    "genpareto": lambda s, c: (phi(-s) ** -c - 1) / c if c else -mp.log(phi(-s)),
    "gompertz": lambda s, c: mp.log1p(-mp.log(phi(-s)) / c),
    "halflogistic": lambda s: mp.log((1 + phi(s)) / phi(-s)),
    "hypsecant": lambda s: mp.log(mp.tan(mp.pi / 2 * phi(s))),
    "invweibull": lambda s, c: (-mp.log(phi(s))) ** (-1 / c),
    "kappa3": lambda s, a: (a / (phi(s) ** -a - 1)) ** (1 / a),
    "kappa4": lambda s, h, k: _less_power((1 - phi(s) ** h) / h if h else -mp.log(phi(s)), k),
    "loglaplace": lambda s, c: (2 * phi(s)) ** (1 / c) if s < 0 else (2 * phi(-s)) ** (-1 / c),
    "loguniform": lambda s, a, b: a * (b / a) ** phi(s),
    "lomax": lambda s, c: phi(-s) ** (-1 / c) - 1,
    "mielke": lambda s, k, t: (phi(s) ** (-t / k) - 1) ** (-1 / t),
    "moyal": lambda s: -2 * mp.log(-_normal_quantile(phi(s) / 2)),
    "reciprocal": lambda s, a, b: a * (b / a) ** phi(s),
    "triang": _triangular,
    "truncexpon": lambda s, b: -mp.log(phi(-s) + phi(s) * mp.exp(-b)),
    "truncpareto": lambda s, b, c: (phi(-s) + phi(s) * c**-b) ** (-1 / b),
    "tukeylambda": lambda s, k: (phi(s) ** k - phi(-s) ** k) / k if k else mp.log(phi(s) / phi(-s)),
    "weibull_max": lambda s, c: -((-mp.log(phi(s))) ** (1 / c)),
    "fatiguelife": lambda s, c: (c * s / 2 + mp.sqrt((c * s / 2) ** 2 + 1)) ** 2,
    "gibrat": lambda s: mp.exp(s),
    "johnsonsb": lambda s, a, b: 1 / (1 + mp.exp((a - s) / b)),
    "johnsonsu": lambda s, a, b: mp.sinh((s - a) / b),
}


def _half_normal(s):
    return _root(lambda x: 2 * phi(-x), lambda x: 2 * mp.npdf(x), phi(-s), _start(s))


def _start(s):
    """A double near the half-normal's quantile, by SciPy."""
    from scipy.stats import halfnorm

    p = float(phi(-abs(s)))
    return halfnorm.isf(p) if s > 0 else halfnorm.ppf(p)


def _root(upper, density, p, x):
    """Newton's iteration for upper(x) = p."""
    x = mp.mpf(float(x))
    for _ in range(8):
        x += (upper(x) - p) / density(x)
    return x


def solved(name, shapes, s, near):
    """T(s) of a standard law known by its tails, by Newton's iteration from a double near it."""
    lower, upper, density = _tails(name, shapes)
    x = mp.mpf(float(near))
    for _ in range(2):  # from 1e−13 to 1e−52
        x += (upper(x) - phi(-s)) / density(x) if s > 0 else (phi(s) - lower(x)) / density(x)
    return x, mp.npdf(mp.mpf(s)) / density(x)


def mapped(name, shapes, s, near):
    """T(s) and T'(s) of a map of a gamma or beta law; ``near(law, shapes, s)`` is a double near its T."""

    def base(law, *of, at=s):
        return solved(law, of, at, near(law, of, float(at)))

    if name in ("betaprime", "f"):
        a, b = shapes if name == "betaprime" else (shapes[0] / 2, shapes[1] / 2)
        scale = 1 if name == "betaprime" else mp.mpf(shapes[1]) / shapes[0]
        if s <= 0:
            x, slope = base("beta", a, b)
            return scale * x / (1 - x), scale * slope / (1 - x) ** 2
        rest, slope = base("beta", b, a, at=-s)
        return scale * (1 / rest - 1), scale * slope / rest**2
    if name == "rdist":
        half, slope = base("beta", shapes[0] / 2, shapes[0] / 2, at=-abs(s))
        return (1 if s > 0 else -1) * (1 - 2 * half), 2 * slope
    if name in ("chi", "maxwell", "nakagami"):
        shape = {"chi": lambda n: n / 2, "maxwell": lambda: 1.5, "nakagami": lambda n: n}[name](*shapes)
        g, slope = base("gamma", shape)
        scale = mp.mpf(1) / shape if name == "nakagami" else 2
        return mp.sqrt(scale * g), scale * slope / (2 * mp.sqrt(scale * g))
    if name in ("erlang", "loggamma"):
        g, slope = base("gamma", shapes[0])
        return (g, slope) if name == "erlang" else (mp.log(g), slope / g)
    a, c = (*shapes, -1.0) if name == "invgamma" else shapes
    side = 1 if c > 0 else -1
    g, slope = base("gamma", a, at=side * s)
    x = g ** (1 / mp.mpf(c))
    return x, side * x * slope / (c * g)


def _tails(name, shapes):
    a = [mp.mpf(shape) for shape in shapes]
    if name == "gamma":
        return (
            lambda x: mp.gammainc(a[0], 0, x, regularized=True),
            lambda x: mp.gammainc(a[0], x, mp.inf, regularized=True),
            lambda x: mp.exp((a[0] - 1) * mp.log(x) - x - mp.loggamma(a[0])),
        )
    if name == "chi2":
        below, above, density = _tails("gamma", [a[0] / 2])
        return lambda x: below(x / 2), lambda x: above(x / 2), lambda x: density(x / 2) / 2
    if name == "beta":
        return (
            lambda x: mp.betainc(a[0], a[1], 0, x, regularized=True),
            lambda x: mp.betainc(a[1], a[0], 0, 1 - x, regularized=True),
            lambda x: x ** (a[0] - 1) * (1 - x) ** (a[1] - 1) / mp.beta(*a),
        )
    if name == "t":
        n = a[0]

        def far(x):
            half = mp.betainc(n / 2, mp.mpf(1) / 2, 0, n / (n + x**2), regularized=True) / 2
            return half if x > 0 else 1 - half

        constant = mp.gamma((n + 1) / 2) / mp.sqrt(n * mp.pi) / mp.gamma(n / 2)
        return lambda x: far(-x), far, lambda x: constant * (1 + x**2 / n) ** (-(n + 1) / 2)
    low, high = a

    def between(x, y):
        return phi(y) - phi(x) if x < 0 else phi(-x) - phi(-y)

    whole = between(low, high)
    return (
        lambda x: between(low, x) / whole,
        lambda x: between(x, high) / whole,
        lambda x: mp.npdf(x) / whole,
    )


def mixture(atoms, weights, part):
    """T(s) of atoms and a density whose quantile and distribution function are ``part``."""
    atoms, weights = [mp.mpf(float(x)) for x in atoms], [mp.mpf(float(w)) for w in weights]
    rest = 1 - sum(weights)
    quantile, distribution = part

    def transport(s):
        p, passed = phi(s), mp.mpf(0)
        for atom, weight in zip(atoms, weights, strict=True):
            start = rest * distribution(atom) + passed
            if p <= start:
                break
            if p <= start + weight:
                return atom
            passed += weight
        return quantile((p - passed) / rest)

    return transport


PARTS = {
    "uniform": (lambda q: q, lambda x: min(max(x, mp.mpf(0)), mp.mpf(1))),
    "expon": (lambda q: -mp.log(1 - q), lambda x: 1 - mp.exp(-x) if x > 0 else mp.mpf(0)),
}


def staircase(atoms, masses):
    """T(s) of finitely many atoms: the first whose P(X ≤ atom) reaches Φ(s)."""
    sums = [mp.mpf(0)]
    for mass in masses:
        sums.append(sums[-1] + mass)

    def transport(s):
        p = phi(s)
        for atom, total in zip(atoms, sums[1:], strict=True):
            if p <= total:
                return mp.mpf(atom)
        return mp.mpf(atoms[-1])

    return transport


def cantor(s):
    """Q(Φ(s)) from 160 binary digits of Φ(s), after its leading zeros."""
    p, value = phi(s), mp.mpf(0)
    zeros = max(int(-mp.log(p, 2)) - 1, 0)
    digits = int(mp.floor(p * mp.mpf(2) ** (zeros + 160)))
    for k in range(160):  # from the last digit to the first
        value = (value + 2 * ((digits >> k) & 1)) / 3
    return value / mp.mpf(3) ** zeros


def slope(transport, s):
    """T'(s) by a central difference."""
    s = mp.mpf(s)
    return (transport(s + STEP) - transport(s - STEP)) / (2 * STEP)


def prox(transport, z, step, near):
    """The prox by bisection of λs + T(s) − z from a bracket around a noise near it, and the noise."""
    z, step, s = mp.mpf(float(z)), mp.mpf(float(step)), mp.mpf(float(near))
    width = mp.mpf(2) ** -60
    cut = mp.mpf(20)

    def image(r):
        return transport(min(max(r, -cut), cut))

    def excess(r):
        return step * r + image(r) - z

    low, high = s - width, s + width
    while excess(low) > 0:
        width *= 64
        low = s - width
    while excess(high) < 0:
        width *= 64
        high = s + width
    while high - low > mp.mpf(10) ** -45 * max(1, abs(low)):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    first, last = image(low), image(high)
    return min(max(z - step * low, first), last), low


def errors(computed, exact):
    """|computed − exact| as doubles."""
    return np.array([float(abs(mp.mpf(float(c)) - e)) for c, e in zip(computed, exact, strict=True)])
