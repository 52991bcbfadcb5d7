r"""The prox by a conic solver: a second route, with no line of the closed forms (docs/theory.md §1, P2).

Many points are stacked into one disciplined convex program with Parameters [@agrawal2018rewriting], compiled
once per number of rows and solved by Clarabel [@goulart2024clarabel]. Rows do not interact, so each may be
multiplied by its own factor.

Scaling. Let S be the potential's scale and ℓ = λ/S. Per row the programs minimise

    primal      φ(u)/S + (r/2)|v|² − ⟨k, v⟩        over u/S = c + m v
    conjugate   φ*(y)/S + (r/2)|v|² − ⟨k, v⟩       over y = c + m v

| route     | step  | v      | c   | m    | r   | k    | prox    |
|-----------|-------|--------|-----|------|-----|------|---------|
| primal    | ℓ ≤ 1 | −√ℓ y  | z/S | √ℓ   | 1   | 0    | S(c+mv) |
| primal    | ℓ > 1 | u/S    | 0   | 1    | 1/ℓ | z/Sℓ | S(c+mv) |
| conjugate | ℓ ≤ 1 | y      | 0   | 1    | ℓ   | z/S  | z − λv  |
| conjugate | ℓ > 1 | u/S    | z/λ | −1/ℓ | 1/ℓ | 0    | S v     |

The term that is small stays visible beside the large one, v is of order 1, and a duality gap g leaves an
error |u − prox| ≤ S√(2ℓg): the smaller the step, the smaller the error. Moreau's u = z − λy is used only
where λ does not magnify the error of y.
"""

import time
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from numerics.checks import as_points, as_positive, positive_integer
from numerics.potentials.base import Potential

# Attempts in turn: Clarabel's tolerance, and whether it rescales rows and columns. Ours are scaled already,
# and its scaling costs digits where λ is small; a family whose cones are badly scaled needs it. Driven past
# what rounding allows, the solver can lose what it had, so the last attempt asks for less. Refining every
# linear solve, a third of the time, changes nothing in the programs of the conjugate route.
_ATTEMPTS = {
    "primal": ((1e-12, False, True), (1e-12, True, True), (1e-8, False, True)),
    "conjugate": ((1e-12, False, False), (1e-12, True, True), (1e-8, False, True)),
}
# "AlmostSolved" is accepted with a residual of 1e-7 and a gap g for which √(2ℓg) ≤ 1.5e-5.
_LEAST_FEASIBLE, _LEAST_GAP = 1e-7, 1e-10
_ACCEPTED = ("Solved", "AlmostSolved")
_DECADE = 10.0


def clarabel_settings(aim: float, equilibrate: bool, refine: bool, ratio: float) -> dict[str, Any]:
    """What Clarabel is told; `ratio` is λ over the program's scale, below 1 larger gaps will do."""
    least_gap = min(_LEAST_GAP / min(ratio, 1.0), 1e-6)
    return {
        **dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), aim),
        **dict.fromkeys(("reduced_tol_gap_abs", "reduced_tol_gap_rel"), max(least_gap, aim)),
        "reduced_tol_feas": _LEAST_FEASIBLE,
        "equilibrate_enable": equilibrate,
        "iterative_refinement_enable": refine,
        "max_threads": 1,  # small programs; and one thread repeats itself to the bit
    }


class ConicProx:
    r"""$\mathrm{prox}_{λφ}(z)$ from φ's conic form, or from φ\*'s through Moreau's identity.

    Accuracy for z = x₁ + λx₀ with x₀ of order 1: 1e−7·S and better as a rule, 1e−5·S at worst where the
    minimum is flat, as on a face of a polytope or near the centre of a body's projection (see the module);
    `numerics.proximal.certificate` bounds the error of each point. Steps below 1e−7·S may be refused. The
    program of a block is compiled on first use and kept; the last block of a group is padded with copies of
    its last row. Not thread-safe.

    Args:
        potential: Any potential whose `conic` (or `conic_conjugate`) returns a program.
        route: "primal" uses φ, "conjugate" uses φ\*: prox_{λφ}(z) = z − λ prox_{φ\*/λ}(z/λ).
        block: Most points a solve; about 250 for small cones, 10 for hundreds of atoms, since the hardest
            row sets the number of iterations.

    Attributes:
        compile_seconds: Spent on cvxpy's canonicalisation, once a size.
        solve_seconds: Spent on everything else: parameters, solver, reading back.
        solver_seconds: Clarabel's own account of its time.
        solves: Number of blocks solved.

    Raises:
        ValueError: If the potential has no such form, route is unknown, or block not a positive integer.

    Example:
        >>> from numerics.potentials import Sphere
        >>> ConicProx(Sphere(2))([[0.0, 3.0], [0.5, 0.0]], 1.0).round(6).tolist()
        [[0.0, 1.0], [0.5, 0.0]]
    """

    def __init__(
        self, potential: Potential, route: Literal["primal", "conjugate"] = "primal", block: int = 250
    ) -> None:
        if route not in ("primal", "conjugate"):
            raise ValueError(f"route: got {route!r}; it must be 'primal' or 'conjugate'")
        self.potential, self.route = potential, route
        self.block = positive_integer("block", block)
        # Three sizes at most: a lone point of its own decade need not be solved as 250.
        self._sizes = sorted({max(1, self.block // 25), max(1, self.block // 5), self.block})
        self._programs: dict[int, _Program] = {}
        self.compile_seconds = self.solve_seconds = self.solver_seconds = 0.0
        self.solves = 0
        self._build(1)  # refuses a potential without the form at birth, not at the first call

    def __call__(self, z: ArrayLike, step: ArrayLike) -> Float[np.ndarray, "n d"]:
        """prox_{step·φ}(z) for z (n,d), step > 0 scalar or (n,).

        Raises:
            ValueError: If z or step has the wrong shape, isn't finite, or step isn't positive.
            RuntimeError: If the solver ends in any status but solved, naming it, the block and its λ.
        """
        points = as_points("z", z, self.potential.dim)
        steps = as_positive("step", step, len(points))
        u = np.empty_like(points)
        for rows in _groups(steps, self.block):
            u[rows] = self._solve(points[rows], steps[rows])
        return u

    def compile(self, size: int) -> None:
        """Compile the program for blocks of up to ``size`` points now rather than at first use."""
        self._program(size)

    def _build(self, size: int) -> "_Program":
        kind = _Primal if self.route == "primal" else _Conjugate
        return kind(self.potential, size)

    def _program(self, wanted: int) -> "_Program":
        size = next(size for size in self._sizes if size >= wanted)
        if size not in self._programs:
            start = time.perf_counter()
            program = self._build(size)
            program.load(np.zeros((size, self.potential.dim)), np.ones(size))
            program.data()
            self._programs[size] = program
            self.compile_seconds += time.perf_counter() - start
        return self._programs[size]

    def _solve(self, z: Float[np.ndarray, "k d"], step: Float[np.ndarray, " k"]) -> Float[np.ndarray, "k d"]:
        program = self._program(len(z))
        start = time.perf_counter()
        padded = np.minimum(np.arange(program.size), len(z) - 1)
        program.load(z[padded], step[padded])
        for attempt in _ATTEMPTS[self.route]:
            solution = program.solve(clarabel_settings(*attempt, float(step[-1]) / program.scale))
            self.solver_seconds += solution.solve_time
            if str(solution.status) in _ACCEPTED:
                break
        self.solves += 1
        if str(solution.status) not in _ACCEPTED:
            raise RuntimeError(
                f"conic prox ({self.route}) of {self.potential!r}: Clarabel ended with status "
                f"{solution.status} after {solution.iterations} iterations on block {self.solves} "
                f"({len(z)} points, λ from {step.min():.3g} to {step.max():.3g})"
            )
        u = program.read()[: len(z)]
        self.solve_seconds += time.perf_counter() - start
        return u


def _groups(step: Float[np.ndarray, " n"], block: int) -> Iterator[Int[np.ndarray, " k"]]:
    """Rows in order of λ, cut where a block is full or its λ would span more than a decade."""
    order = np.argsort(step, kind="stable")
    start = 0
    while start < len(order):
        reach = np.searchsorted(step[order], _DECADE * step[order[start]], side="right")
        stop = min(start + block, int(reach))
        yield order[start:stop]
        start = stop


class _Program:
    """A compiled stack of ``size`` rows; a route adds its variables and how they are loaded and read."""

    def __init__(self, potential: Potential, size: int) -> None:
        import cvxpy as cp

        self.size, self.scale = size, potential.scale
        shape = (size, potential.dim)
        self._inner = cp.Variable(shape)
        self._curvature = cp.Parameter(shape, nonneg=True)
        self._pull = cp.Parameter(shape)
        self._offset, self._slope = cp.Parameter(shape), cp.Parameter(shape)
        value, constraints = self._form(potential, self._offset + cp.multiply(self._slope, self._inner))
        quadratic = cp.multiply(self._curvature, cp.square(self._inner)) / 2
        objective = cp.sum(quadratic - cp.multiply(self._pull, self._inner)) + value / self.scale
        self._problem = cp.Problem(cp.Minimize(objective), constraints)
        if not self._problem.is_dcp(dpp=True):
            raise ValueError(f"potential: {potential!r} gives a conic form that is not disciplined (DPP)")

    def data(self) -> tuple[Any, Any, Any]:
        """Solver data at the current parameters: a sparse product, once the program is compiled."""
        data = self._problem.get_problem_data("CLARABEL", solver_opts={})
        return data[0], data[1], data[2]

    def solve(self, settings: dict[str, Any]) -> Any:
        """Clarabel's solution; the variables take its values where it holds one."""
        data, chain, inverse = self.data()
        solution = chain.solve_via_data(self._problem, data, verbose=False, solver_opts=settings)
        if str(solution.status) in _ACCEPTED:
            self._problem.unpack(chain.invert(solution, inverse))
        return solution

    def _form(self, potential: Potential, point: Any) -> tuple[Any, list[Any]]:
        """The rows' weighted sum of the potential at ``point``, an affine expression, and its constraints."""
        raise NotImplementedError

    def load(self, z: Float[np.ndarray, "k d"], step: Float[np.ndarray, " k"]) -> None:
        """Give the parameters the values that belong to z and λ."""
        raise NotImplementedError

    def read(self) -> Float[np.ndarray, "k d"]:
        """The prox, from the solved variables."""
        raise NotImplementedError

    def _set(self, offset: Any, slope: Any, curvature: Any, pull: Any) -> None:
        """Set c, m, r, k of the module's table, each (k,d) or (k,1)."""
        shape = self._inner.shape
        self._offset.value = np.broadcast_to(offset, shape)
        self._slope.value = np.broadcast_to(slope, shape)
        self._curvature.value = np.broadcast_to(curvature, shape)
        self._pull.value = np.broadcast_to(pull, shape)


class _Primal(_Program):
    def _form(self, potential: Potential, point: Any) -> tuple[Any, list[Any]]:
        import cvxpy as cp

        form = potential.conic(self.scale * point)
        if form is None:
            raise ValueError(
                f"potential: {potential!r} has no conic form; use its closed form, or route='conjugate' "
                "if it has conic_conjugate"
            )
        return cp.sum(form[0]), form[1]

    def load(self, z: Float[np.ndarray, "k d"], step: Float[np.ndarray, " k"]) -> None:
        ratio, unit = step[:, None] / self.scale, z / self.scale
        large = ratio > 1
        self._set(
            np.where(large, 0.0, unit),
            np.where(large, 1.0, np.sqrt(ratio)),
            np.where(large, 1 / ratio, 1.0),
            np.where(large, unit / ratio, 0.0),
        )

    def read(self) -> Float[np.ndarray, "k d"]:
        point = self._offset.value + self._slope.value * self._inner.value
        return np.asarray(self.scale * point)


class _Conjugate(_Program):
    def _form(self, potential: Potential, point: Any) -> tuple[Any, list[Any]]:
        import cvxpy as cp

        form = potential.conic_conjugate(point)
        if form is None:
            raise ValueError(f"potential: {potential!r} has no conic_conjugate; use route='primal'")
        return cp.sum(form[0]), form[1]

    def load(self, z: Float[np.ndarray, "k d"], step: Float[np.ndarray, " k"]) -> None:
        self._z, self._step = z, step[:, None]
        ratio = self._step / self.scale
        self._large = ratio > 1
        self._set(
            np.where(self._large, z / self._step, 0.0),
            np.where(self._large, -1 / ratio, 1.0),
            np.minimum(ratio, 1 / ratio),
            np.where(self._large, 0.0, z / self.scale),
        )

    def read(self) -> Float[np.ndarray, "k d"]:
        inner = self._inner.value
        return np.where(self._large, self.scale * inner, self._z - self._step * inner)
