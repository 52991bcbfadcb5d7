"""What the README prints works as printed, from an empty folder; what it names is there."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    shlex.split(line, comments=True)
    for line in re.findall(r"^    ((?:make|pytest|python) .*)$", README, re.MULTILINE)
]
FLOW = "import numpy as np\n\n\ndef velocity(t, x):\n    return np.zeros_like(x)\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An empty folder in which the blocks have been run, as a reader would, beside a flow of the reader's."""
    place = tmp_path_factory.mktemp("empty")
    for block in BLOCKS:
        _run([sys.executable, "-c", block], place)
    (place / "my_flow.py").write_text(FLOW, encoding="utf-8")
    return place


def _run(command, place):
    ended = subprocess.run(
        command,
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"{shlex.join(command)}: {ended.stdout[-1500:]}{ended.stderr[-1500:]}"
    return ended.stdout


def test_blocks_run_and_write_what_commands_read(folder):
    assert len(BLOCKS) == 2
    assert (folder / "my_points.npz").exists()


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[0] == "pytest"], ids=shlex.join)
def test_commands_find_their_tests_from_an_empty_folder(folder, command):
    """As printed, all but the run itself: options are read, input is loaded, and tests are selected."""
    printed = _run([sys.executable, "-m", *command, "--collect-only", "-q", "-p", "no:cacheprovider"], folder)
    assert re.search(r"\d+(/\d+)? tests? collected", printed), printed[-500:]


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[0] == "make"], ids=shlex.join)
def test_targets_of_make_are_there(command):
    assert _run([*command, "--dry-run"], ROOT).strip()


def test_every_command_is_tried():
    assert len(COMMANDS) == len(re.findall(r"^    (?:make|pytest|python)\b", README, re.MULTILINE)) >= 9
    assert {command[0] for command in COMMANDS} == {"make", "pytest"}


def test_changelog_is_by_version_and_begins_with_the_coming_one():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert headings[0].split()[0] == project["version"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ \((?:unreleased|\d{4}-\d\d-\d\d)\)", line) for line in headings)
    entries, status = text.split("### Status of theorems")
    assert not re.search(r"^- ", status, re.MULTILINE), "an entry stands below the table"
    assert re.search(r"^- ", entries, re.MULTILINE)
