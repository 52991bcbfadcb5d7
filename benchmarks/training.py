"""How many batches a second does a flow learn from, by how its pairs are made, and how far does it come?

The circle and two moons, handwritten digits (1797 points in R⁶⁴) and pieces of a photograph (260 in R³⁰⁷²).
"""

import time
from dataclasses import replace

import numpy as np
from sklearn.datasets import load_digits, load_sample_image

from benchmarks.recording import Table, verdict
from numerics.flows.learned import LearnedField, train
from numerics.flows.pairs import Pairs, cloud, data_of, exact, independent, minibatch, semidiscrete
from numerics.flows.recipe import Training
from numerics.transport import solve
from theorems.learned_flows import moons
from theorems.learned_flows.circle import TARGET, in_blocks

WARM, HELD_OUT = 20, 8000
PLANE = Training(learning_rate=1e-2), 2.0
"""The network of a target, and for how many seconds it is trained."""
DIGITS = Training(width=256, learning_rate=3e-3), 20.0
PHOTOGRAPH = Training(width=512, learning_rate=1e-3), 60.0
COLUMNS = ("target", "pairs", "ms a batch of 512", "batches a second", "× torchcfm", "s", "error", "goal")


def run() -> Table:
    table = Table("training", str(__doc__), COLUMNS)
    data = data_of(TARGET)
    torchcfm = minibatch(data)
    circle = {
        "torchcfm, batch plan of 512": torchcfm,
        "torchcfm, plans of 16": in_blocks(torchcfm, 16),
        "independent": independent(data),
        "exact": exact(TARGET),
    }
    _fill(table, "circle", circle, *PLANE, exact(TARGET))
    two = {"torchcfm, batch plan of 512": minibatch(moons.data), "exact, from a pool": moons.exact_pairs}
    _fill(table, "two moons", two, *PLANE, _moons_held_out)
    for name, points, how in (("digits", _digits(), DIGITS), ("photograph", _pieces(), PHOTOGRAPH)):
        _fill_cloud(table, name, points, *how)
    table.notes.append(
        "error: E|v_θ − v|²/E|v|² against the exact field after as many seconds of training each (column s),"
        f" on {HELD_OUT} held-out noises; for digits and photograph against that of the solved weights"
    )
    table.notes.append(
        "one thread; three hidden layers of 64, 64, 256 and 512 units; process time, after a warm-up; solving"
        " is not counted, and is said of each"
    )
    return table


def _fill_cloud(table: Table, target: str, points: np.ndarray, training: Training, seconds: float) -> None:
    start = time.process_time()
    solution = solve(points)
    took = time.process_time() - start
    table.notes.append(
        f"{target}: {len(points)} points in R^{points.shape[1]}, solved in {took:.3g} s to a total"
        f" variation of {solution.total_variation:.2g}"
    )
    pairs = semidiscrete(solution.potential)
    couplings = {
        "torchcfm, batch plan of 512": minibatch(cloud(points)),
        "independent": independent(cloud(points)),
        "exact": pairs,
    }
    _fill(table, target, couplings, training, seconds, pairs)


def _fill(
    table: Table,
    target: str,
    couplings: dict[str, Pairs],
    training: Training,
    seconds: float,
    held_out: Pairs,
) -> None:
    base, dim = 0.0, held_out(1, np.random.default_rng(0))[0].shape[1]
    for name, pairs in couplings.items():
        batch = _seconds(pairs, dim, training)
        base = base or batch
        steps = max(10, round(seconds / batch))
        learned = train(pairs, dim, replace(training, steps=steps), progress=False)
        goal = verdict(base / batch, 10, at_least=True) if dim == 2 and name.startswith("exact") else ""
        error = _error(learned, held_out)
        table.rows.append((target, name, 1e3 * batch, 1 / batch, base / batch, seconds, error, goal))


def _seconds(pairs: Pairs, dim: int, training: Training) -> float:
    """Process time a batch."""
    train(pairs, dim, replace(training, steps=WARM), progress=False)
    steps = 10 * WARM if dim == 2 else WARM
    start = time.process_time()
    train(pairs, dim, replace(training, steps=steps), progress=False)
    return (time.process_time() - start) / steps


def _error(learned: LearnedField, held_out: Pairs) -> float:
    """E|v_θ − v|²/E|v|² at the interpolants of exact pairs, times uniform."""
    rng = np.random.default_rng(1)
    x0, x1 = held_out(HELD_OUT, rng)[:2]
    t = rng.random(HELD_OUT)[:, None]
    found = learned.velocity(t[:, 0], (1 - t) * x0 + t * x1)
    return float(((found - (x1 - x0)) ** 2).sum() / ((x1 - x0) ** 2).sum())


def _moons_held_out(n: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    moved = moons.transported(rng.standard_normal((n, 2)))
    return moved.x0, moved.x1


def _digits() -> np.ndarray:
    return np.asarray(load_digits().data) / 8 - 1


def _pieces() -> np.ndarray:
    """The 13·20 squares of 32·32 pixels of a photograph that scikit-learn ships, each (3072,) in [−1, 1]."""
    image = load_sample_image("flower.jpg")[:416, :640] / 127.5 - 1
    return np.asarray(image.reshape(13, 32, 20, 32, 3).swapaxes(1, 2).reshape(260, -1))
