"""Is coupling a batch by our assignment slower than by torchcfm's sampler, at any size from 128 to 2048?"""

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from time import thread_time

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.recording import Table
from numerics.transport.couplings import assignment

SIZES, DIMENSIONS, REPETITIONS = (128, 256, 512, 1024, 2048), (2, 64), 5
GOAL = 1.0


def run() -> Table:
    columns = ("data", "d", "n", "ours, ms", "torchcfm, ms", "torchcfm / ours", "cost above ours", "goal")
    table = Table("couplings", str(__doc__), columns)
    if find_spec("torchcfm") is None:
        table.notes.append("torchcfm is not installed (python -m pip install --no-deps torchcfm): left out")
        return table
    for d in DIMENSIONS:
        for n in SIZES:
            for what, x0, x1 in _batches(n, d):
                table.rows.append((what, d, n, *_compare(x0, x1)))
    table.notes.append(
        "processor time of one thread, so that other work on the machine counts little; the least of "
        f"{REPETITIONS} repetitions (2 for n = 2048) in turns; torchcfm's includes drawing the pairs"
    )
    table.notes.append("a cost above ours: torchcfm's solver stopped at POT's default cap of 100000 steps")
    return table


def _batches(n: int, d: int) -> list[tuple[str, np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(n + d)
    x0, other = rng.standard_normal((n, d)), rng.standard_normal((n, d))
    sphere = other / np.linalg.norm(other, axis=1, keepdims=True)
    return [
        ("Gaussian cloud", x0, 1 + other / 2),
        ("sphere", x0, sphere),
        ("8 clusters", x0, 2 * sphere[rng.integers(0, 8, n)] + other / 10),
    ]


def _compare(x0: np.ndarray, x1: np.ndarray) -> tuple[float, float, float, float, str]:
    import torch
    from torchcfm.optimal_transport import OTPlanSampler

    sampler, noise, data = OTPlanSampler("exact"), torch.from_numpy(x0), torch.from_numpy(x1)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    ours, theirs = [], []
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "numItermax reached", UserWarning)
        for _ in range(2 if len(x0) >= 2048 else REPETITIONS):
            ours.append(_milliseconds(lambda: assignment(x0, x1)))
            theirs.append(_milliseconds(lambda: sampler.sample_plan(noise, data)))
        plan = sampler.get_map(noise, data)
    torch.set_num_threads(threads)
    gain = [float((x0 * x1[match]).sum()) for match in (assignment(x0, x1), plan.argmax(axis=1))]
    cost = float((x0**2).sum() + (x1**2).sum() - 2 * gain[0])
    ratio = min(theirs) / min(ours)
    met = f"≥ {GOAL:g}: {'met' if ratio >= GOAL else 'MISSED'}"
    return min(ours), min(theirs), ratio, 2 * (gain[0] - gain[1]) / cost, met


def _milliseconds(work: Callable[[], object]) -> float:
    start = thread_time()
    work()
    return 1e3 * (thread_time() - start)
