r"""The field of minibatch coupling for a target of atoms, from drawn batches (docs/theory.md M4, P9).

A batch is n−1 noises and n data, and one more noise x₀. Which datum the optimal assignment gives to x₀ is
$\arg\max_j ⟨x_0, y_j⟩ - L_j$, where L_j is what the other noises lose if y_j is kept for x₀: a power diagram,
whose heights are shortest paths in the residual graph of the others' assignment. So the expected plan is an
average of graphs x₀ ↦ y_j of monotone maps, and at a point x each batch has at most one x₀ with
$x = (1-t)x_0 + t y_j$: the prox of the batch's potential, where that is an atom. With the normal density as
weight, $v_t(x) = (E[x_1 | x_t = x] - x)/(1-t)$ is a ratio of two means over batches.

Such a mean jumps where a batch's datum changes, but its derivative is a mean, too. A shift of the other
noises by c adds ⟨c, y_j⟩ and a constant to L_j, so it shifts the diagram by c. Their mean $\bar c$ is
N(0, I/(n−1)) and independent of the rest: the expected plan is one of centred noises, smoothed by a normal
law. By its score

$$D E[x_1 | x_t] = \frac{t}{(1-t)^2} Cov(x_1, x_1) - \frac{n-1}{1-t} Cov(x_1, \bar c),$$

covariances given $x_t = x$, rows of the second by x₁. Shifts drawn anew from that law serve as well.
"""

from copy import copy

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from numerics.checks import as_array, as_generator, as_points, positive_integer
from numerics.transport.semidiscrete import check_weights

_MOST_NUMBERS = 2**15
"""Points times data of batches at once: larger arrays leave the processor's cache."""
_MOST_PAIRS = 2**16
"""Points times batches at once."""


class BatchField:
    """v^{(n)}_t(x) = E[ẋ_t | x_t = x] under the expected plan of batches of n, linear schedule.

    Each mean is over ``batches`` drawn batches: the field errs by O(1/√batches), and where no drawn batch
    reaches x it has no value (NaN).

    Args:
        points: (N,d) the atoms.
        weights: (N,) positive, summing to 1.
        n: Pairs a batch; 1 is independent coupling.
        batches: How many are drawn.
        rng: A generator, or its seed.
        shifts: How many means of the other noises a batch has in `jacobian`, its own among them.

    Raises:
        ValueError: If shapes disagree, a number is not positive or weights do not sum to 1.

    Example:
        >>> field = BatchField([[-1.0], [1.0]], [0.5, 0.5], n=8, batches=100, rng=0)
        >>> bool(field.velocity(0.5, [[2.0]])[0, 0] < 0)  # back from noise 3 to the datum 1
        True
    """

    def __init__(
        self,
        points: ArrayLike,
        weights: ArrayLike,
        n: int,
        batches: int = 64,
        rng: np.random.Generator | int = 0,
        shifts: int = 1,
    ) -> None:
        self.points = as_array("points", points, ndim=2)
        shares = check_weights(weights, len(self.points))
        self.n, count = positive_integer("n", n), positive_integer("batches", batches)
        generator = as_generator("rng", rng)
        index = generator.choice(len(shares), size=(count, self.n), p=shares)
        loss, d = np.empty(index.shape), self.points.shape[1]
        own = np.zeros((count, 1, d))
        for row, drawn in enumerate(index):
            noise = generator.standard_normal((self.n - 1, d))
            loss[row] = losses(noise @ self.points[drawn].T)
            own[row] = noise.sum(axis=0) / max(self.n - 1, 1)
        self.index, self.loss = _once_an_atom(index, loss, len(shares))
        more = generator.standard_normal((count, positive_integer("shifts", shifts) - 1, d))
        self.shift = np.concatenate([own, more / np.sqrt(max(self.n - 1, 1))], axis=1)
        self._norm = (self.points**2).sum(axis=1)
        self._half = self._half_squares()

    def split(self, parts: int = 2) -> list["BatchField"]:
        """Fields of equal parts of the batches, independent of each other.

        Raises:
            ValueError: If there are fewer batches than parts.
        """
        self._check_parts(parts)
        found = []
        for k in range(parts):
            part = copy(self)
            part.index, part.loss = self.index[k::parts], self.loss[k::parts]
            part.shift = self.shift[k::parts]
            if not self._holds_all:
                part._half = self._half[k::parts]
            found.append(part)
        return found

    def velocity(self, t: float, x: ArrayLike) -> Float[np.ndarray, "n d"]:
        """The field at x (n,d), t in [0, 1); NaN where no batch reaches x."""
        return self.estimates(t, x, 1)[0]

    def estimates(self, t: float, x: ArrayLike, parts: int = 2) -> Float[np.ndarray, "parts n d"]:
        """Independent values of the field from equal parts of the batches: (parts,n,d).

        Products of two of them have no bias from the scatter of either.

        Raises:
            ValueError: If t is outside [0, 1) or there are fewer batches than parts.
        """
        if not 0 <= t < 1:
            raise ValueError(f"t: got {t}; it must be in [0, 1)")
        self._check_parts(parts)
        asked = as_points("x", x, self.points.shape[1])
        size, cost = max(1, _MOST_PAIRS // len(self.index)), self._cost(t, self.index, self.loss)
        blocks = [self._block(t, asked[k : k + size], cost, parts) for k in range(0, len(asked), size)]
        return np.concatenate(blocks, axis=1)

    def jacobian(self, t: float, x: ArrayLike) -> Float[np.ndarray, "n d d"]:
        """Dv_t(x) of the coupling, estimated by the score of the shifts; NaN where no batch reaches x.

        It is no derivative of `velocity`, which is a sum of steps. Its error falls like that of a mean over
        batches and shifts; where all that reach x agree on the datum it is −I/(1−t) without one.

        Args:
            t: In [0, 1).
            x: (n,d).

        Returns:
            (n,d,d), row = component, column = direction.

        Example:
            >>> field = BatchField([[-1.0], [1.0]], [0.5, 0.5], n=8, batches=100, rng=0, shifts=4)
            >>> field.jacobian(0.5, [[2.0]]).tolist()  # every batch says 1
            [[[-2.0]]]
        """
        if not 0 <= t < 1:
            raise ValueError(f"t: got {t}; it must be in [0, 1)")
        asked = as_points("x", x, self.points.shape[1])
        data = self.points[self.index][:, None]  # (b,1,m,d), m atoms
        moved = self.shift - self.shift[:, :1]
        loss = self.loss[:, None] + (moved[:, :, None] * data).sum(axis=3)
        loss, shift = loss.reshape(-1, self.index.shape[1]), self.shift.reshape(-1, asked.shape[1])
        index = np.repeat(self.index, self.shift.shape[1], axis=0)
        size, cost = max(1, _MOST_PAIRS // shift.size), self._cost(t, index, loss)
        blocks = [
            self._slopes(t, asked[k : k + size], index, cost, shift) for k in range(0, len(asked), size)
        ]
        return np.concatenate(blocks)

    @property
    def _holds_all(self) -> bool:
        """Whether every batch lists every atom, in order."""
        return self.index.shape[1] == len(self.points)

    def _half_squares(self) -> np.ndarray:
        """½|y_i − y_j|², (N,N), or (b,m,m) of each batch's own data, which of many atoms are far fewer.

        It is 0, exactly, where i and j are one atom: a datum is not beaten by itself.
        """
        data = self.points if self._holds_all else self.points[self.index]
        name = np.arange(len(self.points)) if self._holds_all else self.index
        gram = data @ data.swapaxes(-1, -2)
        norm = np.diagonal(gram, axis1=-2, axis2=-1)
        half = (norm[..., :, None] + norm[..., None, :] - 2 * gram) / 2
        return np.where(name[..., :, None] == name[..., None, :], 0.0, half)

    def _check_parts(self, parts: int) -> None:
        if not 1 <= parts <= len(self.index):
            raise ValueError(f"parts: got {parts} for {len(self.index)} batches")

    def _cost(
        self, t: float, index: Int[np.ndarray, "b m"], loss: Float[np.ndarray, "b m"]
    ) -> Float[np.ndarray, "b m"]:
        """What is taken off ⟨x, y_j⟩ at every x: ∞ for an atom that was not drawn."""
        return np.asarray((1 - t) * loss + t / 2 * self._norm[index])

    def _block(
        self, t: float, x: Float[np.ndarray, "n d"], cost: Float[np.ndarray, "b m"], parts: int
    ) -> Float[np.ndarray, "parts n d"]:
        chosen, log_weight = self._reached(t, x, self.index, cost)
        return np.stack(
            [(self._mean(chosen[:, k::parts], log_weight[:, k::parts]) - x) / (1 - t) for k in range(parts)]
        )

    def _reached(
        self,
        t: float,
        x: Float[np.ndarray, "n d"],
        index: Int[np.ndarray, "b m"],
        cost: Float[np.ndarray, "b m"],
    ) -> tuple[Int[np.ndarray, "n b"], Float[np.ndarray, "n b"]]:
        """Which atom each batch sends by x, and the log of the noise's density; −inf where none comes by.

        The prox of the batch's potential is the datum y of the largest value. It has a noise that is sent to
        it where no other datum's value, and (t/2)|y_j − y|² more, is larger.
        """
        gain = x @ self.points.T
        batch = np.repeat(np.arange(len(self.index)), len(index) // len(self.index))
        size = max(1, _MOST_NUMBERS // max(1, len(x) * index.shape[1]))
        parts = [
            self._values(t, gain, index[k : k + size], cost[k : k + size], batch[k : k + size])
            for k in range(0, len(index), size)
        ]
        chosen, reached = (np.concatenate(found, axis=1) for found in zip(*parts, strict=True))
        square = (x**2).sum(axis=1)[:, None]
        offset = square - 2 * t * np.take_along_axis(gain, chosen, 1) + t**2 * self._norm[chosen]
        return chosen, np.where(reached, -offset / (2 * (1 - t) ** 2), -np.inf)

    def _values(
        self,
        t: float,
        gain: Float[np.ndarray, "n N"],
        index: Int[np.ndarray, "b m"],
        cost: Float[np.ndarray, "b m"],
        batch: Int[np.ndarray, " b"],
    ) -> tuple[Int[np.ndarray, "n b"], Bool[np.ndarray, "n b"]]:
        """Of each batch the datum of the largest value, and whether a noise is sent to it."""
        value = (gain[:, None] if self._holds_all else gain.take(index, axis=1)) - cost
        place = value.argmax(axis=2)[:, :, None]
        best = np.take_along_axis(value, place, 2)[:, :, 0]
        chosen = index[np.arange(len(index)), place[:, :, 0]]
        rows = self._half[chosen] if self._holds_all else self._half[batch, place[:, :, 0]]
        rows *= t
        rows += value
        return chosen, rows.max(axis=2) <= best

    def _slopes(
        self,
        t: float,
        x: Float[np.ndarray, "n d"],
        index: Int[np.ndarray, "b m"],
        cost: Float[np.ndarray, "b m"],
        shift: Float[np.ndarray, "b d"],
    ) -> Float[np.ndarray, "n d d"]:
        """Dv_t of batches with these costs and shifts."""
        chosen, log_weight = self._reached(t, x, index, cost)
        weight = _weights(log_weight)
        data = self.points[chosen]
        data = data - (weight[:, None] @ data)
        by_data = np.swapaxes(weight[:, :, None] * data, 1, 2)
        moved = t / (1 - t) * (by_data @ data) - (self.n - 1) * (by_data @ shift)
        return np.asarray((moved / (1 - t) - np.eye(x.shape[1])) / (1 - t))

    def _mean(
        self, chosen: Int[np.ndarray, "n b"], log_weight: Float[np.ndarray, "n b"]
    ) -> Float[np.ndarray, "n d"]:
        """The weighted means of the chosen atoms; NaN where every weight is 0."""
        cells = np.arange(len(chosen))[:, None] * len(self.points) + chosen
        share = np.bincount(cells.ravel(), _weights(log_weight).ravel(), len(chosen) * len(self.points))
        return np.asarray(share.reshape(len(chosen), -1) @ self.points)


def _weights(log_weight: Float[np.ndarray, "n b"]) -> Float[np.ndarray, "n b"]:
    """Each row's weights, summing to 1; NaN where every weight is 0."""
    top = log_weight.max(axis=1, keepdims=True)
    weight = np.exp(log_weight - np.where(np.isfinite(top), top, 0.0))
    with np.errstate(invalid="ignore"):
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _once_an_atom(
    index: Int[np.ndarray, "b n"], loss: Float[np.ndarray, "b n"], count: int
) -> tuple[Int[np.ndarray, "b m"], Float[np.ndarray, "b m"]]:
    """Each of few atoms once a batch, in order, with the least loss of its data; ∞ where it was not drawn.

    Up to twice as many numbers cost less than looking up which atom each of them is.
    """
    if count > 2 * index.shape[1]:
        return index, loss
    least = np.full((len(index), count), np.inf)
    np.minimum.at(least, (np.arange(len(index))[:, None], index), loss)
    return np.broadcast_to(np.arange(count), least.shape), least


def losses(gain: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " n"]:
    """What n−1 noises lose of their best total gain if datum j is kept for one more: L (n,), least 0.

    The best assignment leaves one datum over, with loss 0. Keeping j instead sends its noise i elsewhere:
    L_j = min_k (gain_ij − gain_ik + L_k), Bellman and Ford's equation, which has no negative cycles as the
    assignment is optimal.

    Args:
        gain: (n−1,n), ⟨noise, datum⟩.

    Raises:
        ValueError: If the shape is another.

    Example:
        >>> losses(np.array([[3.0, 1.0]])).tolist()  # the one noise has datum 0; to keep it costs 3 − 1
        [2.0, 0.0]
    """
    m, n = gain.shape
    if m != n - 1:
        raise ValueError(f"gain: got shape {gain.shape}; need one noise fewer than data")
    result = np.zeros(n)
    if n == 1:
        return result
    rows, columns = linear_sum_assignment(gain, maximize=True)
    step = np.empty((n - 1, n))
    step[:] = gain[rows, columns][:, None] - gain
    result[columns] = np.inf
    for _ in range(n):
        found = (step + result).min(axis=1)
        if (found == result[columns]).all():
            break
        result[columns] = found
    return np.asarray(np.maximum(result, 0.0))
