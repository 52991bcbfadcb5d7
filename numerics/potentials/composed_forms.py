r"""Quantile functions of SciPy's elementary laws, as maps of noise; what they err by follows step by step.

With the two exponents E(s) = −log Φ(−s) of the upper tail and E(−s) of the lower one, and their difference L,
the logarithm of the odds, a formula in probabilities loses nothing in either tail: burr's
$(F^{-1/d} - 1)^{-1/c}$ is $\exp(-\log(e^{E(-s)/d} - 1)/c)$.
"""

import numpy as np

from numerics.accuracy import UNIT
from numerics.potentials.noise_maps import (
    LAPLACE,
    LOGISTIC,
    half_normal,
    half_normal_error,
    laplace,
    logistic,
)
from numerics.potentials.normal import (
    DENSITY,
    EXPONENT,
    HAZARD,
    TAIL,
    Values,
    density,
    exponent,
    hazard,
    tail,
)
from numerics.potentials.running import (
    Formula,
    Running,
    arcsin,
    asinh,
    either,
    exp,
    expit,
    expm1,
    log,
    log1m_exp,
    log1p,
    log_expm1,
    log_of_log,
    odd,
    sinh,
    sqrt,
    tan,
)


def _noise(s: Values) -> Running:
    return Running.relative(s, 0, np.ones_like(s), 0)


def _lower(s: Values) -> Running:
    """Φ(s)."""
    return Running.relative(tail(-s), TAIL, density(s), DENSITY)


def _upper(s: Values) -> Running:
    """Φ(−s)."""
    return Running.relative(tail(s), TAIL, -density(s), DENSITY)


def _lower_exponent(s: Values) -> Running:
    """−log Φ(s)."""
    return Running.relative(exponent(-s), EXPONENT, -hazard(-s), HAZARD)


def _upper_exponent(s: Values) -> Running:
    """−log Φ(−s)."""
    return Running.relative(exponent(s), EXPONENT, hazard(s), HAZARD)


def _odds(s: Values) -> Running:
    """log(Φ(s)/Φ(−s))."""
    return Running.relative(logistic(s), LOGISTIC, hazard(s) + hazard(-s), HAZARD + 1)


def _laplace(s: Values) -> Running:
    return Running.relative(laplace(s), LAPLACE, hazard(np.abs(s)), HAZARD)


def _half_normal(s: Values) -> Running:
    """Where P(|N| > x) = Φ(s): it falls."""
    x = half_normal(-s)
    error = UNIT * half_normal_error(-s, x)
    slope = density(s) / (2 * density(x))
    return Running(x, error, -slope, slope * (UNIT * (2 * DENSITY + 1) + x * error))


def _between(s: Values, low: Formula, high: Formula) -> Running:
    """``low`` up to the median, ``high`` beyond; neither is asked elsewhere."""
    return either(s <= 0, low(np.minimum(s, 0.0)), high(np.maximum(s, 0.0)))


def _truncated_exponential(s: Values, rate: float, count: float) -> Running:
    """On [0, rate], of density proportional to e^−y: −log(1 − Φ(s)(1 − e^−rate)); the rate errs by ``count``.

    Its derivative by the rate is at most Φ(s).
    """
    found = _between(
        s,
        lambda r: -log1p(_lower(r).times(np.expm1(-rate), 3)),
        lambda r: -log(_upper(r) + _lower(r).times(np.exp(-rate), 3)),
    )
    return found.moved(UNIT * count * rate * tail(-s))


def _anglit(s: Values) -> Running:
    """π/4 − arcsin √(1 − F) above the median; π/4 is rounded, too."""
    size = -arcsin(sqrt(_upper(np.abs(s)))) + np.pi / 4
    return odd(s, size.moved(np.full_like(s, UNIT / 2)))


def _bradford(s: Values, c: float) -> Running:
    rate = np.log1p(c)
    return _between(
        s,
        lambda r: expm1(_lower(r).times(rate, 3)) / c,
        lambda r: expm1(-_upper(r).times(rate, 3)).times((1 + c) / c, 3) + 1.0,
    )


def _log_uniform(s: Values, a: float, b: float) -> Running:
    rate = np.log1p((b - a) / a) if b <= 2 * a else np.log(b / a)  # b − a is exact, or the logarithm above ½
    count = 5
    return _between(
        s,
        lambda r: exp(_lower(r).times(rate, count)).times(a),
        lambda r: exp(-_upper(r).times(rate, count)).times(b),
    )


def _triangular(s: Values, c: float) -> Running:
    if c == 0:
        return -sqrt(_upper(s)) + 1.0
    low = sqrt(_lower(s).times(c))
    return low if c == 1 else either(low.value <= c, low, -sqrt(_upper(s).times(1 - c, 2)) + 1.0)


def _tukey(s: Values, k: float) -> Running:
    """(F^k − (1 − F)^k)/k, the larger power times 1 − their quotient."""
    if k == 0:
        return _odds(s)
    away = np.abs(s)
    power, rest = exp(-_lower_exponent(away).times(k)), -expm1(-_odds(away).times(k))
    return odd(s, (power * rest) / k)


def _less_power(logarithm: Running, c: float) -> Running:
    """(1 − y^c)/c from log y; −log y where c is 0."""
    return -expm1(logarithm.times(c)) / c if c else -logarithm


def _extreme(s: Values, c: float) -> Running:
    return _less_power(log(_lower_exponent(s)), c)


def _kappa4(s: Values, h: float, k: float) -> Running:
    """(1 − y^k)/k, y = (1 − F^h)/h; SciPy knows no variance for h < 0."""
    size = _lower_exponent(s)
    if h == 0:
        return _less_power(log(size), k)
    logarithm = log1m_exp(size.times(h)) + -np.log(h)
    return _less_power(logarithm.moved(np.full_like(s, 2 * UNIT * abs(np.log(h)))), k)


def _kappa3(s: Values, a: float) -> Running:
    """(a/(F^−a − 1))^{1/a}."""
    logarithm = -log_expm1(_lower_exponent(s).times(a)) + np.log(a)
    return exp(logarithm.moved(np.full_like(s, 2 * UNIT * abs(np.log(a)))) / a)


COMPOSED: dict[str, Formula] = {
    "anglit": _anglit,
    "bradford": _bradford,
    "burr": lambda s, c, d: exp(-(log_expm1(_lower_exponent(s) / d) / c)),
    "burr12": lambda s, c, d: exp(log_expm1(_upper_exponent(s) / d) / c),
    "exponpow": lambda s, b: exp(log(log1p(_upper_exponent(s))) / b),
    "exponweib": lambda s, a, c: exp(log_of_log(_lower_exponent(s) / a) / c),
    "fatiguelife": lambda s, c: exp(asinh(_noise(s).times(c / 2)).times(2.0, 0)),
    "fisk": lambda s, c: exp(_odds(s) / c),
    "genextreme": _extreme,
    "genhalflogistic": lambda s, c: -expm1(-(_upper_exponent(s) + log1p(_lower(s))).times(c)) / c,
    "genlogistic": lambda s, c: -log_expm1(_lower_exponent(s) / c),
    "genpareto": lambda s, c: expm1(_upper_exponent(s).times(c)) / c if c else _upper_exponent(s),
    "gibrat": lambda s: exp(_noise(s)),
    "gompertz": lambda s, c: log1p(_upper_exponent(s) / c),
    "halflogistic": lambda s: _upper_exponent(s) + log1p(_lower(s)),
    "hypsecant": lambda s: odd(s, -log(tan(_upper(np.abs(s)).times(np.pi / 2, 2)))),
    "invweibull": lambda s, c: exp(-(log(_lower_exponent(s)) / c)),
    "johnsonsb": lambda s, a, b: expit((_noise(s) + -a) / b),
    "johnsonsu": lambda s, a, b: sinh((_noise(s) + -a) / b),
    "kappa3": _kappa3,
    "kappa4": _kappa4,
    "loglaplace": lambda s, c: exp(_laplace(s) / c),
    "loguniform": _log_uniform,
    "lomax": lambda s, c: expm1(_upper_exponent(s) / c),
    "mielke": lambda s, k, t: exp(-(log_expm1(_lower_exponent(s).times(t / k, 2)) / t)),
    "moyal": lambda s: log(_half_normal(s)).times(-2.0, 0),
    "reciprocal": _log_uniform,
    "triang": _triangular,
    "truncexpon": lambda s, b: _truncated_exponential(s, b, 0.0),
    "truncpareto": lambda s, b, c: exp(_truncated_exponential(s, b * np.log(c), 3.0) / b),
    "tukeylambda": _tukey,
    "weibull_max": lambda s, c: -exp(log(_lower_exponent(s)) / c),
}
"""T(s, *shapes) of each standard law by its name in SciPy."""
