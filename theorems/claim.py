"""What a claim is, and where all of them are found.

A theorem folder declares its statements in ``claims.py`` as a tuple ``CLAIMS`` of `Claim`, and, where
a source is covered item by item, a tuple ``COVERAGE`` of `Coverage`.
"""

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Literal, get_args

import theorems

Status = Literal["stated", "reconstructed", "this project", "open", "corrected"]


READING_ORDER = (
    "proximal_denoiser",
    "minibatch_convergence",
    "normal_hyperbolicity",
    "flow_matching",
    "learned_flows",
    "definitions",
)
SHARED = ("setting",)
"""Packages that declare no claims: what several theorems rest on."""


@dataclass(frozen=True)
class Claim:
    """A statement that is to be verified.

    Attributes:
        id: Short name used by the marks, such as ``"P2"``.
        label: The item's name in its source, such as ``"Lemma 2.1"``.
        title: One phrase a reader recognises it by.
        statement: The statement in words; may contain formulas between dollar signs.
        formula: The statement in LaTeX.
        assumptions: What it supposes, one sentence each.
        source: Where it is from, as a key of references.bib with a place.
        status: *stated* (known from the source), *reconstructed* (the source's wording is not public
            to us), *this project* (our own result), *open* (evidence without a verdict), *corrected*
            (the source as printed is loose; this is the statement checked).
        modules: The test modules that check it; if one of them is not selected, the verdict is partial.

    Raises:
        ValueError: If the status is unknown or a text is empty.
    """

    id: str
    label: str
    title: str
    statement: str
    formula: str
    assumptions: tuple[str, ...]
    source: str
    status: Status
    modules: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.status not in get_args(Status):
            raise ValueError(f"status of claim {self.id}: got {self.status!r}, use one of {get_args(Status)}")
        for field in ("id", "label", "title", "statement", "formula", "source", "modules"):
            if not getattr(self, field):
                raise ValueError(f"{field} of claim {self.id!r} is empty")


@dataclass(frozen=True)
class Coverage:
    """One item of a source and the claim that checks it (empty: nothing to check)."""

    source: str
    item: str
    claim: str
    note: str


def all_claims() -> tuple[Claim, ...]:
    """Every claim of every theorem folder, in reading order and that of their ``CLAIMS``.

    Raises:
        ValueError: If two claims share an id.
    """
    claims = tuple(claim for module in _declarations() for claim in module.CLAIMS)
    ids = [claim.id for claim in claims]
    repeated = sorted({i for i in ids if ids.count(i) > 1})
    if repeated:
        raise ValueError(f"claim ids declared more than once: {repeated}")
    return claims


def all_coverage() -> tuple[Coverage, ...]:
    """Every row of every theorem folder's ``COVERAGE``."""
    return tuple(row for module in _declarations() for row in getattr(module, "COVERAGE", ()))


def _place(folder: str) -> tuple[int, str]:
    return (READING_ORDER.index(folder) if folder in READING_ORDER else len(READING_ORDER), folder)


def _declarations() -> list[ModuleType]:
    packages = (m.name for m in iter_modules(theorems.__path__) if m.ispkg and m.name not in SHARED)
    folders = sorted(packages, key=_place)
    return [import_module(f"theorems.{name}.claims") for name in folders]
