"""Which batch size is enough for a user's cloud: sizes that are asked, and how the answer is shown."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from numerics.accuracy import Rounding
from numerics.transport.batch_sizes import SIZES, BatchSizes, By
from numerics.transport.solution import SemidiscreteSolution

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOLERANCES = (0.1, 0.05, 0.01)
LEVEL = 1e-6
POOL = 2**16
"""Pairs a size: a second or two for each."""
WAYS: dict[By, str] = {
    "loss": "the measured loss of the exact field on batches (estimated; it includes the plan's floor)",
    "bound": "M8's bound, from the estimated excess (exact on the line)",
    "guaranteed": f"M8's bound, from an upper limit of the excess (level {LEVEL:g}; exact on the line)",
}
LABELS = ("measured loss (floor included)", "M8's bound, excess estimated", "M8's bound, upper limit")
COLOURS = ("#4269d0", "#c2410c", "#15803d")


def sizes_for(atoms: int) -> Sequence[int]:
    """Batch sizes up to eight times the cloud, at least up to 64."""
    return [n for n in SIZES if n <= max(64, 8 * atoms)]


def rounding(solution: SemidiscreteSolution) -> Rounding:
    """Of |x₁ − p|²/(1−t)² for a known p, and of a gap over t(1−t), t = ½: inner products and their sums."""
    d = solution.points.shape[1]
    size = np.linalg.norm(solution.points, axis=1).max() + 10 + np.sqrt(d)
    heights = np.abs(solution.heights).max()
    return Rounding(4 * (size**2 + heights), 16 * (d + 8), "inner products of d terms, and their sums")


def answer(found: BatchSizes, by: By, points: int) -> str:
    """Such as ``10 %: 32, 5 %: 64, 1 %: more than 1024``, and whether that is about these points alone."""
    largest, words, about = found.rows[-1].n, [], 0
    for tolerance in TOLERANCES:
        n = found.smallest(tolerance, by)
        about += (n or largest) > points // 4
        words.append(f"{100 * tolerance:g} %: {f'more than {largest}' if n is None else n}")
    beyond = f" (beyond a quarter of the {points} points: about these alone)" if about else ""
    return ", ".join(words) + beyond


def shares(found: BatchSizes) -> list[tuple[object, ...]]:
    """Rows of the table of errors, in percent of E|v|²."""
    rows: list[tuple[object, ...]] = []
    for row in found.rows:
        spread = 0.0 if row.exact is not None else 2 * row.excess.standard_error / found.w2_squared
        loss = row.loss.standard_error / found.w2_squared
        numbers = (found.share(row, "loss"), loss, found.share(row, "bound"), spread)
        rows.append(
            (row.n, len(row.excess.values), *(100 * x for x in (*numbers, found.share(row, "guaranteed"))))
        )
    return rows


SHARE_COLUMNS = ("n", "batches", "loss", "± s.e.", "M8", "± s.e.", "M8, limit")


def costs(found: BatchSizes, solving: float) -> list[tuple[object, ...]]:
    """Rows of the table of times: a batch, a pair of it, and when exact pairs have cost less.

    Args:
        found: Of every size.
        solving: How many seconds that took, NaN where it was done before.
    """
    rows: list[tuple[object, ...]] = []
    for row in found.rows:
        pair = row.seconds / row.n
        saved = pair - found.pair_seconds
        after = (
            f"{solving / saved:.3g}" if math.isfinite(solving) else "not known: the file holds its solution"
        )
        after = after if saved > 0 else "never: batches are cheaper"
        rows.append((row.n, row.seconds, pair, after))
    solved = f"after solving for {solving:.3g} s" if math.isfinite(solving) else "solved before"
    return [*rows, ("exact pairs", "", found.pair_seconds, solved)]


COST_COLUMNS = ("n", "seconds a batch", "seconds a pair", "exact pairs cost less after so many pairs")


def draw_shares(figure: "Figure", found: BatchSizes, atoms: int) -> None:
    """Log–log: the three errors against n, the tolerances, and a quarter of the cloud."""
    axes = figure.subplots()
    n = [row.n for row in found.rows]
    for by, label, colour, style in zip(WAYS, LABELS, COLOURS, ("o-", "s-", "--"), strict=True):
        share = [found.share(row, by) for row in found.rows]
        axes.loglog(n, share, style, ms=3, color=colour, label=label)
    for tolerance in TOLERANCES:
        axes.axhline(tolerance, color="#9ca3af", lw=0.5)
        axes.annotate(f"{100 * tolerance:g} %", (n[0], tolerance), fontsize=7, va="bottom", color="#4b5563")
    if n[0] < atoms / 4 < n[-1]:
        axes.axvline(atoms / 4, color="#9ca3af", lw=0.8, ls=":")
    axes.set_xlabel("batch size $n$ (dotted: a quarter of the cloud)")
    axes.set_ylabel(r"$E|v^{(n)}_t-v_t|^2\;/\;E|v_t|^2,\ t=\frac{1}{2}$")
    axes.legend(fontsize=7)
