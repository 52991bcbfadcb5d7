r"""$φ^*(s) = ∫_0^s T$ by quadrature, with what it errs by."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT
from numerics.potentials.normal import Values

_NODES = 16
_SHORTEST = 1e-13
_SUMMED = _NODES + 4  # roundings of a rule: products, a sum in any order, the length


def running_sums(values: Values) -> Values:
    """All partial sums, each within one rounding of the exact one: the errors of the additions are kept.

    Knuth's two-sum gives every error exactly, and their sum is added back.
    """
    totals = np.empty(len(values))
    total = lost = 0.0
    for i, value in enumerate(values.tolist()):
        new = total + value
        part = new - total
        lost += (total - (new - part)) + (value - part)
        total = new
        totals[i] = total + lost
    return totals


class Primitive:
    r"""$∫_0^s T$ by 16-point Gauss–Legendre rules on panels, halved until they agree with their halves.

    A panel [a, b] is accepted when the two differ by no more than 8 UNIT·(∫|T| + deviation·(b−a)) and twice
    what T itself errs by there, or when it is shorter than 1e−13.

    Accuracy: a panel errs by that difference, which bounds the halves' truncation where T is smooth, and by
    at most (b−a)(T(b) − T(a)) in any case, because T increases; by ∫ of T's own error; and by 20 roundings
    of ∫|T|. The panels' errors add up from 0 to s; their sum is rounded once (`running_sums`). A break known
    within δ costs δ times what T rises by from 2δ before to 2δ after it, once it may lie between 0 and s.

    Args:
        transport: T, vectorised.
        error: By how much T errs.
        breaks: Noise values where T is known not to be smooth; it may jump there.
        break_errors: By how much these err.
        deviation: Of the law.
        cut: Noise between which T is integrated; 0 lies inside.
    """

    def __init__(
        self,
        transport: Callable[[Values], Values],
        error: Callable[[Values], Values],
        breaks: Values,
        break_errors: Values,
        deviation: float,
        cut: tuple[float, float],
    ) -> None:
        self._transport, self._error, self._deviation = transport, error, deviation
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        self._nodes, self._weights = (nodes + 1) / 2, weights / 2
        inner = breaks[(breaks > cut[0]) & (breaks < cut[1])]
        grid = np.linspace(cut[0], cut[1], 161)
        self._edges, sums, errors = self._refined(np.unique(np.concatenate([grid, [0.0], inner])))
        zero = int(np.searchsorted(self._edges, 0.0))
        down, up = -running_sums(sums[:zero][::-1])[::-1], running_sums(sums[zero:])
        self._totals = np.concatenate([down, [0.0], up])
        self._panel_errors = errors
        below, above = np.cumsum(errors[:zero][::-1])[::-1], np.cumsum(errors[zero:])
        self._errors = np.concatenate([below, [0.0], above])
        held = (breaks > cut[0]) & (breaks < cut[1])
        self._jumps = [self._passed(sign * breaks[held], break_errors[held], sign) for sign in (-1.0, 1.0)]

    def _passed(
        self, breaks: Values, errors: Values, sign: float
    ) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m+1"]]:
        """Of the breaks on one side of 0: from where on each may be passed, and what those passed cost."""
        kept = breaks + errors >= 0
        noise, errors = breaks[kept], errors[kept]
        reach = np.maximum(2 * errors, 4 * np.spacing(noise))
        rise = np.abs(self._transport(sign * (noise + reach)) - self._transport(sign * (noise - reach)))
        starts = np.maximum(noise - errors, 0.0)
        order = np.argsort(starts)
        return starts[order], np.concatenate([[0.0], np.cumsum((errors * rise)[order])])

    def _misplaced(self, s: Values) -> Values:
        """What errors of the breaks between 0 and s cost."""
        found = np.zeros_like(s)
        for sign, (starts, costs) in zip((-1.0, 1.0), self._jumps, strict=True):
            side = sign * s >= 0
            found[side] = np.maximum(
                found[side], costs[np.searchsorted(starts, sign * s[side], side="right")]
            )
        return found

    def _integral(self, a: Values, b: Values) -> Values:
        """∫T over [a, b]."""
        return np.asarray((b - a) * (self._at_nodes(self._transport, a, b) @ self._weights))

    def _integrals(self, a: Values, b: Values) -> tuple[Values, Values, Values]:
        """∫T, ∫|T| and the integral of T's error over [a, b]."""
        values = self._at_nodes(self._transport, a, b)
        errors = self._at_nodes(self._error, a, b)
        length = b - a
        return (
            length * (values @ self._weights),
            length * (np.abs(values) @ self._weights),
            length * (errors @ self._weights),
        )

    def _at_nodes(self, of: Callable[[Values], Values], a: Values, b: Values) -> Float[np.ndarray, "n nodes"]:
        s = a[:, None] + (b - a)[:, None] * self._nodes
        return of(s.ravel()).reshape(s.shape)

    def _refined(
        self, edges: Values
    ) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m-1"], Float[np.ndarray, " m-1"]]:
        a, b = edges[:-1], edges[1:]
        found: list[tuple[Values, Values, Values]] = []
        while a.size:
            middle = (a + b) / 2
            whole = self._integral(a, b)
            left, left_size, left_error = self._integrals(a, middle)
            right, right_size, right_error = self._integrals(middle, b)
            size, own = left_size + right_size, left_error + right_error
            apart = np.abs(left + right - whole)
            agree = apart <= 8 * UNIT * (size + self._deviation * (b - a)) + 2 * own
            agree |= b - a < _SHORTEST
            rise = (b - a) * np.maximum(self._transport(b) - self._transport(a), 0.0)
            error = np.minimum(apart, rise) + own + _SUMMED * UNIT * size
            found.append((a[agree], (left + right)[agree], error[agree]))
            a, b = (
                np.concatenate([a[~agree], middle[~agree]]),
                np.concatenate([middle[~agree], b[~agree]]),
            )
        first, sums, errors = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.argsort(first)
        return np.append(first[order], edges[-1]), sums[order], errors[order]

    def _place(self, s: Values) -> np.ndarray:
        return np.clip(np.searchsorted(self._edges, s, side="right") - 1, 0, len(self._edges) - 2)

    def __call__(self, s: Values) -> Values:
        """∫_0^s T inside the cut: the panels passed, and one more rule on the rest."""
        place = self._place(s)
        return np.asarray(self._totals[place] + self._integral(self._edges[place], s))

    def error(self, s: Values) -> Values:
        """By how much that errs: the panels passed, the last rule and its truncation, the sum."""
        place = self._place(s)
        start = self._edges[place]
        value, size, own = self._integrals(start, s)
        truncated = np.where(s > start, self._panel_errors[place], 0.0)
        total = np.abs(self._totals[place])
        passed = self._errors[place] + self._misplaced(s)
        return passed + truncated + own + UNIT * (_SUMMED * size + 2 * total + np.abs(value))
