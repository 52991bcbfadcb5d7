"""What a user hands in on the command line: a target, a flow, a device, images. Refused in one line.

Everything is read by the process that reports, before any check; xdist's workers read what they use.
"""

import argparse
import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from theorems.setting.user.flows import UserFlow
    from theorems.setting.user.targets import Array, UserTarget

TARGET: "pytest.StashKey[UserTarget]" = pytest.StashKey()
FLOW: "pytest.StashKey[UserFlow]" = pytest.StashKey()
NEEDS = {"user_target": "--target", "user_flow": "--flow"}
"""Fixtures, and the option without which tests that ask for them are not collected."""
OPTIONS = (
    *("--claim", "--target", "--merge-duplicates", "--resume", "--flow", "--checkpoint", "--label", "--dim"),
    *("--device", "--mnist"),
)
"""Options that change what a run finds."""
DEFAULTS = {"--device": "cpu", "--merge-duplicates": False}
OF_A_FLOW = {"--dim": "dimension", "--checkpoint": "file of weights", "--label": "class"}
T = TypeVar("T")


def add_options(group: pytest.OptionGroup) -> None:
    """Declare the options."""
    group.addoption(
        "--target",
        metavar="FILE",
        help="ask the claims of your own data, too: .npz with `points` (n, d), and `weights` (n,) where not"
        " uniform, .npy, .csv or .parquet with a point a row; of numerics.transport.save with its solution",
    )
    group.addoption(
        "--merge-duplicates", action="store_true", help="add the weights of repeated points of --target"
    )
    group.addoption(
        "--resume", metavar="FILE.npz", help="go on solving --target from the heights an interrupted run kept"
    )
    group.addoption(
        "--flow",
        metavar="MODULE:ATTR",
        help="ask the claims of your own flow, too: velocity(t, x), NumPy or torch, x (n, D); the order of"
        " its arguments is found out, or said: 'MODULE:ATTR(x, t)'; 'MODULE:MAKE()' calls a factory or a"
        " class; your module is imported: its code runs",
    )
    group.addoption(
        "--checkpoint",
        metavar="FILE.pt",
        help="weights for the torch module of --flow, a state_dict saved by torch.save; FILE.pt:NAME takes"
        " one of several; nothing that the file holds is run",
    )
    group.addoption(
        "--label",
        type=_label,
        metavar="K",
        help="the class that is asked of a class-conditional --flow",
    )
    group.addoption("--dim", type=_dimension, metavar="D", help="dimension of --flow")
    group.addoption(
        "--device", default=DEFAULTS["--device"], help="where torch computes: cpu (default), cuda, cuda:0, …"
    )
    group.addoption(
        "--mnist", metavar="DIR", help="take the images of figure 5 from MNIST's IDX files in DIR"
    )


def _dimension(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, must be a whole number, 1 or more")
    return int(text)


def _label(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"got {text!r}, must be a whole number, 0 or more")
    return int(text)


def refuse_bad(config: pytest.Config) -> None:
    """Read everything that was handed in.

    Raises:
        pytest.UsageError: In one line that names the option.
    """
    given = config.getoption
    device(config)
    mnist_directory(config)
    for option, words in OF_A_FLOW.items():
        if given(option) is not None and given("--flow") is None:
            raise pytest.UsageError(f"{option}: is the {words} of --flow; add --flow=MODULE:ATTR")
    for option in ("--merge-duplicates", "--resume"):
        if given(option) and given("--target") is None:
            raise pytest.UsageError(f"{option}: is for --target; add --target=FILE")
    if given("--target") is not None:
        user_target(config)
    if given("--flow") is not None:
        user_flow(config)


def user_target(config: pytest.Config) -> "UserTarget":
    """The point cloud of --target.

    Raises:
        pytest.UsageError: If the file holds no weighted point cloud.
    """
    from theorems.setting.user.targets import load

    file = config.getoption("--target")
    if TARGET not in config.stash:
        merge, seed = config.getoption("--merge-duplicates"), config.getoption("--seed")
        target = _refusing(
            "--target",
            file,
            lambda: load(file, merge=merge, seed=seed, say=lambda line: _say(config, line)),
        )
        resumed = config.getoption("--resume")
        if resumed is not None and target.given is not None:
            raise pytest.UsageError(f"--resume={resumed}: --target holds its solution; leave --resume out")
        start = _heights(resumed, target.points, target.weights)
        config.stash[TARGET] = target if start is None else replace(target, start=start)
    return config.stash[TARGET]


def keep_target(config: pytest.Config) -> None:
    """Write what solving --target took long for, if it was solved here: the run is interrupted."""
    if (target := config.stash.get(TARGET, None)) is not None:
        target.keep()


def _heights(file: str | None, points: "Array", weights: "Array") -> "Array | None":
    """What --resume holds, for this cloud."""
    if file is None:
        return None
    from numerics.transport import load_heights

    def read() -> "Array":
        if not Path(file).is_file():
            raise ValueError("there is no such file")
        return load_heights(file, points, weights)

    return _refusing("--resume", file, read)


def user_flow(config: pytest.Config) -> "UserFlow":
    """The field of --flow, in the dimension of --dim or --target.

    Raises:
        pytest.UsageError: If it is no such field.
    """
    from theorems.setting.user import checkpoints
    from theorems.setting.user.flows import load

    words, dim = config.getoption("--flow"), config.getoption("--dim")
    if FLOW in config.stash:
        return config.stash[FLOW]
    if config.getoption("--target") is not None:
        d = user_target(config).points.shape[1]
        if dim not in (None, d):
            raise pytest.UsageError(f"--dim={dim}: the points of --target have dimension {d}")
        dim = d
    target = user_target(config) if config.getoption("--target") is not None else None
    seed, where = config.getoption("--seed"), device(config)
    file, label = config.getoption("--checkpoint"), config.getoption("--label")
    weights = None if file is None else _refusing("--checkpoint", file, lambda: checkpoints.read(file))
    further: dict[str, Any] = {"seed": seed, "target": target, "say": lambda line: _say(config, line)}
    config.stash[FLOW] = _refusing(
        "--flow", words, lambda: load(words, dim, where, weights, label, **further)
    )
    return config.stash[FLOW]


def device(config: pytest.Config) -> str:
    """The device of --device; torch is asked only for one that isn't the CPU.

    Raises:
        pytest.UsageError: If there is no such device here.
    """
    name = str(config.getoption("--device"))
    if name == "cpu":
        return name
    if not re.fullmatch(r"cuda(:\d+)?", name):
        raise pytest.UsageError(f"--device={name}: use cpu, cuda or cuda:N")
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count <= int(name.partition(":")[2] or 0):
        raise pytest.UsageError(f"--device={name}: torch finds {count} CUDA devices here; use cpu")
    return name


def mnist_directory(config: pytest.Config) -> Path | None:
    """The directory of --mnist, None where it is not given.

    Raises:
        pytest.UsageError: If it does not hold MNIST's training images and labels, plain or gzipped.
    """
    name = config.getoption("--mnist")
    if name is None:
        return None
    from theorems.setting.user.idx import checked

    return _refusing("--mnist", name, lambda: checked(Path(name)))


def _refusing(option: str, value: object, read: Callable[[], T]) -> T:
    try:
        return read()
    except ValueError as error:
        raise pytest.UsageError(f"{option}={value}: {error}") from None


def _say(config: pytest.Config, line: str) -> None:
    """A line on the terminal, past pytest's capture; nothing in an xdist worker or with ``-q``."""
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    if config.get_verbosity() < 0 or hasattr(config, "workerinput"):
        return
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        if terminal is None:  # while options are read
            print(line)
            return
        terminal.ensure_newline()
        terminal.write_line(line)
