"""Laws whose quantiles are solved from their tail probabilities."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numerics.accuracy import UNIT
from numerics.potentials.line_laws import ContinuousLaw, refuse_ends
from numerics.potentials.normal import DENSITY, TAIL, Values, density, hazard, mills, noise_of, tail
from numerics.potentials.scipy_tails import moments, quiet
from numerics.potentials.tails import OF_SCIPY, Tails, beta_tails, gamma_tails, student_tails
from numerics.potentials.truncated_normal import truncated_normal_tails

SPECIAL: dict[str, Callable[..., Tails]] = {
    "gamma": gamma_tails,
    "chi2": lambda k: gamma_tails(k / 2),  # of X/2
    "beta": beta_tails,
    "t": student_tails,
    "truncnorm": truncated_normal_tails,
}


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

    rests_on = OF_SCIPY

    def __init__(
        self, tails: Tails, loc: float, scale: float, cut: tuple[float, float], distribution: Any
    ) -> None:
        self._tails, self._loc, self._scale, self.cut = tails, loc, scale, cut
        self._distribution = distribution
        self._kept = np.empty(0), np.empty(0)
        self.mean, self.deviation = moments(distribution)
        self.ends = self.transport(np.array(cut))
        refuse_ends(self.ends, cut)

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
        """The densities' counts, and how much 1/f changes within what X errs by.

        Where that reaches an end of the support, any T' from 0 on is possible, up to those beside and to what
        a density that falls to the end leaves: its tail probability is at most f(x) times the distance.
        """
        x = self._quantile(s)
        slope = self._slope_at(s, x)
        counted = UNIT * (DENSITY + 2 + self._tails.density_count(x)) * slope
        moved = self.backward(s) * slope / self._scale + self._missed(s, x)
        changed = np.zeros_like(slope)
        for sign, end in zip((-1, 1), self._tails.ends, strict=True):
            beside = self._slope_at(s, x + sign * moved)
            left = sign * (end - x)
            most = np.maximum(slope, self._scale * (left + moved) * hazard(np.abs(s)))
            changed = np.maximum(changed, np.abs(beside - slope))
            changed = np.where(left <= moved, np.maximum(changed, most), changed)
        return counted + changed

    def _first_noise(self, x: Values) -> Values:
        standard = (x - self._loc) / self._scale
        with quiet():
            return noise_of(self._tails.lower(standard), self._tails.upper(standard))


_TINY = 1e-300
