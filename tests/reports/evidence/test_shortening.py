"""A shortened SVG is the same picture: its points, its styles, and in a browser its pixels."""

import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure as Canvas

from reports.evidence import shortening
from reports.evidence.drawing import STYLE
from tests.reports.page import browsing

HEAD = f'<svg xmlns="{shortening.SVG}" xmlns:xlink="http://www.w3.org/1999/xlink" width="90pt">'


def shortened(inner: str) -> str:
    text = shortening.shorter(f"{HEAD}{inner}</svg>".encode()).decode()
    return re.sub(r"^<svg[^>]*>|</svg>$", "", text)


def matplotlib_svg() -> bytes:
    """A figure with lines, markers of two shapes, clipped paths, colours by point, opacity and text."""
    rng = np.random.default_rng(0)
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": "kept"}):
        canvas = Canvas(figsize=(6, 3), layout="constrained")
        left, right = canvas.subplots(1, 2)
        left.plot(np.linspace(0, 3, 300), np.sin(np.linspace(0, 3, 300)), label=r"$\sin x$")
        left.plot(rng.random(40), rng.random(40), "s", alpha=0.4)
        left.plot(np.zeros(30), np.zeros(30), ".")
        left.legend()
        right.scatter(rng.random(60), rng.random(60), c=rng.random(60))
        right.quiver(*rng.random((4, 20)))
        right.fill_between([0, 1], [0.2, 0.5], alpha=0.3)
        canvas.savefig(buffer, format="svg")
    return buffer.getvalue()


def absolute(path: str) -> list[tuple[float, float]]:
    """The points of a path of relative steps."""
    points, here, start = [], np.zeros(2), np.zeros(2)
    for letter, numbers in re.findall(r"([Mlcqz])([^Mlcqz]*)", path):
        flat = [float(number) for number in re.findall(r"-?\d*\.?\d+", numbers)]
        size = {"M": 1, "l": 1, "q": 2, "c": 3, "z": 1}[letter]
        if letter == "z":
            here = start
        for k in range(0, len(flat), 2 * size):
            given_points = np.reshape(flat[k : k + 2 * size], (-1, 2)) + (0 if letter == "M" else here)
            here = given_points[-1]
            start = here if letter == "M" else start
            points += [tuple(point) for point in given_points]
    return points


numbers = st.floats(-900, 900).map(lambda value: round(value, 3))
points = st.tuples(numbers, numbers)


@given(st.lists(st.tuples(points, st.lists(st.tuples(points, points, points), max_size=4)), min_size=1))
def test_a_path_keeps_its_points_to_half_a_step(parts: list[tuple]) -> None:  # type: ignore[type-arg]
    words, expected = [], []
    for start, curves in parts:
        words += [f"M {start[0]} {start[1]}"] + [
            "C " + " ".join(f"{x} {y}" for x, y in curve) for curve in curves
        ]
        words.append("z")
        expected += [start, *(point for curve in curves for point in curve)]
    text = shortened(f'<path d="{" ".join(words)}"/>')
    path = re.findall(r' d="([^"]*)"', text)[0]
    found = absolute(path)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found, expected, atol=0.05 + 1e-9)
    assert path.count("z") == len(parts)


def drawn(points: np.ndarray) -> np.ndarray:
    """The points that are left of a line."""
    line = "M " + " L ".join(f"{x:.3f} {y:.3f}" for x, y in points)
    return np.array(absolute(re.findall(r' d="([^"]*)"', shortened(f'<path d="{line}"/>'))[0]))


def farthest(points: np.ndarray, line: np.ndarray) -> float:
    """The largest distance of a point from a line of several pieces."""
    start, step = line[:-1], np.diff(line, axis=0)
    along = ((points[:, None] - start) * step).sum(axis=2) / np.maximum((step**2).sum(axis=1), 1e-9)
    nearest = start + np.clip(along, 0, 1)[:, :, None] * step
    return float(np.linalg.norm(points[:, None] - nearest, axis=2).min(axis=1).max())


@pytest.mark.parametrize("seed", range(6))
def test_a_line_stays_within_a_step_of_its_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    walk = 200 + np.cumsum(rng.normal(size=(150, 2)) * rng.choice([0.05, 0.3, 3.0], size=(150, 1)), axis=0)
    left = drawn(walk)
    assert farthest(walk, left) <= 0.05 * np.sqrt(2) + 0.05 + 1e-9  # rounded to the grid, then straightened
    assert farthest(left, walk) <= 0.05 * np.sqrt(2) + 1e-9  # and nothing is drawn elsewhere


def test_a_straight_line_needs_few_points_and_a_bent_one_keeps_its_bends() -> None:
    s = np.linspace(0, 1, 200)[:, None]
    assert len(drawn(s * [300, 100])) <= 5
    there_and_back = np.vstack([s * [300, 0], (1 - s) * [300, 0]])
    assert drawn(there_and_back)[:, 0].max() == 300
    turn = np.linspace(0, 2 * np.pi, 900)
    circle = 300 + 200 * np.column_stack([np.cos(turn), np.sin(turn)])
    assert farthest(circle, drawn(circle)) <= 0.05 * np.sqrt(2) + 0.05 + 1e-9
    assert len(drawn(circle)) < 200
    zigzag = np.array([[10 * k, k % 2] for k in range(60)], dtype=float)
    assert np.array_equal(drawn(zigzag), zigzag)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("M 0 0 L 1 1 L 1.01 1.02 L 2 -3", "M0 0l1 1 1-4"),  # a step of no length goes
        ("M 1 1 L 1 1", "M1 1l0 0"),  # but not a dot's
        ("M 0 0 L 1 1 z M 5 5 L 0.04 5", "M0 0l1 1zM5 5l-5 0"),
        ("M 5 5 L 6 6 z L 7 7", "M5 5l1 1zl2 2"),  # closed, it goes on where it began
        ("M -0.01 0.3 Q 1 1 2 2 Q 3 3 4 4", "M0 .3q1 .7 2 1.7 1 1 2 2"),
    ],
)
def test_paths(given: str, found: str) -> None:
    assert shortened(f'<path d="{given}"/>') == f'<path d="{found}"/>'


def test_neighbours_share_a_style_and_strangers_do_not() -> None:
    red, blue = (f'<path d="M 1 1" style="fill: {name}"/>' for name in ("red", "blue"))
    assert shortened(red * 2 + blue) == (
        '<g style="fill:red"><path d="M1 1"/><path d="M1 1"/></g><path d="M1 1" style="fill:blue"/>'
    )
    for alone in ("opacity: 0.5", "stroke-linecap: square"):
        assert "<g" not in shortened(f'<path d="M 1 1" style="{alone}"/>' * 2)
    assert "<g" in shortened('<path d="M 1 1" style="fill-opacity: 0.5"/>' * 2)


def test_many_equal_marks_are_one_line() -> None:
    use = '<use xlink:href="#a" x="{}" y="2.5" style="fill: red"/>'
    mark = '<defs><path id="a" d="M 0 0 L 0.333 1"/></defs>'
    few = shortened(mark + "".join(map(use.format, range(7))))
    assert few.count("<use") == 7
    assert "M0 0l.33 1" in few
    many = shortened(mark + "".join(map(use.format, [*range(8), 7])))
    assert many.count("<use") == 1
    assert 'd="M0 2.5l1 0 1 0 1 0 1 0 1 0 1 0 1 0 0 0"' in many  # twice stays twice: it may be see-through


def test_glyphs_keep_their_points_to_half_a_step_and_their_size() -> None:
    (path,) = re.findall(
        r'<path d="([^"]*)"/>',
        shortened('<path d="M 320 -33 L 655 0 L 640 320 z" transform="scale(0.015625)"/>'),
    )
    assert np.allclose(absolute(path), np.array([(320, -33), (655, 0), (640, 320)]) / 64, atol=0.5)
    assert 'transform="scale(2)"' in shortened('<path d="M 1 2 z" transform="scale(0.03125)"/>')
    assert (
        shortened('<g transform="scale(0.5)"><path d="M 1 2"/></g>')
        == '<g transform="scale(.5)"><path d="M1 2"/></g>'
    )
    assert (
        shortened('<defs><path id="a" transform="scale(0.015625)"/></defs><use xlink:href="#a"/>').count(
            "id="
        )
        == 1
    )


def test_a_glyph_is_moved_by_where_it_stands() -> None:
    mark = '<defs><path id="a" d="M 0 0 L 1 1 z"/></defs>'
    use = '<use xlink:href="#a" transform="translate({})"/>'
    assert '<use href="#a" x="12.3"/>' in shortened(mark + use.format("12.345678 0"))
    assert '<use href="#a" x="1.5" y="-2"/>' in shortened(mark + use.format("1.5 -2.0"))
    scaled = shortened(mark + use.format("1.5 -2.0) scale(0.7"))
    assert 'transform="translate(1.5 -2) scale(.7)"' in scaled


def test_in_a_line_of_text_a_step_is_a_hundredth_of_its_size() -> None:
    mark = '<defs><path id="a" d="M 0 0 L 1 1 z"/></defs>'
    line = '<g transform="translate(48.506 238.447) scale(0.11 -0.11)">{}</g>'
    use = '<use xlink:href="#a" transform="translate({})"/>'
    text = shortened(mark + line.format(use.format("123.456 0.4") + use.format("5.5 -9.7) scale(0.7")))
    assert '<g transform="translate(48.5 238.4) scale(.11 -.11)"><use href="#a" x="123"/>' in text
    assert 'transform="translate(6 -10) scale(.7)"' in text


def test_names_are_of_letters_and_told_apart() -> None:
    marks = "".join(f'<path id="x{k}" d="M 0 0 L 1 1"/><use xlink:href="#x{k}"/>' for k in range(120))
    names = re.findall(r'id="([^"]*)"', shortened(marks))
    assert names == re.findall(r'href="#([^"]*)"', shortened(marks))
    assert (len(set(names)), names[0], names[51], names[52]) == (120, "a", "Z", "aa")


def test_a_use_says_no_style_that_its_mark_says_itself() -> None:
    style = "fill: #444444; stroke: #444444; stroke-width: 0.8"

    def use(path: str) -> str:
        text = shortened(
            f'<defs><path id="a" d="{path}" style="stroke: #112233; stroke-width: 0.8"/></defs>'
            f'<use xlink:href="#a" x="1" y="1" style="{style}"/>'
        )
        return re.findall(r"<use[^>]*>", text)[0]

    assert use("M 0 0 L 1 0 L 1 1 z") == '<use href="#a" x="1" y="1" style="fill:#444"/>'
    assert use("M 0 0 L 0 3.5") == '<use href="#a" x="1" y="1"/>'  # a stroke has nothing to fill


def test_what_is_not_referred_to_loses_its_name_and_what_is_keeps_one() -> None:
    svg = shortening.shorter(matplotlib_svg())
    root = ET.fromstring(svg)
    names = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    assert set(re.findall(r'"(?:url\()?#([^")]+)\)?"', svg.decode())) == names


def test_it_is_shorter_and_the_same_every_time() -> None:
    svg = matplotlib_svg()
    assert len(shortening.shorter(svg)) < 0.32 * len(svg)
    assert shortening.shorter(svg) == shortening.shorter(svg)


@pytest.mark.parametrize("wrong", [b"", b"no picture", b"<svg>"])
def test_what_is_no_svg_is_refused(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="no SVG"):
        shortening.shorter(wrong)


def test_a_browser_draws_the_same(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    shots = []
    with browsing.chromium() as browser:
        page = browser.new_page(viewport={"width": 900, "height": 450})
        for name, svg in (("long", matplotlib_svg()), ("short", shortening.shorter(matplotlib_svg()))):
            (tmp_path / f"{name}.svg").write_bytes(svg)
            page.goto((tmp_path / f"{name}.svg").as_uri())
            shots.append(np.array(image.open(io.BytesIO(page.screenshot())).convert("L"), dtype=float))
    apart = np.abs(shots[0] - shots[1])
    assert np.ptp(shots[0]) > 200  # something is drawn
    assert (apart > 96).mean() < 1e-4  # edges of marks and lines that fall on other pixels' halves
