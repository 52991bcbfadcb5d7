"""Images as data: 1797 digits of 8×8 pixels that come with scikit-learn, or MNIST; and what moves them.

Pixels are divided by their range and centred: 8×8 digits have length about 2, noise in 64 dimensions 8.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from numerics import flows
from numerics.flows.pairs import cloud, minibatch
from numerics.flows.sampling import euler
from theorems.learned_flows.circle import THOROUGH
from theorems.setting.user.idx import IMAGES, read

Array = NDArray[np.float64]
BATCHES = 4000 if THOROUGH else 1000
BATCH, WIDTH, RATE = 256, 256, 5e-3
"""The paper's batch for images; ours are the network and its rate."""
STEPS = 50
AT = 0.7
"""When the eigenvectors are taken."""


@dataclass(frozen=True, eq=False)
class Images:
    """A set of images as points.

    Attributes:
        name: For the report.
        points: (N,d), pixels centred and divided by their range.
        mean: (d,), what was subtracted.
    """

    name: str
    points: Array
    mean: Array

    @property
    def dim(self) -> int:
        """The number of pixels d."""
        return int(self.points.shape[1])

    @property
    def side(self) -> int:
        """Pixels a side."""
        return int(np.sqrt(self.dim))

    def distance(self, x: Array) -> Array:
        """Distance of each of x (n,d) to the nearest image."""
        squares = (self.points**2).sum(axis=1)
        nearest = [(squares - 2 * (block @ self.points.T)).min(axis=1) for block in _blocks(x)]
        return np.sqrt(np.maximum(np.concatenate(nearest) + (x**2).sum(axis=1), 0.0))

    def principal(self, count: int) -> Array:
        """The leading principal directions (count,d), orthonormal."""
        covariance = self.points.T @ self.points / len(self.points)
        return np.asarray(np.linalg.eigh(covariance)[1][:, ::-1][:, :count].T)


@cache
def load(mnist_directory: Path | None) -> Images:
    """The images of --mnist, or scikit-learn's digits.

    Raises:
        ValueError: If the directory doesn't hold MNIST's images: see `theorems.setting.user.idx`.
    """
    if mnist_directory is None:
        from sklearn.datasets import load_digits  # scikit-learn is slow to import

        return _images("digits, 8×8", load_digits().data / 16)
    pixels = read(mnist_directory, IMAGES, axes=3)
    if pixels.shape[1] != pixels.shape[2]:
        raise ValueError(f"{mnist_directory}: images have shape {pixels.shape[1:]}; they must be square")
    return _images(f"MNIST, {pixels.shape[1]}×{pixels.shape[2]}", pixels.reshape(len(pixels), -1) / 255)


def _images(name: str, pixels: Array) -> Images:
    mean = pixels.mean(axis=0)
    return Images(name, pixels - mean, mean)


@cache
def network(images: Images, device: str = "cpu") -> "flows.LearnedField":
    """The field that is learned with the paper's coupling, torchcfm's on batches of 256."""
    training = flows.Training(steps=BATCHES, batch=BATCH, width=WIDTH, learning_rate=RATE)
    return flows.trained(minibatch(cloud(images.points)), images.dim, training, device=device)


@dataclass(frozen=True)
class Moves:
    """Generated images moved by ε along eigenvectors of ½(Dv + Dvᵀ) at the time `AT`.

    Attributes:
        ranks: (r,) of the eigenvalues, ascending: 0 is the most normal direction, d − 1 the most tangential.
        eigenvalues: (n,r), of (1−t)Dv_t.
        directions: (n,r,d), unit eigenvectors, each with a random sign.
        images: (n,d), as generated.
        flowed: (n,r,d), what the rest of the flow makes of x_t + tεu.
        size: ε.
    """

    ranks: tuple[int, ...]
    eigenvalues: Array
    directions: Array
    images: Array
    flowed: Array
    size: float

    @property
    def moved(self) -> Array:
        """The images x₁ + εu, (n,r,d)."""
        return np.asarray(self.images[:, None] + self.size * self.directions)

    @property
    def kept(self) -> Array:
        """|flowed − image|/ε, (n,r): how much of the move is left at the end."""
        return np.asarray(np.linalg.norm(self.flowed - self.images[:, None], axis=2) / self.size)


def moves(
    learned: "flows.LearnedField", x0: Array, ranks: tuple[int, ...], size: float, rng: np.random.Generator
) -> Moves:
    """Generate images from x0 (n,d) by Euler's method, and move them."""
    path = euler(learned.velocity, x0, STEPS)
    here = path[round(AT * STEPS)]
    jacobian = learned.jacobian(AT, here)
    values, vectors = np.linalg.eigh((1 - AT) * (jacobian + jacobian.transpose(0, 2, 1)) / 2)
    chosen = vectors[:, :, list(ranks)].transpose(0, 2, 1)
    chosen = chosen * rng.choice([-1.0, 1.0], size=chosen.shape[:2])[:, :, None]
    start = (here[:, None] + AT * size * chosen).reshape(-1, learned.dim)
    rest = STEPS - round(AT * STEPS)
    flowed = euler(learned.velocity, start, rest, start=AT)[-1].reshape(chosen.shape)
    return Moves(ranks, values[:, list(ranks)], chosen, path[-1], flowed, size)


def _blocks(x: Array) -> Iterator[Array]:
    yield from np.array_split(x, max(1, len(x) // 500))
