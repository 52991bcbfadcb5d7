r"""Manifolds of matrices in balls, through proved eigenvalues and projectors of symmetric matrices.

Points travel flattened as in `numerics.potentials`: row-major, or for symmetric matrices the upper triangle
with off-diagonals times √2.
"""

from collections.abc import Sequence

from flint import arb, arb_mat

from numerics.checks import positive_integer
from numerics.intervals.balls import (
    UndecidedError,
    Vector,
    columns,
    eigenvalues,
    identity,
    spectrum,
    total,
    zeros,
)
from numerics.intervals.exact_potential import ByConjugate, Candidate


class ExactStiefel(ByConjugate):
    """Orthonormal frames n×p, n ≥ p: φ* the nuclear norm, φ the indicator of the spectral-norm ball.

    Args:
        n: Rows.
        p: Columns.

    Raises:
        ValueError: If p > n or one is not a positive integer.
    """

    def __init__(self, n: int, p: int) -> None:
        self.n, self.p = positive_integer("n", n), positive_integer("p", p)
        if self.p > self.n:
            raise ValueError(f"p: got {p} > n = {n}; orthonormal columns need p <= n")
        self.dim = self.n * self.p

    def _matrix(self, x: Vector) -> arb_mat:
        return arb_mat(self.n, self.p, x)

    def conjugate(self, y: Vector) -> arb:
        """The sum of the roots of the eigenvalues of YᵀY."""
        matrix = self._matrix(y)
        found = eigenvalues(matrix.transpose() * matrix)
        return sum((_root(value) for value in found), arb(0))

    def transport(self, x0: Vector) -> Candidate:
        """The polar factor Σ XP_i/s_i, P_i the projectors of XᵀX with eigenvalues s_i²."""
        return self._spectral(x0, lambda s: 1 / s)

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """Σ ZP_i·min(1, 1/s_i), in the ball by definition."""
        return self._spectral(z, lambda s: arb(1) if s <= 1 else 1 / s)

    def _spectral(self, x: Vector, factor: object) -> Candidate:
        matrix = self._matrix(x)
        parts = [p * factor(s2.sqrt()) for s2, p in spectrum(matrix.transpose() * matrix)]  # type: ignore[operator]
        return Candidate((matrix * total(parts)).entries(), arb(0))

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """From TᵀT = I and X = TP."""
        return polar_derivative(self._matrix(self.transport(x0).point), self._matrix(x0))

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """Where every singular value exceeds 1 the prox is the polar factor."""
        matrix = self._matrix(z)
        if not all(value > 1 for value in eigenvalues(matrix.transpose() * matrix)):
            raise UndecidedError("a singular value is not proved to exceed 1")
        return self.transport_jacobian(z)


class ExactGrassmannian(ByConjugate):
    """Projectors of rank k in R^n: φ* the sum of the k largest eigenvalues, φ the indicator of the Fantope.

    Args:
        n: The order of the matrices.
        k: The rank, 1 ≤ k < n.

    Raises:
        ValueError: If k ≥ n or one is not a positive integer.
    """

    def __init__(self, n: int, k: int) -> None:
        self.n, self.k = positive_integer("n", n), positive_integer("k", k)
        if self.k >= self.n:
            raise ValueError(f"k: got {k} >= n = {n}; give fewer")
        self.dim = self.n * (self.n + 1) // 2

    def conjugate(self, y: Vector) -> arb:
        """Upper ends of the k largest eigenvalues, so that the order need not be decided."""
        ends = sorted((value.upper() for value in eigenvalues(self._matrix(y))), key=float, reverse=True)
        return sum(ends[: self.k], arb(0))

    def _matrix(self, x: Vector) -> arb_mat:
        matrix, place, root = zeros(self.n, self.n), 0, 1 / arb(2).sqrt()
        for i in range(self.n):
            for j in range(i, self.n):
                matrix[i, j] = matrix[j, i] = x[place] if i == j else x[place] * root
                place += 1
        return matrix

    def _vector(self, matrix: arb_mat) -> Vector:
        root = arb(2).sqrt()
        return [
            matrix[i, j] if i == j else matrix[i, j] * root for i in range(self.n) for j in range(i, self.n)
        ]

    def transport(self, x0: Vector) -> Candidate:
        """The projector on the k largest eigenvalues."""
        return Candidate(self._vector(top(self._matrix(x0), self.k)), arb(0))

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """Σ clip(λ_i−θ, 0, 1)P_i of trace k."""
        return Candidate(self._vector(clipped(self._matrix(z), self.k)), arb(0))

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """Of the projector."""
        matrix, units = self._matrix(x0), identity(self.dim).tolist()
        return columns([self._vector(top_derivative(matrix, self.k, self._matrix(e))) for e in units])

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """Where λ_k − λ_{k+1} exceeds 1 the prox is the projector: θ between λ_{k+1} and λ_k − 1 exists."""
        _separated(self._matrix(z), self.k)
        return self.transport_jacobian(z)


# Rows: the entries of R(Q) for the quaternion matrix Q = qqᵀ, q = (w, x, y, z): i, j, coefficient of Q_ij.
_QUATERNIONS: tuple[tuple[tuple[int, int, int], ...], ...] = (
    ((0, 0, 1), (1, 1, 1), (2, 2, -1), (3, 3, -1)),
    ((1, 2, 2), (0, 3, -2)),
    ((1, 3, 2), (0, 2, 2)),
    ((1, 2, 2), (0, 3, 2)),
    ((0, 0, 1), (1, 1, -1), (2, 2, 1), (3, 3, -1)),
    ((2, 3, 2), (0, 1, -2)),
    ((1, 3, 2), (0, 2, -2)),
    ((2, 3, 2), (0, 1, 2)),
    ((0, 0, 1), (1, 1, -1), (2, 2, -1), (3, 3, 1)),
)


class ExactRotations(ByConjugate):
    """SO(3) through quaternions: φ*(X) = λ_max(R*(X)), φ the indicator of {R(Q) : Q ⪰ 0, tr Q = 1}."""

    dim = 9

    def _rotation(self, q: arb_mat) -> Vector:
        return [sum((c * q[i, j] for i, j, c in terms), arb(0)) for terms in _QUATERNIONS]

    def _adjoint(self, x: Vector) -> arb_mat:
        matrix = zeros(4, 4)
        for entry, terms in zip(x, _QUATERNIONS, strict=True):
            for i, j, c in terms:
                matrix[i, j] += c * entry / 2
                matrix[j, i] += c * entry / 2
        return matrix

    def conjugate(self, y: Vector) -> arb:
        """The largest eigenvalue of R*(y), by its upper end."""
        return max((value.upper() for value in eigenvalues(self._adjoint(y))), key=float)

    def transport(self, x0: Vector) -> Candidate:
        """R of the projector on the top eigenvector."""
        return Candidate(self._rotation(top(self._adjoint(x0), 1)), arb(0))

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """R(Q), Q the projection of R*(z)/4 on {Q ⪰ 0, tr Q = 1}: R is twice an isometry off the trace."""
        return Candidate(self._rotation(clipped(self._adjoint(z) * arb(0.25), 1)), arb(0))

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """From TᵀT = I and X = TP, P symmetric: for rotations too, though P has a negative eigenvalue."""
        return polar_derivative(arb_mat(3, 3, self.transport(x0).point), arb_mat(3, 3, x0))

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """Where the two largest eigenvalues of R*(z)/4 differ by more than 1 the prox is the rotation."""
        _separated(self._adjoint(z) * arb(0.25), 1)
        return self.transport_jacobian(z)


def polar_derivative(frame: arb_mat, matrix: arb_mat) -> arb_mat:
    """D of X ↦ T, X = TP, TᵀT = I, P symmetric: dT·P + T·dP = dX and TᵀdT + dTᵀT = 0, solved for dT.

    Args:
        frame: T (n,p).
        matrix: X (n,p).
    """
    n, p = frame.nrows(), frame.ncols()
    core = frame.transpose() * matrix
    pairs = [(i, j) for i in range(p) for j in range(i, p)]
    size = n * p + len(pairs)
    system, right = zeros(size, size), zeros(size, n * p)
    for i in range(n):
        for j in range(p):
            row = i * p + j
            right[row, row] = arb(1)
            for k in range(p):
                system[row, i * p + k] += core[k, j]
                system[row, n * p + pairs.index((min(k, j), max(k, j)))] += frame[i, k]
    for row, (i, j) in enumerate(pairs, start=n * p):
        for k in range(n):
            system[row, k * p + j] += frame[k, i]
            system[row, k * p + i] += frame[k, j]
    solved = system.solve(right)
    return arb_mat(n * p, n * p, [solved[i, j] for i in range(n * p) for j in range(n * p)])


def top(symmetric: arb_mat, k: int) -> arb_mat:
    """The projector on the k largest eigenvalues."""
    return total([projector for _, projector in _gapped(symmetric, k)[:k]])


def top_derivative(symmetric: arb_mat, k: int, change: arb_mat) -> arb_mat:
    """Σ_{i≤k<j} (P_iEP_j + P_jEP_i)/(λ_i − λ_j): the derivative of `top` along E."""
    found = _gapped(symmetric, k)
    return total(
        [
            (p * change * q + q * change * p) * (1 / (high - low))
            for high, p in found[:k]
            for low, q in found[k:]
        ]
    )


def clipped(symmetric: arb_mat, k: int) -> arb_mat:
    """Σ clip(λ_i−θ, 0, 1)P_i of trace k: which are 0, which 1, and θ from the sum of the others.

    Its trace is k by algebra; that the others lie between 0 and 1 is proved.

    Raises:
        UndecidedError: If no division into ones, others and zeros is proved to fit.
    """
    found = spectrum(symmetric)
    n = len(found)
    for ones in range(k + 1):
        for others in range(n - ones + 1):
            weights = _weights([value for value, _ in found], k, ones, others)
            if weights is not None:
                return total([p * w for w, (_, p) in zip(weights, found, strict=True)])
    raise UndecidedError("an eigenvalue is at the border between clipped and free")


def _weights(values: Sequence[arb], k: int, ones: int, others: int) -> Vector | None:
    """The clipped eigenvalues for a division, if it is proved to fit."""
    free, n = values[ones : ones + others], len(values)
    if not others:
        fits = ones == k and (ones == n or values[ones - 1] - values[ones] >= 1)
        return [arb(int(i < ones)) for i in range(n)] if fits else None
    theta = (sum(free, arb(0)) - (k - ones)) / others
    if not all(theta < value < theta + 1 for value in free):
        return None
    if ones and not values[ones - 1] >= theta + 1:
        return None
    if ones + others < n and not values[ones + others] <= theta:
        return None
    return [arb(1)] * ones + [value - theta for value in free] + [arb(0)] * (n - ones - others)


def _gapped(symmetric: arb_mat, k: int) -> list[tuple[arb, arb_mat]]:
    found = spectrum(symmetric)
    if not found[k - 1][0] > found[k][0]:
        raise UndecidedError(f"eigenvalues {k} and {k + 1} are not told apart")
    return found


def _separated(symmetric: arb_mat, k: int) -> None:
    values = eigenvalues(symmetric)
    if not values[k - 1] - values[k] > 1:
        raise UndecidedError(f"eigenvalues {k} and {k + 1} are not proved to differ by more than 1")


def _root(value: arb) -> arb:
    """√ of a number that is not negative, though its ball may reach below 0."""
    return value.sqrt() if value > 0 else arb(0).union(arb(value.abs_upper()).sqrt())
