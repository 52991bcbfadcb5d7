"""How fast and how exactly are planar weights met, against POT, OTT-JAX and sdot on the same atoms?"""

import importlib.util
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from benchmarks.record import Table, verdict
from numerics.transport.cells import build, laguerre
from numerics.transport.semidiscrete import solve

SECONDS = 30.0
COLUMNS = ("cloud", "n", "solver", "s", "worst error / weight", "total variation", "what it says")


def clouds() -> dict[str, np.ndarray]:
    from sklearn.datasets import make_moons

    rng = np.random.default_rng(0)
    outlier = rng.normal(size=(1000, 2))
    outlier[0] = [1e4, 0.0]
    side = np.where(np.arange(1000) % 2, 5.0, -5.0)[:, None]
    return {
        "normal, 100": rng.normal(size=(100, 2)),
        "normal, 1000": rng.normal(size=(1000, 2)),
        "normal, 10000": rng.normal(size=(10_000, 2)),
        "two moons, 1000": make_moons(1000, noise=0.05, random_state=0)[0],
        "two moons, 10000": make_moons(10_000, noise=0.05, random_state=0)[0],
        "outlier at 1e4, 1000": outlier,
        "clusters 1e-3 wide at ±5, 1000": side + 1e-3 * rng.normal(size=(1000, 2)),
        "small, 1e-3, 1000": 1e-3 * rng.normal(size=(1000, 2)),
        "Student t, 1 degree of freedom, 1000": rng.standard_t(1, size=(1000, 2)),
    }


def ours(points: np.ndarray) -> tuple[np.ndarray, str]:
    solution = solve(points)
    return solution.heights, f"{solution.iterations} steps, {solution.diagrams} diagrams"


def pot(points: np.ndarray) -> tuple[np.ndarray, str]:
    """POT's averaged gradient with decreasing regularisation, in units of the cloud, while time lasts."""
    from ot.semidiscrete import solve_semidiscrete

    n, rng = len(points), np.random.default_rng(0)
    centred = points - points.mean(axis=0)
    unit = float(np.sqrt((centred**2).sum(axis=1).mean()))

    def metric(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.asarray(-2 * (x @ y.T) / unit + (y**2).sum(axis=1) / unit)

    def run(steps: int) -> np.ndarray:
        found = solve_semidiscrete(
            centred, lambda k: rng.normal(size=(k, 2)), metric=metric, max_iter=steps, batch_size=64
        )
        return np.asarray(((centred**2).sum(axis=1) - unit * found) / 2)

    begin = time.perf_counter()
    run(100)
    steps = int(100 * SECONDS / (time.perf_counter() - begin))
    return run(steps), f"{steps} steps of 64 draws for {n} atoms"


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
    """The C++ Newton of sdot, against one Gaussian cut off at 6 standard deviations, its default."""
    from sdot import SumOfDiracs, SumOfGaussians, ot_solve

    noise = SumOfGaussians(np.zeros((1, 2)), np.ones(1))
    plan = ot_solve(SumOfDiracs(points), noise)
    power = np.asarray(plan.weights)
    return ((points**2).sum(axis=1) - power) / 2, str(plan.stats.get("status", ""))


def installed() -> dict[str, Callable[[np.ndarray], tuple[np.ndarray, str]]]:
    peers = {"ot": ("POT", pot), "ott": ("OTT-JAX", ott), "sdot": ("sdot", sdot)}
    return {"ours": ours} | {
        name: call for module, (name, call) in peers.items() if importlib.util.find_spec(module)
    }


def versions() -> dict[str, str]:
    found = {}
    for package in ("POT", "ott-jax", "sdot"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def run() -> Table:
    table = Table("semidiscrete", str(__doc__), COLUMNS)
    solvers = installed()
    for name, points in clouds().items():
        label, n = name.rsplit(", ", 1)
        for solver, call in solvers.items():
            table.rows.append((label, n, solver, *timed(call, points)))
    table.rows += overhead()
    absent = sorted({"POT", "OTT-JAX", "sdot"} - set(solvers))
    table.notes.append(
        "Errors are those of the exact cell masses at the heights returned, for uniform weights. POT and"
        f" OTT-JAX stop after a number of steps (POT: what {SECONDS:g} s allow). Ours and sdot are run twice"
        " and timed the second time, as sdot compiles kernels at first use. sdot is measured against the"
        " whole Gaussian; its default cuts it off at 6 standard deviations."
    )
    table.notes.append("Peers: " + ", ".join(f"{name} {number}" for name, number in versions().items()))
    if absent:
        table.notes.append(f"Not installed in this run: {', '.join(absent)}.")
    return table


def timed(call: Callable[[np.ndarray], tuple[np.ndarray, str]], points: np.ndarray) -> tuple[object, ...]:
    begin = time.perf_counter()
    try:
        heights, says = call(points)
        seconds = time.perf_counter() - begin
        if call in (ours, sdot):
            begin = time.perf_counter()
            heights, says = call(points)
            seconds = time.perf_counter() - begin
    except Exception as error:  # a peer that fails is a finding, not the end of the comparison
        return time.perf_counter() - begin, "failed", "", f"{type(error).__name__}: {str(error)[:80]}"
    error = np.abs(laguerre(points, heights).masses - 1 / len(points))
    return seconds, float(error.max() * len(points)), float(error.sum() / 2), says


def overhead() -> list[tuple[object, ...]]:
    """The time of a solve over the time of the diagrams it builds, and growth with n."""
    rows: list[tuple[object, ...]] = []
    rng = np.random.default_rng(1)
    for n in (10**3, 10**4, 10**5):
        points = rng.normal(size=(n, 2))
        begin = time.perf_counter()
        solution = solve(points)
        seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        build(points, solution.heights)
        diagram = time.perf_counter() - begin
        ratio = seconds / (diagram * solution.diagrams)
        goal = f"{ratio:.2g} times its {solution.diagrams} diagrams; {verdict(ratio, 2, at_least=False)}"
        error = solution.error
        rows.append(
            ("normal", n, "ours, one run", seconds, float(error.max() * n), float(error.sum() / 2), goal)
        )
    return rows


def main() -> None:
    """Print the table."""
    print(run().markdown())


if __name__ == "__main__":
    main()
