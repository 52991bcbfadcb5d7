"""The plugin beside the common plugins of pytest.

Those installed are loaded; of the others the names of their options are known. All of them were loaded
together once, on 2026-11-22, with the versions of that day.
"""

from importlib import metadata

import pytest

from tests.reports.house import House, without_seconds

# Options and marks of each plugin, read from the releases current in November 2026.
OPTIONS = {
    "pytest-randomly": ["--randomly-seed", "--randomly-dont-reset-seed", "--randomly-dont-reorganize"],
    "pytest-html": ["--html", "--self-contained-html", "--css"],
    "pytest-json-report": [
        "--json-report",
        "--json-report-file",
        "--json-report-indent",
        "--json-report-omit",
    ],
    "pytest-cov": ["--cov", "--cov-report", "--cov-config", "--no-cov", "--cov-fail-under", "--cov-append"],
    "pytest-benchmark": ["--benchmark-only", "--benchmark-json", "--benchmark-storage", "--benchmark-seed"],
    "pytest-timeout": ["--timeout", "--timeout-method", "--session-timeout"],
    "pytest-mock": [],
    "pytest-rerunfailures": ["--reruns", "--reruns-delay", "--only-rerun", "--rerun-except"],
    "pytest-reportlog": ["--report-log"],
}
OURS = {"--report", "--seed", "--jobs", "--claim", "--target", "--flow", "--dim", "--device", "--mnist"}
OURS |= {"--checkpoint", "--label"}
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


def installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not installed(name), reason=f"{name} is not installed")


@pytest.mark.parametrize("name", OPTIONS)
def test_options_do_not_clash(name: str) -> None:
    assert not OURS & set(OPTIONS[name])


def test_beside_all_that_are_installed(house: House) -> None:
    house.environment["PY_IGNORE_IMPORTMISMATCH"] = "1"
    plain = house.build().run("-p", "no:randomly")
    beside = house.run(report="b")
    assert plain.status == beside.status == 0, beside.output
    assert without_seconds(plain.report) == without_seconds(beside.report)


@needs("pytest-randomly")
def test_beside_randomly(house: House) -> None:
    house.build()
    runs = [house.run("-p", "randomly", f"--randomly-seed={seed}", report=str(seed)) for seed in (1, 2)]
    assert [run.status for run in runs] == [0, 0]
    assert without_seconds(runs[0].report) == without_seconds(runs[1].report)


@needs("pytest-json-report")
def test_beside_json_report(house: House) -> None:
    ran = house.build().run("--json-report", "--json-report-file=other.json")
    assert ran.status == 0
    assert "otcfm_evidence" not in (house.path / "other.json").read_text()


@needs("pytest-html")
def test_beside_html(house: House) -> None:
    ran = house.build().run("--html=other.html", "--self-contained-html")
    assert ran.status == 0, ran.output


@needs("pytest-rerunfailures")
@pytest.mark.parametrize(
    ("failure", "verdict"),
    [("raise RuntimeError", "unsupported"), ('evidence.certified("gap", 2, 1, "b")', "refuted")],
)
def test_a_rerun_does_not_forget(house: House, failure: str, verdict: str) -> None:
    ran = house.build(FLAKY.replace("{failure}", failure)).run("--reruns=2")
    assert "1 rerun" in ran.output
    assert (ran.status, ran.verdicts) == (1, {"A": verdict})
