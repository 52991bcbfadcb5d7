"""The sweep over seeds: what it runs, keeps and says."""

import subprocess

import distributed
import pytest

from benchmarks import seeds
from reports.run import power


@pytest.mark.parametrize(
    ("text", "expected"), [("3", [3]), ("3,5-7", [3, 5, 6, 7]), ("5-7,6,0", [0, 5, 6, 7]), ("0-0", [0])]
)
def test_ranges_are_read(text, expected):
    assert seeds.seeds_of(text) == expected


@pytest.mark.parametrize("text", ["", "a", "3-", "-3", "7-5", "1,,2", "1.5"])
def test_bad_ranges_are_refused_by_name(text):
    with pytest.raises(ValueError, match="seeds: got"):
        seeds.seeds_of(text)


def test_the_hash_is_that_of_names_and_contents(tmp_path):
    for name in power.CODE[:3]:
        (tmp_path / name).mkdir()
    for name in power.CODE[3:]:
        (tmp_path / name).write_text("")
    module = tmp_path / "numerics" / "a.py"
    module.write_text("x = 1")
    first = power.code_hash(tmp_path)
    assert power.code_hash(tmp_path) == first
    module.write_text("x = 2")
    changed = power.code_hash(tmp_path)
    module.rename(module.with_name("b.py"))
    assert len({first, changed, power.code_hash(tmp_path)}) == 3


CLAIMS = [
    {
        "id": "P1",
        "verdict": "verified",
        "evidence": [{"quantity": "q", "measured": 0, "bound": 1, "worst": "", "holds": True, "points": 5}],
    },
    {
        "id": "P2",
        "verdict": "refuted",
        "evidence": [{"quantity": "q", "measured": 2, "bound": 1, "worst": "t", "holds": False, "points": 7}],
    },
]


def test_what_failed_is_named():
    found = seeds.summary(CLAIMS)
    assert found["verdicts"] == {"verified": 1, "refuted": 1}
    assert found["bad"] == {"P2": "refuted"}
    assert found["beyond"] == ["P2 q: 2 beyond 1 on t"]
    assert found["points"] == 12


def _found(seed, profile="quick", status=0):
    own = {"seed": seed, "profile": profile, "exit": status, "code": seeds.code_hash()}
    return seeds.summary(CLAIMS[:1]) | own | {"seconds": 1.0, "output": ""}


def _fake_run(ran):
    def run(seed, profile, _extra):
        ran.append(seed)
        return _found(seed, profile, int(seed == 2))

    return run


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder in which everything is kept."""
    for name, place in (("KEPT", "kept"), ("RECORD", "SEEDS.md"), ("PACKED", "SEEDS.json")):
        monkeypatch.setattr(seeds, name, tmp_path / place)
    return tmp_path


def test_a_sweep_goes_on_where_it_was(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(seeds, "run_seed", _fake_run(ran))
    seeds.sweep([0, 1], "quick", 1, [], tmp_path)
    found = seeds.sweep([0, 1, 2], "quick", 1, [], tmp_path)
    assert ran == [0, 1, 2]
    assert sorted(found) == [0, 1, 2]
    text = seeds.markdown({"quick": found}, "abc")
    assert "quick: 2 of 3 seeds" in text
    assert "| 2 | 1 verified | 5 | 1.0 | exit 1 |" in text


def test_the_exit_status_tells(here, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(seeds, "run_seed", _fake_run(ran))
    assert seeds.main(["--seeds=0-1", "--jobs=1"]) == 0
    assert seeds.main(["--seeds=0-2", "--jobs=1"]) == 1
    assert ran == [0, 1, 2]
    assert "not [2]" in capsys.readouterr().out
    assert "quick: 2 of 3 seeds" in (here / "SEEDS.md").read_text()


def test_a_run_that_left_nothing_is_no_success(here, monkeypatch, capsys):
    """It was killed, so that nothing is kept of it."""
    monkeypatch.setattr(seeds, "run_seed", lambda seed, profile, _: _found(seed, profile, -9 * (seed == 1)))
    assert seeds.main(["--seeds=0-2", "--jobs=1"]) == 1
    assert "2 of 3 seeds succeed; not [1]" in capsys.readouterr().out
    assert not (here / "kept" / seeds.code_hash() / "quick-1.json").exists()


def test_a_large_seed_is_in_the_record(here, monkeypatch):
    monkeypatch.setattr(seeds, "run_seed", lambda seed, profile, _: _found(seed, profile))
    seeds.main(["--seeds=20000", "--jobs=1"])
    assert "| 20000 |" in (here / "SEEDS.md").read_text()


@pytest.mark.usefixtures("here")
def test_what_workers_of_a_cluster_find_is_kept_here(monkeypatch):
    """They may share no files with this machine; here they are threads, so that they see the patch."""
    monkeypatch.setattr(seeds, "run_seed", lambda seed, profile, _: _found(seed, profile, int(seed == 2)))
    with distributed.LocalCluster(n_workers=2, processes=False, dashboard_address=None) as cluster:
        assert seeds.main(["--seeds=0-3", f"--cluster={cluster.scheduler_address}"]) == 1
    kept = seeds.kept_runs(seeds.KEPT / seeds.code_hash())
    assert sorted(kept["quick"]) == [0, 1, 2, 3]
    assert [seed for seed, run in kept["quick"].items() if run["exit"]] == [2]


def test_a_worker_with_other_code_is_refused(here, monkeypatch):
    monkeypatch.setattr(seeds, "run_seed", lambda seed, profile, _: _found(seed, profile) | {"code": "ffff"})
    with pytest.raises(RuntimeError, match="seed 0 ran code ffff, this is"):
        seeds.main(["--seeds=0", "--jobs=1"])
    assert not list(here.rglob("quick-0.json"))


def test_a_fault_keeps_its_row_whatever_it_says():
    """Norms are written with bars, which part cells, and worst cases with thousands of numbers."""
    fault = {"quantity": "|a − b|", "measured": 2, "bound": 1, "worst": "x=1.5, " * 500}
    claim = CLAIMS[1] | {"evidence": [CLAIMS[1]["evidence"][0] | fault]}
    run = seeds.summary([claim]) | {"seed": 3, "exit": 1, "seconds": 1.0}
    row = seeds.markdown({"quick": {3: run}}, "abc").splitlines()[-1]
    assert row.replace("\\|", "").count("|") == 6
    assert "a − b" in row
    assert len(row) < 400


def test_a_sweep_goes_on_in_another_checkout_and_lists_earlier_code(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(seeds, "run_seed", _fake_run(ran))
    monkeypatch.setattr(seeds, "RECORD", tmp_path / "SEEDS.md")
    monkeypatch.setattr(seeds, "PACKED", tmp_path / "SEEDS.json")
    for code, asked in (("0123abcd", "2"), ("4567cdef", "0"), ("4567cdef", "0-1")):
        monkeypatch.setattr(seeds, "KEPT", tmp_path / f"kept in {len(ran)}")
        monkeypatch.setattr(seeds, "code_hash", lambda code=code: code)
        seeds.main([f"--seeds={asked}", "--jobs=1"])
    assert ran == [2, 0, 1]
    now, earlier = (tmp_path / "SEEDS.md").read_text().split("## An earlier code: 0123abcd")
    assert "## This code: 4567cdef" in now
    assert "quick: 2 of 2 seeds" in now
    assert "quick: 0 of 1 seeds" in earlier


@pytest.mark.parametrize("argument", ["--seeds=x", "--jobs=0", "--profile=slow", "--cluster=nowhere"])
def test_bad_arguments_end_with_a_message(argument, capsys):
    with pytest.raises(SystemExit) as ended:
        seeds.main([argument])
    assert ended.value.code == 2
    assert argument.split("=")[0].strip("-") in capsys.readouterr().err


@pytest.mark.parametrize(("status", "is_kept"), [(0, True), (1, True), (-15, False)])
def test_a_run_that_a_signal_ended_is_not_kept(tmp_path, monkeypatch, status, is_kept):
    """Otherwise a sweep that was stopped would go on with a seed marked as failed."""
    ended = subprocess.CompletedProcess([], status, "", "")
    monkeypatch.setattr(seeds.subprocess, "run", lambda *_, **__: ended)
    seeds.keep(seeds.run_seed(3, "quick", []), tmp_path)
    assert (tmp_path / "quick-3.json").exists() == is_kept
