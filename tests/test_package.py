"""What is built holds what it needs, and names are found where one looks."""

import importlib
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_string
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from setup import description

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)]*)\)")


def _tracked() -> list[str]:
    """The files under version control; of a source distribution, all that it was unpacked to."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return listed.stdout.split("\n")[:-1]
    sources = next(ROOT.glob("*.egg-info")) / "SOURCES.txt"
    return [name for name in sources.read_text().split("\n") if name and ".egg-info" not in name]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The source distribution and the wheel, built in a clean folder."""
    clean = tmp_path_factory.mktemp("clean")
    for name in _tracked():
        if (ROOT / name).is_file():
            (clean / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clean / name)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(clean / "dist"), str(clean)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    (source,) = (clean / "dist").glob("*.tar.gz")
    (wheel,) = (clean / "dist").glob("*.whl")
    return source, wheel


def test_source_distribution_holds_every_file(built):
    with tarfile.open(built[0]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {name for name in _tracked() if (ROOT / name).is_file()} <= names


def test_tests_run_from_the_source_distribution(built, tmp_path):
    with tarfile.open(built[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    (place,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_documents.py"]
    ended = subprocess.run(
        command,
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(place), "HOME": "/"},
    )
    assert ended.returncode == 0, ended.stdout[-2000:]


def test_wheel_holds_every_module_and_what_it_reads(built):
    with zipfile.ZipFile(built[1]) as archive:
        names = set(archive.namelist())
    packages = ("numerics/", "theorems/", "reports/")
    wanted = {n for n in _tracked() if n.startswith(packages) and (ROOT / n).is_file()}
    assert wanted <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


def test_an_index_is_given_no_link_that_it_cannot_follow(built):
    """The description in the wheel is the README, but a link to a file has become the file's name."""
    with zipfile.ZipFile(built[1]) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        found = message_from_string(archive.read(metadata).decode())
    assert found["Description-Content-Type"] == "text/markdown"
    assert found.get_all("Project-URL") == [f"{name}, {url}" for name, url in PROJECT["urls"].items()]
    rest = found.get_payload()
    assert [target for _, _, target in LINK.findall(rest) if not target.startswith("https://")] == []
    assert len(LINK.findall(README)) > 5, "else nothing is tried"
    before = 0
    for link in LINK.finditer(README):
        picture, label, target = link.groups()
        named = f"*{label}*" if picture else label if label == target else f"{label} (`{target}`)"
        said = README[before : link.start()] + (link[0] if target.startswith("https://") else named)
        assert rest.startswith(said)
        rest, before = rest.removeprefix(said), link.end()
    assert rest.strip() == README[before:].strip()


def test_with_a_repository_links_and_pictures_lead_to_the_tag():
    written = "See [a](docs/a.md), ![b](docs/b.png) and [c](https://c.org)."
    shown = description(written, "1.2", "https://r.org/x/")
    assert shown == (
        "See [a](https://r.org/x/blob/v1.2/docs/a.md), ![b](https://r.org/x/raw/v1.2/docs/b.png) "
        "and [c](https://c.org)."
    )


@pytest.mark.parametrize(
    "package",
    [f"numerics{part}" for part in ("", ".flows", ".potentials", ".proximal", ".schedules", ".transport")],
)
def test_every_public_name_is_found(package):
    module = importlib.import_module(package)
    assert module.__all__ == sorted(set(module.__all__))
    for name in module.__all__:
        found = getattr(module, name)
        assert found.__doc__, f"{package}.{name} says nothing"
    assert set(module.__all__) <= set(dir(module))


def test_flows_do_not_load_torch_until_it_is_asked_for():
    code = "import sys, numerics, numerics.flows; numerics.flows.ExactField; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_version_is_that_of_the_distribution():
    assert importlib.import_module("numerics").__version__ == version("otcfm-theorems")
    assert f"version: {version('otcfm-theorems')}" in (ROOT / "CITATION.cff").read_text()


def test_no_dependency_is_listed_twice():
    for listed in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()):
        names = [Requirement(text).name for text in listed]
        assert sorted(names) == sorted(set(names))
