"""How many batches a second does a flow of two moons or the circle learn from, by how its pairs are made?"""

import time
from collections.abc import Callable

import numpy as np

from benchmarks.recording import Table, verdict
from numerics.flows.learned import LearnedField, Training, train
from numerics.flows.pairs import Pairs, data_of, exact, independent, minibatch
from theorems.learned_flows import moons
from theorems.learned_flows.circle import FIELD, TARGET, in_blocks

WARM, SECONDS, HELD_OUT = 20, 2.0, 8000


def run() -> Table:
    columns = ("target", "pairs", "ms a batch of 512", "batches a second", "× torchcfm", "error", "goal")
    table = Table("training", str(__doc__), columns)
    data = data_of(TARGET)
    torchcfm = minibatch(data)
    circle = {
        "torchcfm, batch plan of 512": torchcfm,
        "torchcfm, plans of 16": in_blocks(torchcfm, 16),
        "independent": independent(data),
        "exact": exact(TARGET),
    }
    _fill(table, "circle", circle, _circle_error)
    two = {"torchcfm, batch plan of 512": minibatch(moons.data), "exact, from a pool": moons.exact_pairs}
    _fill(table, "two moons", two, _moons_error)
    table.notes.append(
        f"error: E|v_θ − v|² against the exact field after {SECONDS:g} s of training each, held-out noise"
    )
    table.notes.append("one thread; three hidden layers of 64 units; process time, after a warm-up")
    return table


def _fill(
    table: Table, target: str, couplings: dict[str, Pairs], error: Callable[[LearnedField], float]
) -> None:
    base = 0.0
    for name, pairs in couplings.items():
        batch = _seconds(pairs, Training(steps=10 * WARM, learning_rate=1e-2))
        base = base or batch
        steps = max(10, round(SECONDS / batch))
        learned = train(pairs, 2, Training(steps=steps, learning_rate=1e-2), progress=False)
        goal = verdict(base / batch, 10, at_least=True) if name.startswith("exact") else ""
        table.rows.append((target, name, 1e3 * batch, 1 / batch, base / batch, error(learned), goal))


def _seconds(pairs: Pairs, training: Training) -> float:
    """Process time a batch."""
    train(pairs, 2, Training(steps=WARM), progress=False)
    start = time.process_time()
    train(pairs, 2, training, progress=False)
    return (time.process_time() - start) / training.steps


def _circle_error(learned: LearnedField) -> float:
    rng = np.random.default_rng(1)
    x0, x1 = TARGET.sample(HELD_OUT, rng)
    t = rng.random(HELD_OUT)
    return float(((learned.velocity(t, FIELD.flow(t, x0)) - (x1 - x0)) ** 2).sum(axis=1).mean())


def _moons_error(learned: LearnedField) -> float:
    rng = np.random.default_rng(1)
    moved, t = moons.transported(rng.standard_normal((HELD_OUT, 2))), rng.random(HELD_OUT)[:, None]
    found = learned.velocity(t[:, 0], (1 - t) * moved.x0 + t * moved.x1)
    return float(((found - (moved.x1 - moved.x0)) ** 2).sum(axis=1).mean())
