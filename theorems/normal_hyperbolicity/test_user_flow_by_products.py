"""The user's own flow (--flow=MODULE:ATTR) in a large dimension: its spectra by products with vectors.

Assumed: a torch field that differentiates twice and can be integrated from noise to t = 0.99, with the linear
schedule. What the other audits ask eigenvalue by eigenvalue is asked of the ends and of the density of the
spectrum. Nothing here decides a verdict.
"""

import numpy as np
import pytest

from theorems.setting.user.flow_audits import CLOSE, MOST_DIMENSIONS, answer, asked
from theorems.setting.user.flow_references import beside_spectra
from theorems.setting.user.flow_spectra import POINTS, STEPS, VECTORS, is_large, spectra

SAMPLED = f"{POINTS} trajectories, {VECTORS} vectors each, {STEPS} steps of Lanczos' method"


def _curl(evidence, flow, seen):
    def measure(seen):
        return np.mean([one.skew for one in seen])

    answer(
        evidence,
        flow,
        "P4: is Dv_t symmetric, so that the field has no curl?",
        measure(seen),
        f"v is a gradient; size of the antisymmetric part over that of Dv_t, mean over times; {SAMPLED}",
        beside=beside_spectra(flow, measure),
    )


def _bounds(evidence, flow, seen):
    def measure(seen):
        late = [one for one in seen if one.t > 0]
        excess = [max(-one.least.min() - 1, one.t * one.largest.max() / (1 - one.t) - 1) for one in late]
        return max(0.0, *excess)

    answer(
        evidence,
        flow,
        "P5: is −1/(1−t) ≤ eig Dv_t ≤ 1/t on trajectories?",
        measure(seen),
        f"0 ≼ D prox ≼ I; worst excess over either bound, relative, of the ends found from within; {SAMPLED}",
        beside=beside_spectra(flow, measure, worst=True),
    )


def _apart(seen):
    """H1 keeps the order of eigenvalues, so that the smallest and the largest are predicted from t = ½."""
    middle = next(one for one in seen if one.t == 0.5)
    apart = []
    for one in seen:
        if one.t <= 0.9:
            pairs = ((one.least, middle.least), (one.largest, middle.largest))
            apart += [np.abs(found - (1 - one.t) * _moved(half / 0.5, one.t)) for found, half in pairs]
    return float(np.minimum(np.nan_to_num(np.array(apart), nan=1.0), 1.0).mean())


def _ends(evidence, flow, seen):
    answer(
        evidence,
        flow,
        "H1: do the eigenvalues of (1−t)Dv_t at t = ½ predict those at other times?",
        _apart(seen),
        "μ_t = μ_s/(1+(t−s)μ_s) on an optimal path; smallest and largest, mean of |found − predicted|, at"
        f" most 1 each, t ≤ 0.9; {SAMPLED}",
        beside=beside_spectra(flow, _apart),
    )


def _moved(value, t):
    below = 1 + (t - 0.5) * value
    return np.where(below > 0, value / np.where(below > 0, below, 1.0), np.nan)


def _left(seen):
    """Mean distance of the eigenvalues at the last time from −1 or 0."""
    return float(seen[-1].of_vectors.mean(lambda v: np.minimum(np.abs(v), np.abs(v + 1))).mean())


def _density(evidence, flow, seen):
    answer(
        evidence,
        flow,
        f"H5: are the eigenvalues of (1−t)Dv_t at t = {seen[-1].t:g} close to −1 or 0?",
        _left(seen),
        f"(1−t)Dv_t → −P_N; mean distance, by the density of eigenvalues; {SAMPLED}",
        CLOSE,
        beside_spectra(flow, _left),
    )
    rows = []
    for one in seen:
        counts, errors = one.count_above(-0.5, flow.dim)
        residual = one.of_vectors.residuals[:, [0, -1]].max()
        rows.append(
            (
                one.t,
                one.least.mean(),
                one.largest.mean(),
                residual,
                counts.mean(),
                np.sqrt((errors**2).mean()),
            )
        )
    evidence.table(
        f"{flow.name}: eigenvalues of (1−t)Dv_t by products with vectors",
        ("t", "smallest", "largest", "residual of the ends", "how many above −½", "± at a point"),
        rows,
    )


ANSWERS = {"P4": _curl, "P5": _bounds, "H1": _ends, "H5": _density}


@pytest.mark.parametrize(
    ("claim", "answers"),
    [pytest.param(*pair, marks=pytest.mark.asks(pair[0]), id=pair[0]) for pair in ANSWERS.items()],
)
def test_spectra_by_products(evidence, user_flow, claim, answers):
    if not is_large(user_flow):
        pytest.skip(f"asked of torch fields beyond dimension {MOST_DIMENSIONS}; others by whole Jacobians")
    with asked(evidence, user_flow, claim, "products with Jacobians"):
        answers(evidence, user_flow, spectra(user_flow))
