r"""Laws whose transport from noise is in closed form: $T = Q∘Φ$ and T' without a probability in between.

With E(s) = −log Φ(−s) and the hazard h = E' of the normal law (normal.py), an exponential has T = E, a normal
law T = s, a lognormal one $e^{σs}$. Nothing is inverted, nothing cancels, and every rounding is counted here
for the standard law; location and scale add theirs in `ClosedLaw`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from numerics.accuracy import UNIT
from numerics.potentials.composed_forms import COMPOSED
from numerics.potentials.line_laws import ContinuousLaw, noise_by, refuse_ends
from numerics.potentials.mapped_forms import MAPPED
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
from numerics.potentials.running import Formula
from numerics.potentials.scipy_tails import moments, quiet
from numerics.potentials.tails import OF_SCIPY

_TINY = 1e-300  # what underflow may lose
_POWER = 3  # roundings of a power or an exponential, and of the quotient in its exponent
Form = Callable[..., Values]


@dataclass(frozen=True)
class ClosedForm:
    """A standard law of scipy with shapes a, …, as maps of noise.

    Attributes:
        transport: T(s, *shapes).
        slope: T'(s) from s, x = T(s) and shapes.
        error: By how much T errs, in UNITs, from s, x and shapes.
        slope_count: How many roundings T' has, from s, x and shapes.
    """

    transport: Form
    slope: Form
    error: Form
    slope_count: Form

    @classmethod
    def composed(cls, formula: Formula) -> "ClosedForm":
        """Of a formula that says step by step what it errs by."""

        def slope_count(s: Values, _x: Values, *shapes: float) -> Values:
            found = formula(s, *shapes)
            size = np.abs(found.slope)
            return np.divide(found.slope_error / UNIT, size, out=np.zeros_like(s), where=size > 0)

        return cls(
            lambda s, *shapes: formula(s, *shapes).value,
            lambda s, _x, *shapes: formula(s, *shapes).slope,
            lambda s, _x, *shapes: formula(s, *shapes).error / UNIT,
            slope_count,
        )


def _constant(count: float) -> Form:
    return lambda s, *_: np.full_like(s, count)


def _relative(count: float) -> Form:
    return lambda _, x, *_shapes: count * np.abs(x)


def _arcsine(s: Values) -> Values:
    lower = np.sin(np.pi / 2 * tail(np.abs(s))) ** 2
    return np.where(s > 0, 1 - lower, lower)


def _power(count: float, x: Values, root: float) -> Values:
    """Roundings of x = base**(1/root): the base's over the root, and the exponent's rounding times log x."""
    return count / root + _POWER + np.abs(np.log(np.maximum(x, 1e-300)))


FORMS: dict[str, ClosedForm] = {
    "norm": ClosedForm(lambda s: s, lambda s, _x: np.ones_like(s), _constant(0), _constant(0)),
    "uniform": ClosedForm(lambda s: tail(-s), lambda s, _x: density(s), _relative(TAIL), _constant(DENSITY)),
    "expon": ClosedForm(exponent, lambda s, _x: hazard(s), _relative(EXPONENT), _constant(HAZARD)),
    "laplace": ClosedForm(laplace, lambda s, _x: hazard(np.abs(s)), _relative(LAPLACE), _constant(HAZARD)),
    "logistic": ClosedForm(
        logistic, lambda s, _x: hazard(s) + hazard(-s), _relative(LOGISTIC), _constant(HAZARD + 1)
    ),
    "lognorm": ClosedForm(
        lambda s, c: np.exp(c * s),
        lambda _s, x, c: c * x,
        lambda s, x, c: (np.abs(c * s) + 2) * x,
        lambda s, _x, c: np.abs(c * s) + 3,
    ),
    "rayleigh": ClosedForm(
        lambda s: np.sqrt(2 * exponent(s)),
        lambda s, x: hazard(s) / x,
        _relative(EXPONENT / 2 + 1),
        _constant(HAZARD + EXPONENT / 2 + 2),
    ),
    "weibull_min": ClosedForm(
        lambda s, c: exponent(s) ** (1 / c),
        lambda s, x, c: x * hazard(s) / (c * exponent(s)),
        lambda _s, x, c: _power(EXPONENT, x, c) * x,
        lambda _s, x, c: _power(EXPONENT, x, c) + HAZARD + EXPONENT + 3,
    ),
    "gumbel_r": ClosedForm(
        lambda s: -np.log(exponent(-s)),
        lambda s, _x: hazard(-s) / exponent(-s),
        lambda _s, x: EXPONENT + 2 * np.abs(x),
        _constant(HAZARD + EXPONENT + 1),
    ),
    "gumbel_l": ClosedForm(
        lambda s: np.log(exponent(s)),
        lambda s, _x: hazard(s) / exponent(s),
        lambda _s, x: EXPONENT + 2 * np.abs(x),
        _constant(HAZARD + EXPONENT + 1),
    ),
    "pareto": ClosedForm(
        lambda s, b: np.exp(exponent(s) / b),
        lambda s, x, b: x * hazard(s) / b,
        lambda _s, x, _b: ((EXPONENT + 1) * np.log(x) + 2) * x,
        lambda _s, x, _b: (EXPONENT + 1) * np.log(x) + HAZARD + 4,
    ),
    "powerlaw": ClosedForm(
        lambda s, a: np.exp(-exponent(-s) / a),
        lambda s, x, a: x * hazard(-s) / a,
        lambda s, x, a: ((EXPONENT + 1) * exponent(-s) / a + 2) * x,
        lambda s, _x, a: (EXPONENT + 1) * exponent(-s) / a + HAZARD + 4,
    ),
    "halfnorm": ClosedForm(
        half_normal,
        lambda s, x: density(s) / (2 * density(x)),
        half_normal_error,
        lambda s, x: 2 * DENSITY + 1 + x * half_normal_error(s, x),
    ),
    "arcsine": ClosedForm(
        _arcsine,
        lambda s, _x: np.pi / 2 * np.sin(np.pi * tail(np.abs(s))) * density(s),
        lambda s, x: np.where(s > 0, (2 * TAIL + 8) * (1 - x) + x, (2 * TAIL + 8) * x),
        _constant(TAIL + DENSITY + 8),
    ),
}
FORMS |= {name: ClosedForm.composed(formula) for name, formula in (COMPOSED | MAPPED).items()}


class ClosedLaw(ContinuousLaw):
    """loc + scale·X for a standard law X in `FORMS`.

    Accuracy: T errs by scale times what the form states, and by one rounding each of the product and the
    sum; T' by the form's count and one more. Both are proved from the counts of normal.py and its premise,
    that an elementary function errs by one unit in the last place; but a map of a gamma or beta law
    (`mapped_forms`) rests on SciPy's tails of those, which are measured, and says so.

    Args:
        name: In `FORMS`.
        shapes: Of the standard law.
        loc: Location.
        scale: Positive.
        distribution: The same frozen law, for its moments and its cdf.

    Raises:
        ValueError: If T is not finite at the cut, or does not increase.
    """

    def __init__(
        self, name: str, shapes: tuple[float, ...], loc: float, scale: float, distribution: Any
    ) -> None:
        self._form, self._shapes, self._loc, self._scale = FORMS[name], shapes, loc, scale
        self._distribution = distribution
        self.rests_on = OF_SCIPY if name in MAPPED else ""
        self.mean, self.deviation = moments(distribution)
        with quiet():
            self.ends = self.transport(np.array(self.cut))
        refuse_ends(self.ends, self.cut)

    def transport(self, s: Values) -> Values:
        """T(s)."""
        return np.asarray(self._loc + self._scale * self._form.transport(s, *self._shapes))

    def slope(self, s: Values) -> Values:
        """T'(s)."""
        x = self._form.transport(s, *self._shapes)
        return np.asarray(self._scale * self._form.slope(s, x, *self._shapes))

    def backward(self, s: Values) -> Values:
        """0: nothing is inverted."""
        return np.zeros_like(s)

    def forward(self, s: Values) -> Values:
        """The form's count, the product's rounding, the sum's."""
        x = self._form.transport(s, *self._shapes)
        counts = self._form.error(s, x, *self._shapes) + np.abs(x) * (self._scale != 1)
        summed = np.abs(self._loc + self._scale * x) * (self._loc != 0)
        return UNIT * (self._scale * counts + summed) + _TINY * self._scale

    def slope_error(self, s: Values) -> Values:
        """The form's count and the product's."""
        x = self._form.transport(s, *self._shapes)
        count = self._form.slope_count(s, x, *self._shapes)
        return UNIT * (count + (count > 0) * (self._scale != 1)) * self.slope(s)

    def _first_noise(self, x: Values) -> Values:
        with quiet():
            return noise_by(self._distribution, x)
