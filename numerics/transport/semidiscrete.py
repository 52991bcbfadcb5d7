r"""Optimal transport from N(0, I) to any weighted point cloud: one entry point (docs/theory.md §4.3).

It minimises the convex semi-dual $F(g) = E\max_i(⟨x_0, y_i⟩ - g_i) + ⟨w, g⟩$, whose gradient is
$w_i - P_0(C_i)$: exactly on a line (closed form), in the plane and in space (damped Newton with exact cell
masses), each also inside a larger space, and by sampling where the atoms span four dimensions or more.
Whatever error the weights keep, the heights are exact for the masses they induce.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.accuracy import EPS
from numerics.checks import as_array, positive_integer
from numerics.streams import stream
from numerics.transport import newton, starts
from numerics.transport.collinear import positions, solve_collinear
from numerics.transport.diagram import Diagram
from numerics.transport.duplicates import refuse_duplicates
from numerics.transport.hulls import principal_axes
from numerics.transport.interruption import SolveInterrupted
from numerics.transport.newton import Progress
from numerics.transport.sampled import Budget, solve_sampled
from numerics.transport.solution import SemidiscreteSolution


def solve(
    points: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    start: ArrayLike | None = None,
    max_iterations: int = 200,
    progress: Progress | None = None,
    seed: int = 0,
    budget: Budget | None = None,
) -> SemidiscreteSolution:
    """Heights g with P₀(cell of y_i) = w_i for the noise P₀ = N(0, I).

    Atoms on a line or in a plane, of any space, are solved when their error is at most max(1e−12·w, 8·eps),
    and atoms that span three dimensions at max(1e−12·w, 32·eps). Where rounding ends the iteration before,
    `SemidiscreteSolution.stalled` marks the atoms, and their error is at most 16 times what one rounding of
    the heights moves; otherwise it raises. Atoms that span more are solved by sampling: what is left of their
    weights' error, and what is known of it, is in the solution (`numerics.transport.sampled` says how much to
    expect).

    Args:
        points: (n, d), the atoms, finite, no two equal.
        weights: (n,), positive, summing to 1 within n·eps·8; uniform where None.
        start: (n,), heights to go on from, such as those of a `SolveInterrupted`; ignored on a line, where
            heights are closed, and where exact cells at them have no mass.
        max_iterations: Cap on Newton steps, or on passes over fresh noise for d ≥ 4.
        progress: Called as (iteration, largest weight error, step length) before every step.
        seed: Feeds the generator of the noise for d ≥ 4.
        budget: How much noise is drawn for d ≥ 4; `Budget.suited(n)` where None.

    Returns:
        The solution; for d ≥ 4 its masses are estimates with simultaneous confidence intervals.

    Raises:
        ValueError: If an argument is malformed (naming the entry), weights don't sum to 1 (naming the
            sum), or two atoms coincide (naming them).
        RuntimeError: If the cap is reached, naming what was reached.
        SolveInterrupted: On Ctrl-C, with the best heights so far.

    Example:
        >>> solve([[0.0], [1.0]], weights=[0.25, 0.75]).masses.round(12).tolist()
        [0.25, 0.75]
        >>> [round(w, 12) for w in solve([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]).masses.tolist()]
        [0.25, 0.25, 0.25, 0.25]
    """
    y = as_array("points", points, ndim=2)
    n = len(y)
    w = np.full(n, 1 / n) if weights is None else check_weights(weights, n)
    refuse_duplicates(y)
    cap = positive_integer("max_iterations", max_iterations)
    first = None if start is None else as_array("start", start, ndim=1)
    if first is not None and len(first) != n:
        raise ValueError(f"start: got {len(first)} heights for {n} points; give one a point")
    places = positions(y)
    if places is not None:
        return solve_collinear(y, w, places)
    inside = coordinates(y)
    if inside.shape[1] <= 3:
        return _solve_exactly(y, inside, w, first, cap, progress)
    rng = stream(seed, "semidiscrete")
    budget = budget or Budget.suited(n)
    return solve_sampled(y, w, inside, first, budget=budget, cap=cap, progress=progress, rng=rng)


def check_weights(weights: ArrayLike, n: int, name: str = "weights") -> Float[np.ndarray, " n"]:
    """The n positive weights, which must sum to 1 to the rounding of their own type, divided by their sum.

    Weights of float32 that sum to 1 in float32 are meant as such; their doubles sum to 1 to 8·n·2⁻²³ only.

    Raises:
        ValueError: If there are not n, one is not positive (naming it), or they don't sum to 1 (naming
            their sum).
    """
    w = as_array(name, weights, ndim=1)
    if len(w) != n:
        raise ValueError(f"{name}: got {len(w)} for {n} points; give one a point")
    if not (w > 0).all():
        bad = int(np.flatnonzero(~(w > 0))[0])
        raise ValueError(f"{name}: entry {bad} is {w[bad]}; weights must be positive: drop atoms of weight 0")
    total = float(w.sum())
    given = np.asarray(weights).dtype
    eps = float(np.finfo(given).eps) if np.issubdtype(given, np.floating) else EPS
    if abs(total - 1) > 8 * max(n, 8) * max(eps, EPS):
        raise ValueError(f"{name}: they sum to {total!r}; they must sum to 1: divide them by their sum")
    return w / total


def coordinates(points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n k"]:
    """Coordinates of the atoms in the space they span, to rounding; themselves where that is all."""
    d = points.shape[1]
    if d == 2:
        return points
    along, width = principal_axes(points)
    rank = int((width > 0).sum())
    return points if rank == d else along[:, :rank]


def _solve_exactly(
    points: Float[np.ndarray, "n d"],
    inside: Float[np.ndarray, "n k"],
    weights: Float[np.ndarray, " n"],
    start: Float[np.ndarray, " n"] | None,
    cap: int,
    progress: Progress | None,
) -> SemidiscreteSolution:
    # A power of two changes no digit; it keeps squares of very small or large coordinates in range.
    unit = 2.0 ** float(np.round(np.log2(np.abs(inside - inside[0]).max())))
    first = None if start is None else start / unit
    try:
        found, iterations, diagrams = _first_that_converges(inside / unit, weights, first, cap, progress)
    except SolveInterrupted as stop:
        raise SolveInterrupted(unit * stop.heights, stop.error) from None
    return _exact_solution(points, weights, found, unit, iterations, diagrams)


def _first_that_converges(
    points: Float[np.ndarray, "n k"],
    weights: Float[np.ndarray, " n"],
    first: Float[np.ndarray, " n"] | None,
    cap: int,
    progress: Progress | None,
) -> tuple[newton.NewtonResult, int, int]:
    """Newton from the first start; from the next where it fails. Counts include failed attempts."""
    failures: list[newton.NewtonError] = []
    for start in starts.diagrams(points, weights, first):
        iterations = sum(failure.iterations for failure in failures)
        diagrams = sum(failure.diagrams for failure in failures)
        try:
            found = newton.minimise(weights, start, cap=cap, progress=progress)
        except newton.NewtonError as failure:
            failures.append(failure)
            continue
        return found, iterations + found.iterations, diagrams + found.diagrams
    raise min(failures, key=lambda failure: failure.error)


def _exact_solution(
    points: Float[np.ndarray, "n d"],
    weights: Float[np.ndarray, " n"],
    found: newton.NewtonResult,
    unit: float,
    iterations: int,
    diagrams: int,
) -> SemidiscreteSolution:
    diagram, d = found.diagram, points.shape[1]
    heights = unit * diagram.heights
    square = (points**2).sum(axis=1)
    masses = diagram.masses
    correlation = unit * diagram.correlation
    potential_mean = unit * _mean_conjugate(diagram)
    return SemidiscreteSolution(
        points=points,
        weights=weights,
        heights=heights,
        masses=masses,
        uncertainty=diagram.evaluation + _projection_error(points / unit, diagram),
        level=0.0,
        stalled=found.stalled,
        w2_squared=d + float(masses @ square) - 2 * correlation,
        w2_dual=d + float(weights @ square) - 2 * (potential_mean + float(weights @ heights)),
        w2_error=16 * EPS * (d + float(weights @ (square + np.abs(heights))))
        + float((np.abs(masses - weights) + diagram.evaluation) @ np.abs(square - 2 * heights)),
        iterations=iterations,
        diagrams=diagrams,
        draws=0,
        method="newton" if diagram.points.shape[1] == 2 else "space",
    )


def _projection_error(points: Float[np.ndarray, "n d"], diagram: Diagram) -> Float[np.ndarray, " n"]:
    """(n,), what masses change when atoms move by the rounding of their projection, 16·d·eps·|y|.

    Nothing where nothing is projected. Where the noise is below 8, which all but 1e−14 of it is,
    the line between two cells moves by 16 times that over |y_i − y_j|.
    """
    n, d = points.shape
    if d == diagram.points.shape[1]:
        return np.zeros(n)
    moved = 256 * d * EPS * float(np.abs(points).max()) * diagram.conductance
    both = np.bincount(diagram.pairs[:, 0], moved, minlength=n)
    return both + np.bincount(diagram.pairs[:, 1], moved, minlength=n)


def _mean_conjugate(diagram: Diagram) -> float:
    """E φ*(x₀) = Σ ⟨∫_cell x, y_i⟩ − P_i·g_i, from the cells' first moments."""
    inner = (diagram.first_moments * diagram.points).sum(axis=1)
    return float((inner - diagram.masses * diagram.heights).sum())
