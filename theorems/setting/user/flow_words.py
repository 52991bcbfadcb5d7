"""The first lines of a flow's audit: how OT-like it is, what it generates, where it fails, what to do."""

import numpy as np

from numerics.flows.spectrum import intrinsic_dimension
from theorems.setting.user.flow_audits import LATE, TIMES, trajectories
from theorems.setting.user.flow_outcomes import ROUNDING
from theorems.setting.user.flow_samples import FOLLOWS, STEPS, Sampling, ending, sampling
from theorems.setting.user.flow_scale import scale
from theorems.setting.user.flow_spectra import is_large, spectra
from theorems.setting.user.flow_standing import name_of
from theorems.setting.user.flows import UserFlow


def how_optimal(flow: UserFlow) -> str:
    """Its place among couplings."""
    seen = scale(flow)
    marks = ", ".join(f"{name} {number:.2g}" for name, number in [*seen.places.items()][1:])
    if not seen.resolved:
        return (
            f"cannot be told on {seen.target}, which are {seen.apart:.2g} apart where independent coupling is"
            f" {seen.places[name_of(1)]:.2g} off: give --target"
        )
    like = (
        f"as far as perfectly learned batches of about {seen.pairs:.0f} pairs"
        if np.isfinite(seen.pairs)
        else "as perfectly learned batches of 256, or nearer"
    )
    if 0 < seen.apart >= seen.found:
        like = f"own samples resolve {seen.apart:.2g}: no further from it than that"
    if seen.found >= seen.places[name_of(1)]:
        like = "no nearer than independent coupling"
    if seen.outcome == "cannot be told":
        like += "; at that distance couplings are not told apart here"
    return f"{seen.found:.2g} from the exact OT-CFM field on {seen.target}, relative; {like} ({marks})"


def what_dimension(flow: UserFlow) -> str:
    """The intrinsic dimension of what it generates, sample by sample."""
    if is_large(flow):
        one = next(seen for seen in spectra(flow) if seen.t == TIMES[LATE])
        above, errors = one.count_above(-0.5, flow.dim)
        each = ", ".join(f"{c:.0f} ± {e:.0f}" for c, e in zip(above, errors, strict=True))
        return f"dimension {each} at {len(above)} samples, of {flow.dim} (eigenvalues above −½, by products)"
    found = intrinsic_dimension((1 - TIMES[LATE]) * trajectories(flow).eigenvalues[LATE], 1.0)
    values, counts = np.unique(found, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:3]
    shares = ", ".join(f"{values[k]} for {counts[k] / len(found):.0%}" for k in order)
    where = f"eigenvalues of (1−t)Dv at t = {TIMES[LATE]:g}"
    return f"dimension {shares} of {len(found)} samples, of {flow.dim} ({where})"


def where_it_fails(flow: UserFlow) -> str:
    """The time from which its normal eigenvalue turns back, and where its error lies."""
    end = ending(flow)
    late = [k for k, t in enumerate(end.times) if round(t, 2) in (0.9, 0.96, 0.99)]
    if end.share < 0.5:
        time = (
            f"in time: its field has no normal direction (median smallest eigenvalue of (1−t)Dv at t ="
            f" {TIMES[LATE]:g}: {end.least:.2f}; −1 across data of lower dimension)"
        )
    elif np.isnan(end.t_max):
        time = f"in time: its normal eigenvalue never comes within {FOLLOWS} of −1/(1−t)"
    else:
        seen = ", ".join(f"{end.normal[k]:.2f} at {end.times[k]:g}" for k in late)
        when = f"from t = {end.since:g} up to" if end.since < end.t_max else "at"
        time = f"in time: it follows −1/(1−t) {when} t = {end.t_max:g} (normal eigenvalue of (1−t)Dv: {seen})"
    known = scale(flow)
    place = np.array2string(known.worst[:4], precision=2, separator=", ") + (", …" if flow.dim > 4 else "")
    if known.found <= ROUNDING:
        return f"{time}; in space: nowhere, its error is that of rounding"
    return (
        f"{time}; in space: a tenth of the points holds {known.share:.0%} of the squared error,"
        f" the most at t = {known.when:g}, x = {place}"
    )


def what_to_do(flow: UserFlow) -> str:
    """Until when and in how many steps to sample, and what that gives."""
    seen = sampling(flow)
    words = f"sample to t = {seen.t_max:g} and take one straight step from there: {_loses(seen)}"
    if np.isfinite(seen.error):
        words += (
            f"; ends of {seen.steps} step{'s' * (seen.steps > 1)} are off their optimal data by"
            f" {seen.error:.2g} of the way from noise to data, where N3 allows {seen.bound:.2g}"
        )
    return words


def _loses(seen: Sampling) -> str:
    """In how many steps, and what that loses."""
    n = min(seen.steps, STEPS[-1])
    lost = f"{seen.lost[n][0]:.2g} of the spread of {seen.samples} samples"
    if seen.steps > n:
        return f"{seen.count} Euler steps are needed; {n} lose {lost}"
    return f"1 Euler step in all loses {lost}" if n == 1 else f"{n} Euler steps in all lose {lost}"


IN_SHORT = "In short"
"""How the questions of `LINES` begin in the report, which shows them first."""
LINES = {
    "how OT-like is it?": ("M4", how_optimal),
    "what does it generate?": ("H7", what_dimension),
    "where does it fail?": ("H5", where_it_fails),
    "what to do?": ("N3", what_to_do),
}
"""Questions, with the claim that each asks and what answers it."""
