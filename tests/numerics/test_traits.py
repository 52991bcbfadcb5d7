"""Every trait of every instance against behaviour: what a family declares is what it does."""

import sys

import numpy as np
import pytest

from numerics.potentials import Cantor, FiniteAtoms, Quantile, Sphere, product, rotate, translate
from numerics.potentials.instances import Instance, Use, instances
from numerics.potentials.traits import Traits
from numerics.potentials.transport_costs import sampled

INSTANCES = instances()
GROWTH = 4.0
"""Chosen, half of what a loop has: Python's work at eight times the points is eightfold there. For a batch it
is about the same, or three to four times as much where the points are split into blocks."""
CLASSES = tuple({type(instance.potential): instance for instance in INSTANCES}.values())
"""One instance of every class, as how prox is found is a matter of its code."""


def label(instance):
    return f"{INSTANCES.index(instance)}-{instance.potential!r}"[:60]


every_instance = pytest.mark.parametrize("instance", INSTANCES, ids=label)


@every_instance
def test_complex_steps_pass_where_declared_and_are_refused_elsewhere(instance):
    p = instance.potential
    x0 = np.random.default_rng(1).standard_normal((2, p.dim)) + 1e-30j
    members = (p.conjugate, p.transport, lambda z: p.prox(z, 0.7))
    if p.traits.analytic:
        assert all(np.isfinite(member(x0)).all() for member in members)
        return
    for member in members:
        with pytest.raises(ValueError, match="complex"):
            member(x0)


@every_instance
def test_strata_are_those_of_the_manifolds(instance):
    p = instance.potential
    x0, x1 = p.sample(200, np.random.default_rng(2))
    if not p.traits.manifold:
        with pytest.raises(ValueError, match="manifold near none"):
            p.manifolds(x1, x0)
        return
    assert tuple(sorted({group.dimension for group in p.manifolds(x1, x0)})) == instance.strata


@pytest.mark.parametrize("instance", CLASSES, ids=label)
def test_work_grows_with_the_points_only_where_declared(instance):
    p, rng = instance.potential, np.random.default_rng(0)
    first = 64  # by then the rounds of a solver have become as many as they will
    x0, x1 = p.sample(8 * first, rng)
    z = x1 + 0.7 * x0 + 0.3 * p.scale * rng.standard_normal(x1.shape)
    p.prox(z[:2], 0.7)
    few, many = (_calls(lambda n=n: p.prox(z[:n], 0.7)) for n in (first, 8 * first))
    assert (many <= GROWTH * few) == p.traits.batched, f"{few} calls for {first} points, {many} for 8 times"


def _calls(function):
    """How many functions of Python are called."""
    found = 0

    def count(_, event, __):
        nonlocal found
        found += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return found


def test_rules_forward_the_traits_of_what_they_are_made_of():
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    assert translate(Cantor(), [1.0]).traits == Cantor().traits == Traits(manifold=False)
    assert rotate(Sphere(2), turn).traits == Sphere(2).traits == Traits(analytic=True)
    assert product(Sphere(2), Cantor()).traits == Traits(manifold=False)
    assert product(Sphere(2), FiniteAtoms.hypercube(2)).traits.analytic


def test_wrong_declarations_are_noticed(monkeypatch):
    """Each trait the other way round fails its law: on the circle, and on the Cantor law."""
    circle, cantor = Instance(Sphere(2), (1,), Use.LAW), Instance(Cantor(), (), Use.LAW)
    monkeypatch.setattr(Sphere, "_traits", Traits(analytic=False, batched=False))
    for law in (
        test_complex_steps_pass_where_declared_and_are_refused_elsewhere,
        test_work_grows_with_the_points_only_where_declared,
    ):
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            law(circle)
    monkeypatch.setattr(Cantor, "_traits", Traits(analytic=True))
    with pytest.raises(ValueError, match="complex"):
        test_complex_steps_pass_where_declared_and_are_refused_elsewhere(cantor)
    with pytest.raises(ValueError, match="manifold near none"):
        test_strata_are_those_of_the_manifolds(cantor)
    with pytest.raises(AssertionError):
        test_strata_are_those_of_the_manifolds(Instance(Sphere(3), (1,), Use.LAW))


def test_an_instance_is_checked_at_birth():
    for strata in ((3,), (1, 0), (0, 0), (-1,), ()):
        with pytest.raises(ValueError, match="strata"):
            Instance(Sphere(2), strata, Use.LAW)
    with pytest.raises(ValueError, match="met nowhere"):
        Instance(Sphere(2), (1,), Use(0))
    with pytest.raises(ValueError, match="needs a name"):
        Instance(Sphere(2), (1,), Use.BENCHMARK)


def test_names_are_unique_and_no_instance_is_listed_twice():
    names = [instance.name for instance in INSTANCES if instance.name]
    assert len(set(names)) == len(names)
    calls = [repr(instance.potential) for instance in INSTANCES]
    assert len(set(calls)) == len(calls)
    assert Quantile in {type(instance.potential) for instance in INSTANCES}


def test_every_instance_answers_its_cost_and_sampling_agrees_with_closed_forms():
    """Where nothing better is known the cost is sampled; where something is, four standard errors hold it."""
    held = [instance for instance in instances(Use.BENCHMARK) if instance.cost.method != "Monte Carlo"]
    assert {"two atoms", "circle", "Gaussian on a line", "exponential law"} <= {case.name for case in held}
    for known, drawn in ((case.cost, sampled(case.potential)) for case in held):
        assert abs(known.w2_squared - drawn.w2_squared) <= drawn.error + known.error
    assert Instance(Sphere(2), (1,), Use.LAW).cost.method == "Monte Carlo"
