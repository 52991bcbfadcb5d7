"""How a law with a density is known: in closed form, or solved from tails.

Tails are those of a list, integrals of SciPy's density, or, where that is none or rough, SciPy's own.
"""

from typing import Any

from numerics.potentials.closed_laws import FORMS, ClosedLaw
from numerics.potentials.density_tails import density_tails
from numerics.potentials.differenced_density import gives_density
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
    standard = distribution.dist(*shapes)
    name = name or type(distribution.dist).__name__
    integrated = density_tails(standard, name) if gives_density(standard) else None
    tails, cut = integrated or scipy_tails(standard, name)
    return SolvedLaw(tails, loc, scale, cut, distribution)
