"""POWER.md: which share of the faults was noticed, by what, and which survived."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scipy.stats import beta

from benchmarks.mutants.population import NOT_MUTATED
from benchmarks.mutants.trial import Outcome
from benchmarks.recording import machine
from reports.run.power import ENOUGH

LEVEL = 0.05


def share(noticed: int, of: int) -> tuple[float, float]:
    """Clopper–Pearson interval of a share at level 5 %: (0, 1) where nothing was tried.

    Example:
        >>> low, high = share(9, 10)
        >>> round(low, 3), round(high, 3)
        (0.555, 0.997)
    """
    low = float(beta.ppf(LEVEL / 2, noticed, of - noticed + 1)) if noticed else 0.0
    high = float(beta.ppf(1 - LEVEL / 2, noticed + 1, of - noticed)) if noticed < of else 1.0
    return low, high


def noticed_by(outcomes: Sequence[Outcome], suite: str) -> tuple[int, int, float, float] | None:
    """How many were noticed with this suite, how many it was not tried on, and the interval of the share.

    What ``theorems`` notice ``tests`` need not see again. Faults that neither were noticed nor shown to the
    suite may all survive it, or none: the interval's lower end is of the first, its upper end of the second.

    Returns:
        None where no fault was shown to the suite.
    """
    if not any(suite in o.suites for o in outcomes):
        return None
    seen = [o.in_theorems if suite == "theorems" else o.noticed for o in outcomes]
    open_ = sum(not s and suite not in o.suites for s, o in zip(seen, outcomes, strict=True))
    hits, of = sum(seen), len(outcomes)
    return hits, open_, share(hits, of)[0], share(hits + open_, of)[1]


def line(name: str, outcomes: Sequence[Outcome], equivalent: Mapping[str, str]) -> str:
    """A row: faults tried, equivalent ones, and both shares with their intervals."""
    counted = [o for o in outcomes if o.mutant.key not in equivalent]
    cells = [name, str(len(outcomes)), str(len(outcomes) - len(counted))]
    for suite in ("theorems", "tests"):
        found = noticed_by(counted, suite)
        if found is None:
            cells.append("not tried" if counted else "none")
            continue
        hits, open_, low, high = found
        left = f", {open_} not tried" if open_ else ""
        cells.append(f"{hits} ({100 * low:.0f} to {100 * high:.0f} %{left})")
    return "| " + " | ".join(cells) + " |"


def score(
    outcomes: Sequence[Outcome], equivalent: Mapping[str, str], code: str, claims: Mapping[str, list[str]]
) -> dict[str, Any]:
    """What the report says of it, for the code of that hash: equivalent faults do not count.

    It speaks of the theorems alone, and of the faults that were shown to them; whether ``tests`` met any is
    said by `markdown`. ``claims`` holds, of each claim, how many faults its checks and controls were the
    first to notice.

    Raises:
        ValueError: If outcomes were shown to ``tests`` only, of which nothing can be said here.
    """
    counted = [o for o in outcomes if o.mutant.key not in equivalent]
    unseen = [o.mutant.key for o in counted if "theorems" not in o.suites]
    if unseen:
        raise ValueError(f"{len(unseen)} faults were never shown to the theorems, {unseen[0]} among them")
    noticed = sum(o.in_theorems for o in counted)
    interval = [round(end, 4) for end in share(noticed, len(counted))]
    found = {"code": code, "tried": len(counted), "noticed": noticed, "interval": interval}
    return found | {"claims": first_noticed(counted, claims)}


def claims_of(report: Mapping[str, Any]) -> dict[str, list[str]]:
    """Check, whatever its parameters → the claims that it is evidence or a control of, from a report.json."""
    found: dict[str, list[str]] = {}
    for claim in report["claims"]:
        for record in [*claim["evidence"], *claim["controls"]]:
            names = found.setdefault(record["test"].partition("[")[0], [])
            if claim["id"] not in names:
                names.append(claim["id"])
    return found


def first_noticed(outcomes: Sequence[Outcome], claims: Mapping[str, list[str]]) -> dict[str, int]:
    """Claim → how many faults a check or control of it was the first to notice; a claim with none has 0.

    These counts are floors: who comes later is not asked, and where a run did not end, or failed as a whole,
    no check is known to have noticed.

    Example:
        >>> first_noticed([], {"theorems.definitions.test_a::test_b": ["D1"]})
        {'D1': 0}
    """
    counts = dict.fromkeys(sorted({claim for names in claims.values() for claim in names}), 0)
    for outcome in outcomes:
        for claim in claims.get(_as_reported(outcome.by), []):
            counts[claim] += 1
    return counts


def _as_reported(node: str) -> str:
    """``theorems/a/test_b.py::test_c`` as reports write it, ``theorems.a.test_b::test_c``."""
    file, _, function = node.partition("::")
    return f"{file.removesuffix('.py').replace('/', '.')}::{function}"


def markdown(
    outcomes: Sequence[Outcome],
    drawn: Mapping[str, int],
    equivalent: Mapping[str, str],
    claims: Mapping[str, list[str]],
) -> str:
    """The whole page. ``drawn`` says seed, size of the sample and of the population."""
    head = ["faults", "tried", "equivalent", "noticed by `pytest theorems`", "with `tests`"]
    table = ["| " + " | ".join(head) + " |", "|---|---|---|---|---|"]
    lines = ["# Power", "", "Written by `make mutants`: faults put into the code, one at a time.", ""]
    sizes = f"{len(outcomes)} tried of {drawn['sample']} drawn from {drawn['population']}"
    lines += [f"Sample {drawn['seed']}: {sizes}, an operator at random and then one of its places."]
    lines += ["Intervals are those of Clopper and Pearson, at 95 %.", ""]
    lines += [*table, line("all", outcomes, equivalent), ""]
    lines += _by("what runs the line", outcomes, equivalent, table, _runs)
    lines += _by("package", outcomes, equivalent, table, lambda o: "/".join(o.mutant.path.split("/")[:2]))
    lines += _by("operator", outcomes, equivalent, table, lambda o: o.mutant.operator)
    lines += _noticing(outcomes, claims)
    lines += _survivors(outcomes, equivalent)
    lines += [
        "## Not mutated",
        "",
        *(f"- {what}: {why}." for what, why in NOT_MUTATED.items()),
        "",
        machine(),
        "",
    ]
    return "\n".join(lines)


def _runs(outcome: Outcome) -> str:
    """A fault in a line that no check runs can't be noticed by one: readers, pages, audits without a flow."""
    return "a check of theorems" if outcome.theorems else "no check of theorems"


def _by(
    title: str,
    outcomes: Iterable[Outcome],
    equivalent: Mapping[str, str],
    table: Sequence[str],
    key: Callable[[Outcome], str],
) -> list[str]:
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(key(outcome), []).append(outcome)
    rows = [line(name, groups[name], equivalent) for name in sorted(groups)]
    return [f"## By {title}", "", *table, *rows, ""]


def _noticing(outcomes: Sequence[Outcome], claims: Mapping[str, list[str]]) -> list[str]:
    counts = first_noticed(outcomes, claims)
    few = [claim for claim, count in counts.items() if count < ENOUGH]
    said = f"Fewer than {ENOUGH} were first noticed by: {', '.join(few) or 'none'}. The first to fail counts."
    rows = [f"| {claim} | {count} |" for claim, count in counts.items()]
    return ["## Which claim noticed first", "", said, "", "| claim | faults |", "|---|---|", *rows, ""]


def _survivors(outcomes: Sequence[Outcome], equivalent: Mapping[str, str]) -> list[str]:
    lines = ["## Not noticed by `pytest theorems`", ""]
    for outcome in sorted(outcomes, key=lambda o: (o.noticed, o.mutant.path, o.mutant.line)):
        if outcome.in_theorems:
            continue
        missed = "survived" if "tests" in outcome.suites else "survived; `tests` not tried"
        by = f"noticed by {outcome.by}" if outcome.noticed else missed
        reason = equivalent.get(outcome.mutant.key)
        by = f"equivalent: {reason}" if reason else f"{by}; {outcome.asked} checks touch the line"
        lines.append(f"- {outcome.mutant.path}:{outcome.mutant.line} ({outcome.mutant.operator}), {by}")
        lines += [f"    - `{outcome.changed[0]}`", f"    + `{outcome.changed[1]}`"]
    return [*lines, ""]


def equivalents(path: Path) -> dict[str, str]:
    """Faults that change nothing, each with its reason: lines ``key: reason``.

    Raises:
        ValueError: If a line has no reason.
    """
    found: dict[str, str] = {}
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else [], 1):
        if text.strip() and not text.startswith("#"):
            key, colon, reason = text.partition(": ")
            if not colon or not reason.strip():
                raise ValueError(f"{path.name}, line {number}: give a reason after the fault's name")
            found[key] = reason.strip()
    return found
