"""What a family and a theorem must declare; each message says what is missing, and where it goes."""

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import numerics.potentials as public
import theorems
from numerics.potentials import Potential
from numerics.potentials.carried import Carried
from numerics.potentials.instances import Use, instances
from numerics.potentials.product_potential import Product
from theorems.claim import READING_ORDER, SHARED, Claim, all_claims
from theorems.setting.audits import quantified_in
from theorems.setting.families import FAMILIES, NOT_DRAWN

ROOT = Path(theorems.__path__[0])
NAMED = {name: getattr(public, name) for name in public.__all__}
CLASSES = {n: c for n, c in NAMED.items() if inspect.isclass(c) and issubclass(c, Potential)}
FOLDERS = sorted(m.name for m in pkgutil.iter_modules(theorems.__path__) if m.ispkg and m.name not in SHARED)
DERIVED = (Carried, Product)
"""What rules of the calculus make."""
FAMILY_NAMES = sorted(name for name in CLASSES if name != "Potential")
RULES = sorted(n for n, f in NAMED.items() if getattr(f, "__module__", "") == "numerics.potentials.calculus")


def _defined() -> list[type[Potential]]:
    """Every potential that a module of numerics.potentials defines."""
    modules = [import_module(f"numerics.potentials.{m.name}") for m in pkgutil.iter_modules(public.__path__)]
    return [
        found
        for module in modules
        for found in vars(module).values()
        if inspect.isclass(found) and issubclass(found, Potential) and found.__module__ == module.__name__
    ]


def test_every_family_is_exported() -> None:
    families = tuple(CLASSES[name] for name in FAMILY_NAMES)
    for family in _defined():
        hidden = family.__name__.startswith("_") or inspect.isabstract(family) or issubclass(family, DERIVED)
        base = any(issubclass(other, family) for other in families)
        if not hidden and not base and not issubclass(family, families):
            where = f"{family.__module__.replace('.', '/')}.py"
            assert family.__name__ in CLASSES, (
                f"{where} defines {family.__name__}, which numerics/potentials/__init__.py does not export"
            )


@pytest.mark.parametrize("use", [Use.LAW, Use.REPRESENTATIVE], ids=lambda use: use.name)
@pytest.mark.parametrize("name", FAMILY_NAMES)
def test_every_family_has_an_instance(name: str, use: Use) -> None:
    assert any(isinstance(instance.potential, CLASSES[name]) for instance in instances(use)), (
        f"{name} has no instance with Use.{use.name}: add one to numerics/potentials/instances.py"
    )


@pytest.mark.parametrize("use", [Use.LAW, Use.REPRESENTATIVE], ids=lambda use: use.name)
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_an_instance(rule: str, use: Use) -> None:
    assert any(f"{rule}(" in repr(instance.potential) for instance in instances(use)), (
        f"{rule} makes no instance with Use.{use.name}: add one to numerics/potentials/instances.py"
    )


@pytest.mark.parametrize("name", FAMILY_NAMES)
def test_every_family_is_drawn(name: str) -> None:
    assert (name in {drawn for drawn, _ in FAMILIES}) != (name in NOT_DRAWN), (
        f"{name} is drawn by nothing: add a strategy to theorems/setting/families.py"
    )


def test_families_are_drawn_under_their_own_names() -> None:
    for name, strategy in FAMILIES:
        assert name in CLASSES, f"{name} in theorems/setting/families.py is no public family"
        assert strategy is not None


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_of_theorems_declares_claims_and_has_a_place(folder: str) -> None:
    assert (ROOT / folder / "claims.py").exists(), f"theorems/{folder} has no claims.py"
    assert folder in READING_ORDER, f"theorems/{folder} is not in READING_ORDER of theorems/claim.py"


def test_what_is_in_the_reading_order_exists() -> None:
    for folder in READING_ORDER:
        assert folder in FOLDERS, f"READING_ORDER of theorems/claim.py names {folder}, which is no folder"


@pytest.mark.parametrize("folder", FOLDERS)
def test_checks_are_of_claims_and_their_modules_are_named(folder: str) -> None:
    claims = {claim.id: claim for claim in all_claims()}
    for check in quantified_in(f"theorems.{folder}"):
        for claim in check.claims:
            assert claim in claims, f"{check.name} of {folder} checks {claim}, which no claims.py declares"
            module = check.check.__module__
            assert module in claims[claim].modules, f"{claim} does not name {module}, which checks it"


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_claim_has_clauses_that_its_modules_name(folder: str) -> None:
    """Whether a check of the claim records under each is decided at run time: else it is unsupported."""
    for claim in all_claims():
        if any(name.startswith(f"theorems.{folder}.") for name in claim.modules):
            _check_clauses(claim)


def _check_clauses(claim: Claim) -> None:
    assert claim.clauses, f"{claim.id} declares no clauses: split its statement into what checks confirm"
    sources = [Path(import_module(name).__file__ or "").read_text(encoding="utf-8") for name in claim.modules]
    for clause in claim.clauses:
        assert any(f'"{clause.name}"' in source for source in sources), (
            f"{claim.id}: no module of the claim names the clause {clause.name!r}"
        )


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_can_be_asked_of_a_user_is_asked(folder: str) -> None:
    asked = [c for c in quantified_in(f"theorems.{folder}") if c.targets is not None and not c.unasked]
    if asked:
        assert (ROOT / folder / "test_user_target.py").exists(), (
            f"theorems/{folder} has no test_user_target.py: {asked[0].name} is not asked of users' points"
        )


MODULES = sorted(f"theorems.{file.parent.name}.{file.stem}" for file in ROOT.glob("*/test_*.py"))
SAYS = {"claim", "control", "asks"}


def _says(test: Any) -> bool:
    """Whether a test says which claims it is about, by a mark or by a mark of every parameter."""
    marks = getattr(test, "pytestmark", [])
    return any(mark.name in SAYS for mark in marks) or any(
        all(SAYS & {one.name for one in getattr(case, "marks", ())} for case in mark.args[1])
        for mark in marks
        if mark.name == "parametrize"
    )


@pytest.mark.parametrize("name", MODULES)
def test_who_audits_says_what_it_asks(name: str) -> None:
    """`--claim` finds checks, controls and audits by their marks: without one a test is found by none."""
    tests = [(n, test) for n, test in vars(import_module(name)).items() if n.startswith("test_")]
    for test_name, test in tests:
        if callable(test) and "evidence" in inspect.signature(test).parameters:
            assert _says(test), (
                f"{name}::{test_name} checks no claim: write which it asks, @pytest.mark.asks(…)"
            )


def test_a_test_that_says_nothing_is_found() -> None:
    def silent(evidence: Any, k: Any) -> None:
        """Says nothing."""

    assert not _says(silent)
    assert not _says(pytest.mark.parametrize("k", [1, pytest.param(2, marks=pytest.mark.asks("P1"))])(silent))
    assert _says(pytest.mark.asks("P1")(silent))
