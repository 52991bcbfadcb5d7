"""What a GPU makes of a learned field: an audit, which decides nothing. Skipped where --device names none."""

import numpy as np
import pytest

from theorems.learned_flows.circle import EQUAL, FIELD, TARGET, network


@pytest.mark.asks("L1")
def test_a_gpu_answers_as_the_cpu_does(evidence, rng, device):
    if device == "cpu":
        pytest.skip("--device=cuda is not given, or there is no GPU")
    here, x0 = network("exact", EQUAL), rng.standard_normal((2000, 2))
    x, there = FIELD.flow(0.5, x0), here.to(device)
    size = np.abs(here.velocity(0.5, x)).max()
    off = float(np.abs(here.velocity(0.5, x) - there.velocity(0.5, x)).max() / size)
    on = evidence.on(f"circle, exact pairs, on {device}", steps=EQUAL)
    on.audit(
        "Do the same weights give the same field, relative to its size?",
        "agrees" if off <= 1e-12 else "deviates",
        0.0,
        off,
        because="float64 on both; sums of 64 terms in another order",
        subject=device,
    )
    trained = network("exact", EQUAL, device=device)
    lost = ((trained.velocity(0.5, x) - (TARGET.transport(x0) - x0)) ** 2).sum(axis=1).mean()
    own = ((here.velocity(0.5, x) - (TARGET.transport(x0) - x0)) ** 2).sum(axis=1).mean()
    on.audit(
        "Does training there end at an error like that of the CPU, within a factor of two?",
        "agrees" if own / 2 <= lost <= 2 * own else "deviates",
        float(own),
        float(lost),
        because="the same pairs and first weights; sums in another order, over all batches",
        subject=device,
    )
