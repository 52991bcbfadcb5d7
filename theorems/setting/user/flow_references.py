"""A second mark beside the numbers of a flow's audits: what the field of independent coupling answers.

An exact OT-CFM field answers 0. The field that independent pairs teach on the same target is known in closed
form and smooth, so it is asked as the flow is: same noise, same times, same measure. Fields of drawn batches
jump where an assignment changes: their trajectories and Jacobians are not those of the coupling, and they
stand on the scale of distances alone (`flow_scale`).
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from numerics.flows.independent import IndependentField
from theorems.setting.user.flow_audits import MOST_DIMENSIONS
from theorems.setting.user.flow_scale import own_ends, own_samples
from theorems.setting.user.flows import UserFlow
from theorems.setting.user.trying import NumpyField

MOST_NUMBERS = 20_000
"""Points times dimensions of a target up to which it is asked: its field costs so many operations a point."""
LEAST_OWN = 100
"""Own samples from which they stand in for a target: chosen."""


@cache
def independent(flow: UserFlow) -> UserFlow | None:
    """The field of independent coupling on the target of --target, else on the flow's own samples.

    Returns:
        A flow with the seed of the one that is audited; None where the target is too large, or own samples
        are too few.
    """
    if flow.dim > MOST_DIMENSIONS:
        return None
    if flow.target is not None:
        points, weights = flow.target.points, flow.target.weights
        if points.size > MOST_NUMBERS:
            return None
        name = f"independent coupling on {flow.target.name}"
    else:
        if own_samples(flow.dim) < LEAST_OWN:
            return None
        points = own_ends(flow)[1][0]
        weights = np.full(len(points), 1 / len(points))
        name = f"independent coupling on {len(points)} of its own samples"
    return UserFlow(name, flow.dim, NumpyField(IndependentField(points, weights).velocity), seed=flow.seed)


def beside(flow: UserFlow, measure: Callable[[UserFlow], float], own: bool = True) -> str:
    """The number of independent coupling, in words to stand beside the flow's; nothing where it is not asked.

    Args:
        flow: Which is audited.
        measure: The number of a flow, 0 for an exact field.
        own: Whether own samples may stand in for a target: not near t = 1, where atoms are alone.
    """
    if flow.target is None and not own:
        return ""
    try:
        other = independent(flow)
        return "" if other is None else f"; {other.name}: {measure(other):.3g}"
    except (ValueError, RuntimeError, np.linalg.LinAlgError):  # own samples that cannot be drawn, say
        return ""
