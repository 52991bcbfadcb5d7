"""torchcfm under test: global state is given back, batches depend on the seed alone, absence is said."""

import sys

import numpy as np
import pytest
import torch

from numerics.potentials import Sphere
from theorems.setting.libraries import MISSING, TorchCFM, batches_of, seeded


def _next():
    return np.random.random(), float(torch.rand(1))  # noqa: NPY002


def _after(work):
    """What the global generators give after some work, from one start."""
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    work()
    return _next()


def test_global_state_is_given_back():
    def draw():
        with seeded(7):
            _next()

    def fail():
        with pytest.raises(ZeroDivisionError), seeded(7):
            _next()[0] / 0

    untouched = _after(lambda: None)
    assert _after(draw) == _after(fail) == untouched


def test_seeds_fix_what_is_drawn():
    def drawn(seed):
        with seeded(seed):
            return _next()

    assert drawn(3) == drawn(3) != drawn(4)


def test_batches_depend_on_the_seed_alone():
    pytest.importorskip("torchcfm", reason=MISSING)
    noise, data = batches_of(Sphere(2), 8, 3, np.random.default_rng(0))
    first, again, other = (TorchCFM().couple(noise, data, 0.5, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.first, again.first)
    assert not np.array_equal(first.first, other.first)
    assert np.array_equal(first.xt, (first.x0 + first.x1) / 2)
    assert np.array_equal(first.ut, first.x1 - first.x0)


def test_absence_is_a_skip_that_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcfm", None)
    monkeypatch.setitem(sys.modules, "torchcfm.conditional_flow_matching", None)
    with pytest.raises(pytest.skip.Exception, match="pip install --no-deps torchcfm"):
        TorchCFM()
