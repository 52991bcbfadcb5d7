"""Every public family and rule has a twin in balls, and a library that is a little wrong is noticed."""

from dataclasses import replace

import numpy as np
import pytest
from flint import ctx

import numerics.potentials as public
from numerics.intervals.balls import PRECISION
from numerics.potentials import Potential
from numerics.potentials.proximal_point import ProximalPoint
from reports.evidence.fixture import BeyondBoundError, Evidence
from reports.evidence.recorder import Recorder
from theorems.exact_twins import TWINS, has_a_tangent, sees_the_step
from theorems.normal_hyperbolicity import test_certified as hyperbolic
from theorems.proximal_denoiser import test_certified as proximal

OTHERS = {"Benchmark", "Manifold", "ManifoldGroup", "Potential", "Subdifferential", "catalogue"}
"""What is public and neither a family, a closed set nor a rule."""


def _met(twins):
    return {name for name in public.__all__ if any(f"{name}(" in repr(t).replace(".", "(") for t in twins)}


def test_every_family_set_and_rule_has_a_twin():
    assert _met(TWINS) == set(public.__all__) - OTHERS


def test_h1_meets_everything_but_the_singular_laws():
    assert _met(hyperbolic.SMOOTH) == set(public.__all__) - OTHERS - {"Cantor", "Bits"}


def test_controls_meet_what_can_see_them():
    assert {"DegenerateGaussian", "Quantile", "AtomAndDensity", "NearestPoint", "Curve", "Torus"} <= _met(
        [t for t in TWINS if sees_the_step(t)]
    )
    assert {"Sphere", "Ellipsoid", "Stiefel", "Grassmannian", "SpecialOrthogonal", "Arc"} <= _met(
        [t for t in TWINS if has_a_tangent(t)]
    )


def _stated(member):
    """What the mutant's target states of the member."""
    return lambda self, *where: getattr(self._target, f"_{member}_rounding")(*where)


class Mutant(Potential):
    """A target, one of whose answers is off by 10⁻⁹ of itself or of the step; states what it states."""

    def __init__(self, target, fault):
        self._target, self._fault = target, fault
        self.dim, self.scale = target.dim, target.scale

    def __repr__(self):
        return f"Mutant({self._target!r})"

    def __getattr__(self, name):
        return getattr(self._target, name)

    _value_rounding, _conjugate_rounding = _stated("value"), _stated("conjugate")
    _transport_rounding, _transport_jacobian_rounding = _stated("transport"), _stated("transport_jacobian")
    _prox_rounding, _prox_jacobian_rounding = _stated("prox"), _stated("prox_jacobian")

    def _prox(self, z, step):
        if self._fault == "step":
            return self._target._prox(z, (1 + 1e-9) * step)
        return self._target._prox(z, step) * (1 + 1e-9 * (self._fault == "prox"))

    def _transport(self, x0):
        return self._target._transport(x0) * (1 + 1e-9 * (self._fault == "transport"))

    def _transport_jacobian(self, x0):
        return self._target._transport_jacobian(x0) * (1 + 1e-9 * (self._fault == "K"))

    def _prox_jacobian(self, z, step):
        return self._target._prox_jacobian(z, step) * (1 + 1e-9 * (self._fault == "J"))

    def _proximal_point(self, z, step):
        right = self._target._proximal_point(z, step)
        rounding = right.rounding
        return ProximalPoint(
            z,
            step,
            self._prox(z, step),
            envelope=lambda: right.envelope,
            jacobian=lambda: self._prox_jacobian(z, step),
            kink=lambda: right.kink,
            errors=(lambda: rounding.point, lambda: rounding.envelope, lambda: rounding.jacobian),
        )

    def _conjugate(self, x0):
        return self._target._conjugate(x0)

    def _value(self, x):
        return self._target._value(x)

    def _subdifferential(self, x1):
        return self._target._subdifferential(x1)

    def _manifolds(self, x1, x0):
        return self._target._manifolds(x1, x0)

    def _transport_rounding(self, x0):
        return self._target._transport_rounding(x0)

    def _transport_jacobian_rounding(self, x0):
        return self._target._transport_jacobian_rounding(x0)


def _named(*parts):
    return [t for t in TWINS if repr(t).startswith(parts) and not t.misfit]


FAMILIES = _named(
    "DegenerateGaussian", "Sphere", "Ellipsoid", "Stiefel", "Grassmannian", "SpecialOrthogonal", "translate",
    "Quantile(stats.expon", "NearestPoint(Curve", "NearestPoint(Torus", "NearestPoint(Arc", "scale",
)  # fmt: skip


def _rejected(check, twins, fault):
    wrong = replace(twins, target=Mutant(twins.target, fault))
    with ctx.workprec(PRECISION), pytest.raises(BeyondBoundError):
        check(Evidence(Recorder()), np.random.default_rng(5), wrong)


@pytest.mark.parametrize("twins", FAMILIES, ids=repr)
def test_a_prox_off_by_a_billionth_is_noticed(twins):
    _rejected(proximal.measure_interpolant, twins, "prox")
    _rejected(proximal.measure_inverse, twins, "prox")
    _rejected(proximal.measure_transport, twins, "transport")


@pytest.mark.parametrize("twins", [t for t in FAMILIES if sees_the_step(t)], ids=repr)
def test_a_step_off_by_a_billionth_is_noticed(twins):
    _rejected(proximal.measure_interpolant, twins, "step")


@pytest.mark.parametrize("twins", FAMILIES, ids=repr)
@pytest.mark.parametrize("fault", ["K", "J"])
def test_a_jacobian_off_by_a_billionth_is_noticed(twins, fault):
    _rejected(hyperbolic.measure_jacobians, twins, fault)
