r"""The law of a matched pair for two atoms in ball arithmetic, by full sums (docs/theory.md M5, M6).

Nothing is tilted and no window is cut: all n outcomes of both binomials by the recurrence
$p_{k+1}/p_k = \frac{n-k}{k+1}\,\frac{p}{1-p}$. A ball's exponent has no bounds, so nothing underflows.
"""

from flint import arb

from numerics.checks import positive_integer
from numerics.intervals.balls import normal_below, normal_density


def assignment(u: arb, w: arb, n: int, above: arb | None = None) -> tuple[arb, arb]:
    """G_n(u,w) = P(Bin(n−1,u) < Bin(n,w)) and 1 − G_n(u,w), each a sum of positive terms.

    Args:
        u: The rank of the noise, a ball within (0,1).
        w: The rank of the data, a ball within (0,1).
        n: Batch size.
        above: 1 − u, where u is a ball that does not tell it.

    Raises:
        ValueError: If n < 1 or a ball is not within (0,1).
    """
    n = positive_integer("n", n)
    rest = 1 - u if above is None else above
    for name, ball in (("u", u), ("w", w), ("1 − u", rest), ("1 − w", 1 - w)):
        if not ball > 0:
            raise ValueError(f"{name}: got {ball.str(5)}; it must lie within (0, 1)")
    noise, data = _law(n - 1, u, rest), _law(n, w, 1 - w)
    below, beyond = arb(0), arb(0)
    tail, head = arb(0), arb(0)
    for a in range(n - 1, -1, -1):
        tail += data[a + 1]  # P(B > a)
        below += noise[a] * tail
    for a in range(n):
        head += data[a]  # P(B ≤ a)
        beyond += noise[a] * head
    return below, beyond


def label_odds(x: arb, alpha: arb, beta: arb, places: tuple[arb, arb], w: arb, n: int) -> arb:
    """P(x₁ = y₀ | x_t = x)/P(x₁ = y₁ | x_t = x) on the line, y₀ = places[0] < places[1], weight w of y₀."""
    first, second = ((x - beta * place) / alpha for place in places)
    below = assignment(normal_below(first), w, n, normal_below(-first))[0]
    beyond = assignment(normal_below(second), w, n, normal_below(-second))[1]
    return normal_density(first) * below / (normal_density(second) * beyond)


def _law(n: int, p: arb, rest: arb) -> list[arb]:
    """The n + 1 probabilities of Bin(n, p), rest = 1 − p."""
    value, odds = rest**n, p / rest
    law = [value]
    for k in range(n):
        value = value * (n - k) / (k + 1) * odds
        law.append(value)
    return law
