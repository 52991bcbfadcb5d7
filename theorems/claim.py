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
    "stability",
    "flow_matching",
    "learned_flows",
    "definitions",
)
SHARED = ("setting",)
"""Packages that declare no claims: what several theorems rest on."""
HYPOTHESES = {
    "A1": r"$\varphi|_M$ is $C^2$ near $x_1$.",
    "A2": r"$\partial\varphi(x_1)$ has dimension $d-m$.",
    "A3": r"$x_0$ is in the relative interior of $\partial\varphi(x_1)$.",
    "A4": r"$\partial\varphi|_M$ is inner semicontinuous at $x_1$.",
    "A5": r"$H\succ0$ on $T$.",
    "SC": r"$(1-t)\dot\alpha/\alpha\to-\gamma$, $\gamma>0$, and $(1-t)\dot\beta/\beta\to0$ as $t\to1$.",
}
"""What claims may depend on besides each other, by name."""


@dataclass(frozen=True)
class Clause:
    """One part of a statement that a check can confirm by itself.

    Attributes:
        name: What evidence names it by, such as ``"existence"``; unique within its claim.
        text: The clause in words; may contain formulas between dollar signs.

    Raises:
        ValueError: If a text is empty.

    Example:
        >>> Clause("bound", "The error is at most $C/n$.").name
        'bound'
    """

    name: str
    text: str

    def __post_init__(self) -> None:
        for field in ("name", "text"):
            if not getattr(self, field).strip():
                raise ValueError(f"{field} of clause {self.name!r} is empty")


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
        depends: Ids of the claims, and names of the hypotheses (``"A1"``, ``"SC"``), that it rests on.
        clauses: The parts of the statement that checks name by ``clause=``; a clause without a check
            leaves the claim unsupported.

    Raises:
        ValueError: If the status is unknown, a text is empty, two clauses share a name, or it depends on
            itself.
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
    depends: tuple[str, ...] = ()
    clauses: tuple[Clause, ...] = ()

    def __post_init__(self) -> None:
        if self.status not in get_args(Status):
            raise ValueError(f"status of claim {self.id}: got {self.status!r}, use one of {get_args(Status)}")
        for field in ("id", "label", "title", "statement", "formula", "source", "modules"):
            if not getattr(self, field):
                raise ValueError(f"{field} of claim {self.id!r} is empty")
        if self.id in self.depends:
            raise ValueError(f"depends of claim {self.id!r} names the claim itself")
        names = [clause.name for clause in self.clauses]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"clauses of claim {self.id!r} named more than once: {repeated}")


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
