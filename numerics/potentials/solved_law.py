"""Laws whose quantiles are solved from their tail probabilities, and the choice of a law's form."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numerics.accuracy import UNIT
from numerics.potentials.closed_laws import FORMS, ClosedLaw
from numerics.potentials.line_laws import ContinuousLaw, noise_by
from numerics.potentials.normal import CUT, DENSITY, TAIL, Values, density, mills, tail
from numerics.potentials.scipy_tails import quiet, scipy_tails
from numerics.potentials.tails import Tails, beta_tails, gamma_tails, student_tails
from numerics.potentials.truncated_normal import truncated_normal_tails

SPECIAL: dict[str, Callable[..., Tails]] = {
    "gamma": gamma_tails,
    "chi2": lambda k: gamma_tails(k / 2),  # of X/2
    "beta": beta_tails,
    "t": student_tails,
    "truncnorm": truncated_normal_tails,
}
LISTED = (*FORMS, *SPECIAL)  # the laws whose accuracy tests hold against 40 digits


class SolvedLaw(ContinuousLaw):
    """loc + scale·X, X a standard law known by its two tails.

    Accuracy, a posteriori: where the tail's probability p̂ of the computed quantile misses p relatively by r,
    and probabilities themselves err by c relatively, the quantile is that of a noise within c·M(s) of s,
    M = Φ(−|s|)/φ(s) Mills' ratio, and off by r·p/f besides; by 2 UNIT·|X| (a double is at most so far from
    a root between doubles); and by one rounding each of the product and the sum.

    Args:
        tails: Of X.
        loc: Location.
        scale: Positive.
        cut: Noise between which quantiles are resolved.
        distribution: The same law, for its moments.
    """

    def __init__(
        self, tails: Tails, loc: float, scale: float, cut: tuple[float, float], distribution: Any
    ) -> None:
        self._tails, self._loc, self._scale, self.cut = tails, loc, scale, cut
        self._distribution = distribution
        self._kept = np.empty(0), np.empty(0)
        with quiet():
            self.mean, self.deviation = float(distribution.mean()), float(distribution.std())
        self.ends = self.transport(np.array(cut))
        if not np.isfinite(self.ends).all() or not self.ends[0] < self.ends[1]:
            raise ValueError(
                f"distribution: its quantiles at noise {cut[0]:g} and {cut[1]:g} are {self.ends.tolist()}; "
                "they must be finite and increase"
            )

    def transport(self, s: Values) -> Values:
        """T(s), solved from the tail on the side of s."""
        return self._loc + self._scale * self._quantile(s)

    def _quantile(self, s: Values) -> Values:
        """X's, kept for the last noise: T, T' and what they err by are asked for together."""
        noise, x = self._kept
        if not np.array_equal(noise, s):
            x = self._tails.quantile(s)
            self._kept = s.copy(), x
        return x.copy()

    def slope(self, s: Values) -> Values:
        """φ(s)/f(T(s))."""
        return self._slope_at(s, self._quantile(s))

    def _slope_at(self, s: Values, x: Values) -> Values:
        inner = np.clip(x, *np.nextafter(self._tails.ends, [np.inf, -np.inf]))
        with np.errstate(all="ignore"):
            return np.asarray(self._scale * density(s) / self._tails.density(inner))

    def backward(self, s: Values) -> Values:
        """What tail probabilities err by, in noise."""
        return UNIT * (self._tails.count(s) + TAIL) * mills(s)

    def forward(self, s: Values) -> Values:
        """X's, times the scale, and the roundings of product and sum."""
        x = self._quantile(s)
        rounded = np.abs(x) * (self._scale != 1) * self._scale + np.abs(self._loc + self._scale * x)
        changed = self._loc != 0 or self._scale != 1
        return self._scale * self._missed(s, x) + UNIT * rounded * changed

    def _missed(self, s: Values, x: Values) -> Values:
        """The residual of the tail over the density, and the spacing of doubles at x."""
        p = tail(np.abs(s))
        with np.errstate(all="ignore"):
            missed = np.abs(self._tails.probability(x, s > 0) - p) / self._tails.density(x)
        return np.where(np.isfinite(missed), missed, 0.0) + 2 * UNIT * np.abs(x) + _TINY

    def slope_error(self, s: Values) -> Values:
        """The densities' counts, and how much 1/f changes within what X errs by."""
        x = self._quantile(s)
        slope = self._slope_at(s, x)
        counted = UNIT * (DENSITY + 2 + self._tails.density_count(x)) * slope
        moved = self.backward(s) * slope / self._scale + self._missed(s, x)
        inner = np.nextafter(
            self._tails.ends, [np.inf, -np.inf]
        )  # at the ends the density may be 0 or infinite
        ends = [self._slope_at(s, np.clip(x + sign * moved, *inner)) for sign in (-1, 1)]
        return counted + np.maximum(np.abs(ends[0] - slope), np.abs(ends[1] - slope))

    def _first_noise(self, x: Values) -> Values:
        with quiet():
            return noise_by(self._distribution, x)


_TINY = 1e-300


def continuous_law(distribution: Any) -> ContinuousLaw:
    """A frozen continuous law of SciPy in the most accurate form that there is.

    Raises:
        ValueError: If its quantiles are not resolved or not finite, or fall.
    """
    shapes, loc, scale = distribution.dist._parse_args(*distribution.args, **distribution.kwds)
    shapes = tuple(float(shape) for shape in shapes)
    loc, scale, name = float(loc), float(scale), distribution.dist.name
    if type(distribution.dist).__module__.startswith("scipy.stats."):
        if name in FORMS:
            return ClosedLaw(name, shapes, loc, scale, distribution)
        if name in SPECIAL:
            factor = 2.0 if name == "chi2" else 1.0
            return SolvedLaw(SPECIAL[name](*shapes), loc, factor * scale, (-CUT, CUT), distribution)
    tails, cut = scipy_tails(distribution.dist(*shapes), name or type(distribution.dist).__name__)
    return SolvedLaw(tails, loc, scale, cut, distribution)
