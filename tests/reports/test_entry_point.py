"""The entry point beside other people's projects: their options, their packages, and their runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reports.conftest import PACKAGES
from tests.reports.house import GOOD, House

OPTIONS = ("--report", "--seed", "--jobs", "--target", "--flow", "--dim", "--device", "--mnist", "--claim")
OPTIONS += ("--merge-duplicates", "--resume", "--checkpoint", "--label")
WAYS = {"pytest": ["-c", "import sys, pytest; sys.exit(pytest.main())"], "python -m pytest": ["-m", "pytest"]}
MINE = """
import sys

def test_mine(request):
    assert not {"numpy", "torch", "hypothesis"} & set(sys.modules)
    assert not [name for name in sys.modules if name.split(".")[0] in ("numerics", "theorems")]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -p no:jaxtyping\n")
    return folder


def run(way: str, installed: Path, where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder, with ours among the installed packages and no other path to it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "HYPOTHESIS", "COV_"))}
    words = [sys.executable, *WAYS[way], "-p", "no:hypothesispytest", *arguments]
    return subprocess.run(
        words,
        cwd=where,
        env=kept | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_neighbour_may_have_every_option_of_ours(way: str, installed: Path, project: Path) -> None:
    options = "".join(f"    parser.addoption({option!r}, default='theirs')\n" for option in OPTIONS)
    (project / "conftest.py").write_text(f"def pytest_addoption(parser):\n{options}")
    asks = "".join(f"    assert request.config.getoption({option!r}) == 'mine'\n" for option in OPTIONS)
    (project / "test_mine.py").write_text(MINE + asks)
    done = run(way, installed, project, *(f"{option}=mine" for option in OPTIONS))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_a_neighbour_may_have_packages_of_our_names(way: str, installed: Path, project: Path) -> None:
    for name in (*PACKAGES, "tests"):
        (project / name).mkdir()
        (project / name / "__init__.py").write_text(f"HERE = {name!r}\n")
    imports = "".join(f"    import {name}; assert {name}.HERE == {name!r}\n" for name in PACKAGES)
    (project / "tests" / "test_mine.py").write_text(f"def test_mine():\n{imports}")
    (project / "theorems" / "test_theirs.py").write_text("def test_theirs():\n    pass\n")
    for arguments in ([], ["theorems", "tests"]):
        done = run(way, installed, project, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "2 passed" in done.stdout


@pytest.mark.parametrize("way", WAYS)
def test_our_options_are_no_options_of_others(way: str, installed: Path, project: Path) -> None:
    (project / "test_mine.py").write_text(MINE)
    done = run(way, installed, project, "--seed=1")
    assert done.returncode == 4
    assert "unrecognized arguments: --seed=1" in done.stderr


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "words", [["theorems"], ["theorems.definitions"], ["theorems.a::test_b", "--seed", "1"]]
)
def test_whoever_asks_for_theorems_has_them_everywhere(
    way: str, words: list[str], installed: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run(way, installed, empty, "--pyargs", *words, "--help")
    assert "--claim=ID" in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["theorems"], True),
        (["theorems/demo/test_demo.py::test_check"], True),
        (["."], True),
        ([], True),
        (["other"], False),
        (["theorems_of_others"], False),
    ],
)
def test_who_asks(words: list[str], asked: bool, house: House) -> None:
    house.build()
    for name in ("other", "theorems_of_others"):
        (house.path / name).mkdir()
    ran = house.run(*words, "--help", where="", report=None)
    assert ("--claim=ID" in ran.output) is asked, ran.output


TWO = (
    GOOD
    + """
@pytest.mark.claim("B")
def test_other(evidence):
    evidence.certified("other", 0, 1, "b")

@pytest.mark.control("A", "B")
def test_shared(evidence):
    evidence.control("shared", 1, 1, 0.1, "b")
"""
)
CLAIMS = 'claim("A"), claim("B", modules=("theorems.demo.test_demo", "test_more")), claim("C"),'


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
@pytest.mark.parametrize(
    ("chosen", "verdicts"),
    [
        ("B", {"A": "partial", "B": "verified", "C": "not run"}),
        ("A,B", {"A": "verified", "B": "verified", "C": "not run"}),
        ("C", None),
    ],
)
def test_chosen_claims_have_complete_verdicts(
    house: House, chosen: str, verdicts: dict[str, str] | None, workers: list[str]
) -> None:
    more = '@pytest.mark.claim("B")\ndef test_more(evidence):\n    evidence.certified("more", 0, 1, "b")\n'
    ran = house.build(TWO, CLAIMS, test_more=more).run(f"--claim={chosen}", *workers)
    if verdicts is None:
        assert ran.status == 5
        return
    assert ran.status == 0, ran.output
    assert ran.verdicts == verdicts | {"A": "not run" if chosen == "B" else "verified"}
    assert f"--claim={chosen}" in ran.report["run"]["command"]


@pytest.mark.parametrize(("given", "said"), [("Z", "no claims.py declares Z; known: A"), ("A,,", "commas")])
def test_unknown_claims_are_refused(house: House, given: str, said: str) -> None:
    ran = house.build().run(f"--claim={given}", report=None)
    assert ran.status == 4
    assert said in ran.output
