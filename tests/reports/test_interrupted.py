"""Ctrl-C: what there is of a run is reported, in one process or in several, and an older report stays."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.reports.house import ALONE, GOOD, House

SLOW = (
    GOOD
    + """
@pytest.mark.claim("A")
def test_slow(evidence):
    import time
    open("started", "w").close()
    time.sleep(60)
"""
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are sent as on Unix")


def _hear_interrupts() -> None:
    """A suite started in the background inherits a deaf ear to Ctrl-C, and so would the run it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("workers", [[], ["-n", "2", "--dist", "loadfile"]], ids=["alone", "two"])
def test_an_interrupted_run_keeps_the_old_report_and_says_what_it_has(
    house: House, workers: list[str]
) -> None:
    """Beside the old one, marked; in a directory of its own where there is none it would stand there."""
    kept = house.build().run().report
    house.build(SLOW)
    words = [sys.executable, "-m", "pytest", "theorems", f"--report={house.path / 'out'}", *workers]
    with subprocess.Popen(
        words,
        cwd=house.path,
        env=os.environ | ALONE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=_hear_interrupts,
    ) as process:
        for _ in range(1200):
            if (house.path / "started").exists():
                break
            time.sleep(0.05)
        time.sleep(0.5)  # what has ended is told
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 2
    assert json.loads((house.path / "out" / "report.json").read_text()) == kept
    beside = house.path / "out-interrupted"
    content = json.loads((beside / "report.json").read_text())
    assert content["run"]["errors"] == [{"module": "interrupted", "message": "stopped after 2 of 3 tests"}]
    assert [claim["verdict"] for claim in content["claims"]] == ["partial"]
    assert "stopped after 2 of 3 tests" in (beside / "index.html").read_text()


def test_a_run_interrupted_before_a_test_ended_says_that_there_is_no_report(house: House) -> None:
    house.build(
        "import os, signal\nimport pytest\n\n\n"
        '@pytest.mark.claim("A")\ndef test_a(evidence):\n    os.kill(os.getpid(), signal.SIGINT)\n'
    )
    words = [sys.executable, "-m", "pytest", "theorems", f"--report={house.path / 'out'}"]
    ended = subprocess.run(
        words,
        cwd=house.path,
        env=os.environ | ALONE,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_hear_interrupts,
    )
    assert ended.returncode == 2
    assert "interrupted before a test ended: there is no report" in ended.stdout
    assert not (house.path / "out").exists()
