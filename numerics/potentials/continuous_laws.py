"""How a law with a density is known: in closed form, solved from its tails, or by SciPy's tails, measured."""

from typing import Any

from numerics.potentials.closed_laws import FORMS, ClosedLaw
from numerics.potentials.line_laws import ContinuousLaw
from numerics.potentials.mapped_forms import is_in_range
from numerics.potentials.normal import CUT
from numerics.potentials.scipy_tails import scipy_tails
from numerics.potentials.solved_law import SPECIAL, SolvedLaw

LISTED = (*FORMS, *SPECIAL)  # the laws whose accuracy tests hold against 40 digits


def continuous_law(distribution: Any) -> ContinuousLaw:
    """A frozen continuous law of SciPy in the most accurate form that there is.

    Raises:
        ValueError: If its quantiles are not resolved or not finite, or fall.
    """
    shapes, loc, scale = distribution.dist._parse_args(*distribution.args, **distribution.kwds)
    shapes = tuple(float(shape) for shape in shapes)
    loc, scale, name = float(loc), float(scale), distribution.dist.name
    if type(distribution.dist).__module__.startswith("scipy.stats."):
        if name in FORMS and is_in_range(name, shapes):
            return ClosedLaw(name, shapes, loc, scale, distribution)
        if name in SPECIAL:
            factor = 2.0 if name == "chi2" else 1.0
            return SolvedLaw(SPECIAL[name](*shapes), loc, factor * scale, (-CUT, CUT), distribution)
    tails, cut = scipy_tails(distribution.dist(*shapes), name or type(distribution.dist).__name__)
    return SolvedLaw(tails, loc, scale, cut, distribution)
