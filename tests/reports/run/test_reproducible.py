"""Same seed, same report: with workers, alone, in any order, and after a failing draw."""

import shlex

import pytest

from tests.reports.house import House, without_seconds

DRAWING = """
from numbers_of import LIMIT

class Ball:
    def __init__(self, radius, t):
        self.radius, self.t = radius, t
    def __repr__(self):
        return f"Ball({self.radius!r}, {self.t!r})"

@pytest.mark.claim("A")
@given(x=st.floats(0, 1e9), n=st.integers(0, 10**9), s=st.text(max_size=3))
def test_check(evidence, x, n, s):
    evidence.on(Ball(x, n), s=s).certified("gap", x + n / 7 + len(s), 1e12, "large")

@pytest.mark.claim("A")
@pytest.mark.parametrize("d", [1, 2])
@given(x=st.floats(0, 1e9))
def test_many(evidence, d, x):
    evidence.on(Ball(x, d)).certified("gap", x * d, 1e12, "large")

class TestGroup:
    @pytest.mark.claim("A")
    @given(x=st.floats(0, 1e9))
    def test_method(self, evidence, x):
        evidence.on(Ball(x, 0)).certified("gap", x, 1e12, "large")

@pytest.mark.control("A")
def test_control(evidence, rng):
    evidence.control("wrong step", 0.25, 0.25 + 1e-3 * rng.random(), 1e-2, "closed form")
    evidence.figure("A line", "a line", lambda f: f.subplots().plot([1, 2]))
"""
SHRINKING = """
@pytest.mark.claim("A")
@given(x=st.floats(1, 2), y=st.booleans())
def test_shrinks(evidence, x, y):
    with open("drawn", "a") as drawn:
        drawn.write(str(int(y)))
    evidence.on("Ball", x=x).certified("fine", x, 10, "ten")
    {failure}

@pytest.mark.control("A")
def test_control(evidence):
    evidence.control("wrong step", 0.25, 0.25, 1e-9, "closed form")
"""


def build(house: House) -> House:
    # A local module full of constants, which Hypothesis would mix into its draws where it is imported.
    (house.path / "numbers_of.py").write_text(
        "LIMIT = 7.0\n" + "\n".join(f"C{i} = {999_999_000 + i}.5" for i in range(300))
    )
    lone = '@pytest.mark.claim("B")\n@given(x=st.floats(0, 1e9))\ndef test_lone(evidence, x):\n'
    lone += '    evidence.on("Ball", x=x).certified("gap", x, 1e12, "large")\n'
    lone += '\n@pytest.mark.control("B")\ndef test_lone_control(evidence):\n'
    lone += '    evidence.control("v", 1, 1, 0.1, "b")\n'
    return house.build(DRAWING, 'claim("A"), claim("B", modules=("test_lone",)),', test_lone=lone)


def test_workers_and_repetition_change_nothing(house: House) -> None:
    build(house)
    first, again, workers = house.run(), house.run(report="b"), house.run("-n", "2", report="c")
    assert first.status == again.status == workers.status == 0
    assert without_seconds(first.report) == without_seconds(again.report) == without_seconds(workers.report)
    for one, other in zip(
        sorted(first.directory.rglob("*.svg")), sorted(workers.directory.rglob("*.svg")), strict=True
    ):
        assert one.read_bytes() == other.read_bytes()


def test_seconds_of_claims_are_those_of_their_tests(house: House) -> None:
    """Also where workers ran them; the longest stands first."""
    report = build(house).run("-n", "2").report
    times = report["provenance"]["seconds_by_claim"]
    assert list(times) == sorted(times, key=times.__getitem__, reverse=True)
    assert set(times) <= {"A", "B"}
    for claim in report["claims"]:
        tests = {record["test"]: record["seconds"] for record in (*claim["evidence"], *claim["controls"])}
        assert times.get(claim["id"], 0.0) == pytest.approx(sum(tests.values()), abs=0.01)


def test_another_seed_draws_otherwise(house: House) -> None:
    build(house)
    first, other = house.run(), house.run("--seed=1", report="b")
    worst = [[e["worst"] for e in ran.report["claims"][0]["evidence"]] for ran in (first, other)]
    assert worst[0] != worst[1]
    measured = [ran.report["claims"][0]["controls"][0]["measured"] for ran in (first, other)]
    assert measured[0] != measured[1]


def test_the_command_of_a_worst_case_reproduces_it(house: House) -> None:
    whole = build(house).run("--seed=5", "--hypothesis-profile=thorough")
    records = [e for claim in whole.report["claims"] for e in claim["evidence"]]
    assert {e["draws"] for e in records} == {200}
    for record in records:
        _, *words = shlex.split(record["command"])
        alone = house.run(*words, where="", report="alone")
        assert alone.status == 0, alone.output
        found = [e for claim in alone.report["claims"] for e in claim["evidence"]]
        assert [(e["test"], e["worst"], e["measured"]) for e in found] == [
            (record["test"], record["worst"], record["measured"])
        ]


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        ('evidence.on("Ball", x=x).certified("gap", x, 0.5 if y else 10, "half")', "refuted"),
        ("assert not y", "unsupported"),
        ("if y: pytest.fail('no')", "unsupported"),
    ],
)
def test_shrinking_pollutes_nothing(house: House, failure: str, verdict: str) -> None:
    ran = house.build(SHRINKING.replace("{failure}", failure)).run("--hypothesis-profile=thorough")
    assert (ran.status, ran.verdicts) == (1, {"A": verdict})
    (fine,) = [e for e in ran.report["claims"][0]["evidence"] if e["quantity"] == "fine"]
    drawn = (house.path / "drawn").read_text()
    assert fine["draws"] == drawn.index("1") + 1 < len(drawn), "draws after the failing one were counted"
    if verdict == "refuted":
        (gap,) = [e for e in ran.report["claims"][0]["evidence"] if e["quantity"] == "gap"]
        assert gap["measured"] > 1, "the first failing draw is kept, not the simplest one"


def test_assume_does_not_freeze(house: House) -> None:
    source = SHRINKING.replace("{failure}", "from hypothesis import assume; assume(y)")
    ran = house.build(source).run()
    (fine,) = ran.report["claims"][0]["evidence"]
    assert ran.status == 0
    assert fine["draws"] > 20


def test_other_tests_keep_their_own_profile(house: House) -> None:
    build(house)
    (house.path / "test_mine.py").write_text(
        "from hypothesis import given, settings, strategies as st\nN = []\n"
        "@given(st.floats())\ndef test_mine(x): N.append(x)\ndef test_after(): assert len(N) == 100\n"
    )
    house.environment["CI"] = ""
    ran = house.run("test_mine.py", where="theorems")
    assert ran.status == 0, ran.output
