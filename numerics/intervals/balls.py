r"""Vectors, matrices and the normal law in ball arithmetic [@johansson2018numerical].

A number is an Arb ball, midpoint ± radius, that is proved to hold the exact number. A double is an
exact ball. The working precision is that of the context: callers open ``flint.ctx.workprec(PRECISION)``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import acb_mat, arb, arb_mat
from numpy.typing import ArrayLike

PRECISION = 512
Vector = list[arb]


class UndecidedError(ArithmeticError):
    """The balls are too wide to decide a comparison: the input is too close to a tie, or is one."""


def exact(values: ArrayLike) -> Vector:
    """The entries of an array of doubles, row by row, as exact balls.

    Raises:
        ValueError: If an entry is not finite.
    """
    entries = np.ravel(np.asarray(values, dtype=float))
    if not np.isfinite(entries).all():
        raise ValueError(f"values: got {entries[~np.isfinite(entries)][0]}; an exact number must be finite")
    return [arb(float(entry)) for entry in entries]


def exact_matrix(values: ArrayLike) -> arb_mat:
    """A two-dimensional array of doubles as exact balls.

    Raises:
        ValueError: If it has another number of axes, or an entry is not finite.
    """
    array = np.asarray(values, dtype=float)
    if array.ndim != 2:
        raise ValueError(f"values: got {array.ndim} axes; a matrix has two")
    return arb_mat(array.shape[0], array.shape[1], exact(array))


# --- vectors --------------------------------------------------------------------------------------------


def add(x: Vector, y: Vector) -> Vector:
    """The sum x + y."""
    return [a + b for a, b in zip(x, y, strict=True)]


def subtract(x: Vector, y: Vector) -> Vector:
    """The difference x − y."""
    return [a - b for a, b in zip(x, y, strict=True)]


def times(factor: Any, x: Vector) -> Vector:
    """The multiple of x by a number."""
    return [factor * a for a in x]


def dot(x: list[Any], y: list[Any]) -> Any:
    """⟨x, y⟩; of power series too."""
    return sum((a * b for a, b in zip(x, y, strict=True)), arb(0))


def norm(x: Vector) -> arb:
    """|x|, also where the ball holds 0."""
    square = dot(x, x)
    if square > 0 or square.is_exact():
        return square.sqrt()
    return arb(0).union(arb(square.abs_upper()).sqrt())


def middle(x: Vector) -> Vector:
    """The midpoints, exact."""
    return [a.mid() for a in x]


# --- matrices -------------------------------------------------------------------------------------------


def column(x: Vector) -> arb_mat:
    """The vector as a matrix of one column."""
    return arb_mat(len(x), 1, x)


def apply(matrix: arb_mat, x: Vector) -> Vector:
    """The product of a matrix and a vector."""
    return (matrix * column(x)).entries()


def identity(n: int) -> arb_mat:
    """The unit matrix."""
    return arb_mat(n, n, [arb(int(i == j)) for i in range(n) for j in range(n)])


def diagonal(x: Vector) -> arb_mat:
    """The matrix with x on its diagonal."""
    n = len(x)
    return arb_mat(n, n, [x[i] if i == j else arb(0) for i in range(n) for j in range(n)])


def outer(x: Vector, y: Vector) -> arb_mat:
    """The matrix xyᵀ."""
    return column(x) * column(y).transpose()


def columns(vectors: Sequence[Vector]) -> arb_mat:
    """The matrix with these columns."""
    return arb_mat([list(row) for row in zip(*vectors, strict=True)])


def zeros(n: int, m: int) -> arb_mat:
    """The zero matrix."""
    return arb_mat(n, m, [arb(0)] * (n * m))


def total(matrices: Sequence[arb_mat]) -> arb_mat:
    """The sum of one or more matrices."""
    found = matrices[0]
    for matrix in matrices[1:]:
        found = found + matrix
    return found


def eigenvalues(symmetric: arb_mat) -> Vector:
    """Enclosures of the eigenvalues of a symmetric matrix, repeated ones too, largest midpoint first.

    Where Arb isolates none, as in a ball around a multiple m of I, they are m ± |A − mI|_F.
    """
    n = symmetric.nrows()
    if n == 1:
        return symmetric.entries()
    try:
        found = acb_mat(symmetric).eig(multiple=True)
    except ValueError:
        mean = symmetric.trace() / n
        off = arb(norm((symmetric - identity(n) * mean).entries()).abs_upper())
        return [mean + (-off).union(off)] * n
    return sorted((value.real for value in found), key=_by_midpoint, reverse=True)


def spectrum(symmetric: arb_mat) -> list[tuple[arb, arb_mat]]:
    """Simple eigenvalues of a symmetric matrix with their projectors, largest first.

    An eigenvector v is a multiple of a real one, whatever the phase, so vvᵀ/vᵀv is the projector.

    Raises:
        UndecidedError: If two eigenvalues are not told apart.
    """
    if symmetric.nrows() == 1:
        return [(symmetric[0, 0], identity(1))]
    try:
        values, vectors = acb_mat(symmetric).eig(right=True)
    except ValueError as error:
        raise UndecidedError("two eigenvalues are not told apart") from error
    found = []
    n = symmetric.nrows()
    for j, value in enumerate(values):
        v = [vectors[i, j] for i in range(n)]
        square = sum(a * a for a in v)
        found.append((value.real, arb_mat(n, n, [(a * b / square).real for a in v for b in v])))
    return sorted(found, key=lambda pair: _by_midpoint(pair[0]), reverse=True)


def _by_midpoint(ball: arb) -> float:
    return float(ball.mid())


# --- the normal law -------------------------------------------------------------------------------------


def normal_below(s: Any) -> Any:
    """Φ(s), of a ball or a power series."""
    return (-s / arb(2).sqrt()).erfc() / 2


def normal_density(s: arb) -> arb:
    """The density of N(0, 1)."""
    return (-s * s / 2).exp() / (2 * arb.pi()).sqrt()


# --- back to doubles --------------------------------------------------------------------------------------


def above(ball: arb) -> float:
    """The least double, to one step, that is not below any number of the ball."""
    end = ball.upper()
    value = float(end)
    return value if arb(value) >= end else float(np.nextafter(value, np.inf))


def below(ball: arb) -> float:
    """The largest double, to one step, that is not above any number of the ball."""
    end = ball.lower()
    value = float(end)
    return value if arb(value) <= end else float(np.nextafter(value, -np.inf))


def doubles(x: Vector) -> np.ndarray:
    """The nearest doubles, to one rounding, of the midpoints."""
    return np.array([float(a.mid()) for a in x])


def distance(balls: Vector, computed: ArrayLike) -> float:
    """A proved upper bound of |x − computed| for every x in the balls, in Euclidean or Frobenius norm."""
    return above(norm(subtract(balls, exact(computed))))
