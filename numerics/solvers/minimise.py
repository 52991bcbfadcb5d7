r"""A third route to the prox: minimise over a parametrisation, knowing nothing of φ but its values.

With a smooth map γ from R^m onto dom φ, prox_{λφ}(z) = γ(s*) for the s* that minimises
φ(γ(s)) + |γ(s)−z|²/(2λ). No transport, conjugate, cone or subgradient is used (docs/theory.md §1, P2):
derivatives are central differences of φ∘γ, and SciPy's BFGS does the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from numerics.accuracy import EPS
from numerics.checks import as_array, as_points, as_positive

_DIFFERENCE = EPS ** (1 / 3)  # balances the truncation h² and the rounding eps/h of a central difference
_ROUNDS = 4

Values = Callable[[Float[np.ndarray, "k d"]], Float[np.ndarray, " k"]]


@dataclass(frozen=True)
class Parametrisation:
    """A smooth map onto the domain of φ, and where to start.

    Attributes:
        map: Coordinates (k,m) to points (k,d), every one in the domain to rounding.
        starts: (j,m) coordinates to start from; the best end wins.
        dim: d.
    """

    map: Callable[[Float[np.ndarray, "k m"]], Float[np.ndarray, "k d"]]
    starts: Float[np.ndarray, "j m"]
    dim: int


@dataclass(frozen=True)
class Minimum:
    """The minimisers found.

    Attributes:
        point: (n,d) the prox as found.
        error: (n,) estimate of its distance from the prox; an estimate, not a certificate (see `minimise`).
    """

    point: Float[np.ndarray, "n d"]
    error: Float[np.ndarray, " n"]


def minimise(value: Values, parametrisation: Parametrisation, z: ArrayLike, step: ArrayLike) -> Minimum:
    r"""prox_{step·φ}(z) by descent on s ↦ F(γ(s)), F(u) = φ(u) + |u−z|²/(2·step).

    The error estimate. F is 1/λ-strongly convex: |u − prox|² ≤ 2λ(F(u) − F*), whatever γ is. F* is not known
    to a method that sees only values. What is left is estimated as the sum of BFGS's own quadratic model
    ½gᵀB⁻¹g, the same for the error of g (from two widths of difference), the fall of the last restart, and
    the rounding below which no difference of values means
    anything: √(2λ·eps·|F|), the floor of every method that only compares values. To keep |F| small the sums
    are taken relative to the best point so far, u₀:
    F(u) − F(u₀) = φ(u) − φ(u₀) + ⟨u − u₀, (u+u₀)/2 − z⟩/λ, and the run restarts from u₀.
    A local minimum of F∘γ that is none of F, where γ folds, would fool it: hence several starts.

    Args:
        value: φ, (k,d) to (k,).
        parametrisation: γ with starts.
        z: (n,d).
        step: λ > 0, scalar or (n,).

    Raises:
        ValueError: If z or step is malformed, or γ leaves the domain (φ = +inf), naming where.
    """
    starts = as_array("starts", parametrisation.starts, ndim=2)
    points = as_points("z", z, parametrisation.dim)
    steps = as_positive("step", step, len(points))
    found = [_best(value, parametrisation, starts, z, lam) for z, lam in zip(points, steps, strict=True)]
    return Minimum(np.stack([point for point, _ in found]), np.array([error for _, error in found]))


def _best(
    value: Values,
    gamma: Parametrisation,
    starts: Float[np.ndarray, "j m"],
    z: Float[np.ndarray, " d"],
    lam: float,
) -> tuple[Float[np.ndarray, " d"], float]:
    """Descend from every start, then restart from the best until a restart gains nothing."""
    tries = [_descend(value, gamma, s, z, lam) for s in starts]
    ends = np.stack([run.coordinates for run in tries])
    reference = _Objective(value, gamma, starts[0], z, lam)
    run = tries[int(np.argmin(reference(ends)))]
    for _ in range(_ROUNDS):
        previous, run = run, _descend(value, gamma, run.coordinates, z, lam)
        if run.fall <= run.rounding:
            break
    left = run.model + run.fall + run.rounding + (previous.model if run.fall == 0 else 0.0)
    return gamma.map(run.coordinates[None])[0], float(np.sqrt(2 * lam * left))


@dataclass(frozen=True)
class _Run:
    """One descent: its end, by how much F fell, what its model expects still to gain, the rounding in F."""

    coordinates: Float[np.ndarray, " m"]
    fall: float
    model: float
    rounding: float


class _Objective:
    """s ↦ F(γ(s)) − F(γ(s₀)), for many s at once."""

    def __init__(
        self,
        value: Values,
        gamma: Parametrisation,
        s0: Float[np.ndarray, " m"],
        z: Float[np.ndarray, " d"],
        lam: float,
    ) -> None:
        self._value, self._map, self._z, self._lam = value, gamma.map, z, lam
        self._origin = gamma.map(s0[None])
        self._at_start = self._finite(self._origin, s0[None])[0]

    def _finite(self, u: Float[np.ndarray, "k d"], s: Float[np.ndarray, "k m"]) -> Float[np.ndarray, " k"]:
        values = self._value(u)
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise ValueError(
                f"parametrisation: maps {s[row].tolist()} to {u[row].tolist()}, where φ is {values[row]}; "
                "it must stay in the domain of φ"
            )
        return values

    def __call__(self, s: Float[np.ndarray, "k m"]) -> Float[np.ndarray, " k"]:
        u = self._map(s)
        moved, middle = u - self._origin, (u + self._origin) / 2
        return self._finite(u, s) - self._at_start + (moved * (middle - self._z)).sum(axis=1) / self._lam

    def gradient(self, s: Float[np.ndarray, " m"], width: float = _DIFFERENCE) -> Float[np.ndarray, " m"]:
        """Central differences, all in one call."""
        h = width * np.maximum(1, np.abs(s))
        ahead, behind = self(np.concatenate([s + np.diag(h), s - np.diag(h)])).reshape(2, -1)
        return np.asarray((ahead - behind) / (2 * h))

    def rounding(self, s: Float[np.ndarray, " m"]) -> float:
        """Eps times the sizes of what F(γ(s)) − F(γ(s₀)) adds up."""
        u = self._map(s[None])
        pull = np.linalg.norm((u + self._origin) / 2 - self._z) / self._lam
        slip = 2 * EPS * np.linalg.norm(u) * pull  # γ(s) itself is known to an ulp
        values = abs(self._at_start) + abs(float(self._value(u)[0]))
        return float(EPS * (values + np.linalg.norm(u - self._origin) * pull) + slip)


def _descend(
    value: Values, gamma: Parametrisation, s0: Float[np.ndarray, " m"], z: Float[np.ndarray, " d"], lam: float
) -> _Run:
    objective = _Objective(value, gamma, s0, z, lam)
    result = minimize(  # type: ignore[call-overload]  # the stubs want the number of axes in the type
        lambda s: float(objective(s[None])[0]),
        s0,
        jac=objective.gradient,
        method="BFGS",
        options={"gtol": 0.0, "maxiter": 200 + 20 * len(s0)},  # stops when no step lowers F any more
    )
    end = result.x if result.fun <= 0 else s0
    slope = objective.gradient(end)
    # Truncation grows with the square of the width: the wider one errs four times as much.
    noise = np.abs(objective.gradient(end, 2 * _DIFFERENCE) - slope) + objective.rounding(end) / _DIFFERENCE
    model = sum(float(g @ result.hess_inv @ g) for g in (slope, noise)) + float(noise @ noise) * lam
    return _Run(end, max(-float(result.fun), 0.0), max(model, 0.0), objective.rounding(end))


# --- parametrisations of the families ---------------------------------------------------------------


def ball(dim: int, radius: float) -> Parametrisation:
    r"""$γ(s) = R \sin|s| · s/|s|$: onto the closed ball, its boundary a smooth fold at |s| = π/2.

    At the boundary F∘γ has a proper quadratic minimum wherever z pulls outward, so no constraint is needed.
    """

    def points(s: Float[np.ndarray, "k m"]) -> Float[np.ndarray, "k d"]:
        return np.asarray(radius * s * np.sinc(np.linalg.norm(s, axis=1) / np.pi)[:, None])

    starts = np.concatenate([np.eye(dim), -np.eye(dim)])
    return Parametrisation(points, starts, dim)


def ellipsoid(shape_matrix: Float[np.ndarray, "d d"]) -> Parametrisation:
    r"""$A^{1/2}$ of the unit ball's."""
    squares, axes = np.linalg.eigh(shape_matrix)
    unit = ball(len(squares), 1.0)
    return Parametrisation(lambda s: (unit.map(s) * np.sqrt(squares)) @ axes.T, unit.starts, unit.dim)


def affine(origin: Float[np.ndarray, " d"], directions: Float[np.ndarray, "d m"]) -> Parametrisation:
    """γ(s) = origin + directions·s: linear coordinates on an affine subspace."""
    return Parametrisation(
        lambda s: origin + s @ directions.T, np.zeros((1, directions.shape[1])), len(origin)
    )


def hull(points: Float[np.ndarray, "N d"]) -> Parametrisation:
    r"""$γ(s) = Σ_i w_i y_i$, $w_i = s_i²/|s|²$: onto the hull of the points, faces included.

    A vanishing s_i is a stationary direction even where the atom ought to enter, so every start has all
    weights positive: the middle, and near each point.
    """
    n = len(points)
    starts = np.concatenate([np.ones((1, n)), 0.2 + np.eye(n)])

    def combine(s: Float[np.ndarray, "k N"]) -> Float[np.ndarray, "k d"]:
        squares = s**2
        return np.asarray((squares / squares.sum(axis=1, keepdims=True)) @ points)

    return Parametrisation(combine, starts, points.shape[1])
