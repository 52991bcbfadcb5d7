"""How long does the quick run of the theorems take, and how many points does it check?"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.recording import Table, verdict

ROOT = Path(__file__).parents[1]


def run() -> Table:
    table = Table("suite", str(__doc__), ("what", "found", "goal"))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "theorems",
            "-q",
            "-p",
            "no:cacheprovider",
            f"--report={report}",
        ]
        start = time.perf_counter()
        finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        written = report / "report.json"
        if not written.exists():
            table.notes.append(f"no report was written; pytest ended with {finished.returncode}")
            print(finished.stdout[-2000:], finished.stderr[-2000:], sep="\n")
            return table
        claims = json.loads(written.read_text(encoding="utf-8"))["claims"]
    points = sum(entry["points"] or 0 for claim in claims for entry in claim["evidence"])
    verdicts = sorted({claim["verdict"] for claim in claims})
    counts = ", ".join(f"{sum(c['verdict'] == v for c in claims)} {v}" for v in verdicts)
    table.rows = [
        ("wall time of `pytest theorems`, s", seconds, verdict(seconds, 60, at_least=False)),
        ("point checks", points, verdict(points, 1e5, at_least=True)),
        ("claims", counts, ""),
        ("exit status", finished.returncode, "0"),
    ]
    return table
