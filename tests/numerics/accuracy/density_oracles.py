"""Densities of laws in balls from textbook formulas, and the tails that they integrate to."""

from functools import cache

from flint import acb, arb
from scipy import stats

BITS = 200
_STEP = arb(1) / 32


def normal(x):
    return (-x * x / 2).exp() / (2 * arb.pi()).sqrt()


def above(x):
    """P(N > x)."""
    return (x / arb(2).sqrt()).erfc() / 2


@cache
def _nodes(order):
    """cosh(t) and cosh(order·t) at multiples t of `_STEP` from 1 on."""
    places = [j * _STEP for j in range(1, 240)]
    return [(t.cosh(), (order * t).cosh()) for t in places]


def _bessel_k(order, x):
    """∫ exp(−x·cosh t)·cosh(order·t) dt from 0 on by the trapezoid rule: to 25 digits for 0.4 ≤ x ≤ 300.

    In |Im t| ≤ y the integrand is at most exp(x·(1 − cos y)) times as large as on the line, and the rule errs
    by exp(−2πy/step) of that: with y = ½ by exp(−63) at the largest x, and with y = 1.5 by far less at small.
    arb's own K of an integer order takes seconds for a tail.
    """
    total = (-x).exp() / 2
    for hyperbolic, weight in _nodes(order):
        term = (-x * hyperbolic).exp() * weight
        total += term
        if term < total * arb(2) ** -100:
            break
    return total * _STEP


def _hyperbolic(p, a, b):
    """Of genhyperbolic; norminvgauss is that of p = −½."""
    root = (a * a - b * b).sqrt()
    constant = root**p / ((2 * arb.pi()).sqrt() * a ** (p - arb(1) / 2) * _bessel_k(p, root))

    def density(x):
        size = (1 + x * x).sqrt()
        k = _bessel_k(p - arb(1) / 2, (a * size).real)
        return constant * (b * x).exp() * k * size.pow(p - arb(1) / 2)

    return density


def _inverse_gaussian(mu):
    def density(x):
        return (-((x - mu) ** 2) / (2 * x * mu * mu)).exp() / (2 * arb.pi() * x).sqrt() / x

    return density


def _reciprocal_inverse_gaussian(mu):
    def density(x):
        return (-((1 - mu * x) ** 2) / (2 * x * mu * mu)).exp() / (2 * arb.pi() * x).sqrt()

    return density


def _generalised_inverse_gaussian(p, b):
    constant = 2 * _bessel_k(p, b)

    def density(x):
        return x.pow(p - 1) * (-b * (x + 1 / x) / 2).exp() / constant

    return density


def _noncentral_chi2(k, c):
    def density(x):
        root = (c * x).sqrt()
        power = (x / c).pow(k / 4 - arb(1) / 2)
        return (-(x + c) / 2).exp() * power * root.bessel_i(k / 2 - 1) / 2

    return density


def _skew_student(a, b):
    constant = 2 ** (a + b - 1) * (a + b).sqrt() * (a.gamma() * b.gamma() / (a + b).gamma())

    def density(x):
        share = x / (a + b + x * x).sqrt()
        half = arb(1) / 2
        return (1 + share).pow(a + half) * (1 - share).pow(b + half) / constant

    return density


def _argus(c):
    constant = c**3 / (2 * arb.pi()).sqrt() / (arb(1) / 2 - above(c) - c * normal(c))

    def density(x):
        rest = 1 - x * x
        return constant * x * rest.sqrt() * (-c * c * rest / 2).exp()

    return density


def _symmetric_beta(c):
    half = arb(1) / 2
    constant = (c / 2 + half).gamma() / (half.gamma() * (c / 2).gamma())
    return lambda x: constant * (1 - x * x).pow(c / 2 - 1)


def _pearson3(skew):
    shape = 4 / skew**2

    def density(x):
        rest = shape + 2 * x / skew
        return 2 / abs(skew) * rest.pow(shape - 1) * (-rest).exp() / shape.gamma()

    return density


DENSITIES = {
    "argus": _argus,
    "exponnorm": lambda k: lambda x: (1 / (2 * k * k) - x / k).exp() * above(1 / k - x) / k,
    "foldnorm": lambda c: lambda x: normal(x - c) + normal(x + c),
    "genhyperbolic": _hyperbolic,
    "geninvgauss": _generalised_inverse_gaussian,
    "halfgennorm": lambda b: lambda x: b / (1 / b).gamma() * (-x.pow(b)).exp(),
    "invgauss": _inverse_gaussian,
    "jf_skew_t": _skew_student,
    "ncx2": _noncentral_chi2,
    "norminvgauss": lambda a, b: _hyperbolic(-arb(1) / 2, a, b),
    "pearson3": _pearson3,
    "rdist": _symmetric_beta,
    "recipinvgauss": _reciprocal_inverse_gaussian,
    "rice": lambda b: lambda x: x * (-(x * x + b * b) / 2).exp() * (b * x).bessel_i(0),
    "semicircular": lambda: lambda x: 2 / arb.pi() * (1 - x * x).sqrt(),
    "skewnorm": lambda a: lambda x: 2 * normal(x) * above(-a * x),
    "vonmises": lambda k: lambda x: (k * x.cos()).exp() / (2 * arb.pi() * acb(k).bessel_i(0).real),
    "wald": lambda: _inverse_gaussian(arb(1)),
}
"""Of the standard law by its name in SciPy, from its shapes: functions of a ball."""


def ends(name, shapes):
    """Of the support, as balls: of two laws they are no doubles, and SciPy gives the whole line."""
    if name == "vonmises":
        return -arb.pi(), arb.pi()
    if name == "pearson3":
        end = -2 / arb(shapes[0])
        return (end, arb("inf")) if end < 0 else (arb("-inf"), end)
    return tuple(arb(float(end)) for end in getattr(stats, name)(*shapes).support())


def density(name, shapes):
    """f of a law of `DENSITIES`, whose shapes are doubles."""
    return DENSITIES[name](*(arb(shape) for shape in shapes))


@cache
def _rule(n):
    """The nodes and weights of Gauss and Legendre, as balls."""
    return [arb.legendre_p_root(n, k, weight=True) for k in range(n)]


def _gauss(of, low, high, n):
    half, middle = (high - low) / 2, (high + low) / 2
    return half * sum(weight * of(acb(middle + half * node)).real for node, weight in _rule(n))


def _adaptive(of, low, high, allowed):
    coarse, fine = _gauss(of, low, high, 20), _gauss(of, low, high, 40)
    if abs(coarse - fine) < allowed:
        return fine
    middle = ((low + high) / 2).mid()
    return _adaptive(of, low, middle, allowed) + _adaptive(of, middle, high, allowed)


def tail(of, x, end, size):
    """∫ of a density from x to an end of its support, to 25 digits: two rules on panels that double outwards.

    Args:
        of: The density.
        x: Where the tail begins.
        end: A ball, or an infinity.
        size: About how large the tail is.
    """
    side, x, total = (1 if end > x else -1), arb(x), arb(0)
    width, least, part = size / of(acb(x)).real, size * arb(10) ** -27, size
    while x != end and not abs(part) < least / 2**20:
        stop = (x + side * width).mid()
        stop = stop if side * (end - stop) > 0 else end
        part = side * _adaptive(of, x, stop, least)
        total, x, width = total + part, stop, 2 * width
    return total
