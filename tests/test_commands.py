"""Commands that the pages print find their tests as printed, from a folder with what a reader has there."""

import os
import re
import shlex
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from theorems.setting.user.idx import IMAGES, LABELS

ROOT = Path(__file__).parents[1]
PRINTED = re.compile(r"^    (pytest .*)$", re.MULTILINE)
COMMANDS = [
    (page.stem, command)
    for page in sorted((ROOT / "docs").glob("*.md"))
    for command in PRINTED.findall(page.read_text(encoding="utf-8"))
    if not page.stem.startswith("add-")  # of a contributor's checkout
]
FLOW = """
import torch

def velocity(t, x): return -x

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.centres = torch.nn.Parameter(torch.zeros(4, 2))
    def forward(self, t, x, y):
        return self.centres[y] - x
"""


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """A reader's folder: points, a flow, its weights and MNIST's files."""
    np.savez(tmp_path / "my_points.npz", points=np.random.default_rng(0).standard_normal((9, 2)))
    (tmp_path / "my_flow.py").write_text(FLOW, encoding="utf-8")
    torch.save({"centres": torch.arange(8.0).reshape(4, 2)}, tmp_path / "weights.pt")
    (tmp_path / "DIR").mkdir()
    (tmp_path / "DIR" / IMAGES).write_bytes(struct.pack(">4I", 0x803, 5, 2, 3) + bytes(30))
    (tmp_path / "DIR" / LABELS).write_bytes(struct.pack(">2I", 0x801, 5) + bytes(5))
    return tmp_path


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=lambda words: words)
def test_a_printed_command_is_understood(reader: Path, page: str, command: str) -> None:
    """By the console script, which imports nothing from where it is: options, input and names of tests."""
    words = [str(Path(sys.executable).with_name("pytest")), *shlex.split(command)[1:]]
    words += ["--collect-only", "-q", "-p", "no:cacheprovider"]
    ended = subprocess.run(
        words, cwd=reader, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, f"{page}: {ended.stdout[-1500:]}{ended.stderr[-1500:]}"
    assert re.search(r"\d+(/\d+)? tests? collected", ended.stdout), ended.stdout[-500:]


def test_the_pages_print_commands() -> None:
    assert {page for page, _ in COMMANDS} >= {"audit-your-data", "audit-your-flow", "batch-size"}
    assert len(COMMANDS) >= 5
