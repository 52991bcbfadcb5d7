"""What every unit test runs under: shapes checked in `numerics`, and Hypothesis without chance."""

import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import flint
import hypothesis
import jaxtyping
import mpmath
import numpy as np
import pytest
from jaxtyping import install_import_hook

import tests.shapes  # noqa: F401  # named below

early = sorted(name for name in sys.modules if name.split(".")[0] == "numerics")
if early:
    raise RuntimeError(f"{early[0]} was imported before tests/conftest.py: its shapes would go unchecked")

SHAPES = not jaxtyping.config.jaxtyping_disable
"""JAXTYPING_DISABLE=1 leaves them out, which halves the start of a run that is about something else."""
if SHAPES:
    install_import_hook(["numerics"], "tests.shapes.checked")

hypothesis.settings.register_profile(
    "unit",
    deadline=None,
    max_examples=40,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("unit")


def pytest_configure(config: pytest.Config) -> None:
    """Know the marks of claims: tests import checks, and the plugin declares them to theorems alone."""
    for mark in ("claim(id): a check", "control(id): a deliberate violation", "asks(id): an audit"):
        config.addinivalue_line("markers", mark)


@pytest.fixture(autouse=True)
def shapes_are_checked(request: pytest.FixtureRequest) -> None:
    """In one of four tests of `numerics`, chosen by its name: calls take 3 times as long with them.

    A family meets every law and a function several tests, so that what is never checked is rare.
    """
    inside = request.path.relative_to(Path(__file__).parent).parts
    one_by_one = inside[0] == "numerics" and inside[1] != "accuracy"
    drawn = one_by_one and zlib.crc32(request.node.nodeid.encode()) % 4 == 0
    jaxtyping.config.update("jaxtyping_disable", not (SHAPES and (drawn or inside[0] == "test_shapes.py")))


@pytest.fixture
def as_users_see_it() -> None:
    """Without the shape checks of the tests: the functions refuse bad input themselves."""
    jaxtyping.config.update("jaxtyping_disable", True)


@pytest.fixture(autouse=True)
def digits_are_left_alone() -> Iterator[None]:
    """Those of mpmath and flint are the process's: who leaves others decides what the rest compare with."""
    yield
    assert (mpmath.mp.prec, flint.ctx.prec) == (53, 53), "a test, or an import, changed the precision for all"


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator that depends on the test's name alone."""
    from reports.run.profiles import derived_seed

    return np.random.default_rng(derived_seed(0, request.node.name))
