r"""Damped Newton for the semi-dual, plane and space [@kitagawa2019convergence] (docs/theory.md §4.3).

$F(g) = E\max_i(⟨x_0, y_i⟩ - g_i) + ⟨w, g⟩$ is convex with gradient $w_i - P_0(C_i)$ and Hessian the
Laplacian L of the graph of neighbouring cells. A step δ solves $Lδ = P - w$; its length τ is halved until
every cell keeps half of the least mass seen at the start and the error falls by the factor $1 - τ/2$.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.sparse import csc_array, csr_array, diags_array
from scipy.sparse.linalg import cg, splu

from numerics.accuracy import EPS
from numerics.transport.diagram import Diagram
from numerics.transport.interruption import SolveInterrupted

RELATIVE_GOAL = 1e-12
ABSOLUTE_GOAL = 8 * EPS
SHORTEST_STEP = 2.0**-30
MANY = 1000
"""From so many atoms in space on, steps are found by conjugate gradients."""

Progress = Callable[[int, float, float], None]


@dataclass(frozen=True)
class NewtonResult:
    """Where the iteration stopped.

    Attributes:
        diagram: The cells at the heights found.
        iterations: Newton steps taken.
        diagrams: Laguerre diagrams built, the first included.
        stalled: (n,), the atoms whose error is above the goal because rounding stops there.
    """

    diagram: Diagram
    iterations: int
    diagrams: int
    stalled: Bool[np.ndarray, " n"]


class NewtonError(RuntimeError):
    """Newton ended above rounding. Carries what was spent and the largest weight error reached."""

    def __init__(self, what: str, result: NewtonResult, weights: Float[np.ndarray, " n"]) -> None:
        error = np.abs(result.diagram.masses - weights)
        worst = int(np.argmax(error))
        self.error = float(error[worst])
        self.iterations, self.diagrams = result.iterations, result.diagrams
        super().__init__(
            f"semidiscrete Newton: {what} after {result.iterations} steps; the largest weight error reached"
            f" is {self.error:.3g}, at atom {worst} of weight {weights[worst]:.3g};"
            " raise max_iterations, or merge atoms that nearly coincide"
        )


def goal(weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The error at which an atom counts as solved: max(1e−12·w, 8·eps)."""
    return np.maximum(RELATIVE_GOAL * weights, ABSOLUTE_GOAL)


def minimise(
    weights: Float[np.ndarray, " n"],
    diagram: Diagram,
    *,
    cap: int,
    progress: Progress | None = None,
) -> NewtonResult:
    """Newton steps from a diagram in which every cell has mass, until every atom's error is at its goal.

    Near the goal rounding may stop the error from falling. If every error is then within 16 times the
    diagram's `rounding`, the iteration ends there and marks the atoms above the goal as stalled.

    Raises:
        NewtonError: If a cell of the start is empty, cap steps don't suffice, or no step length makes
            progress above rounding; the message names the step and the error reached.
        SolveInterrupted: On Ctrl-C during a step, with the heights before it.
    """
    floor = min(float(diagram.masses.min()), float(weights.min())) / 2
    result = NewtonResult(diagram, 0, 1, np.zeros(len(weights), dtype=bool))
    if not floor > 0:
        raise NewtonError("a cell of the start has no mass, so no step is safe", result, weights)
    step, trial = 1.0, 1.0
    for iteration in range(cap + 1):
        diagram = result.diagram
        error = np.abs(diagram.masses - weights)
        result = replace(result, iterations=iteration, stalled=error > _goal(weights, diagram))
        if progress is not None:
            progress(iteration, float(error.max()), step)
        if not _merit(weights, diagram):
            return result
        if iteration == cap:
            break
        try:
            direction = _direction(diagram, _half_density_excess(diagram.masses, weights))
            found, step, tried = _line_search(weights, diagram, direction, trial, floor)
        except KeyboardInterrupt:
            raise SolveInterrupted(diagram.heights, float(error.max())) from None
        trial = min(1.0, 2 * step) if tried == 1 else step
        result = replace(result, diagrams=result.diagrams + tried)
        if found is None:
            if bool((error <= 16 * diagram.rounding).all()):
                return result
            raise NewtonError("no step length makes progress", result, weights)
        result = replace(result, diagram=found)
    raise NewtonError("the cap on steps was met", result, weights)


def _goal(weights: Float[np.ndarray, " n"], diagram: Diagram) -> Float[np.ndarray, " n"]:
    """The goal, but at least what masses of this diagram err by."""
    return np.maximum(goal(weights), diagram.evaluation)


def _direction(diagram: Diagram, excess: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """δ with Lδ = P − w and δ = 0 at the heaviest atom: heights count up to a constant."""
    n = len(excess)
    pinned = int(np.argmax(diagram.masses))
    free = np.arange(n) != pinned
    delta = np.zeros(n)
    if n == 1:
        return delta
    if diagram.points.shape[1] > 2 and n > MANY:
        found = _by_conjugate_gradients(diagram.hessian, excess)
        if found is not None:
            return np.asarray(found - found[pinned])
    laplacian = csc_array(diagram.hessian[free][:, free])
    # A Laplacian is an M-matrix: elimination without pivoting loses nothing and keeps it sparse.
    factor = splu(
        laplacian, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
    delta[free] = factor.solve(excess[free])
    return delta


def _by_conjugate_gradients(
    laplacian: csc_array, excess: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"] | None:
    """A solution by conjugate gradients in units of the diagonal; None where they don't converge.

    In space elimination fills in n^{4/3} entries, and gradients need some hundred products. A residual of
    1e−10 leaves Newton quadratic down to that factor a step.
    """
    diagonal = laplacian.diagonal()
    if not (diagonal > 0).all():
        return None
    preconditioner = 1 / np.sqrt(diagonal)
    scaled = csr_array(diags_array(preconditioner) @ laplacian @ diags_array(preconditioner))
    found, failed = cg(scaled, preconditioner * (excess - excess.mean()), rtol=1e-10, maxiter=3000)
    return None if failed else np.asarray(preconditioner * found)


def _line_search(
    weights: Float[np.ndarray, " n"],
    diagram: Diagram,
    direction: Float[np.ndarray, " n"],
    step: float,
    floor: float,
) -> tuple[Diagram | None, float, int]:
    """The first of step, step/2, … that keeps every cell above floor and reduces the error enough."""
    before = _merit(weights, diagram)
    close = bool((np.abs(diagram.masses - weights) <= 16 * diagram.rounding).all())
    tried = 0
    while step >= SHORTEST_STEP:
        candidate = diagram.at(diagram.heights + step * direction)
        tried += 1
        after = _merit(weights, candidate)
        if candidate.masses.min() >= floor and after <= (1 - step / 2) * before:
            return candidate, step, tried
        if close:
            return None, step, tried
        step /= 2
    return None, step, tried


def _half_density_excess(
    masses: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """2√P(√P − √w), made to sum to 0: Newton for √P = √w, which is P − w to first order.

    A cell that shrinks away has mass like the square of its size, and Newton for P would only halve it.
    """
    root = np.sqrt(masses)
    excess = 2 * root * (root - np.sqrt(weights))
    return excess - weights * excess.sum()


def _merit(weights: Float[np.ndarray, " n"], diagram: Diagram) -> float:
    """What the steps must reduce: |√P − √w|, without the part of each error within its goal or rounding."""
    error = np.abs(diagram.masses - weights)
    ignored = np.maximum(_goal(weights, diagram), 4 * (diagram.rounding - diagram.evaluation))
    beyond = np.maximum(error - ignored, 0.0)
    return float(np.linalg.norm(beyond / (np.sqrt(np.maximum(diagram.masses, 0.0)) + np.sqrt(weights))))
