"""What a run found to do: the tests of the theorems, and which of them are selected."""

import importlib.util
import shlex
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

MARKS = ("claim", "control", "asks")
"""Marks that say which claims a test is about: it checks them, violates them, or asks them of others."""


@cache
def theorems_folder() -> Path | None:
    """The folder of the package `theorems`, found without importing it; None where there is none."""
    try:
        spec = importlib.util.find_spec("theorems")
    except (ImportError, ValueError):
        return None
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]).resolve() if places else None


@cache
def theorem_module(path: Path | None) -> str | None:
    """The dotted name of a file or folder of theorems; None for a path anywhere else."""
    folder = theorems_folder()
    if folder is None or path is None or not path.resolve().is_relative_to(folder):
        return None
    parts = path.resolve().relative_to(folder.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@dataclass(frozen=True, slots=True)
class Test:
    """A collected test of the theorems.

    Attributes:
        name: Module path and function, such as ``theorems.flow.test_x::test_y[0]``; unlike the node id
            it is the same under ``--pyargs``.
        nodeid: What pytest calls it in this run.
        checks: Ids of the claims that it checks.
        controls: Ids of the claims that it is a control of.
        place: File and line, as ``theorems/flow/test_x.py:12``.
        asks: Ids of the claims that it asks of what is not ours, as audits.
    """

    __test__ = False

    name: str
    nodeid: str
    checks: tuple[str, ...]
    controls: tuple[str, ...]
    place: str = ""
    asks: tuple[str, ...] = ()

    @property
    def claims(self) -> frozenset[str]:
        """Every claim that it is about."""
        return frozenset((*self.checks, *self.controls, *self.asks))

    @property
    def module(self) -> str:
        """The module it is in."""
        return self.name.partition("::")[0]

    def command(self, profile: str, seed: int) -> str:
        """What one types to run it again."""
        return f"pytest --pyargs {shlex.quote(self.name)} --hypothesis-profile={profile} --seed={seed}"


def test_of(item: pytest.Item) -> Test | None:
    """The test that an item is; None if it is not one of the theorems."""
    module = theorem_module(item.path)
    if module is None:
        return None
    names = [node.name for node in item.listchain() if isinstance(node, pytest.Class | pytest.Item)]
    place = module.replace(".", "/") + f".py:{(item.location[1] or 0) + 1}"
    checks, controls, asks = (_ids(item, mark) for mark in MARKS)
    return Test("::".join([module, *names]), item.nodeid, checks, controls, place, asks)


def _ids(item: pytest.Item, mark: str) -> tuple[str, ...]:
    ids = [i for marker in item.iter_markers(mark) for i in marker.args]
    return tuple(sorted(dict.fromkeys(ids)))


def mark_problem(item: pytest.Item, known: Iterable[str]) -> str | None:
    """What is wrong with the marks of a test; None if nothing is."""
    known = list(known)
    for mark in MARKS:
        for marker in item.iter_markers(mark):
            if not marker.args or marker.kwargs or not all(isinstance(i, str) for i in marker.args):
                return f'{item.name}: write @pytest.mark.{mark}("id"), with ids of claims as strings'
            unknown = [i for i in marker.args if i not in known]
            if unknown:
                return (
                    f"{item.name}: @pytest.mark.{mark} names {', '.join(map(repr, unknown))},"
                    f" which no claims.py declares; known: {', '.join(known) or 'none'}"
                )
    return None


@dataclass(slots=True)
class Collection:
    """Everything collected, in a form that travels from an xdist worker as JSON.

    Attributes:
        declared: Every test of every collected module, by name.
        selected: Names of the tests that are to run.
        modules: Modules that were collected.
    """

    declared: dict[str, Test]
    selected: set[str]
    modules: set[str]

    @classmethod
    def empty(cls) -> "Collection":
        """Nothing collected so far."""
        return cls({}, set(), set())

    def dump(self) -> dict[str, Any]:
        """As JSON values."""
        tests = [asdict(test) for _, test in sorted(self.declared.items())]
        return {"tests": tests, "selected": sorted(self.selected), "modules": sorted(self.modules)}

    def merge(self, dumped: dict[str, Any]) -> None:
        """Add what another process collected."""
        for fields in dumped["tests"]:
            ids = {mark: tuple(fields[mark]) for mark in ("checks", "controls", "asks")}
            test = Test(fields["name"], fields["nodeid"], **ids, place=fields["place"])
            self.declared[test.name] = test
        self.selected |= set(dumped["selected"])
        self.modules |= set(dumped["modules"])

    def module_collected(self, name: str) -> bool:
        """Whether a module, as a claim names it, was collected."""
        return any(same_module(name, module) for module in self.modules)


def same_module(name: str, module: str) -> bool:
    """Whether a claim's name of a module (``theorems.a.test_b``, ``test_b`` or a path) means this module."""
    dotted = name.removesuffix(".py").replace("/", ".")
    return module == dotted or module.endswith("." + dotted)
