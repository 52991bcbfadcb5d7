"""The entry point that pytest loads: the theorems' plugin for runs that ask for them, and nothing for others.

Every pytest run of an environment loads this module. It imports nothing of this project and declares no
option unless an argument names the theorems, so that a neighbour's options and packages are safe.
"""

import importlib
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

PLUGIN = "reports.plugin"


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
