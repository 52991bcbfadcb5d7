"""N2 asked of torchcfm: what its batches put into the population's gap. Audits, which decide nothing.

A returned pair is a draw from π_n while its solver reaches the optimum (test_torchcfm). In the gap it is
rare: what is asked is how often x_t lies there, and with which label on either side of the switch.
"""

import numpy as np
import pytest
from scipy.stats import binom

from numerics.potentials import FiniteAtoms
from theorems.minibatch_convergence.figures import draw_returned
from theorems.minibatch_convergence.step import Step
from theorems.setting.libraries import Questions, TorchCFM, batches_of

LEVEL = 1e-6
STEP = Step()
ATOMS = FiniteAtoms.two([0.0], [2.0], 0.3)
BATCHES = {64: 300, 256: 60}
NODES = 4001


def _drawn(library, n, rng):
    """x_t and whether the datum is at 2, (B,n) each."""
    found = library.couple(*batches_of(ATOMS, n, BATCHES[n], rng), STEP.t, int(rng.integers(2**32)))
    return found.xt[..., 0], found.x1[..., 0] > 1


def _masses(n, low, high):
    """∫p⁰ and ∫p¹ over a part of the gap, by a trapezoid rule, doubled for what it errs by."""
    law, x = STEP.law(n), np.linspace(low, high, NODES)[:, None]
    share = 1 / (1 + np.exp(-law.log_odds(STEP.t, x)))
    both = law.density(STEP.t, x) * np.stack([share, 1 - share])
    return 2 * np.trapezoid(both, x[:, 0], axis=1)


@pytest.mark.asks("N2")
def test_labels_in_the_gap(evidence, rng):
    library = TorchCFM()
    drawn = {n: _drawn(library, n, rng) for n in BATCHES}
    for n, (xt, second) in drawn.items():
        _ask_labels(Questions(evidence, library, f"two atoms, n = {n}"), n, xt, second)
    _show(evidence, drawn)


def _ask_labels(ask, n, xt, second):
    """How many batches have a pair in the gap with the label of the other side of the switch.

    A batch does with probability at most n times the mass of one pair: batches are independent, so their
    number is at most a binomial one. If labels were tossed in the gap, most batches of 64 would.
    """
    (low, high), switch = STEP.gap, STEP.switch(n)
    wrong = ((xt > low) & (xt < switch) & second) | ((xt > switch) & (xt < high) & ~second)
    masses = [_masses(n, low, switch)[1], _masses(n, switch, high)[0]]
    least = int(binom(len(xt), min(1.0, n * sum(masses))).isf(LEVEL))
    found = int(wrong.any(axis=1).sum())
    ask.holds(
        "N2: do x_t in the gap have the label of their side of the switch?",
        found <= least,
        expected=f"at most {least} batches of {len(xt)} with another",
        measured=found,
        because="quadrature of p⁽ⁿ⁾ with its label; binomial at 1e−6",
    )


def _show(evidence, drawn):
    """The library's mean velocity in bins of the gap, beside v^(n), its step, and the prox field."""
    low, high = STEP.gap
    x, bins = np.linspace(low - 0.1, high + 0.1, 801), np.linspace(low, high, 21)
    fields = {n: STEP.law(n).velocity(STEP.t, x[:, None])[:, 0] for n in (*drawn, None)}
    returned, rows = {}, []
    for n, (xt, second) in drawn.items():
        speed, place = (np.where(second, 2.0, 0.0) - xt) / (1 - STEP.t), np.digitize(xt, bins)
        counts = np.bincount(place.ravel(), minlength=len(bins) + 1)[1 : len(bins)]
        seen = np.flatnonzero(counts)
        means = np.array([speed[place == k + 1].mean() for k in seen])
        returned[n] = ((bins[:-1] + bins[1:])[seen] / 2, means, counts[seen])
        rows.append(
            [n, xt.size, int(counts.sum()), float(xt.size * _masses(n, low, high).sum() / 2), len(seen)]
        )
    evidence.table(
        "torchcfm's pairs in the gap: two atoms, w = 0.3, t = 0.5",
        ["n", "pairs returned", "with x_t in the gap", "expected", "of 20 bins with any"],
        rows,
    )
    evidence.figure(
        "torchcfm's batches in the gap, beside the fields of their sizes",
        "Mean returned velocities in bins of the gap lie on the curves of n = 64 and 256 near its ends; the"
        " middle, where the fields step, has no samples",
        lambda figure: draw_returned(figure, x, fields, returned, STEP.gap),
    )
