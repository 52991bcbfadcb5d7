"""Which draws speak of which family: cases of every statement that a family makes, by its name."""

import importlib
import inspect
import pkgutil

import numpy as np

from numerics import potentials
from numerics.potentials import Potential
from tests.numerics.accuracy import cases_of_atoms as atoms
from tests.numerics.accuracy import cases_of_bodies as bodies
from tests.numerics.accuracy import cases_of_laws as laws
from tests.numerics.accuracy import cases_of_rules as rules
from tests.numerics.accuracy import cases_of_sets as sets

SEED = 20261130
QUANTITIES = (
    "transport",
    "transport_jacobian",
    "conjugate",
    "value",
    "prox",
    "dual",
    "envelope",
    "prox_jacobian",
    "kink",
)

CASES = {
    "FiniteAtoms": {"": atoms.finite_atoms},
    "NearestCloudPoint": {"": atoms.clouds},
    "DegenerateGaussian": {"": bodies.gaussians},
    "Sphere": {"": bodies.spheres},
    "Ellipsoid": {"": bodies.ellipsoids},
    "Stiefel": {"": bodies.matrices(potentials.Stiefel)},
    "Grassmannian": {"": bodies.matrices(potentials.Grassmannian)},
    "SpecialOrthogonal": {"": bodies.matrices(potentials.SpecialOrthogonal)},
    "Quantile": {"densities": laws.densities, "staircases": laws.staircases},
    "AtomAndDensity": {"": laws.mixtures},
    "Bits": {"": laws.bits},
    "Cantor": {"": laws.cantor},
    "NearestArcPoint": {"": sets.arcs},
    "NearestEllipsePoint": {"": sets.ellipses},
    "NearestTorusPoint": {"": sets.tori},
    "NearestCurvedPoint": {"": sets.curves},
    "NearestUnionPoint": {"": sets.unions},
    "Twin": {"": atoms.twins},
    "Isometric": {"": rules.rule("Isometric")},
    "Scaled": {"": rules.rule("Scaled")},
    "Translated": {"": rules.rule("Translated")},
    "Product": {"": rules.rule("Product")},
}
"""Of every family, by the kinds of its members that state different things."""

NO_FAMILY = {
    "LinePotential": "its laws are Quantile, AtomAndDensity, Bits and Cantor",
    "NearestPoint": "it is made as the family of its set",
    "Permutations": "it states nothing of its own: FiniteAtoms does",
}


def families():
    """The classes of the library that can be made."""
    for module in pkgutil.iter_modules(potentials.__path__):
        importlib.import_module(f"numerics.potentials.{module.name}")
    below = list(Potential.__subclasses__())
    for made in below:
        below += [one for one in made.__subclasses__() if one not in below]
    own = [made for made in below if made.__module__.startswith("numerics.potentials.")]
    return [made for made in own if not inspect.isabstract(made) and made.__name__ not in NO_FAMILY]


def kinds():
    """Families with the kinds of their members; a family of which nothing is known is its own only kind."""
    return [(made, kind) for made in families() for kind in CASES.get(made.__name__, {"": None})]


def drawn(family, kind="", seed=SEED):
    """(error, bound) of everything that members of a family state.

    Raises:
        KeyError: If there is no oracle of the family.
    """
    if family.__name__ not in CASES:
        raise KeyError(f"{family.__name__} states what it errs by, and no oracle is known: add its cases")
    return CASES[family.__name__][kind](np.random.default_rng(seed))
