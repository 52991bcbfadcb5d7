"""Laws of SciPy that are maps of a gamma or a beta law: what those err by is carried through step by step."""

from functools import lru_cache, partial

import numpy as np
from scipy import stats

from numerics.potentials.normal import CUT, Values
from numerics.potentials.running import Formula, Running, exp, log, odd, sqrt
from numerics.potentials.solved_law import SPECIAL, SolvedLaw

_LEAST = 1e-280  # a base law whose quantiles fall below it is not resolved


@lru_cache(maxsize=64)
def _base(name: str, *shapes: float) -> SolvedLaw:
    return SolvedLaw(SPECIAL[name](*shapes), 0.0, 1.0, (-CUT, CUT), getattr(stats, name)(*shapes))


def _running(name: str, s: Values, *shapes: float) -> Running:
    law = _base(name, *shapes)
    return Running(law.transport(s), law.error(s), law.slope(s), law.slope_error(s))


_gamma, _beta = partial(_running, "gamma"), partial(_running, "beta")


def _mirrored(v: Running) -> Running:
    """Of v(−s), given at −s: its derivative turns round."""
    return Running(v.value, v.error, -v.slope, v.slope_error)


def _generalised_gamma(s: Values, a: float, c: float) -> Running:
    """G^{1/c}, of G's upper tail where c < 0."""
    return exp(log(_gamma(s, a) if c > 0 else _mirrored(_gamma(-s, a))) / c)


def _beta_odds(s: Values, a: float, b: float) -> Running:
    """B/(1 − B), both parts as quantiles."""
    return exp(log(_beta(s, a, b)) + -log(_mirrored(_beta(-s, b, a))))


def _symmetric_beta(s: Values, c: float) -> Running:
    """2B − 1 for B of shapes c/2 twice, which is odd."""
    return odd(s, -_mirrored(_beta(-np.abs(s), c / 2, c / 2)).times(2.0, 0) + 1.0)


MAPPED: dict[str, Formula] = {
    "betaprime": _beta_odds,
    "chi": lambda s, n: sqrt(_gamma(s, n / 2).times(2.0, 0)),
    "erlang": lambda s, a: _gamma(s, a),
    "f": lambda s, m, n: _beta_odds(s, m / 2, n / 2).times(n / m, 2),
    "gengamma": _generalised_gamma,
    "invgamma": lambda s, a: exp(-log(_mirrored(_gamma(-s, a)))),
    "loggamma": lambda s, a: log(_gamma(s, a)),
    "maxwell": lambda s: sqrt(_gamma(s, 1.5).times(2.0, 0)),
    "nakagami": lambda s, n: sqrt(_gamma(s, n) / n),
    "rdist": _symmetric_beta,
}
"""T(s, *shapes) of each standard law by its name in SciPy."""


def is_in_range(name: str, shapes: tuple[float, ...]) -> bool:
    """Whether a law is no map, or doubles hold the quantiles of the law that it maps."""
    if name not in MAPPED or name in ("maxwell", "rdist"):
        return True
    if name in ("betaprime", "f"):
        a, b = shapes if name == "betaprime" else (shapes[0] / 2, shapes[1] / 2)
        return bool(min(_base("beta", a, b).ends[0], _base("beta", b, a).ends[0]) > _LEAST)
    return bool(_base("gamma", shapes[0] / 2 if name == "chi" else shapes[0]).ends[0] > _LEAST)
