"""Hypothesis as the theorems use it: three profiles, one seed, and the same draws however tests are run."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest

EXAMPLES = {"quick": 20, "thorough": 200, "exhaustive": 2000}
DEFAULT_PROFILE = "quick"


def register() -> None:
    """Make the profiles known to Hypothesis.

    No database and no derandomization: draws depend on the seed alone. Two health checks are off:
    ``function_scoped_fixture``, because the fixture `evidence` is meant to gather over all draws of a
    test; ``too_slow``, because a verdict must not depend on how busy the machine is.
    """
    from hypothesis import HealthCheck, Phase, settings

    for name, examples in EXAMPLES.items():
        settings.register_profile(
            name,
            max_examples=examples,
            database=None,
            derandomize=False,
            deadline=None,
            print_blob=False,
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow),
        )


@contextmanager
def profile_loaded(name: str) -> Iterator[None]:
    """Hypothesis with this profile, for the time in which a module of theorems is imported."""
    from hypothesis import settings

    register()
    before = settings.get_current_profile_name()
    settings.load_profile(name)
    try:
        yield
    finally:
        settings.load_profile(before)


def derived_seed(seed: int, test: str) -> int:
    """The seed of one test: every test has a stream of its own, whatever else is run."""
    return int.from_bytes(hashlib.sha256(f"{seed}\n{test}".encode()).digest()[:16], "big")


@contextmanager
def prepared(function: Any, seed: int, freeze: Any) -> Iterator[None]:
    """A test function while it is called: seeded, and told to freeze after a failing draw.

    Args:
        function: The test function; one that is not a Hypothesis test is left alone.
        seed: The seed of its draws.
        freeze: Called after the first draw that fails, before Hypothesis shrinks it.
    """
    from hypothesis import is_hypothesis_test
    from hypothesis import seed as seeded

    function = getattr(function, "__func__", function)
    if not is_hypothesis_test(function):
        yield
        return
    seeded(seed)(function)
    inner = function.hypothesis.inner_test
    function.hypothesis.inner_test = _freezing(inner, freeze)
    try:
        with no_constants_from_source():
            yield
    finally:
        function.hypothesis.inner_test = inner


def _freezing(inner: Any, freeze: Any) -> Any:
    from hypothesis.errors import UnsatisfiedAssumption

    @wraps(inner)
    def draw(*args: Any, **kwargs: Any) -> Any:
        try:
            return inner(*args, **kwargs)
        except UnsatisfiedAssumption:
            raise
        except (Exception, pytest.fail.Exception):
            freeze()
            raise

    return draw


@contextmanager
def no_constants_from_source() -> Iterator[None]:
    """Hypothesis without the constants it collects from imported source files.

    It mixes them into its draws, so that a test alone would draw otherwise than in the whole run, and
    the command that reproduces a worst case would not reproduce it. There is no public switch; a test
    of ours (tests/reports/test_reproducible.py) fails when this stops working.
    """
    from hypothesis.internal.conjecture import providers

    collect = providers._get_local_constants
    nothing = type(providers.GLOBAL_CONSTANTS)()
    providers.CONSTANTS_CACHE.cache.clear()
    providers._get_local_constants = lambda: nothing
    try:
        yield
    finally:
        providers._get_local_constants = collect
        providers.CONSTANTS_CACHE.cache.clear()
