"""Does a verdict depend on the seed? `python -m benchmarks.seeds` runs the theorems at many, side by side.

Each seed is a run of `pytest theorems` of its own. What it found is kept under the hash of the code that ran,
so that an interrupted sweep goes on where it was and a changed line starts afresh. SEEDS.json holds what is
kept, so that a sweep goes on in another checkout; SEEDS.md shows it for the code as it is now, and for
earlier code: what a mended fault was.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
from tqdm import tqdm

from benchmarks.recording import machine
from reports.run.power import code_hash

ROOT = Path(__file__).parents[1]
KEPT = Path(__file__).with_name(".seeds")
RECORD = Path(__file__).with_name("SEEDS.md")
PACKED = Path(__file__).with_name("SEEDS.json")
GOOD = {"verified", "open"}
PROFILES = ("quick", "thorough", "exhaustive")
WIDEST = 200  # characters of a fault in the table
TAIL = 4000  # characters of a failed run's output that are kept


def seeds_of(text: str) -> list[int]:
    """``"3,5-8"`` as [3, 5, 6, 7, 8].

    Raises:
        ValueError: If a part is no number and no rising range, naming it.
    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdigit() or (dash and not (last.isdigit() and int(first) <= int(last))):
            raise ValueError(f"seeds: got {part!r}; give numbers and rising ranges such as 3,5-8")
        found += range(int(first), int(last if dash else first) + 1)
    return sorted(set(found))


def run_seed(seed: int, profile: str, extra: Sequence[str]) -> dict[str, Any]:
    """One run of the theorems, and the hash of the code that ran: on a cluster it may be another."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        command = [sys.executable, "-m", "pytest", "theorems", "-q", "-p", "no:cacheprovider", "-n", "0"]
        command += [f"--seed={seed}", f"--hypothesis-profile={profile}", f"--report={report}", *extra]
        alone = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=alone, check=False)
        written = report / "report.json"
        claims = json.loads(written.read_text(encoding="utf-8"))["claims"] if written.exists() else []
    return summary(claims) | {
        "code": code_hash(),
        "seed": seed,
        "profile": profile,
        "exit": ended.returncode,
        "seconds": round(time.perf_counter() - start, 1),
        "output": (ended.stdout + ended.stderr)[-TAIL:] if ended.returncode else "",
    }


def keep(run: dict[str, Any], kept: Path) -> None:
    """Write what a run found, unless a signal ended it: a sweep that was stopped runs that seed again."""
    if run["exit"] < 0:
        return
    kept.mkdir(parents=True, exist_ok=True)
    unfinished = kept / f".{run['profile']}-{run['seed']}.part"
    unfinished.write_text(json.dumps(run, indent=1), encoding="utf-8")
    unfinished.replace(kept / f"{run['profile']}-{run['seed']}.json")


def summary(claims: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts of verdicts, the claims that are not as they should be, and the records that failed."""
    verdicts: dict[str, int] = {}
    for claim in claims:
        verdicts[claim["verdict"]] = verdicts.get(claim["verdict"], 0) + 1
    bad = {claim["id"]: claim["verdict"] for claim in claims if claim["verdict"] not in GOOD}
    failed = [(c["id"], r) for c in claims for r in c["evidence"] if not r["holds"]]
    beyond = [
        f"{claim} {record['quantity']}: {record['measured']} beyond {record['bound']} on {record['worst']}"
        for claim, record in failed
    ]
    points = sum(record["points"] for claim in claims for record in claim["evidence"])
    return {"verdicts": verdicts, "bad": bad, "beyond": beyond, "points": points}


def stored(kept: Path, profile: str, seeds: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What is kept of these seeds."""
    paths = {seed: kept / f"{profile}-{seed}.json" for seed in seeds}
    return {s: json.loads(p.read_text(encoding="utf-8")) for s, p in paths.items() if p.exists()}


def sweep(
    seeds: Sequence[int], profile: str, jobs: int, extra: Sequence[str], kept: Path
) -> dict[int, dict[str, Any]]:
    """Run the seeds that are not kept yet, ``jobs`` at a time, with progress; each is kept as it ends.

    They are kept here, not where they run: a cluster's workers may share no files with this machine.

    Raises:
        RuntimeError: If a worker ran other code than this.
    """
    own, found = code_hash(), stored(kept, profile, seeds)
    missing = [seed for seed in seeds if seed not in found]
    tasks = (joblib.delayed(run_seed)(seed, profile, extra) for seed in missing)
    runs = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(tasks)
    for run in tqdm(runs, total=len(missing), unit="seed", desc=f"{profile}, {len(found)} kept"):
        if run["code"] != own:
            raise RuntimeError(
                f"seed {run['seed']} ran code {run['code']}, this is {own}; update the workers"
            )
        keep(run, kept)
        found[run["seed"]] = run
        if run["exit"]:
            tqdm.write(f"seed {run['seed']}: exit {run['exit']}, {run['bad']} {run['beyond']}")
    return found


def kept_runs(kept: Path) -> dict[str, dict[int, dict[str, Any]]]:
    """Everything that is kept for one code, by profile."""
    every: dict[str, dict[int, dict[str, Any]]] = {}
    for profile in PROFILES:
        seeds = sorted(int(path.stem.rpartition("-")[2]) for path in kept.glob(f"{profile}-*.json"))
        if seeds:
            every[profile] = stored(kept, profile, seeds)
    return every


def markdown(runs: dict[str, dict[int, dict[str, Any]]], code: str, title: str = "This code") -> str:
    """What was found of one code: one line a seed, and in words what failed."""
    lines = [f"## {title}: {code}, the hash of what ran", ""]
    for profile, found in runs.items():
        good = sum(not run["exit"] for run in found.values())
        lines += [f"### {profile}: {good} of {len(found)} seeds with no claim refuted or unsupported", ""]
        lines += ["| seed | verdicts | points | seconds | not as it should be |", "|---|---|---|---|---|"]
        for seed in sorted(found):
            run = found[seed]
            verdicts = ", ".join(f"{n} {name}" for name, n in sorted(run["verdicts"].items()))
            bad = [f"{c} {v}" for c, v in run["bad"].items()]
            faults = "; ".join([*bad, *map(_cell, run["beyond"])])
            faults = faults or ("" if not run["exit"] else f"exit {run['exit']}")
            lines.append(f"| {seed} | {verdicts} | {run['points']} | {run['seconds']} | {faults} |")
        lines.append("")
    return "\n".join(lines)


def _cell(fault: str) -> str:
    """What fits a cell of a table: the run's own record has the rest of a worst case."""
    cut = fault if len(fault) <= WIDEST else fault[:WIDEST] + " …"
    return cut.replace("|", "\\|")


def packed() -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """What SEEDS.json holds, by code, newest first, profile and seed."""
    return json.loads(PACKED.read_text(encoding="utf-8")) if PACKED.exists() else {}


def unpack(code: str, kept: Path) -> None:
    """Keep what SEEDS.json holds of this code, as if it had run here; what did run here stays."""
    for profile, found in packed().get(code, {}).items():
        for seed, run in found.items():
            path = kept / f"{profile}-{seed}.json"
            if not path.exists():
                kept.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(run, indent=1), encoding="utf-8")


def write_record(code: str) -> None:
    """SEEDS.json and SEEDS.md: what is kept for the code as it is, then for earlier ones."""
    now: dict[str, Any] = {code: kept_runs(KEPT / code)}
    every = now | {other: runs for other, runs in packed().items() if other != code}
    PACKED.write_text(json.dumps(every, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
    parts = ["# Seeds\n", f"Written by `make seeds`: `pytest theorems` at each of these seeds. {machine()}\n"]
    for i, (other, profiles) in enumerate(packed().items()):
        runs = {profile: {int(s): run for s, run in found.items()} for profile, found in profiles.items()}
        parts.append(markdown(runs, other, "An earlier code" if i else "This code"))
    RECORD.write_text("\n".join(parts), encoding="utf-8")


@contextmanager
def backend(cluster: str | None) -> Iterator[None]:
    """This machine, or the Dask cluster at an address; its workers need the same checkout and environment.

    Raises:
        ConnectionError: If nothing answers there.
    """
    if cluster is None:
        yield
        return
    from dask.distributed import Client

    try:
        client = Client(cluster)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"cluster: no Dask scheduler answers at {cluster!r} ({error})") from None
    with client, joblib.parallel_config(backend="dask"):
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit status is 1 where a seed ended with anything but success."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeds", description=__doc__)
    parser.add_argument("--seeds", default="0-39", help="numbers and ranges, 0-39 by default")
    parser.add_argument("--profile", default="quick", choices=PROFILES)
    parser.add_argument("--jobs", type=int, default=-1, help="how many at once; all cores by default")
    parser.add_argument("--cluster", help="address of a Dask scheduler")
    parser.add_argument("pytest", nargs="*", help="further arguments of pytest, after --")
    given = parser.parse_args(arguments)
    try:
        seeds = seeds_of(given.seeds)
    except ValueError as error:
        parser.error(str(error))
    if given.jobs == 0 or given.jobs < -1:
        parser.error(f"jobs: got {given.jobs}; give -1 or a positive number")
    code = code_hash()
    kept = KEPT / code if not given.pytest else KEPT / f"{code}-{'-'.join(given.pytest).replace('/', '_')}"
    if not given.pytest:
        unpack(code, kept)
    try:
        with backend(given.cluster):
            found = sweep(seeds, given.profile, given.jobs, given.pytest, kept)
    except ConnectionError as error:
        parser.error(str(error))
    if code_hash() != code:
        print("the code changed while seeds ran: what was found belongs to no one version; run again")
        return 1
    if not given.pytest:
        write_record(code)
    wrong = [seed for seed in seeds if found[seed]["exit"]]
    print(f"{len(seeds) - len(wrong)} of {len(seeds)} seeds succeed" + (f"; not {wrong}" if wrong else ""))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
