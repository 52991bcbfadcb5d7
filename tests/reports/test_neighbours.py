"""The plugin beside the common plugins of pytest, in `.venv/neighbours`: neighbours.txt names them."""

import os
import sys
from pathlib import Path

import pytest

from tests.reports.house import House, without_seconds

NEIGHBOURS = Path(sys.prefix) / "neighbours"
USES = {
    "benchmark": ["--benchmark-disable"],
    "cov": ["--cov=theorems", "--cov-report=json:covered.json"],
    "html": ["--html=other.html", "--self-contained-html"],
    "json-report": ["--json-report", "--json-report-file=other.json"],
    "mock": [],
    "randomly": ["--randomly-seed=1"],
    "reportlog": ["--report-log=other.log"],
    "rerunfailures": ["--reruns=2"],
    "timeout": ["--timeout=100"],
}
"""Each plugin, as pytest's header calls it, and a use of it."""
WRITTEN = ("covered.json", "other.html", "other.json", "other.log")
WITH_MOCK = """
@pytest.mark.claim("A")
def test_check(evidence, mocker):
    evidence.certified("gap", mocker.Mock(return_value=0.25)(), 1, "b")

@pytest.mark.control("A")
def test_control(evidence, benchmark):
    evidence.control("wrong step", benchmark(lambda: 0.25), 0.25, 1e-9, "closed form")
"""
FLAKY = """
COUNT = []

@pytest.mark.claim("A")
def test_flaky(evidence):
    COUNT.append(1)
    evidence.certified("gap", 0.1, 1, "b")
    if len(COUNT) == 1:
        {failure}

@pytest.mark.control("A")
def test_control(evidence):
    evidence.control("wrong step", 0.25, 0.25, 1e-9, "closed form")
"""

pytestmark = pytest.mark.skipif(not NEIGHBOURS.is_dir(), reason=f"make .venv writes {NEIGHBOURS}")


@pytest.fixture
def street(house: House) -> House:
    """The house, with the neighbours on the path of its runs."""
    house.environment["PYTHONPATH"] += os.pathsep + str(NEIGHBOURS)
    return house


def plugins(output: str) -> set[str]:
    """The names of the plugins in pytest's header, without their versions."""
    listed = next(line for line in output.splitlines() if line.startswith("plugins: "))
    return {word.rpartition("-")[0] for word in listed.removeprefix("plugins: ").split(", ")}


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_beside_all_at_once(street: House, workers: list[str]) -> None:
    alone = House(street.path, environment=street.environment | {"PYTEST_ADDOPTS": "-p no:randomly"})
    plain = alone.build(WITH_MOCK).run(report="a")
    assert plain.status == 0, plain.output
    used = [word for words in USES.values() for word in words]
    beside = street.run(*used, *workers, report="b")
    assert beside.status == 0, beside.output
    assert plugins(beside.output) >= {*USES, "xdist"}
    assert without_seconds(plain.report) == without_seconds(beside.report)
    for name in WRITTEN:
        assert (street.path / name).stat().st_size, name
    assert "otcfm_evidence" not in (street.path / "other.json").read_text()


def test_beside_all_unused(street: House) -> None:
    beside = street.build(WITH_MOCK).run()
    assert beside.status == 0, beside.output
    assert plugins(beside.output) >= {*USES, "xdist"}
    assert beside.verdicts == {"A": "verified"}


def test_any_order_gives_the_same_report(street: House) -> None:
    street.build()
    runs = [street.run(f"--randomly-seed={seed}", report=str(seed)) for seed in (1, 2)]
    assert [run.status for run in runs] == [0, 0]
    assert without_seconds(runs[0].report) == without_seconds(runs[1].report)


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [("raise RuntimeError", "unsupported"), ('evidence.certified("gap", 2, 1, "b")', "refuted")],
)
def test_a_rerun_does_not_forget(street: House, failure: str, verdict: str) -> None:
    ran = street.build(FLAKY.replace("{failure}", failure)).run("--reruns=2")
    assert "1 rerun" in ran.output
    assert (ran.status, ran.verdicts) == (1, {"A": verdict})


def test_a_time_limit_is_a_failure(street: House) -> None:
    slow = '@pytest.mark.claim("A")\ndef test_slow(evidence):\n    import time; time.sleep(60)\n'
    ran = street.build(slow).run("--timeout=1", "--timeout-method=signal")
    assert ran.status == 1
    assert ran.verdicts == {"A": "unsupported"}
