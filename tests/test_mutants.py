"""The faults that are put into the code: what operators change, what is drawn, and what is said of it."""

import json
from pathlib import Path

import pytest
from cosmic_ray.mutating import mutate_code
from scipy.stats import binom

from benchmarks.mutants import contexts, operators, population, power, trial

SOURCE = '''"""A module."""
import numpy as np
EPS = 2.0
def f(n: int, step: float, *, alpha: float = 1.0) -> "Array | None":
    """A function of n and step."""
    if n < 1:
        raise ValueError(f"n - 1 is {n - 1}")
    root = np.sqrt(n * step)
    pairs = list(zip([1], [2], strict=True))
    return root + alpha * EPS, pairs
'''


@pytest.mark.parametrize("operator", operators.OF_THIS_FIELD, ids=lambda o: o.__name__)
def test_each_operator_of_the_field_does_what_it_shows(operator):
    assert operator.examples()
    for example in operator.examples():
        changed = mutate_code(example.pre_mutation_code, operator(), example.occurrence)
        assert changed == example.post_mutation_code


def test_a_name_that_is_bound_or_names_an_argument_stays():
    for text in ("def f(alpha, n): pass", "f(alpha=1, n=2)", "import alpha", "EPS = 1", "x.step"):
        for operator in operators.OF_THIS_FIELD:
            assert mutate_code(text, operator(), 0) is None, (text, operator)


def test_operators_that_are_kept_exist_and_those_left_out_have_a_reason():
    assert len(operators.every_operator()) == len(operators.OF_THIS_FIELD) + len(operators.KEPT_OF_COSMIC_RAY)
    assert all(operators.LEFT_OUT_OF_COSMIC_RAY.values())
    assert all(population.NOT_MUTATED.values())


def test_every_fault_changes_its_own_line_and_compiles():
    found = population.in_file("numerics/a.py", SOURCE)
    assert {m.operator for m in found} >= {"field/DropRoot", "field/InvertStep", "field/MoveTolerance"}
    for mutant in found:
        changed = mutant.code(SOURCE)
        compile(changed, "a.py", "exec")
        pairs = zip(SOURCE.splitlines(), changed.splitlines(), strict=True)
        assert [n for n, (a, b) in enumerate(pairs, 1) if a != b] == [mutant.line]


def test_what_is_no_number_of_a_check_is_not_mutated():
    lines = {m.line for m in population.in_file("numerics/a.py", SOURCE)}
    assert lines == {3, 4, 6, 8, 9, 10}  # the default of alpha is a number; the raise on line 7 is none
    guarded = [m for m in population.in_file("numerics/a.py", SOURCE) if m.line == 9]
    assert {m.operator for m in guarded} == {"core/NumberReplacer"}


def test_a_place_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match=r"numerics/a\.py: field/DropRoot has no place 7"):
        population.Mutant("numerics/a.py", "field/DropRoot", 7, 1).code(SOURCE)


def test_a_longer_sample_begins_with_the_shorter_one():
    everything = population.in_file("numerics/a.py", SOURCE)
    short, long = population.sample(everything, 5, 0), population.sample(everything, 9, 0)
    assert long[:5] == short
    assert len(set(long)) == 9
    assert population.sample(everything, 5, 1) != short
    assert len(population.sample(everything, 10**6, 0)) == len(everything)


def test_modules_are_code_and_no_checks(tmp_path):
    for name in (
        "numerics/a.py",
        "theorems/p/test_a.py",
        "theorems/p/claims.py",
        "theorems/p/fits.py",
        "tests/a.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    assert population.modules(tmp_path) == ["numerics/a.py", "theorems/p/fits.py"]


TOUCHING = contexts.Contexts(
    {
        "numerics/a.py": {
            1: [""],
            2: ["", "theorems/t.py::slow", "theorems/t.py::quick"],
            3: ["tests/u.py::u"],
        }
    },
    {"theorems/t.py::slow": 3.0, "theorems/t.py::quick": 1.0, "tests/u.py::u": 2.0},
)


def test_checks_of_a_line_come_quickest_first():
    assert TOUCHING.checks("numerics/a.py", 2, ["theorems"]) == [
        "theorems/t.py::quick",
        "theorems/t.py::slow",
    ]


def test_a_line_of_the_import_belongs_to_all_checks_of_its_file():
    assert TOUCHING.checks("numerics/a.py", 1, ["tests", "theorems"]) == [
        "theorems/t.py::quick",
        "tests/u.py::u",
        "theorems/t.py::slow",
    ]


def test_a_line_that_nothing_runs_has_no_checks():
    assert TOUCHING.checks("numerics/a.py", 4, ["theorems", "tests"]) == []
    assert TOUCHING.checks("numerics/b.py", 1, ["theorems", "tests"]) == []


@pytest.mark.parametrize(("hits", "of"), [(0, 5), (3, 7), (9, 10), (400, 400)])
def test_the_interval_holds_both_tails_of_the_binomial(hits, of):
    low, high = power.share(hits, of)
    if hits:
        assert binom.sf(hits - 1, of, low) == pytest.approx(power.LEVEL / 2, rel=1e-9)
    if hits < of:
        assert binom.cdf(hits, of, high) == pytest.approx(power.LEVEL / 2, rel=1e-9)
    assert 0 <= low <= hits / of <= high <= 1


def test_nothing_tried_says_nothing():
    assert power.share(0, 0) == (0.0, 1.0)


def _outcome(by, operator="field/DropRoot", occurrence=0, suites=("theorems", "tests")):
    mutant = population.Mutant("numerics/a.py", operator, occurrence, 8)
    return trial.Outcome(
        mutant, by, 3, 2 * ("theorems" in suites), suites, ("root = np.sqrt(n)", "root = (n)"), 1.0
    )


def test_the_page_counts_what_theorems_noticed_apart_from_tests():
    by = ["theorems/p/test_t.py::a", "theorems/p/test_t.py::a", "tests/u.py::u", "import", "", ""]
    outcomes = [_outcome(name, occurrence=i) for i, name in enumerate(by)]
    equivalent = {outcomes[5].mutant.key: "n is 1 there"}
    drawn = {"seed": 0, "sample": 6, "population": 60}
    claims = {"theorems.p.test_t::a": ["P2"], "theorems.p.test_t::b": ["H1"]}
    page = power.markdown(outcomes, drawn, equivalent, claims)
    assert "| all | 6 | 1 | 3 (15 to 95 %) | 4 (28 to 99 %) |" in page
    assert "| P2 | 2 |" in page
    score = power.score(outcomes, equivalent, "0123", claims)
    assert score["claims"] == {"H1": 0, "P2": 2}
    assert (score["code"], score["tried"], score["noticed"]) == ("0123", 5, 3)
    assert score["interval"] == pytest.approx(power.share(3, 5), abs=1e-4)
    assert "Fewer than 3 were first noticed by: H1, P2." in page
    assert "equivalent: n is 1 there" in page
    assert page.count("- numerics/a.py:8") == 3
    assert "| a check of theorems | 6 | 1 | 3 (15 to 95 %) | 4 (28 to 99 %) |" in page


DRAWN = {"seed": 0, "sample": 3, "population": 60}
BY_A_THEOREM = "theorems/p/test_t.py::a"


def test_no_share_is_said_of_tests_that_were_not_run():
    outcomes = [_outcome(by, occurrence=i, suites=("theorems",)) for i, by in enumerate([BY_A_THEOREM, ""])]
    page = power.markdown(outcomes, DRAWN, {}, {})
    assert "| all | 2 | 0 | 1 (1 to 99 %) | not tried |" in page
    assert "survived; `tests` not tried; 3 checks touch the line" in page
    assert power.noticed_by(outcomes, "tests") is None


def test_faults_that_tests_have_not_met_yet_widen_their_interval():
    outcomes = [_outcome(BY_A_THEOREM), _outcome("", occurrence=1)]
    outcomes.append(_outcome("", occurrence=2, suites=("theorems",)))
    assert power.noticed_by(outcomes, "theorems") == (1, 0, *power.share(1, 3))
    assert power.noticed_by(outcomes, "tests") == (1, 1, power.share(1, 3)[0], power.share(2, 3)[1])
    page = power.markdown(outcomes, DRAWN, {}, {})
    assert "| all | 3 | 0 | 1 (1 to 91 %) | 1 (1 to 99 %, 1 not tried) |" in page
    assert page.count("survived; 3 checks") == page.count("`tests` not tried;") == 1


def test_the_score_is_of_what_the_theorems_were_shown():
    shown = [_outcome(BY_A_THEOREM), _outcome("tests/u.py::u", occurrence=1)]
    found = power.score(shown, {}, "0123", {})
    assert (found["tried"], found["noticed"]) == (2, 1)
    assert not {"tests", "with_tests"} & found.keys()
    with pytest.raises(ValueError, match=r"1 faults were never shown to the theorems, numerics\.a\.py"):
        power.score([*shown, _outcome("tests/u.py::u", occurrence=2, suites=("tests",))], {}, "0123", {})


def test_an_equivalent_fault_needs_a_reason(tmp_path):
    path = tmp_path / "equivalent.txt"
    path.write_text("# faults\n\nnumerics.a.py-DropRoot-0: n is 1 there\n")
    assert power.equivalents(path) == {"numerics.a.py-DropRoot-0": "n is 1 there"}
    path.write_text("numerics.a.py-DropRoot-0:\n")
    with pytest.raises(ValueError, match="line 1: give a reason"):
        power.equivalents(path)
    assert power.equivalents(tmp_path / "absent.txt") == {}


EQUIVALENT = power.equivalents(Path(power.__file__).with_name("equivalent.txt"))


@pytest.mark.parametrize("key", EQUIVALENT)
def test_an_equivalent_fault_is_still_the_one_that_was_judged(key):
    """Places are counted from the top of a file: an edit above moves the key to another fault."""
    module = key.split(".py-")[0].replace(".", "/") + ".py"
    source = (Path(__file__).parents[1] / module).read_text(encoding="utf-8")
    mutant = {m.key: m for m in population.in_file(module, source)}[key]
    wrong = mutant.code(source).splitlines()[mutant.line - 1].strip()
    said, _, reason = EQUIVALENT[key].removeprefix("`").partition("` ")
    assert (wrong, bool(reason.strip())) == (said, True)


def test_claims_of_a_check_are_those_of_its_evidence_and_its_controls():
    record = {"test": "theorems.p.test_t::a[circle: 2, 3]"}
    report = {"claims": [{"id": "P1", "evidence": [record, record], "controls": []}]}
    report["claims"].append({"id": "P2", "evidence": [], "controls": [record]})
    claims = power.claims_of(report)
    assert claims == {"theorems.p.test_t::a": ["P1", "P2"]}
    noticed = [_outcome("theorems/p/test_t.py::a"), _outcome("theorems/p/test_t.py::b"), _outcome("import")]
    assert power.first_noticed(noticed, claims) == {"P1": 1, "P2": 1}


@pytest.mark.parametrize("why", ["no end", "verdict"])
def test_no_check_is_named_for_a_run_that_fails_as_a_whole(why):
    outcome = _outcome(f"theorems/p/test_t.py::a ({why})")
    assert outcome.in_theorems
    assert power.first_noticed([outcome], {"theorems.p.test_t::a": ["P1"]}) == {"P1": 0}


def test_an_outcome_is_read_as_it_was_kept(tmp_path):
    (tmp_path / "numerics").mkdir()
    (tmp_path / "numerics" / "a.py").write_text(SOURCE)
    mutant = next(m for m in population.in_file("numerics/a.py", SOURCE) if m.operator == "field/DropRoot")
    outcome = trial.attempt(tmp_path, mutant, [], ["theorems"], tmp_path / "kept")
    assert not outcome.noticed
    assert outcome.changed == ("root = np.sqrt(n * step)", "root = (n * step)")
    (kept,) = (tmp_path / "kept").glob("*.json")
    assert trial.read(kept) == outcome
    assert json.loads(kept.read_text())["asked"] == 0


def test_what_survived_the_theorems_is_shown_to_the_tests_later(tmp_path):
    (tmp_path / "numerics").mkdir()
    (tmp_path / "numerics" / "a.py").write_text(SOURCE)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("def test_a():\n    assert False\n")
    mutant = next(m for m in population.in_file("numerics/a.py", SOURCE) if m.operator == "field/DropRoot")
    first = trial.attempt(tmp_path, mutant, [], ["theorems"], tmp_path / "kept")
    assert first.left(["theorems", "tests"]) == ["tests"]
    again = trial.attempt(tmp_path, mutant, [("tests/test_a.py::test_a", 1.0)], ["tests"], tmp_path / "kept")
    assert again.theorems == 0
    assert (again.by, again.asked, again.suites) == ("tests/test_a.py::test_a", 1, ("theorems", "tests"))
    assert again.left(["theorems", "tests"]) == []


@pytest.mark.parametrize(
    "argument", ["--size=0", "--jobs=0", "--minutes=0", "--suites=docs", "--suites=tests"]
)
def test_bad_arguments_are_refused_before_anything_runs(argument, capsys):
    from benchmarks.mutants.__main__ import main

    with pytest.raises(SystemExit):
        main([argument])
    assert "error" in capsys.readouterr().err
