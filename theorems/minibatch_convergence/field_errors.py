"""Two atoms: the loss of the population's field, and the field's error, by quadrature in the noise."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm as norm_law

from numerics.flows.exact import ExactField
from numerics.transport.panels import Integral
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.setting.vectors import norm

Values = NDArray[np.float64]


def loss_of_the_population(law: TwoAtomLaw, t: float) -> Integral:
    """E|ẋ − v|², linear schedule: prox goes clip(λ(z−b), 0, Δ) from y₀, clip(λ(b−z), 0, Δ) from y₁."""
    step = (1 - t) / t

    def integrand(z: Values, share: Values, side: int) -> Values:
        beyond = np.clip(side * step * (z - law.threshold), 0, law.distance)
        return np.asarray(norm_law.pdf(z) * share * beyond**2 / (1 - t) ** 2)

    reach = law.distance / step  # where the clip bends
    lower = law.integrate(lambda z: integrand(z, law.probability(z), 1), reach)
    upper = law.integrate(lambda z: integrand(z, 1 - law.probability(z), -1), -reach)
    return Integral(lower.value + upper.value, lower.error + upper.error)


def error_of_the_field(law: TwoAtomLaw, field: ExactField, t: float) -> Integral:
    """E|v⁽ⁿ⁾ − v|² under p⁽ⁿ⁾_t on the line with y₀ = 0, in z = x/(1−t), the noise if the label is y₀."""

    def integrand(z: Values) -> Values:
        x = (1 - t) * z[:, None]
        return (1 - t) * law.density(t, x) * norm(law.velocity(t, x) - field.velocity(t, x)) ** 2

    return law.integrate(integrand, t * law.distance / (1 - t))


RESOLUTIONS = "quadratures of two resolutions, as the library states them"
