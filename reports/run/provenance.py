"""Where a run was made and what it cites: commit, machine, libraries, time, skipped tests, references.

Nothing in the block `provenance` may decide anything; two equal runs may differ in it and in nothing else
but their seconds.
"""

import datetime
import os
import platform
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.run.power import power

if TYPE_CHECKING:
    from reports.run.state import Run

_ENTRY = re.compile(r"^@\w+\{([^,\s]+),(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"(\w+)\s*=\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def provenance(run: "Run") -> dict[str, Any]:
    """The block of report.json that says where and when a run was made."""
    commit, dirty = _commit()
    began = datetime.datetime.fromtimestamp(run.started, datetime.UTC)
    return {
        "started": began.isoformat(timespec="seconds"),
        "seconds": round(time.time() - run.started, 1),
        "commit": commit,
        "dirty": dirty,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "libraries": _libraries(),
        "power": power(),
        "seconds_by_claim": seconds_by_claim(run),
        "skipped": [
            {"test": name, "reason": outcome.reason}
            for name, outcome in sorted(run.outcomes.items())
            if outcome.state == "skipped"
        ],
    }


def seconds_by_claim(run: "Run") -> dict[str, float]:
    """Of each claim's checks and controls, the longest first; a test of several claims counts for each.

    Added up over processes: with ``-n 2`` the sum is about twice what the run took.
    """
    taken = {
        claim.id: sum(
            run.outcomes[test.name].seconds for test in run.tests_of(claim) if test.name in run.outcomes
        )
        for claim in run.claims
    }
    return {
        name: round(taken[name], 2)
        for name in sorted(taken, key=lambda name: (-taken[name], name))
        if taken[name]
    }


def _commit() -> tuple[str | None, bool | None]:
    """The commit of the checkout that the theorems are in, and whether files differ from it."""
    from reports.run.collection import theorems_folder

    folder = theorems_folder()
    if folder is None or not (folder.parent / ".git").exists():
        return None, None
    try:
        commit = _git(folder.parent, "rev-parse", "HEAD").strip()
        return commit, bool(_git(folder.parent, "status", "--porcelain").strip())
    except (OSError, subprocess.SubprocessError):
        return None, None


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), "") or platform.processor() or platform.machine() or "unknown"


def _libraries() -> list[dict[str, Any]]:
    """The libraries of linear algebra and threads that are loaded, and how many threads each may use."""
    from threadpoolctl import threadpool_info

    found = {
        (pool["internal_api"], pool["version"] or "", int(pool["num_threads"])) for pool in threadpool_info()
    }
    return [{"name": n, "version": v, "threads": t} for n, v, t in sorted(found)]


def references(run: "Run") -> list[dict[str, Any]]:
    """The entries of references.bib that claims and coverage cite; none where the file is not at hand."""
    from reports.run.collection import theorems_folder

    folder = theorems_folder()
    file = folder.parent / "references.bib" if folder else None
    if file is None or not file.is_file():
        return []
    cited = " ".join([claim.source for claim in run.claims] + [row.source for row in run.coverage])
    return [entry for entry in bibliography(file.read_text(encoding="utf-8")) if entry["key"] in cited]


def bibliography(text: str) -> list[dict[str, Any]]:
    """The entries of a BibTeX file as the report lists them, in its order.

    Args:
        text: The file's text, one field a line.
    """
    return [_entry(key, dict(_FIELD.findall(body))) for key, body in _ENTRY.findall(text)]


def _entry(key: str, fields: dict[str, str]) -> dict[str, Any]:
    clean = {name.lower(): _plain(value) for name, value in fields.items()}
    venues = ("journal", "booktitle", "publisher", "howpublished", "note")
    venue = next((clean[name] for name in venues if clean.get(name)), "")
    preprint = _ARXIV.search(venue)
    return {
        "key": key,
        "authors": [_given_first(name) for name in clean.get("author", "").split(" and ") if name],
        "title": clean.get("title", key),
        "venue": venue,
        "year": clean.get("year", "n.d."),
        "doi": clean.get("doi", ""),
        "arxiv": clean.get("eprint", preprint[1] if preprint else ""),
    }


def _given_first(name: str) -> str:
    family, comma, given = name.partition(", ")
    return f"{given} {family}" if comma else name


def _plain(value: str) -> str:
    """A field without the braces and commands of BibTeX."""
    words = re.sub(r"\s+", " ", value.replace("{", "").replace("}", ""))
    return words.replace("--", "–").replace(r"\&", "&").strip()
