r"""Laws on the line in balls: T = Q∘Φ, and prox by a change of sign that is proved.

λs + T(s) − z increases strictly in the noise s: it is negative at one end of an interval and positive at the
other, both proved, so the noise of prox(z) lies between, and prox(z) = z − λs between the values at the ends.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flint import arb, arb_mat, arb_series, fmpq
from numpy.typing import ArrayLike

from numerics.intervals.balls import UndecidedError, Vector, exact, normal_below, normal_density
from numerics.intervals.exact_potential import Candidate, Enclosure

_WIDTH = 300  # bits of a noise that is proved
_SECTION = arb(0.4142135623)
CUT = arb(20)


@dataclass(frozen=True)
class ExactLaw:
    """A law with a density, by functions of balls and of power series.

    Attributes:
        noise_to_data: T(s) = Q(Φ(s)).
        distribution: F.
        quantile: Q, or None where mixtures don't ask for it.
    """

    noise_to_data: Callable[[Any], Any]
    distribution: Callable[[Any], Any]
    quantile: Callable[[Any], Any] | None = None


def norm(mean: float, deviation: float) -> ExactLaw:
    """N(mean, deviation²)."""
    m, s = exact([mean, deviation])
    return ExactLaw(lambda x: x * s + m, lambda x: normal_below((x - m) / s))


def expon(scale: float = 1.0) -> ExactLaw:
    """The exponential law of this mean."""
    (c,) = exact([scale])
    return ExactLaw(
        lambda s: -c * normal_below(-s).log(), lambda x: 1 - (-x / c).exp(), lambda p: -c * (1 - p).log()
    )


def uniform(start: float, width: float) -> ExactLaw:
    """Uniform on [start, start + width]."""
    a, w = exact([start, width])
    return ExactLaw(lambda s: normal_below(s) * w + a, lambda x: (x - a) / w, lambda p: p * w + a)


def logistic(mean: float, scale: float) -> ExactLaw:
    """The logistic law."""
    m, c = exact([mean, scale])
    return ExactLaw(
        lambda s: (normal_below(s).log() - normal_below(-s).log()) * c + m,
        lambda x: 1 / (1 + ((m - x) / c).exp()),
        lambda p: (p.log() - (1 - p).log()) * c + m,
    )


def lognorm(shape: float) -> ExactLaw:
    """The law of exp(X), X from N(0, shape²)."""
    (s,) = exact([shape])
    return ExactLaw(lambda x: (x * s).exp(), lambda x: normal_below(x.log() / s))


def gumbel() -> ExactLaw:
    """The largest-value law exp(−exp(−x))."""
    return ExactLaw(lambda s: -(-normal_below(s).log()).log(), lambda x: (-(-x).exp()).exp())


class OnTheLine(ABC):
    """The proofs of a potential on the line, from T alone."""

    dim = 1

    @abstractmethod
    def _uncut(self, s: arb) -> arb:
        """T(s) of the whole law; at a jump a ball that holds both sides."""

    def _map(self, s: arb) -> arb:
        """T(s) of the law cut at noise ±20, as `numerics.potentials` defines it: constant beyond."""
        return self._uncut(s.max(-CUT).min(CUT))

    def transport(self, x0: Vector) -> Candidate:
        """T(x₀); φ is not asked for."""
        return Candidate([self._map(x0[0])], arb(0))

    def noise(self, z: arb, step: arb) -> tuple[arb, arb]:
        """Ends s < s' of a short interval that is proved to hold the noise of prox(z).

        By sections that are no halves, so that a noise of few binary digits, a tie, is not met.
        """
        reach = arb(1)
        while not (self._excess(-reach, z, step) < 0 < self._excess(reach, z, step)):
            reach = reach * 2
            if reach > 2**40:
                raise UndecidedError("the noise of z is not found")
        low, high = -reach, reach
        while high - low > arb(2) ** -_WIDTH:
            middle = (low + (high - low) * _SECTION).mid()
            sign = self._excess(middle, z, step)
            if sign > 0:
                high = middle
            elif sign < 0:
                low = middle
            else:
                raise UndecidedError("the sign of λs + T(s) − z is not decided")
        return low, high

    def _excess(self, s: arb, z: arb, step: arb) -> arb:
        return step * s + self._map(s) - z

    def enclose(self, z: Vector, step: arb) -> Enclosure:
        """The number z − λs, for s between the proved ends; or T between them, where that is shorter."""
        low, high = self.noise(z[0], step)
        along, image = z[0] - step * low.union(high), self._map(low).union(self._map(high))
        return Enclosure([image if image.rad() < along.rad() else along], arb(0))


class ExactContinuous(OnTheLine):
    """A law with a density.

    Args:
        law: The law.
    """

    def __init__(self, law: ExactLaw) -> None:
        self._law = law

    def _uncut(self, s: arb) -> arb:
        return self._law.noise_to_data(s)

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """T'(x₀), by power series."""
        return arb_mat([[_slope(self._law.noise_to_data, x0[0])]])

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """1/(1 + λφ''), φ'' = F'(u)/φ_N(s) at u = prox(z), s its noise: by F, not by T."""
        low, high = self.noise(z[0], step)
        s = low.union(high)
        if not abs(s) < CUT:
            raise UndecidedError("the noise of z is beyond the cut")
        curvature = _slope(self._law.distribution, z[0] - step * s) / normal_density(s)
        return arb_mat([[1 / (1 + step * curvature)]])


class ExactMixture(OnTheLine):
    """Atoms with weights, the rest of the mass a law with a quantile function.

    Args:
        atoms: (k,) increasing.
        weights: (k,) of sum less than 1; doubles, taken as exact.
        law: The law.

    Raises:
        ValueError: If lengths disagree or the law has no quantile function here.
    """

    def __init__(self, atoms: ArrayLike, weights: ArrayLike, law: ExactLaw) -> None:
        self._atoms, self._weights, self._law = exact(atoms), exact(weights), law
        if len(self._atoms) != len(self._weights):
            raise ValueError(f"weights: got {len(self._weights)} for {len(self._atoms)} atoms")
        if law.quantile is None:
            raise ValueError("law: has no quantile function in balls; use expon, uniform or logistic")
        self._rest = 1 - sum(self._weights, arb(0))
        self._support = law.quantile

    def _place(self, s: arb) -> tuple[str, arb]:
        """Whether Φ(s) is proved to be in the step of an atom, in the density, or neither; and T(s)."""
        p, below = normal_below(s), arb(0)
        for atom, weight in zip(self._atoms, self._weights, strict=True):
            start = below + self._rest * _probability(self._law.distribution(atom))
            if p < start:
                break
            if start < p < start + weight:
                return "atom", atom
            if not p > start + weight:
                near = below if not p > start else below + weight
                return "border", atom.union(self._support((p - near) / self._rest))
            below = below + weight
        return "density", self._support((p - below) / self._rest)

    def _uncut(self, s: arb) -> arb:
        return self._place(s)[1]

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """0 at an atom; else φ_N(x₀)/(r·f(T(x₀)))."""
        kind, x = self._place(x0[0])
        if kind == "border":
            raise UndecidedError("the noise is at the border of an atom's step")
        slope = self._rest * _slope(self._law.distribution, x)
        return arb_mat([[arb(0) if kind == "atom" else normal_density(x0[0]) / slope]])

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """0 on an atom; else T'/(λ + T') with T' by power series of Q∘Φ."""
        low, high = self.noise(z[0], step)
        s = low.union(high)
        kind, _ = self._place(s)
        if kind == "border":
            raise UndecidedError("the noise is at the border of an atom's step")
        if kind == "atom":
            return arb_mat([[arb(0)]])
        below = sum(
            (
                weight
                for atom, weight in zip(self._atoms, self._weights, strict=True)
                if self._place(s)[1] > atom
            ),
            arb(0),
        )
        slope = _slope(lambda x: self._support((normal_below(x) - below) / self._rest), s)
        return arb_mat([[slope / (step + slope)]])


class ExactStaircase(OnTheLine):
    """A law on integers 0, 1, …, by its probabilities.

    Args:
        probability: P(X = k) as a ball.
        most: The largest k, or so large that noise beyond it is never asked for.
    """

    def __init__(self, probability: Callable[[int], arb], most: int) -> None:
        self._below: list[arb] = []
        mass = arb(0)
        for k in range(most):
            mass = mass + probability(k)
            self._below.append(mass)

    def _uncut(self, s: arb) -> arb:
        p = normal_below(s)
        for k, mass in enumerate(self._below):
            if p < mass:
                return arb(k)
            if not p > mass:
                return arb(k).union(arb(k + 1))
        return arb(len(self._below))

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """0 on a step."""
        if not self._map(x0[0]).is_exact():
            raise UndecidedError("the noise is at a jump")
        return arb_mat([[arb(0)]])

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """0 on an atom, 1 in a hole: whether the noise is proved to be on a step, or to hold a jump."""
        low, high = self.noise(z[0], step)
        on_step = self._map(low.union(high)).is_exact()
        return arb_mat([[arb(0 if on_step else 1)]])


def poisson(mean: float) -> ExactStaircase:
    """The Poisson law, up to 200."""
    (m,) = exact([mean])
    return ExactStaircase(lambda k: (-m).exp() * m**k / arb(k + 1).gamma(), 200)


def binomial(n: int, p: float) -> ExactStaircase:
    """The number of successes in n trials of probability p."""
    (q,) = exact([p])
    return ExactStaircase(lambda k: arb.bin_uiui(n, k) * q**k * (1 - q) ** (n - k), n)


class ExactCantor(OnTheLine):
    """The Cantor law: Q turns the binary digits of p into ternary ones, in rationals."""

    def _uncut(self, s: arb) -> arb:
        p = normal_below(s)
        low, high = (_cantor(end.fmpq()) for end in (p.lower(), p.upper()))
        return arb(low).union(arb(high) + arb(3) ** -_DIGITS)


class ExactBits(OnTheLine):
    """Biased bits: the bits of Q(Φ(s)) by comparisons that are proved, as many as the ball decides.

    Args:
        p: The probability of a one, a double.
    """

    def __init__(self, p: float) -> None:
        (self._one,) = exact([p])
        self._zero = 1 - self._one

    def _uncut(self, s: arb) -> arb:
        rest, low, width = normal_below(s), arb(0), arb(1)
        for _ in range(_DIGITS):
            if not (rest < self._zero or rest > self._zero):
                break
            width = width / 2
            bit = rest > self._zero
            low = low + width if bit else low
            rest = (rest - self._zero) / self._one if bit else rest / self._zero
        return low.union(low + width)


_DIGITS = 400


def _cantor(p: fmpq) -> fmpq:
    """Q(p) from the first 400 binary digits of p in [0, 1): below Q(p) by at most 3⁻⁴⁰⁰."""
    bits = int((p * fmpq(2) ** _DIGITS).floor()) if p > 0 else 0
    return fmpq(2 * int(format(bits, "b"), 3), 3**_DIGITS)


def _slope(function: Callable[[Any], Any], x: arb) -> arb:
    """The derivative at x, as the first coefficient of a power series."""
    return (function(arb_series([x, 1], 2)) + arb_series([0, 0], 2)).coeffs()[1]


def _probability(value: arb) -> arb:
    """A distribution function's formula, cut to [0, 1]: outside the support formulas go on."""
    return value.max(arb(0)).min(arb(1))
