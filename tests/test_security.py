"""Nothing handed in runs as code but --flow, and nothing is written elsewhere."""

import ast
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numerics.flows import Training, pairs, trained
from numerics.potentials import Sphere
from numerics.transport import load, save, solve
from theorems.setting.user import targets

ROOT = Path(__file__).parents[1]
SHIPPED = [
    ROOT / "otcfm_theorems.py",
    *(path for room in ("numerics", "theorems", "reports") for path in sorted((ROOT / room).rglob("*.py"))),
]


# --- no pickle ------------------------------------------------------------------------------------------


READERS = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "yaml"}
NEEDED = {
    "torch.load": ("weights_only", "True"),
    "npy.read_array": ("allow_pickle", "False"),
    "np.load": ("allow_pickle", "False"),
}


def _dangerous(source: str) -> list[str]:
    """Calls that may run what a file holds, or a shell."""
    found = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = _name(call.func)
        given = {word.arg: ast.unparse(word.value) for word in call.keywords if word.arg in _WATCHED}
        wanted = NEEDED.get(name)
        if (
            (name.split(".")[0] in READERS and name.split(".")[-1] in ("load", "loads"))
            or (wanted and given.get(wanted[0]) != wanted[1])
            or name in ("eval", "exec", "os.system", "os.popen")
            or given.get("shell") == "True"
        ):
            found.append(name)
    return found


_WATCHED = {"weights_only", "allow_pickle", "shell"}


def _name(node: ast.expr) -> str:
    """The dotted name of what is called; empty where it has none."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def test_no_shipped_file_loads_pickles_or_runs_text():
    assert len(SHIPPED) > 300
    found = {str(path.relative_to(ROOT)): _dangerous(path.read_text(encoding="utf-8")) for path in SHIPPED}
    assert not {path: calls for path, calls in found.items() if calls}


@pytest.mark.parametrize(
    "call",
    [
        "pickle.loads(b)",
        "torch.load(f)",
        "torch.load(f, weights_only=False)",
        "np.load(f, allow_pickle=True)",
        "npy.read_array(f)",
        "eval(text)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_such_a_call_is_told(call):
    assert _dangerous(f"def f():\n    return {call}\n")


class Trap:
    """What leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def trap(tmp_path):
    made = Trap(tmp_path / "unpickled")
    pickle.loads(pickle.dumps(made))
    assert made.mark.is_dir(), "the trap works"
    made.mark.rmdir()
    yield made
    assert not made.mark.exists(), "a pickle was loaded"


def test_a_hostile_checkpoint_is_trained_again(tmp_path, trap):
    def ask():
        shape = Training(steps=2, batch=4, width=2)
        return trained(pairs.exact(Sphere(2)), 2, shape, directory=tmp_path, progress=False)

    first = ask()
    (kept,) = tmp_path.glob("*.pt")
    kept.write_bytes(pickle.dumps(trap))
    assert ask().losses.tolist() == first.losses.tolist()


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_a_hostile_target_is_refused(tmp_path, trap, suffix):
    points = np.empty((2, 1), dtype=object)
    points[:] = trap
    file = tmp_path / f"cloud{suffix}"
    if suffix == ".npz":
        np.savez(file, points=points)
    else:
        np.save(file, points, allow_pickle=True)
    with pytest.raises(ValueError, match="never loaded"):
        targets.load(file)
    file.write_bytes(pickle.dumps(trap))
    with pytest.raises(ValueError, match=r"not an \.np"):
        targets.load(file)


def test_a_hostile_solution_is_refused(tmp_path, trap):
    file = save(solve([[0.0], [1.0]]), tmp_path / "solved")
    with np.load(file) as archive:
        arrays = dict(archive)
    held = np.empty(1, dtype=object)
    held[0] = trap
    file.unlink()
    np.savez(file, **(arrays | {"heights": held}))
    with pytest.raises(ValueError, match=re.escape(str(file))):
        load(file)


def test_flow_says_that_it_runs_code():
    command = [sys.executable, "-m", "pytest", "--pyargs", "theorems", "--help", "-p", "no:cacheprovider"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    words = " ".join(printed.partition("--flow=")[2].partition("--dim=")[0].split())
    assert "your module is imported: its code runs" in words


# --- nothing is written elsewhere -----------------------------------------------------------------------

WATCH = """
import os, sys

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")
log = os.open(os.environ["WATCHED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def hook(event, args):
    if event == "open":
        path, mode, flags = args
        wanted = (flags or 0) & WRITES or any(c in (mode or "") for c in "wax+")
        paths = [path] if wanted else []
    else:
        paths = args[:2] if event == "os.rename" else args[:1] if event in CHANGES else []
    for path in paths:
        if isinstance(path, (str, bytes, os.PathLike)):
            os.write(log, (os.path.abspath(os.fsdecode(path)) + "\\n").encode())


sys.addaudithook(hook)
"""


def _written(folder: Path, *arguments: str) -> list[Path]:
    """Where a run of pytest in an empty folder writes, creates or removes anything, its caches apart."""
    home, temporary, empty = (folder / name for name in ("home", "temporary", "empty"))
    for path in (home, temporary, empty):
        path.mkdir()
    (folder / "watching.py").write_text(WATCH, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "watching", "-p", "no:cacheprovider", "-q"]
    own = {"HOME": home, "TMPDIR": temporary, "WATCHED": folder / "log", "OTCFM_CACHE": folder / "cache"}
    ended = subprocess.run(
        [*command, "--pyargs", *arguments],
        cwd=empty,
        env=os.environ
        | {name: str(path) for name, path in own.items()}
        | {"PYTHONPATH": f"{folder}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    written = {Path(line) for line in (folder / "log").read_text(encoding="utf-8").splitlines()}
    apart = (temporary, folder / "cache", Path("/dev"), Path("/proc"))
    return sorted(path for path in written if not any(path.is_relative_to(room) for room in apart))


CHECK = "theorems.definitions.test_prox_boundedness"


def test_without_report_nothing_is_written(tmp_path):
    assert _written(tmp_path, CHECK) == []


def test_with_report_its_directory_alone_is_written(tmp_path):
    written = _written(tmp_path, CHECK, "--report=out")
    out = tmp_path / "empty" / "out"
    assert (out / "report.json").is_file()
    aside = [path for path in written if not path.is_relative_to(out) and path != out.parent]
    unfinished = re.compile(re.escape(str(out.parent / ".out-")))
    assert aside, "a report is written beside its place first"
    assert not [path for path in aside if not unfinished.match(str(path))]
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_write_elsewhere_is_told(tmp_path):
    tests = tmp_path / "elsewhere_test.py"
    tests.write_text("from pathlib import Path\n\ndef test_it():\n    Path('here').write_text('x')\n")
    assert [path.name for path in _written(tmp_path, str(tests))] == ["here"]
