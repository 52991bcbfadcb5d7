"""The content of report.json, assembled from a run."""

import base64
import hashlib
import platform
import re
import shlex
from collections.abc import Iterable
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest

from reports.run.collection import Test
from reports.run.inputs import DEFAULTS, OPTIONS
from reports.run.outcome import Outcome
from reports.run.provenance import provenance, references

if TYPE_CHECKING:
    from reports.run.state import Run
    from theorems.claim import Claim

SCHEMA = 2
DISTRIBUTION = "otcfm-theorems"
INTERRUPTED = "interrupted"
"""Where errors of collection name a module."""


def document(run: "Run", config: pytest.Config) -> dict[str, Any]:
    """Everything that report.json says."""
    return {
        "schema": SCHEMA,
        "run": {
            "versions": versions(),
            "seed": run.seed,
            "profile": run.profile,
            "command": command(config, run),
            "level_spent": run.level_spent,
            "errors": _errors(run),
        },
        "provenance": provenance(run),
        "hypotheses": run.hypotheses,
        "claims": [_claim(run, claim) for claim in run.claims],
        "audits": _audits(run),
        "coverage": [
            {"source": row.source, "item": row.item, "claim": row.claim, "note": row.note}
            for row in run.coverage
        ],
        "references": references(run),
    }


def _errors(run: "Run") -> list[dict[str, str]]:
    """What could not be collected, and, first, that the run was stopped."""
    errors = [{"module": m, "message": text} for m, text in sorted(run.errors.items())]
    if not run.interrupted:
        return errors
    ran, selected = len(run.outcomes), len(run.collection.selected)
    return [{"module": INTERRUPTED, "message": f"stopped after {ran} of {selected} tests"}, *errors]


def versions() -> dict[str, str]:
    """Versions of Python, of this project, and of everything it depends on that is installed."""
    found = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    try:
        requirements = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        requirements = []
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in requirements if "extra ==" not in line]
    for name in [DISTRIBUTION, *sorted(names, key=str.lower)]:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def command(config: pytest.Config, run: "Run") -> str:
    """The command of the run, without what cannot change its result (processes, verbosity, directories)."""
    words = ["pytest", *(shlex.quote(_relative(argument, config)) for argument in config.args)]
    if config.getoption("pyargs", False):
        words.insert(1, "--pyargs")
    for flag, name in (("-k", "keyword"), ("-m", "markexpr")):
        if expression := config.getoption(name, ""):
            words += [flag, shlex.quote(expression)]
    words += [f"--deselect={shlex.quote(prefix)}" for prefix in config.getoption("deselect", None) or ()]
    for option in OPTIONS:
        if (value := config.getoption(option, None)) not in (None, DEFAULTS.get(option)):
            words.append(option if value is True else f"{option}={shlex.quote(str(value))}")
    return " ".join([*words, f"--hypothesis-profile={run.profile}", f"--seed={run.seed}"])


def figure_files(run: "Run") -> dict[str, bytes]:
    """The bytes of every figure by the name of its file."""
    return {
        figure_name(name, figure): base64.b64decode(figure["data"])
        for name, outcome in run.outcomes.items()
        for figure in outcome.figures
    }


def figure_name(test: str, figure: dict[str, Any]) -> str:
    """A file name that depends on the test and the title alone."""
    words = re.sub(r"[^a-z0-9]+", "-", figure["title"].lower()).strip("-")[:40]
    digest = hashlib.sha256(f"{test}\n{figure['title']}".encode()).hexdigest()[:8]
    return f"figures/{words}-{digest}.{figure['format']}"


def _relative(argument: str, config: pytest.Config) -> str:
    prefix = f"{config.rootpath}/"
    return argument.removeprefix(prefix)


def _claim(run: "Run", claim: "Claim") -> dict[str, Any]:
    tests = run.tests_of(claim)
    outcomes = [(test, run.outcomes[test.name]) for test in tests if test.name in run.outcomes]
    verdict = run.verdict(claim)
    return {
        "id": claim.id,
        "theorem": _theorem(claim),
        "label": claim.label,
        "title": claim.title,
        "statement": claim.statement,
        "formula": claim.formula,
        "assumptions": list(claim.assumptions),
        "depends": _depends(claim, run.hypotheses),
        "clauses": [{"name": clause.name, "text": clause.text} for clause in claim.clauses],
        "source": claim.source,
        "status": claim.status,
        "verdict": verdict,
        "selected": sum(test.name in run.collection.selected for test in tests),
        "ran": sum(outcome.state != "skipped" for _, outcome in outcomes),
        "notes": _notes(run, claim, outcomes),
        "evidence": [
            _placed(run, test, outcome, fields) | {"role": "check" if claim.id in test.checks else "control"}
            for test, outcome in outcomes
            for fields in outcome.evidence
        ],
        "controls": [
            _placed(run, test, outcome, fields)
            for test, outcome in outcomes
            if claim.id in test.controls
            for fields in outcome.controls
        ],
        "tables": [table for _, outcome in outcomes for table in outcome.tables],
        "figures": [_figure(test, figure) for test, outcome in outcomes for figure in outcome.figures],
    }


def _placed(run: "Run", test: Test, outcome: Outcome, fields: dict[str, Any]) -> dict[str, Any]:
    command = test.command(run.profile, run.seed)
    return {
        "test": test.name,
        "place": test.place,
        **fields,
        "command": command,
        "seconds": round(outcome.seconds, 3),
    }


def _notes(run: "Run", claim: "Claim", outcomes: list[tuple[Test, Outcome]]) -> list[str]:
    """Why the verdict is not *verified*, in words."""
    notes = [f"{test.name} {o.state}: {o.reason}" for test, o in outcomes if o.state in ("failed", "skipped")]
    notes += [
        f"{test.name} {happened}"
        for test in run.tests_of(claim)
        if (happened := run.happened(claim, test).state) in ("not selected", "not reached")
    ]
    notes += [f"{module} was not collected" for module in run.modules_missing(claim)]
    tests = run.tests_of(claim)
    if tests and not any(claim.id in test.checks for test in tests):
        notes.append("no check was found")
    if tests and not any(claim.id in test.controls for test in tests):
        notes.append("no control was found")
    if outcomes:
        notes += [f"no evidence names the clause {name!r}" for name in run.unchecked(claim)]
    return notes


def _depends(claim: "Claim", hypotheses: Iterable[str]) -> list[str]:
    """What a claim rests on: what it declares, and the hypotheses that its assumptions begin with."""
    named = [re.match(r"\w+", assumption) for assumption in claim.assumptions]
    assumed = [name[0] for name in named if name and name[0] in hypotheses]
    return list(dict.fromkeys([*claim.depends, *assumed]))


def _theorem(claim: "Claim") -> str:
    """The folder of theorems that a claim is checked in; empty where its modules name none."""
    names = [module.split(".") for module in claim.modules]
    return next((words[1] for words in names if len(words) > 2 and words[0] == "theorems"), "")


def _figure(test: Test, figure: dict[str, Any]) -> dict[str, str]:
    return {"title": figure["title"], "alt": figure["alt"], "file": figure_name(test.name, figure)}


def _audits(run: "Run") -> list[dict[str, Any]]:
    listed = []
    for name in sorted(run.outcomes):
        outcome = run.outcomes[name]
        test = run.collection.declared.get(name)
        alone = test is not None and not (test.checks or test.controls)
        for audit in outcome.audits:
            tables = outcome.tables if alone else []
            figures = [_figure(test, figure) for figure in outcome.figures] if alone and test else []
            command = test.command(run.profile, run.seed) if test else f"pytest --pyargs {shlex.quote(name)}"
            listed.append({**audit, "test": name, "command": command, "tables": tables, "figures": figures})
    return sorted(listed, key=lambda audit: (audit["subject"], audit["question"]))
