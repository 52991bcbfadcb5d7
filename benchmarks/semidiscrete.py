"""How fast and how exactly are planar weights met, against POT, OTT-JAX and sdot on the same atoms?"""

import os
import time

import numpy as np

from benchmarks.recording import Table, verdict
from benchmarks.transport_peers import SECONDS, Peer, installed, timed, versions
from numerics.transport.cells import build, laguerre
from numerics.transport.semidiscrete import solve

CORES = os.cpu_count()
COMPILED = ("ours", "sdot")  # timed the second time
COLUMNS = ("cloud", "n", "solver", "s", "CPU s", "worst error / weight", "total variation", "what it says")


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
    says = f"{solution.iterations} steps, {solution.diagrams} diagrams"
    stalled = int(solution.stalled.sum())
    return solution.heights, says + (f"; {stalled} atoms stopped by rounding" if stalled else "")


def run() -> Table:
    table = Table("semidiscrete", str(__doc__), COLUMNS)
    solvers = {"ours": ours} | installed()
    for name, points in clouds().items():
        label, n = name.rsplit(", ", 1)
        for solver, call in solvers.items():
            table.rows.append((label, n, solver, *judged(solver, call, points)))
    table.rows += overhead()
    absent = sorted({"POT", "OTT-JAX", "sdot"} - set(solvers))
    table.notes.append(
        "Errors are those of the exact cell masses at the heights returned, for uniform weights. POT and"
        f" OTT-JAX stop after a number of steps (POT: what {SECONDS:g} s of CPU allow). Ours and sdot run"
        " twice and are timed the second time, as sdot compiles kernels at first use. sdot is measured"
        " against the whole Gaussian; by default it cuts it off at 6 standard deviations, which its own"
        " residual cannot see, and is run again with 9 and a tolerance of 1e-12."
    )
    table.notes.append(
        f"Load of the machine over the last minutes: {os.getloadavg()[1]:.1f} of {CORES} cores."
    )
    table.notes.append("Peers: " + ", ".join(f"{name} {number}" for name, number in versions().items()))
    if absent:
        table.notes.append(f"Not installed in this run: {', '.join(absent)}.")
    return table


def judged(solver: str, call: Peer, points: np.ndarray) -> tuple[object, ...]:
    """Times, both errors of the exact masses at the heights returned, and what the solver says."""
    heights, seconds, cpu, says = timed(call, points, twice=solver.startswith(COMPILED))
    if heights is None:
        return seconds, cpu, "failed", "", says
    off = np.abs(laguerre(points, heights).masses - 1 / len(points))
    return seconds, cpu, float(off.max() * len(points)), float(off.sum() / 2), says


def overhead() -> list[tuple[object, ...]]:
    """The work of a solve over that of the diagrams it builds, in CPU seconds, and its growth with n."""
    rows: list[tuple[object, ...]] = []
    rng, spent = np.random.default_rng(1), 0.0
    for n in (10**3, 10**4, 10**5):
        points = rng.normal(size=(n, 2))
        begin, before, clock = time.perf_counter(), spent, time.process_time()
        solution = solve(points)
        seconds, spent = time.perf_counter() - begin, time.process_time() - clock
        clock = time.process_time()
        for _ in range(solution.diagrams):
            _ = build(points, solution.heights).masses
        ratio = spent / (time.process_time() - clock)
        says = f"{ratio:.2g} times the CPU of its {solution.diagrams} diagrams; "
        says += verdict(ratio, 2, at_least=False)
        if before:
            says += f"; {spent / before:.3g} times that of n/10"
        error = solution.error
        reached = float(error.max() * n), float(error.sum() / 2)
        rows.append(("normal", n, "ours, one run", seconds, spent, *reached, says))
    return rows


def main() -> None:
    """Print the table."""
    print(run().markdown())


if __name__ == "__main__":
    main()
