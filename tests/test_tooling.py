"""What a commit must pass is said once, and the versions tried are those that the package names."""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _recipe(target: str) -> list[list[str]]:
    lines = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert lines, f"the Makefile has no target {target}"
    return [
        shlex.split(line.strip().replace("$(RUN)", ".venv/bin/python -m")) for line in lines[1].splitlines()
    ]


def _matrix() -> dict[str, object]:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    names = [n for n in tree.body if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)]
    return {n.targets[0].id: n.value for n in names}


def test_pre_commit_and_ci_run_the_same_commands():
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    hooks = repository["hooks"]
    assert [shlex.split(hook["entry"]) for hook in hooks] == _recipe("lint")
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in hooks)
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert "make lint" in lines
    assert any(line.startswith("make test") for line in lines)


def test_the_matrix_tries_every_python_that_the_package_names():
    names = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    tried = ast.literal_eval(_matrix()["PYTHONS"])
    assert names
    assert set(names) <= set(tried)
    assert all(version in SpecifierSet(PROJECT["requires-python"]) for version in names)
    assert SpecifierSet(PROJECT["requires-python"]) == SpecifierSet(
        f">={min(tried, key=lambda v: int(v[2:]))}"
    )


def test_every_dependency_is_pinned_within_its_range():
    """The lock is made by uv (`make lock`); this notices a dependency that was added or raised without it."""
    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if "==" in line and not line.startswith("#"):
            pin = Requirement(line)
            pins.setdefault(_same(pin.name), []).append(pin.specifier)
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["test"], *extras["dev"], *extras["docs"], *extras["cluster"]]
    for requirement in map(Requirement, [*wanted, *extras["matrix"]]):
        if requirement.name == PROJECT["name"]:
            continue
        found = pins.get(_same(requirement.name))
        assert found, f"{requirement.name} is not pinned: make lock"
        for pin in found:
            (version,) = (part.version for part in pin)
            assert version in requirement.specifier, f"{requirement} is pinned to {version}: make lock"


def test_dependencies_have_floors_that_the_matrix_can_try():
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert [part.operator for part in requirement.specifier] == [">="], requirement


def _same(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
