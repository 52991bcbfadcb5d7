r"""log G_n and log(1 − G_n) to relative accuracy, by tilting both binomials to one law (further theorem N2).

With $b = \sqrt{uw} + \sqrt{(1-u)(1-w)}$, $p = \sqrt{uw}/b$ and $r = \sqrt{w(1-u)/(u(1-w))}$,

$$G_n(u,w) = b^{2n-1}\sqrt{w/u}\;E\big[r^{B-A-1}1\{A<B\}\big],\quad A ∼ Bin(n-1,p),\ B ∼ Bin(n,p),$$

since the odds of u are those of p over r, and the odds of w are r times those of p. For u ≥ w all terms are
at most 1 and the law of A, B is centred where they meet, so an ordinary window about p holds the sum. For
u < w the same gives 1 − G_n(u,w) = G_n(1−u, 1−w). B is A' + 1{success}, A' a copy of A: one window for both.

**Accuracy**, in roundings (u = eps/2). A term (a,k) carries 11 a step of a and of k from the mode m (odds
with 8, a quotient, two products), and 10 a unit of k − a (r with 8, a product, a sum): at most
21(|a−m| + |k−m|). All terms are positive, so the sum errs by the mean of these under its own weights. Given
B − A = j ≥ 1, A is a sum of independent indicators (Σ_a C(n−1,a)C(n,n−j−a)x^a is (1−x)^{n−j} times a Jacobi
polynomial of (1+x)/(1−x), whose roots lie in (−1,1): all roots are real), hence of variance n/4 at most; its
mean μ_j falls in j and μ_j + j rises (log-concavity), so that with E(B−A) = p and Var(B−A) ≤ n/2:
|μ_0 − np| ≤ √(n/2) + 1, and
|μ_j − np| + |μ_j + j − np| ≤ 2|μ_0 − np| + j. The weight falls with j, so its mean of j is at most
E[B−A | B>A] ≤ 1 + 2E(B−A)⁺ ≤ 3 + √(n/2). Together 21(3.2√n + 8), and 11√n + 22 for the two normalisations,
60 for sums. (2n−1) log b errs by 25 of itself at most, and all three logarithms are negative:
|error| ≤ (80√n + 300 + 30|log|)u, as `log_assignment_rounding` states. The window leaves out less than
2e^{−50} of either law, next to a sum of at least P(B = A+1) ≥ min(np, 1)/(8√n).
"""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.accuracy import Rounding
from numerics.checks import as_array, positive_integer
from numerics.transport.binomials import binomial_windows, half_width, survival

Ranks: TypeAlias = Float[np.ndarray, " m"]
_BLOCK = 2**20  # numbers at once: fewer are mostly calls, more leave the cache


def log_assignment_probability(
    u: ArrayLike, w: ArrayLike, n: int, above: ArrayLike | None = None
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """Both of log G_n(u,w) and log(1 − G_n(u,w)), G_n(u,w) = P(Bin(n−1,u) < Bin(n,w)); −inf where it is 0.

    Errors: `log_assignment_rounding`. Time and memory √n a point, for n to 10⁶ and beyond.

    Args:
        u: Ranks of the noise in [0,1], any shape.
        w: Ranks of the data in [0,1], broadcast against u.
        n: Batch size.
        above: 1 − u, of the shape of u, where it is known better than from u: Φ(−z) beside u = Φ(z). The
            smaller of the two is taken to be exact.

    Raises:
        ValueError: If a rank is outside [0,1], u and above do not add up to 1, or n < 1.

    Example:
        >>> log_g, log_rest = log_assignment_probability(0.6, 0.3, 512)
        >>> round(float(log_g), 4), bool(-3e-23 < log_rest < -2e-23)  # e^{−52.08} is 2.4e−23
        (-52.0804, True)
    """
    n = positive_integer("n", n)
    low, w_low = ranks("u", u), ranks("w", w)
    high = 1 - low if above is None else ranks("above", above)
    if high.shape != low.shape:
        raise ValueError(f"above: got shape {high.shape} for u of shape {low.shape}; they must be equal")
    off = np.abs(low + high - 1)
    if (off > 1e-15).any():
        raise ValueError(f"above: got {high.ravel()[np.argmax(off)]}; it must be 1 − u")
    parts = np.broadcast_arrays(low, high, w_low, 1 - w_low)
    u1, u2, w1, w2 = (part.ravel() for part in parts)
    below, beyond = np.empty(len(u1)), np.empty(len(u1))
    rows = max(1, _BLOCK // (2 * half_width(n, np.array([0.5])) + 2))
    for start in range(0, len(u1), rows):
        at = slice(start, start + rows)
        below[at], beyond[at] = _both(u1[at], u2[at], w1[at], w2[at], n)
    return below.reshape(parts[0].shape), beyond.reshape(parts[0].shape)


def log_assignment_rounding(value: ArrayLike, n: int) -> Rounding:
    """What a value of `log_assignment_probability` errs by: (80√n + 300 + 30|log|) roundings.

    Example:
        >>> from numerics.accuracy import UNIT
        >>> round(float(log_assignment_rounding(-100.0, 100).bound / UNIT))  # 80·10 + 300 + 30·100
        4100
    """
    size = np.abs(np.asarray(value, dtype=float))
    size = 80 * np.sqrt(n) + 300 + 30 * np.where(np.isfinite(size), size, 0.0)
    return Rounding(size, 1, "tilted sums of positive terms, and their logarithms")


def ranks(name: str, value: ArrayLike) -> Float[np.ndarray, "..."]:
    """An array of numbers in [0,1].

    Raises:
        ValueError: If one of them is not.
    """
    array = as_array(name, value, ndim=tuple(range(8)))
    if (array < 0).any() or (array > 1).any():
        worst = array.ravel()[int(np.argmax(np.abs(array - 0.5)))]
        raise ValueError(f"{name}: got {worst}; a rank lies in [0, 1]")
    return array


def _both(u: Ranks, u2: Ranks, w: Ranks, w2: Ranks, n: int) -> tuple[Ranks, Ranks]:
    """Both logarithms: the tilted sum for the side that is away from the threshold, the other from it."""
    turned = _difference(u, u2, w, w2) < 0
    u, u2 = np.where(turned, u2, u), np.where(turned, u, u2)
    w, w2 = np.where(turned, w2, w), np.where(turned, w, w2)
    small = np.full(len(u), -np.inf)  # G_n(u, 0) = 0
    some = w > 0
    small[some] = _tilted(u[some], u2[some], w[some], w2[some], n)
    with np.errstate(divide="ignore"):
        large = np.log1p(-np.exp(small))
    near = small > -np.log(2)
    if near.any():  # rows away from the threshold, which are most, would pay for empty windows
        large[near] = _direct(u2[near], u[near], w2[near], w[near], n)
    return np.where(turned, large, small), np.where(turned, small, large)


def _difference(u: Ranks, u2: Ranks, w: Ranks, w2: Ranks) -> Ranks:
    """The difference u − w, from whichever of ranks and complements are the smaller."""
    return np.where(u + w <= 1, u - w, w2 - u2)


def _tilted(u: Ranks, u2: Ranks, w: Ranks, w2: Ranks, n: int) -> Ranks:
    """Log of G_n for u ≥ w > 0."""
    up, up2, wp, wp2 = np.sqrt(u), np.sqrt(u2), np.sqrt(w), np.sqrt(w2)
    cosine = up * wp + up2 * wp2  # b
    across = up * wp2 + wp * up2
    sine = _difference(u, u2, w, w2) / np.where(across > 0, across, 1.0)  # b² + sine² = 1; 0 at u = w = 1
    log_b = np.where(sine**2 <= 0.5, np.log1p(-np.minimum(sine**2, 0.5)) / 2, np.log(cosine))
    meeting = _meeting(up * wp / cosine, up2 * wp2 / cosine, (wp * up2) / (up * np.maximum(wp2, 1e-300)), n)
    return (2 * n - 1) * log_b + np.log(w / u) / 2 + np.log(meeting)


def _meeting(p: Ranks, rest: Ranks, ratio: Ranks, n: int) -> Ranks:
    """E[r^{B−A−1} 1{A<B}]: S(a) = P(B = a+1) + r S(a+1) from the far end of the window, then Σ P(A=a)S(a)."""
    law = binomial_windows(n - 1, p, rest)[1].T
    after = np.zeros_like(law[0])  # P(A = a+1)
    total, tail = np.zeros_like(after), np.zeros_like(after)
    for here in law[::-1]:
        tail *= ratio
        tail += rest * after
        tail += p * here
        total += here * tail
        after = here
    return total


def _direct(u: Ranks, u2: Ranks, w: Ranks, w2: Ranks, n: int) -> Ranks:
    """Log of G_n for u ≤ w, where windows about u and w hold the sum: G_n is 1/8 at least, or about n·w."""
    start, noise = binomial_windows(n - 1, u, u2)
    first, data = binomial_windows(n, w, w2)
    above = survival(first, data, start[:, None] + np.arange(noise.shape[1]))
    with np.errstate(divide="ignore"):
        return np.asarray(np.log((noise * above).sum(axis=1)))
