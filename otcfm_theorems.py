"""The entry point that pytest loads: the theorems' plugin for runs that ask for them, and nothing for others.

Every pytest run of an environment loads this module. It imports nothing of this project and declares no
option unless an argument names the theorems, so that a neighbour's options and packages are safe.

A run of all theorems is spread over the cores, as ``-n auto`` would, a thread each. The number of processes
changes nothing; that of threads changes how large products round, and so digits of a few sampled numbers.
"""

import importlib
import importlib.util
import os
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

PLUGIN = "reports.plugin"
MOST_PROCESSES = 4
"""Each comes to hold 0.9 GB."""
CHOICES = ("keyword", "markexpr", "deselect", "lf", "failedfirst", "stepwise", "claim", "target", "flow")
"""Options that choose or hand in: such a run is short, or solves once what every process would solve."""
WATCHING = ("usepdb", "trace", "collectonly", "setuponly", "setupplan", "setupshow")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Register the plugin, with its options, where the run asks for the theorems."""
    manager = early_config.pluginmanager
    if not asks_for_theorems(early_config) or manager.has_plugin(PLUGIN):
        return
    try:
        manager.register(importlib.import_module(PLUGIN), PLUGIN)
    except ValueError as error:  # an option of the same name
        raise pytest.UsageError(f"the theorems cannot run beside another plugin: {error}") from None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Spread a run of all theorems over the cores, a thread each, unless ``-n`` says how."""
    processes = _processes(config)
    if processes < 2:
        return (yield)
    config.option.numprocesses, config.option.dist = processes, "worksteal"
    with pytest.MonkeyPatch.context() as environment:
        if "OMP_NUM_THREADS" not in os.environ:  # threads of processes side by side wait for one another
            environment.setenv("OMP_NUM_THREADS", "1")
        return (yield)


def _processes(config: pytest.Config) -> int:
    """How many processes to spread the run over; 0 where the command says how, or asks for less than all."""
    option = config.option
    said = getattr(option, "numprocesses", 0) is not None or option.dist != "no" or option.tx
    chosen = any(getattr(option, name, None) for name in (*CHOICES, *WATCHING)) or option.capture == "no"
    said = said or getattr(option, "jobs", 1) != 1  # sweeps are to be spread, in one process
    if hasattr(config, "workerinput") or said or chosen or not _asks_for_all(config):
        return 0
    return min(config.hook.pytest_xdist_auto_num_workers(config=config), MOST_PROCESSES)


def _asks_for_all(config: pytest.Config) -> bool:
    """Whether the arguments are the package `theorems`, whole and alone."""
    known: Any = config.known_args_namespace
    folder, words = _theorems(), list(known.file_or_dir)
    whole = [
        word == "theorems" if known.pyargs else (config.invocation_params.dir / word).resolve() == folder
        for word in words
    ]
    return folder is not None and bool(words) and all(whole)


def asks_for_theorems(config: pytest.Config) -> bool:
    """Whether an argument names the package `theorems` or something in it, or a folder that it stands in.

    Without arguments pytest runs its ``testpaths``, or else the current directory.
    """
    folder = _theorems()
    if folder is None:
        return False
    known: Any = config.known_args_namespace
    words = list(known.file_or_dir)
    if known.pyargs and any(_names(word) for word in words):
        return True
    start = config.invocation_params.dir
    if not words:
        words = [str(config.rootpath / path) for path in config.getini("testpaths")] or [str(start)]
    return any(_reaches(start / word.partition("::")[0], folder) for word in words)


def _names(word: str) -> bool:
    return word.partition("::")[0].partition(".")[0] == "theorems"


def _reaches(path: Path, folder: Path) -> bool:
    path = path.resolve()
    return path == folder.parent or path.is_relative_to(folder)


def _theorems() -> Path | None:
    """The folder of this project's package `theorems`, found without importing it."""
    try:
        spec = importlib.util.find_spec("theorems")
    except (ImportError, ValueError):
        return None
    places: Iterable[str] = (spec.submodule_search_locations or ()) if spec else ()
    found = [Path(place).resolve() for place in places]
    return next((place for place in found if (place / "claim.py").is_file()), None)
