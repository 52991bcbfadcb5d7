r"""Binomial laws around their modes, stable for a million trials.

From the mode outwards $p_{k+1}/p_k = \frac{n-k}{k+1}\,\frac{u}{1-u}$; the law is normalised by its own sum,
so that no factorial is formed. A window of half-width x = L/3 + √(L²/9 + 2Lσ²), L = 50, leaves out less than
2e^{-50} (Bernstein's inequality [@boucheron2013concentration, theorem 2.10]) plus what the window's unit
margins hold. A probability k steps from the mode carries 4k roundings; the mean of k is at most √n/2.
"""

import numpy as np
from jaxtyping import Float, Int

TAIL = 50.0


def half_width(n: int, p: Float[np.ndarray, " m"]) -> int:
    """Steps from the mode beyond which each of these laws holds less than 2e^{-50}."""
    variance = n * float((p * (1 - p)).max(initial=0.0))
    return min(n, 3 + int(np.ceil(TAIL / 3 + np.sqrt(TAIL**2 / 9 + 2 * TAIL * variance))))


def binomial_windows(
    n: int, p: Float[np.ndarray, " m"], complement: Float[np.ndarray, " m"] | None = None
) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, "m w"]]:
    """First outcome of each window, and the probabilities of Bin(n, p) on windows of one common length.

    Outcomes below 0 or above n appear with probability 0. ``complement`` is 1 − p where p does not tell it.
    """
    rest = 1 - p if complement is None else complement
    width = half_width(n, p)
    mode = np.minimum(np.floor((n + 1) * p), n)
    with np.errstate(divide="ignore", over="ignore"):
        odds, inverse = p / rest, rest / p
    steps = np.arange(float(width))[:, None]
    law = np.empty((2 * width + 1, len(p)))  # a row a step, so that sums over steps are sums of rows
    law[width] = 1.0
    # At 0 and n a ratio is 0; what follows is a product with it, whose sign is dropped.
    for counts, others, odd, out in (
        (n - mode, mode + 1, odds, law[width + 1 :]),
        (mode, n + 1 - mode, inverse, law[:width][::-1]),
    ):
        ratio = (counts - steps) / (others + steps)
        ratio *= np.where(np.isfinite(odd), odd, 0.0)
        np.cumprod(ratio, axis=0, out=out)
    np.abs(law, out=law)
    law /= law.sum(axis=0)
    return mode.astype(np.int64) - width, law.T


def survival(
    first: Int[np.ndarray, " m"], law: Float[np.ndarray, "m w"], k: Int[np.ndarray, "m v"]
) -> Float[np.ndarray, "m v"]:
    """P(B > k) for laws given on windows, summed from the far end: relative errors stay small."""
    tail = np.cumsum(law[:, ::-1], axis=1)[:, ::-1]
    above = np.concatenate([tail, np.zeros((len(law), 1))], axis=1)  # above[j] = P(B ≥ first + j)
    place = np.clip(k + 1 - first[:, None], 0, law.shape[1])
    return np.minimum(np.take_along_axis(above, place, axis=1), 1.0)
