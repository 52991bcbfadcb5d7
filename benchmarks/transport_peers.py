"""Other solvers of semidiscrete transport from N(0, I): each gives heights, and what it says of them."""

import importlib.util
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import numpy as np

SECONDS = 20.0
Peer = Callable[[np.ndarray], tuple[np.ndarray, str]]


def pot(points: np.ndarray, seconds: float = SECONDS) -> tuple[np.ndarray, str]:
    """POT's averaged gradient with decreasing regularisation, in units of the cloud, for so much CPU time."""
    from ot.semidiscrete import solve_semidiscrete

    rng, (n, d) = np.random.default_rng(0), points.shape
    centred = points - points.mean(axis=0)
    square = (centred**2).sum(axis=1)
    unit = float(np.sqrt(square.mean()))

    def run(steps: int) -> np.ndarray:
        found = solve_semidiscrete(
            centred,
            lambda k: rng.normal(size=(k, d)),
            metric=lambda x, y: np.asarray((-2 * (x @ y.T) + (y**2).sum(axis=1)) / unit),
            max_iter=steps,
            batch_size=64,
        )
        return np.asarray((square - unit * found) / 2)

    run(20)
    begin = time.process_time()
    run(100)
    steps = int(100 * seconds / (time.process_time() - begin))
    return run(steps), f"{steps} steps of 64 draws, {64 * steps / n:.0f} an atom"


def ott(points: np.ndarray) -> tuple[np.ndarray, str]:
    """OTT-JAX's semidiscrete solver, unregularised: Adam with a decaying step in units of the cloud."""
    import jax
    import jax.numpy as jnp
    import optax
    from ott.geometry import semidiscrete_pointcloud
    from ott.problems.linear import semidiscrete_linear_problem
    from ott.solvers.linear import semidiscrete

    jax.config.update("jax_enable_x64", True)
    centred = points - points.mean(axis=0)
    steps = int(np.clip(2e7 / len(points), 2000, 20_000))
    size = 0.3 * float(np.sqrt((centred**2).sum(axis=1).mean()))
    geometry = semidiscrete_pointcloud.SemidiscretePointCloud(
        jax.random.normal, jnp.asarray(centred), epsilon=0.0
    )
    problem = semidiscrete_linear_problem.SemidiscreteLinearProblem(geometry)
    optimizer = optax.adam(optax.cosine_decay_schedule(size, steps))
    solver = semidiscrete.SemidiscreteSolver(num_iterations=steps, batch_size=64, optimizer=optimizer)
    found = solver(jax.random.key(0), problem)
    return ((centred**2).sum(axis=1) - np.asarray(found.g)) / 2, f"{steps} steps of 64 draws"


def sdot(points: np.ndarray) -> tuple[np.ndarray, str]:
    """The C++ Newton of sdot, as it comes: one Gaussian cut off at 6 standard deviations."""
    return _sdot(points, 6.0, {})


def sdot_tight(points: np.ndarray) -> tuple[np.ndarray, str]:
    """The same, asked for all it can give: a support of 9 standard deviations, tolerance 1e-12."""
    return _sdot(points, 9.0, {"tol": 1e-12})


def _sdot(points: np.ndarray, reach: float, settings: dict[str, float]) -> tuple[np.ndarray, str]:
    from sdot import SumOfDiracs, SumOfGaussians, ot_solve

    noise = SumOfGaussians(np.zeros((1, points.shape[1])), np.ones(1), support_sigmas=reach)
    plan = ot_solve(SumOfDiracs(points), noise, **settings)
    says = f"{plan.stats['status']}, residual {plan.stats['residual']:.1e}, {plan.stats['nb_iter']} steps"
    return ((points**2).sum(axis=1) - np.asarray(plan.weights)) / 2, says


def installed() -> dict[str, Peer]:
    peers = [("ot", "POT", pot), ("ott", "OTT-JAX", ott), ("sdot", "sdot", sdot)]
    peers.append(("sdot", "sdot, 9σ, 1e-12", sdot_tight))
    return {name: call for module, name, call in peers if importlib.util.find_spec(module)}


def versions() -> dict[str, str]:
    found = {}
    for package in ("POT", "ott-jax", "sdot"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def timed(call: Peer, points: np.ndarray, twice: bool) -> tuple[np.ndarray | None, float, float, str]:
    """Heights, seconds, CPU seconds and what the solver says; None and the error where it fails.

    Args:
        call: The solver.
        points: The atoms, of uniform weights.
        twice: Whether a run to warm up goes before.
    """
    begin, clock = time.perf_counter(), time.process_time()
    heights, says = None, ""
    try:
        for _ in range(1 + twice):
            begin, clock = time.perf_counter(), time.process_time()
            heights, says = call(points)
    except Exception as error:  # a peer that fails is a finding, not the end of the comparison
        heights, says = None, f"{type(error).__name__}: {' '.join(str(error).split())[:80]}"
    return heights, time.perf_counter() - begin, time.process_time() - clock, says
