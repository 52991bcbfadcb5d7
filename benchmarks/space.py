"""How fast and how exactly are weights in space met, against POT, OTT-JAX, sdot and our own sampling?"""

import os
import time

import numpy as np

from benchmarks.recording import Table, verdict
from benchmarks.transport_peers import Peer, installed, timed, versions
from numerics.transport.polyhedra import build, laguerre
from numerics.transport.sampled import Budget, solve_sampled
from numerics.transport.semidiscrete import solve

COLUMNS = ("cloud", "n", "solver", "CPU s", "worst error / weight", "total variation", "what it says")
BUDGET = Budget(draws=1000, held_out=100)


def clouds() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    outlier = rng.normal(size=(1000, 3))
    outlier[0] = [1e4, 0.0, 0.0]
    side = np.where(np.arange(1000) % 2, 5.0, -5.0)[:, None]
    return {
        "normal, 100": rng.normal(size=(100, 3)),
        "normal, 1000": rng.normal(size=(1000, 3)),
        "outlier at 1e4, 1000": outlier,
        "clusters 1e-3 wide at ±5, 1000": side + 1e-3 * rng.normal(size=(1000, 3)),
        "exponential, 1000": rng.exponential(size=(1000, 3)),
        "Student t, 1 degree of freedom, 1000": rng.standard_t(1, size=(1000, 3)),
        "grid, 1000": np.stack(np.meshgrid(*[np.arange(10.0)] * 3), axis=-1).reshape(-1, 3),
    }


def judged(points: np.ndarray, heights: np.ndarray) -> tuple[float, float]:
    """Worst error over weight, and total variation, of the exact masses at these heights."""
    off = np.abs(laguerre(points, heights).masses - 1 / len(points))
    return float(off.max() * len(points)), float(off.sum() / 2)


def run() -> Table:
    table = Table("space", str(__doc__), COLUMNS)
    peers = installed()
    for name, points in clouds().items():
        label, n = name.rsplit(", ", 1)
        clock = time.process_time()
        found = solve(points)
        spent = time.process_time() - clock
        says = f"{found.iterations} steps, {found.diagrams} diagrams; {int(found.stalled.sum())} stalled"
        table.rows.append((label, n, "ours", spent, *judged(points, found.heights), says))
        clock = time.process_time()
        sampled = solve_sampled(
            points, found.weights, budget=BUDGET, cap=200, progress=None, rng=np.random.default_rng(0)
        )
        spent = time.process_time() - clock
        says = f"{BUDGET.draws} draws an atom"
        table.rows.append((label, n, "ours, by sampling", spent, *judged(points, sampled.heights), says))
        for peer, call in peers.items():
            table.rows.append((label, n, peer, *_tried(peer, call, points)))
    table.rows += overhead()
    table.notes.append(
        "Errors are those of the exact cell masses at the heights returned, for uniform weights."
    )
    table.notes.append(
        "sdot is timed the second time, as it compiles kernels at first use; it cuts the Gaussian off at 6 "
        "standard deviations, or at 9 with a tolerance of 1e-12. A peer that fails is a finding."
    )
    table.notes.append(
        f"Load of the machine over the last minutes: {os.getloadavg()[1]:.1f} of {os.cpu_count()} cores."
    )
    table.notes.append("Peers: " + ", ".join(f"{name} {number}" for name, number in versions().items()))
    return table


def _tried(peer: str, call: Peer, points: np.ndarray) -> tuple[object, ...]:
    """CPU seconds, both errors, and what the peer says."""
    heights, _, spent, says = timed(call, points, twice=peer.startswith("sdot"))
    return (spent, "failed", "", says) if heights is None else (spent, *judged(points, heights), says)


def overhead() -> list[tuple[object, ...]]:
    """The work of a solve over that of the diagrams it builds, in CPU seconds, against the goals."""
    rows: list[tuple[object, ...]] = []
    rng = np.random.default_rng(1)
    for n, most, error in ((10**3, 2.0, 1e-12), (10**4, 40.0, 1e-10)):
        points = rng.normal(size=(n, 3))
        clock = time.process_time()
        found = solve(points)
        spent = time.process_time() - clock
        clock = time.process_time()
        for _ in range(found.diagrams):
            _ = build(points, found.heights).masses
        ratio = spent / (time.process_time() - clock)
        says = f"time {verdict(spent, most, at_least=False)}"
        says += f"; error {verdict(float(found.error.max()), error, at_least=False)}"
        says += f"; {ratio:.2g} times its {found.diagrams} diagrams, {verdict(ratio, 3, at_least=False)}"
        rows.append(("normal", n, "ours, one run", spent, *judged(points, found.heights), says))
    return rows


def main() -> None:
    """Print the table."""
    print(run().markdown())


if __name__ == "__main__":
    main()
