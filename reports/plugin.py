"""The pytest plugin: options, marks and fixtures of the theorems; `reports.run.hooks` follows the run.

`otcfm_theorems` registers it in runs that ask for the theorems; in these, too, nothing heavy is imported
before one of their tests is collected, and tests from elsewhere are left alone.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports.run import inputs
from reports.run.hooks import RECORDER, TEST, RunHooks

if TYPE_CHECKING:
    import numpy as np

    from reports.evidence.fixture import Evidence
    from theorems.setting.user.flows import UserFlow
    from theorems.setting.user.targets import UserTarget


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
        "--jobs",
        type=_jobs,
        default=1,
        metavar="N",
        help="processes for sweeps over batch sizes, -1 for one a core (default 1); numbers stay the same",
    )
    group.addoption(
        "--claim",
        type=_claims,
        metavar="ID,…",
        help="run these claims alone: their checks, controls and audits, whatever module they are in",
    )
    inputs.add_options(group)


def _claims(text: str) -> str:
    ids = [word.strip() for word in text.split(",")]
    if not all(ids):
        raise argparse.ArgumentTypeError(f"got {text!r}, must be ids of claims with commas between them")
    return ",".join(dict.fromkeys(ids))


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"got {text!r}, must be a whole number, 0 or more")
    return int(text)


def _jobs(text: str) -> int:
    if text != "-1" and not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"got {text!r}, must be -1 or a whole number, 1 or more")
    return int(text)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks, make a chosen profile known before Hypothesis loads it, refuse bad options.

    Raises:
        pytest.UsageError: If --report names something that is not ours to replace, or what is handed in
            cannot be used: see `reports.run.inputs`.
    """
    config.addinivalue_line("markers", "claim(id): a check of the claims named")
    config.addinivalue_line(
        "markers", "control(id): a deliberate violation that the claims named must reject"
    )
    config.addinivalue_line("markers", "asks(id): an audit: the claims named are asked of what is not ours")
    from reports.run import profiles

    profile = config.getoption("--hypothesis-profile", None)
    if profile in profiles.EXAMPLES:
        profiles.register()
    directory = config.getoption("--report")
    if directory is not None and not hasattr(config, "workerinput"):
        from reports.run.writer import refuse_foreign

        try:
            refuse_foreign(Path(directory))
        except ValueError as error:
            raise pytest.UsageError(f"--report={directory}: {error}") from None
    if not hasattr(config, "workerinput"):
        inputs.refuse_bad(config)
        _refuse_unknown(config.getoption("--claim"))
    hooks = RunHooks(config, config.getoption("--seed"), profile or profiles.DEFAULT_PROFILE, directory)
    config.pluginmanager.register(hooks, "otcfm-theorems-run")


def _refuse_unknown(claims: str | None) -> None:
    if claims is None:
        return
    from theorems.claim import all_claims

    known = [claim.id for claim in all_claims()]
    if unknown := [name for name in claims.split(",") if name not in known]:
        raise pytest.UsageError(
            f"--claim={claims}: no claims.py declares {', '.join(unknown)}; known: {', '.join(known)}"
        )


@pytest.fixture(scope="session")
def user_target(request: pytest.FixtureRequest) -> "UserTarget":
    """The point cloud of --target. Tests that ask for it are not collected where there is none."""
    return inputs.user_target(request.config)


@pytest.fixture(scope="session")
def user_flow(request: pytest.FixtureRequest) -> "UserFlow":
    """The field of --flow. Tests that ask for it are not collected where there is none."""
    return inputs.user_flow(request.config)


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> str:
    """Where torch computes, --device: ``"cpu"`` unless asked otherwise."""
    return inputs.device(request.config)


@pytest.fixture(scope="session")
def mnist_directory(request: pytest.FixtureRequest) -> Path | None:
    """The directory of --mnist, which holds MNIST's IDX files; None where it is not given."""
    return inputs.mnist_directory(request.config)


@pytest.fixture(scope="session")
def jobs(request: pytest.FixtureRequest) -> int:
    """How many processes a sweep may use: --jobs."""
    return int(request.config.getoption("--jobs"))


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> "Evidence":
    """Records what a test of the theorems measures, and asserts it: see `reports.evidence.fixture`."""
    from reports.evidence.fixture import Evidence

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

    from reports.run.profiles import derived_seed

    test = request.node.stash.get(TEST, None)
    name = test.name if test else request.node.name
    return np.random.default_rng(derived_seed(request.config.getoption("--seed"), name))
