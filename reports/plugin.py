"""The pytest plugin: options, marks and fixtures of the theorems; `reports.hooks` follows the run.

It is an entry point, so every pytest of the environment loads it: nothing heavy is imported before a
test of the theorems is collected, and tests from elsewhere are left alone.
"""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reports.hooks import RECORDER, TEST, RunHooks

if TYPE_CHECKING:
    import numpy as np

    from reports.fixture import Evidence
    from reports.user_target import UserTarget

TARGET: "pytest.StashKey[UserTarget]" = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("theorems", "verification of the theorems")
    group.addoption("--report", metavar="DIR", help="write report.json, its figures and index.html into DIR")
    group.addoption(
        "--seed",
        type=_seed,
        default=0,
        metavar="N",
        help="seed of every generator of the theorems (default 0)",
    )
    group.addoption(
        "--target",
        metavar="FILE.npz",
        help="ask the claims of your own data, too: `points` (n, d), and `weights` (n,) where not uniform",
    )


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"got {text!r}, must be a whole number, 0 or more")
    return int(text)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks, make a chosen profile known before Hypothesis loads it, refuse bad options.

    Raises:
        pytest.UsageError: If --report names something that is not ours to replace, or --target names a file
            that holds no weighted point cloud.
    """
    config.addinivalue_line("markers", "claim(id): a check of the claims named")
    config.addinivalue_line(
        "markers", "control(id): a deliberate violation that the claims named must reject"
    )
    from reports import profiles

    profile = config.getoption("--hypothesis-profile", None)
    if profile in profiles.EXAMPLES:
        profiles.register()
    directory = config.getoption("--report")
    if directory is not None and not hasattr(config, "workerinput"):
        from reports.writer import refuse_foreign

        try:
            refuse_foreign(Path(directory))
        except ValueError as error:
            raise pytest.UsageError(f"--report={directory}: {error}") from None
    if config.getoption("--target") is not None and not hasattr(config, "workerinput"):
        _load_target(config)
    hooks = RunHooks(config, config.getoption("--seed"), profile or profiles.DEFAULT_PROFILE, directory)
    config.pluginmanager.register(hooks, "otcfm-theorems-run")


def _load_target(config: pytest.Config) -> "UserTarget":
    from reports.user_target import UserTarget, load

    file = config.getoption("--target")
    if TARGET not in config.stash:
        try:
            points, weights = load(file)
        except ValueError as error:
            raise pytest.UsageError(f"--target={file}: {error}") from None
        name, seed = Path(file).name, config.getoption("--seed")
        config.stash[TARGET] = UserTarget(name, points, weights, seed, lambda line: _say(config, line))
    return config.stash[TARGET]


def _say(config: pytest.Config, line: str) -> None:
    """A line on the terminal, past pytest's capture; nothing in an xdist worker or with ``-q``."""
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    if terminal is None or config.get_verbosity() < 0 or hasattr(config, "workerinput"):
        return
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        terminal.ensure_newline()
        terminal.write_line(line)


@pytest.fixture(scope="session")
def user_target(request: pytest.FixtureRequest) -> "UserTarget":
    """The point cloud of --target. Tests that ask for it are not collected where there is none."""
    return _load_target(request.config)


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> "Evidence":
    """Records what a test of the theorems measures, and asserts it: see `reports.fixture.Evidence`."""
    from reports.fixture import Evidence

    if RECORDER not in request.node.stash:
        raise pytest.UsageError(f"{request.node.nodeid}: `evidence` is for tests in the package `theorems`")
    return Evidence(request.node.stash[RECORDER])


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> "np.random.Generator":
    """A generator of random numbers that depends on --seed and the test alone.

    Not inside ``@given``: it goes on from draw to draw, so that no failing draw could be repeated; draw
    a seed there instead.
    """
    import numpy as np

    from reports.profiles import derived_seed

    test = request.node.stash.get(TEST, None)
    name = test.name if test else request.node.name
    return np.random.default_rng(derived_seed(request.config.getoption("--seed"), name))
