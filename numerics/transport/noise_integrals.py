r"""Integrals of a law's transport T against the noise: E x₀T, the batch's loss, E T², each with its error.

All are $∫h(x)φ_N(x)dx$ over noise in [−20, 20] by 16-point Gauss–Legendre rules on panels, from panels of
length 1 cut at the jumps of T that are known. A panel is halved until it differs from its halves by no more
than its own rounding, so a middle where the law has almost no mass (T is steep at 0), and algebraic ends, are
resolved by panels that shrink towards them.

The error stated is the sum of all such differences (the halves are far better than that), of the rounding of
T, which the law states for itself, of that of φ_N, the nodes and the weights, (2x² + 24)u of each term, and
of the tail. Roundings are added as if all had one sign, so that where there are thousands of nodes the error
seen may be a hundred times smaller.

The tail needs no property of the law: $|E[T(x_0)x_0; |x_0| > 20]| ≤ \sqrt{E T^2 · E[x_0^2; |x_0| > 20]}$
$≤ 10^{-42}\sqrt{E T^2}$. Only of E T² itself it may matter; `Integrals.tail_of_square` estimates it. Where a
law is cut before, as scipy does not resolve its quantiles, what lies beyond counts in every integral, by the
same inequality: of all events of its probability p those noises are the largest with |x₀| > q, 2Φ(−q) = p.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.polynomial.legendre import leggauss
from scipy.special import ndtr, ndtri

from numerics.accuracy import UNIT
from numerics.potentials import AtomAndDensity
from numerics.potentials.atoms_and_density import MixtureLaw
from numerics.potentials.line import LinePotential
from numerics.transport.order_statistics import rank_excess, rank_excess_rounding

Values = Float[np.ndarray, " k"]
CUT = 20.0
TAIL = 2e-43  # √E[x₀²; |x₀| > 20]
_ROUNDS, _PANELS = 60, 256
_SHARE = 1 / 512


@dataclass(frozen=True)
class Integrals:
    """E of T − c times x₀, x₀ − b_n(x₀), b_n(x₀), T − c and 1, over |x₀| ≤ 20, in this order.

    Attributes:
        centre: c = T(0).
        values: (5,)
        errors: (5,) two resolutions, rounding, and what a cut before 20 leaves out; not what lies beyond 20.
        tail_of_square: An upper estimate of E[(T−c)²] beyond the law's cut; +inf where it does not fall.
    """

    centre: float
    values: Float[np.ndarray, " 5"]
    errors: Float[np.ndarray, " 5"]
    tail_of_square: float


def noise_integrals(target: LinePotential, n: int) -> Integrals:
    """Of the law's T and batches of n.

    Args:
        target: A law with a density, or such a law mixed with atoms.
        n: Batch size.
    """
    centre = float(target.transport([[0.0]])[0, 0])

    def integrands(x: Values) -> tuple[Float[np.ndarray, "5 k"], Float[np.ndarray, "5 k"]]:
        return _integrands(target, centre, n, x)

    breaks = _jumps(target)
    edges = np.unique(np.concatenate([np.linspace(-CUT, CUT, 41), breaks[np.abs(breaks) < CUT]]))
    values, errors = _refined(integrands, edges)
    lost, probability = _beyond(target, centre)
    errors = errors + _misplaced(target, n, breaks) + _left_out(lost, probability, n)
    return Integrals(centre, values, errors, lost)


def _integrands(
    target: LinePotential, centre: float, n: int, x: Values
) -> tuple[Float[np.ndarray, "5 k"], Float[np.ndarray, "5 k"]]:
    """The five integrands, and what each errs by."""
    data = target.transport(x[:, None])[:, 0] - centre
    wrong = target.roundings.transport(x[:, None]).bound + UNIT * np.abs(data)
    loss, wrong_loss = rank_excess(x, n), rank_excess_rounding(x, n)
    factors = np.stack([x, loss, x - loss, np.ones_like(x), data])
    own = np.zeros_like(factors)
    own[1], own[2] = wrong_loss, wrong_loss + UNIT * np.abs(factors[2])
    if n == 1:
        own[2] = 0.0
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    signed = density * data * factors
    sizes = np.abs(factors)
    with np.errstate(invalid="ignore"):  # what a law does not know of its T may be infinite
        of_data = np.where(sizes > 0, wrong * sizes, 0.0)
    rounding = density * (of_data + np.abs(data) * own) + (2 * x**2 + 24) * UNIT * np.abs(signed)
    rounding[4] += density * wrong * (np.abs(data) + wrong)
    return signed, rounding


def _refined(
    integrands: Callable[[Values], tuple[Float[np.ndarray, "5 k"], Float[np.ndarray, "5 k"]]],
    edges: Values,
) -> tuple[Float[np.ndarray, " 5"], Float[np.ndarray, " 5"]]:
    """The integrals by halved panels, and their errors."""
    nodes, weights = leggauss(16)

    def integrals(a: Values, b: Values) -> tuple[Float[np.ndarray, "5 m"], Float[np.ndarray, "5 m"]]:
        x = (a + b)[:, None] / 2 + (b - a)[:, None] / 2 * nodes
        signed, rounding = (part.reshape(5, *x.shape) for part in integrands(x.ravel()))
        return signed @ weights * (b - a) / 2, rounding @ weights * (b - a) / 2

    a, b = edges[:-1], edges[1:]
    whole, bound = integrals(a, b)
    allowed = _SHARE * bound.sum(axis=1, keepdims=True)
    values, errors = np.zeros(5, dtype=np.longdouble), np.zeros(5)
    for round_ in range(_ROUNDS):
        middle = (a + b) / 2
        left, left_bound = integrals(a, middle)
        right, right_bound = integrals(middle, b)
        apart, rounding = np.abs(left + right - whole), left_bound + right_bound
        done = (apart <= np.maximum(rounding, allowed)).all(axis=0) | (middle <= a) | (middle >= b)
        if round_ == _ROUNDS - 1 or 2 * (~done).sum() > _PANELS:
            done[:] = True
        values += (left + right)[:, done].sum(axis=1)
        errors += (apart + rounding)[:, done].sum(axis=1)
        if done.all():
            break
        rest = ~done
        a, b = np.concatenate([a[rest], middle[rest]]), np.concatenate([middle[rest], b[rest]])
        whole = np.concatenate([left[:, rest], right[:, rest]], axis=1)
    return values.astype(float), errors


def _jumps(target: LinePotential) -> Values:
    """Ends of the intervals of noise that the atoms of a mixture take."""
    if not isinstance(target, AtomAndDensity):
        return np.array([])
    low, high = target.law.interval(target.atoms)
    return np.concatenate([low, high])


def _misplaced(target: LinePotential, n: int, breaks: Values) -> Float[np.ndarray, " 5"]:
    """What jumps cost whose place is known to 8u(|s| + √(π/2)) only."""
    inner = breaks[np.abs(breaks) < CUT]
    if not len(inner):
        return np.zeros(5)
    away = 8 * UNIT * (np.abs(inner) + np.sqrt(np.pi / 2))
    low, high = (_integrands(target, 0.0, n, inner + side * 4 * away)[0] for side in (-1, 1))
    return np.asarray((np.abs(high - low) * away).sum(axis=1))


def _beyond(target: LinePotential, centre: float) -> tuple[float, float]:
    """E[(T−c)²] beyond the law's cut ≤ g/κ each side, and the probability of that.

    g is the integrand at the cut and κ its rate of decay there. This bounds the tail where log g is concave,
    as for light tails, log-normals (T = e^{sx}) and powers (log T ~ x²/2a, a > 2).
    """
    whole = target.law
    law, share = (whole.continuous, whole.rest) if isinstance(whole, MixtureLaw) else (whole, 1.0)
    low, high = law.cut
    x = np.array([low, low + 0.5, high - 0.5, high])
    height = (law.transport(x) - centre) ** 2 * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    total = 0.0
    for end, inner in ((height[0], height[1]), (height[3], height[2])):
        if end > 0:
            rate = 2 * np.log(inner / end) if inner > end else 0.0
            total += float(end / rate) if rate > 0 else np.inf
    return share * total, share * float(ndtr(low) + ndtr(-high))


def _left_out(lost: float, probability: float, n: int) -> Float[np.ndarray, " 5"]:
    """√(E(T−c)² E f²) beyond the cut for f = x₀, x₀ − b_n, b_n and 1; E(T−c)² itself is told apart.

    |b_n| ≤ max_i |m_i| ≤ √(2 log n), the largest of n normals being no more in the mean.
    """
    q = -ndtri(probability / 2)
    of_noise = 2 * q * np.exp(-(q**2) / 2) / np.sqrt(2 * np.pi) + probability
    of_batch = 2 * np.log(n) * probability
    squares = [of_noise, 2 * (of_noise + of_batch), of_batch, probability, 0.0]
    return np.sqrt(np.array(squares)) * np.sqrt(lost) if np.isfinite(lost) else np.array([np.inf] * 4 + [0.0])
