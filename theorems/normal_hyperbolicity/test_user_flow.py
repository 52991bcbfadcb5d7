"""The user's own flow (--flow=MODULE:ATTR): spectrum, exponents and dimension, as audits.

Assumed: a field that can be integrated from noise at t = 0 to t = 0.99, with the linear schedule. Which map
it transports by is not known, but along an optimal path one spectrum determines all others (H1), and at the
end eigenvalues and exponents are −1 or 0 (H4, H5), up to what H1 says is left of the limit at this time.
Nothing here decides a verdict.
"""

import numpy as np
import pytest

from numerics.flows.spectrum import intrinsic_dimension
from theorems.setting.user.flow_audits import (
    CLOSE,
    LAST,
    LATE,
    MIDDLE,
    MOST_DIMENSIONS,
    TIMES,
    answer,
    asked,
    by_whole_jacobians,
    exponents,
    predicted,
    stretched,
    trajectories,
)
from theorems.setting.user.flow_batches import scatter_of
from theorems.setting.user.flow_pictures import draw_dimensions, draw_eigenvalues
from theorems.setting.user.flow_references import beside, beside_independent, by_exponents

COARSE = "as drawn batches are followed in steps too coarse for exponents"
SHOWN = (0, 5, MIDDLE, 15, LATE, LAST)


def _from_the_limits(values):
    """Distance of each number to −1 or 0, whichever is nearer."""
    return np.minimum(np.abs(values), np.abs(values + 1))


def _left(implied):
    """Mean distance from the limits that H1 implies; nothing where it implies the impossible."""
    possible = (implied > -1 - 1e-6) & (implied < 1)
    return float(np.where(possible, _from_the_limits(np.where(possible, implied, 0.0)), 0.0).mean())


@pytest.mark.asks("H1")
def test_the_spectrum_follows_the_straight_path(evidence, user_flow):
    by_whole_jacobians(user_flow)
    with asked(evidence, user_flow, "H1", "Jacobians along trajectories"):
        found, implied, apart = _followed(trajectories(user_flow))
        answer(
            evidence,
            user_flow,
            "H1: do the eigenvalues of (1−t)Dv_t at t = ½ predict those at other times?",
            apart[: LATE + 1].mean(),
            "μ_t = μ_s/(1+(t−s)μ_s) on an optimal path; mean of |found − predicted|, at most 1 each, t ≤ 0.9",
            error=scatter_of(np.moveaxis(apart[: LATE + 1], 1, 0), np.mean),
            beside=beside(user_flow, lambda whole: _followed(whole)[2][: LATE + 1].mean(), own=False),
        )
        evidence.table(
            f"{user_flow.name}: eigenvalues of (1−t)Dv_t, median of trajectories",
            ("t", "largest", "predicted", "smallest", "predicted", "mean |found − predicted|"),
            [
                (TIMES[k], *_pair(found[k], implied[k], 0), *_pair(found[k], implied[k], -1), apart[k].mean())
                for k in SHOWN
            ],
        )
        evidence.figure(
            f"{user_flow.name}: eigenvalues of (1−t)Dv_t along trajectories",
            "Mean and deviation of each eigenvalue against t, beside the curves that those at ½ predict",
            lambda figure: draw_eigenvalues(figure, TIMES, found, implied),
        )


def _followed(whole):
    """Eigenvalues of (1−t)Dv_t at all times, those that t = ½ implies, and how far apart they are."""
    found = whole.eigenvalues * (1 - TIMES)[:, None, None]
    implied = np.stack([(1 - t) * predicted(whole, t) for t in TIMES])
    return found, implied, np.minimum(np.nan_to_num(np.abs(found - implied), nan=1.0), 1.0)


def _pair(found, implied, k):
    usable = implied[:, k][np.isfinite(implied[:, k])]
    return np.median(found[:, k]), np.median(usable) if len(usable) else "none"


@pytest.mark.asks("H5")
def test_the_terminal_spectrum(evidence, user_flow):
    by_whole_jacobians(user_flow)
    with asked(evidence, user_flow, "H5", "Jacobians along trajectories"):
        found, implied, apart = (part[LAST] for part in _followed(trajectories(user_flow)))
        rest = _left(implied)
        answer(
            evidence,
            user_flow,
            f"H5: are the eigenvalues of (1−t)Dv_t at t = {TIMES[LAST]:g} close to −1 or 0?",
            _from_the_limits(found).mean(),
            f"(1−t)Dv_t → −P_N; mean distance; {rest:.2g} is left at this time by the curve of H1",
            CLOSE + rest,
            beside(
                user_flow,
                lambda whole: _from_the_limits(_followed(whole)[0][LAST]).mean(),
                own=False,
            ),
            error=scatter_of(_from_the_limits(found), np.mean),
        )
        answer(
            evidence,
            user_flow,
            f"H5: are they, at t = {TIMES[LAST]:g}, the ones that those at t = ½ tend to?",
            apart.mean(),
            "the curve of H1 decides which are −1 and which 0; mean of |found − predicted|, at most 1 each",
            error=scatter_of(apart, np.mean),
            beside=beside(user_flow, lambda whole: _followed(whole)[2][LAST].mean(), own=False),
        )


@pytest.mark.asks("H4")
def test_the_exponents(evidence, user_flow):
    _needs_few_dimensions(user_flow)
    with asked(evidence, user_flow, "H4", "exponents by the continuous QR method"):
        found = exponents(user_flow)
        width = np.log((1 - TIMES[LATE]) / (1 - TIMES[LAST]))
        whole = trajectories(user_flow)
        implied = np.log(stretched(whole, TIMES[LAST]) / stretched(whole, TIMES[LATE])) / width
        rest = _left(implied)
        answer(
            evidence,
            user_flow,
            f"H4: are the exponents between t = {TIMES[LATE]:g} and {TIMES[LAST]:g} close to −1 or 0?",
            _from_the_limits(found).mean(),
            f"−1 on N and 0 off it as τ → ∞; mean distance; {rest:.2g} is left by log(1−t+tκ) of H1",
            CLOSE + rest,
            beside_independent(
                user_flow,
                lambda other: _from_the_limits(exponents(other)).mean(axis=1),
                by_exponents(user_flow.dim),
                COARSE,
            ),
            error=scatter_of(_from_the_limits(found), np.mean),
        )
        rows = [(k + 1, *(f(found[:, k]) for f in (np.mean, np.std, np.min, np.max))) for k in _few(found)]
        evidence.table(
            f"{user_flow.name}: Lyapunov exponents, {len(found)} trajectories",
            ("exponent", "mean", "deviation", "least", "largest"),
            rows,
        )


def _few(found):
    """All columns, or the first and last ones of many."""
    d = found.shape[1]
    return range(d) if d <= 12 else [*range(6), *range(d - 6, d)]


@pytest.mark.asks("H7")
def test_the_intrinsic_dimension(evidence, user_flow):
    _needs_few_dimensions(user_flow)
    with asked(evidence, user_flow, "H7", "exponents by the continuous QR method"):
        by_growth, by_spectrum = _dimensions(user_flow)
        answer(
            evidence,
            user_flow,
            "H7: do exponents and terminal eigenvalues count the same dimension, sample by sample?",
            float((by_growth != by_spectrum).mean()),
            "both count what lies above −½; share of samples with two answers",
            beside=beside_independent(
                user_flow,
                lambda other: np.not_equal(*_dimensions(other)).astype(float),
                by_exponents(user_flow.dim),
                COARSE,
                more=1 / len(by_growth),
            ),
        )
        evidence.table(
            f"{user_flow.name}: intrinsic dimension of the data it makes",
            ("dimension m", "samples, by exponents", f"samples, by eigenvalues at t = {TIMES[LATE]:g}"),
            [
                (int(m), int((by_growth == m).sum()), int((by_spectrum == m).sum()))
                for m in np.union1d(by_growth, by_spectrum)
            ],
        )
        if user_flow.dim == 2:
            evidence.figure(
                f"{user_flow.name}: the data it makes, by estimated intrinsic dimension",
                "End points of trajectories, one colour for each estimated dimension",
                lambda figure: draw_dimensions(
                    figure, trajectories(user_flow).end[: len(by_growth)], by_growth
                ),
                size=(4.8, 4.2),
            )


def _dimensions(flow):
    """Intrinsic dimension of each sample, by exponents and by eigenvalues at t = 0.9."""
    by_growth = intrinsic_dimension(exponents(flow), 1.0)
    terminal = (1 - TIMES[LATE]) * trajectories(flow).eigenvalues[LATE, : len(by_growth)]
    return by_growth, intrinsic_dimension(terminal, 1.0)


def _needs_few_dimensions(flow):
    if flow.dim > MOST_DIMENSIONS:
        pytest.skip(f"exponents are computed up to dimension {MOST_DIMENSIONS}; the flow has {flow.dim}")
