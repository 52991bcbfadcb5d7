"""The list of claims, generated from their declarations: ``python -m theorems.table``, docs/claims.md."""

import sys
from itertools import groupby
from pathlib import Path

from theorems.claim import Claim, all_claims, all_coverage

PAGE = Path("docs/claims.md")
HEAD = """# The claims

Generated from the declarations by `python -m theorems.table`, in reading order. *Reconstructed* means that
the source's own wording is not public to us: the statement checked is ours, and carries that mark. Verdicts
are not kept here: `make report` writes them.
"""


def markdown() -> str:
    """One section a folder of theorems, one entry a claim, and what of each source is covered."""
    claims = all_claims()
    parts = [HEAD, contents(claims)]
    for folder, group in groupby(claims, key=folder_of):
        parts.append(f"## {folder.replace('_', ' ').capitalize()}\n")
        parts += map(entry, group)
    return "\n".join([*parts, coverage()])


def folder_of(claim: Claim) -> str:
    """The theorem folder that checks a claim."""
    return claim.modules[0].split(".")[1]


def contents(claims: tuple[Claim, ...]) -> str:
    """One line a claim."""
    rows = [f"| **{c.id}** | {c.label} | {c.title} | {c.status} |" for c in claims]
    return "\n".join(["| claim | in the source | in a phrase | status |", "|---|---|---|---|", *rows, ""])


def entry(claim: Claim) -> str:
    """Statement, formula, hypotheses, clauses, what it rests on, and where it is checked."""
    lines = [f"### {claim.id} · {claim.title}", "", claim.statement, "", f"$${claim.formula}$$", ""]
    lines += ["Hypotheses:", "", *(f"- {assumption}" for assumption in claim.assumptions), ""]
    if claim.clauses:
        lines += ["Clauses:", "", *(f"- *{clause.name}*: {clause.text}" for clause in claim.clauses), ""]
    if claim.depends:
        lines += [f"Rests on {', '.join(claim.depends)}.", ""]
    files = ", ".join(f"`{module.replace('.', '/')}.py`" for module in claim.modules)
    return "\n".join([*lines, f"{claim.label}; {claim.status}. Checked in {files}.", ""])


def coverage() -> str:
    """Item by item of each source, the claim that checks it."""
    rows = [f"| {row.source} | {row.item} | {row.claim or '—'} | {row.note} |" for row in all_coverage()]
    head = ["## Coverage of the sources", "", "| source | item | claim | note |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, ""])


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(f"python -m theorems.table takes no argument: it writes {PAGE}")
    PAGE.write_text(markdown(), encoding="utf-8")
