"""A run of all theorems uses the cores there are: the same numbers and lines; a run of less does not."""

import os
import subprocess
import sys

import pytest

from tests.reports.house import ALONE, GOOD, House, without_seconds

CORES = {"PYTEST_XDIST_AUTO_NUM_WORKERS": "3"}
TWO = (
    GOOD
    + """
@pytest.mark.claim("B")
def test_other(evidence, rng):
    import os
    from pathlib import Path
    evidence.certified("other", rng.random(), 1, "a draw")
    found = [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "PYTEST_XDIST_WORKER")]
    Path("threads").write_text("".join(found))

@pytest.mark.control("B")
def test_wrong(evidence):
    evidence.control("wrong", 1, 1, 0.1, "b")
"""
)
CLAIMS = 'claim("A"), claim("B"),'


@pytest.fixture
def cores(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house whose machine has three cores."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    house.environment.update(CORES)
    return house.build(TWO, CLAIMS)


@pytest.mark.parametrize(
    ("where", "words"), [("theorems", ["-q"]), ("./theorems/", []), ("--pyargs", ["theorems"])]
)
def test_all_theorems_are_spread_a_thread_each(cores: House, where: str, words: list[str]) -> None:
    spread = cores.run(*words, where=where)
    assert spread.status == 0, spread.output
    assert (cores.path / "threads").read_text()[:3] == "1gw"
    assert set(spread.verdicts.values()) == {"verified"}
    alone = cores.run(*words, "-n", "0", where=where, report="alone")
    assert not (cores.path / "threads").read_text().endswith(("gw0", "gw1", "gw2"))
    in_one = without_seconds(alone.report).replace("alone", "out").replace(" -n 0", "")
    assert without_seconds(spread.report) == in_one


@pytest.mark.parametrize(
    "words",
    [
        ["theorems", "-n", "0"],
        ["theorems", "-p", "no:xdist"],
        ["theorems", "-k", "other"],
        ["theorems", "--claim=B"],
        ["theorems", "-s"],
        ["theorems", "--jobs=2"],
        ["theorems", "--flow=my_flow:velocity", "--dim=2"],
        ["theorems/demo"],
        ["theorems/demo/test_demo.py::test_other"],
        ["."],
    ],
    ids=" ".join,
)
def test_less_than_all_and_what_says_otherwise_is_not(cores: House, words: list[str]) -> None:
    (cores.path / "my_flow.py").write_text("def velocity(t, x):\n    return -x\n")
    ran = cores.run(*words, where="", report=None)
    assert "gw" not in (cores.path / "threads").read_text(), ran.output
    assert " passed" in ran.output


def test_what_the_user_set_of_threads_stays(cores: House) -> None:
    cores.environment["OMP_NUM_THREADS"] = "2"
    assert cores.run().status == 0
    assert (cores.path / "threads").read_text()[:3] == "2gw"


@pytest.mark.skipif(os.name == "nt", reason="terminals are Unix's")
@pytest.mark.parametrize("cores_there_are", [ALONE, CORES], ids=["one", "three"])
def test_a_line_a_claim_as_soon_as_its_last_test_has_ended(
    cores: House, cores_there_are: dict[str, str]
) -> None:
    """On a terminal, before the summary, in several processes, too."""
    import pty

    ours, theirs = pty.openpty()
    environment = os.environ | cores.environment | cores_there_are | {"COLUMNS": "120"}
    words = [sys.executable, "-m", "pytest", "theorems"]
    with subprocess.Popen(words, cwd=cores.path, env=environment, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux: the other end is closed
                break
            if not part:
                break
            said += part
    os.close(ours)
    assert process.returncode == 0, said.decode()
    before = said.decode().partition("points checked")[0]
    for claim in ("A", "B"):
        assert before.count(f"{claim} Lemma {claim}: verified") == 1, before
