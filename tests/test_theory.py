"""docs/theory.md has all that claims and code cite, in formulas that show, with right numbers."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr, ndtri
from scipy.stats import norm

from reports.page.mathml import formula
from theorems.claim import all_claims

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
HEADINGS = set(re.findall(r"^#{2,3} (?:(§[\d.]*\d)|([A-Z]\d+)\.)", TEXT, re.M))
PLACES = {section or claim for section, claim in HEADINGS}
CITATION = re.compile(
    r"theory\.md((?:[ ,;]*(?:and |§)?(?:[PMHFDLN]\d+(?:–[PMHFDLN]?\d+)?|\d+(?:\.\d+)?)(?![\w²³]))+)"
)
W, GAP = 0.3, 2.0
B = float(ndtri(W))


def _section(place):
    """The text below the heading of a claim."""
    start = re.search(rf"^### {place}\. ", TEXT, re.M)
    assert start, f"docs/theory.md has no heading for {place}"
    following = re.search(r"^#{2,3} ", TEXT[start.end() :], re.M)
    return TEXT[start.start() : start.end() + following.start()] if following else TEXT[start.start() :]


def _cited():
    """Every place of docs/theory.md that code and documents name, with the file that does."""
    for path in sorted(p for p in ROOT.rglob("*") if p.suffix in (".py", ".md")):
        inside = path.relative_to(ROOT).parts
        if inside[0] not in ("numerics", "theorems", "reports", "tests", "benchmarks", "docs", "README.md"):
            continue
        if "_build" in inside or path.name == "theory.md":
            continue
        for group in CITATION.findall(path.read_text(encoding="utf-8")):
            for section in re.findall(r"§(\d+(?:\.\d+)?)", group):
                yield f"§{section}", path
            for letter, first, last in re.findall(r"([PMHFDLN])(\d+)(?:–[PMHFDLN]?(\d+))?", group):
                for k in range(int(first), int(last or first) + 1):
                    yield f"{letter}{k}", path


def test_every_claim_has_its_section():
    assert [c.id for c in all_claims() if c.id not in PLACES] == []


def test_every_place_that_is_cited_exists():
    cited = list(_cited())
    assert len(cited) > 50, "the pattern finds the citations"
    assert sorted({f"{place} in {path.name}" for place, path in cited if place not in PLACES}) == []


def test_it_is_cited_by_its_path():
    sources = (p for folder in ("numerics", "theorems", "reports") for p in (ROOT / folder).rglob("*.py"))
    bare = re.compile(r'(?<!docs/)(?<!")\btheory\.md')  # not the name of the page's own copy, in quotes
    assert [p.name for p in sources if bare.search(p.read_text(encoding="utf-8"))] == []


def test_every_family_that_is_cited_is_listed():
    listed = re.search(r"### §4\.2 Families\n(.*?)\n### ", TEXT, re.S)
    assert listed
    numbers = {int(k) for k in re.findall(r"^(\d)\. ", listed.group(1), re.M)}
    texts = (p.read_text(encoding="utf-8") for p in (ROOT / "numerics").rglob("*.py"))
    cited = {int(k) for text in texts for k in re.findall(r"theory\.md §4\.2, family (\d)", text)}
    assert cited
    assert cited <= numbers


def test_every_formula_can_be_shown():
    blocks = re.findall(r"\$\$(.+?)\$\$", TEXT, re.S)
    inline = re.findall(r"\$([^$]+)\$", re.sub(r"\$\$.+?\$\$", "", TEXT, flags=re.S))
    assert len(blocks) > 10
    assert len(inline) > 300
    for latex in blocks + inline:
        formula(" ".join(latex.split()))


def _third_moment():
    """I of M6."""
    return quad(lambda z: (norm.pdf(z) + z * ndtr(z)) ** 2 * ndtr(-z), -12, 12)[0]


def _trigonometric_excess():
    """P6, circle of radius 2 in the plane."""
    square, mean = math.pi**2 / 8, math.sqrt(math.pi / 2)
    return (square - 1) * 2 + (square - 1) * 4 + 2 * (1 - math.pi / 4) * 2 * mean


def _polygon(n, radius=3.0):
    """N6: the farthest that projections on the n-gon and on the circle's disc lie apart up to |x| = 3."""
    cosine, sine = math.cos(math.pi / n), math.sin(math.pi / n)
    s = -cosine + math.sqrt(cosine**2 + radius**2 - 1)
    theta = math.atan(s * sine / (1 + s * cosine))
    return max(2 * math.sin(theta / 2), 1 - cosine)


ALONG = np.array([2.0, -1.0]) / math.sqrt(5)
START = B * ALONG + 0.3 * np.array([-1.0, -2.0]) / math.sqrt(5)
NUMBERS = [
    ("P6", "2.47806", _trigonometric_excess()),
    ("M6", ".51709", 2 * math.sqrt(W * (1 - W) / math.pi)),
    ("M6", "2.41593", 2 * GAP * W * (1 - W) / norm.pdf(B)),
    ("M6", "0.376126", _third_moment()),
    ("M6", "1.69374", 2 * (2 * W * (1 - W)) ** 1.5 * _third_moment() / norm.pdf(B) ** 2),
    ("N1", ".0822829", math.log(2) + W * math.log(W) + (1 - W) * math.log(1 - W)),
    ("N1", ".3882807", math.sqrt(W * (1 - W)) * math.log((1 - W) / W)),
    ("N3", "1.2039728", -math.log(0.3)),
    ("N3", "1.386294", 2 * math.log(2)),
    ("N4", "776.969", 2 / 7 * math.exp(7.5 - (1 / 0.98 - 1 / 0.7))),
    ("N4", "-.6032022", START[0]),
    ("N4", "-.0338091", START[1]),
    ("N4", "1.0338091", 1 - START[1]),
    ("N4", "1.1969186", float(np.linalg.norm(np.array([0, 1]) - START))),
    ("N4", ".9830944", math.pi**2 / 4 * math.sqrt(B**2 / 4 + 0.09)),
    ("N4", ".7024815", math.pi / 2 * math.hypot(0.4, 0.2)),
    ("N4", "2.8099259", math.pi / 2 * math.hypot(1.6, 0.8)),
    ("N5", "2.0628583", math.sqrt(16 * math.sqrt(2 / math.pi) / 3)),
    *[("N6", text, _polygon(n)) for n, text in ((8, ".2640166"), (32, ".0654849"), (128, ".0163630"))],
    ("N7", ".3173105", 2 * float(ndtr(-1))),
    ("N8", "2.0683532", 2 * GAP**2 * math.sqrt(W * (1 - W) / math.pi)),
    ("N8", "1.4625466", GAP**2 * math.sqrt(2 * W * (1 - W) / math.pi)),
]


@pytest.mark.parametrize(("place", "printed", "value"), NUMBERS, ids=[f"{p} {t}" for p, t, _ in NUMBERS])
def test_numbers_are_as_printed(place, printed, value):
    """To half a unit of the last digit printed, and they do stand in the section."""
    assert printed in _section(place)
    digits = len(printed.partition(".")[2])
    assert abs(float(printed) - value) <= 0.5001 * 10.0**-digits
