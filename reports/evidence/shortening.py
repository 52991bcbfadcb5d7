"""The SVG that matplotlib writes, in under a third of its bytes: figures are a quarter of a report.

Metadata, indentation and the names of groups go; paths become relative and are rounded to a grid that no
screen resolves; neighbours that repeat a style or a clipping share one group.
"""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Container
from itertools import count, groupby, pairwise, product
from string import ascii_lowercase, ascii_uppercase

SVG = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"
PAGE, MARKER = 10, 100
"""Steps to a unit: tenths of a point on the page, hundredths in a marker."""
GLYPH = 64
"""Units of a glyph to a step: a hundred are the size of the letters, at 11 points as fine as the page."""
RUN = 64
"""From so many points on a straight line keeps one, so that none takes long."""
MANY = 8
"""From how many equal marks on they share one line: fewer gain nothing."""
Point = tuple[float, float]
Segment = tuple[str, list[Point]]
_SEGMENT = re.compile(r"([MLCQz])([^MLCQz]*)")
_SCALED = re.compile(r"scale\(([\d.]+)\)")
_MOVED = re.compile(r"translate\(([-\d.]+) ([-\d.]+)\)")
_STROKE = re.compile(r"M[-.\d ]+l-?[.\d]+[ -][.\d]+")
_PLACED = ("x", "y", "width", "height", "transform")


def shorter(svg: bytes) -> bytes:
    """The same picture in fewer bytes; equal drawings give equal bytes.

    Example:
        >>> shorter(b'<svg xmlns="http://www.w3.org/2000/svg"><g id="a"><path d="M 1 2 L 1.5 3"/></g></svg>')
        b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M1 2l.5 1"/></svg>'

    Raises:
        ValueError: If it is no SVG.
    """
    try:
        root = ET.fromstring(svg)
    except ET.ParseError as error:
        raise ValueError(f"the drawing is no SVG: {error}") from error
    for metadata in root.findall(f"{{{SVG}}}metadata"):
        root.remove(metadata)
    _rewrite(root, _names(svg.decode("utf-8")), PAGE)
    root.attrib.pop("version", None)
    _say_once(root)
    _share(root)
    _mark(root)
    _leave_strokes_unfilled(root)
    ET.register_namespace("", SVG)
    return ET.tostring(root).replace(b" />", b"/>")


def _names(text: str) -> dict[str, str]:
    """A name of letters for each id that something refers to; the others are dropped."""
    used = dict.fromkeys(re.findall(r'"(?:url\()?#([^")]+)\)?"', text))
    short = (
        "".join(word) for size in count(1) for word in product(ascii_lowercase + ascii_uppercase, repeat=size)
    )
    return dict(zip(used, short, strict=False))


def _rewrite(element: ET.Element, names: dict[str, str], grid: int, step: int = PAGE) -> None:
    """Shorten the attributes of an element and of all below it; ``step`` is that of where things stand.

    In a line of text a unit is a hundredth of its size already.
    """
    given, element.tail = dict(element.attrib), None
    scaled = _SCALED.fullmatch(given.get("transform", "")) if "d" in given else None
    if scaled and float(scaled[1]) * GLYPH == 1:
        del given["transform"]
    elif scaled:
        given["transform"] = f"scale({float(scaled[1]) * GLYPH:g})"
    if not element.tag.endswith("style"):
        element.text = None
    element.attrib.clear()
    for name, value in given.items():
        if name == "id":
            element.attrib |= {"id": names[value]} if value in names else {}
        elif name == LINK:
            element.set("href" if value.startswith("#") else LINK, _renamed(value, names))
        elif name == "d":
            element.set(name, _path(value, 1 / GLYPH, 1) if scaled else _path(value, grid, grid))
        elif name == "style":
            element.set(name, _styled(value))
        elif element.tag.endswith("use") and (moved := _MOVED.fullmatch(value)):
            places = {x: _placed(v, step) for x, v in zip("xy", moved.groups(), strict=True)}
            element.attrib |= {x: v for x, v in places.items() if v != "0"}
        else:
            element.set(name, _placed(value, step) if name in _PLACED else _renamed(value, names))
    below = MARKER if element.tag.endswith("defs") else grid
    inside = 1 if not scaled and "scale" in given.get("transform", "") else step
    for child in element:
        _rewrite(child, names, below, inside)


def _renamed(value: str, names: dict[str, str]) -> str:
    return re.sub(r"^((?:url\()?#)([^)]+)", lambda hit: hit[1] + names[hit[2]], value)


def _styled(style: str) -> str:
    """A style without blanks, with the short names of its colours and no zero before a point."""
    tight = style.replace("; ", ";").replace(": ", ":")
    return re.sub(r":0\.", ":.", re.sub(r"#(\w)\1(\w)\2(\w)\3\b", r"#\1\2\3", tight))


def _placed(value: str, step: int) -> str:
    """Lengths and shifts in steps; what is scaled or turned stays as it is, without needless zeros."""
    if not re.search(r"[a-z]", value) or value.startswith("translate"):
        head, found, rest = re.match(r"((?:translate\()?)([-\d. ]+)(.*)", value).groups()  # type: ignore[union-attr]
        value = head + " ".join(_digits(round(float(v) * step), step) for v in found.split()) + rest
    return re.sub(r"(?<=[( -])0\.", ".", value)


def _path(path: str, grid: float, size: int) -> str:
    """A path in steps from point to point, without those of no length; letters are not repeated.

    A unit as given is ``grid`` steps, a unit as written ``size``.
    """
    here = start = (0, 0)
    words: list[str] = []
    last = ""
    for letter, exact in _straightened(_segments(path, grid), size / PAGE / 2 if size > 1 else 0.0):
        points = [(round(x), round(y)) for x, y in exact]
        if letter == "z":
            words, here, last = [*words, "z"], start, "z"
            continue
        if letter == "M":
            words += ["M", *(_digits(v, size) for v in points[0])]
            start = points[0]
        elif letter != "L" or points[-1] != here or last == "M":
            words += [] if letter == last else [letter.lower()]
            words += [_digits(p - h, size) for point in points for p, h in zip(point, here, strict=True)]
        else:
            continue
        here, last = points[-1], letter
    return re.sub(r" ?([MlcqzM]) ?", r"\1", " ".join(words)).replace(" -", "-")


def _segments(path: str, grid: float) -> list[Segment]:
    """The letters of a path, each with its points, in steps."""
    found = []
    for letter, numbers in _SEGMENT.findall(path):
        flat = [float(number) * grid for number in numbers.split()]
        found.append((letter, list(zip(flat[::2], flat[1::2], strict=True))))
    return found


def _straightened(segments: list[Segment], tolerance: float) -> list[Segment]:
    """Segments without those points of lines that lie no farther than a tolerance from what is left.

    matplotlib leaves out such points of its longest lines alone, and a straight path has a hundred.
    """
    kept: list[Segment] = []
    for letter, run in groupby(segments, key=lambda segment: segment[0]):
        found = list(run)
        if letter != "L" or not kept or not kept[-1][1]:
            kept += found
            continue
        points = [kept[-1][1][-1], *(points[0] for _, points in found)]
        place = 0
        while place < len(points) - 1:
            end = place + 1
            while end + 1 < min(len(points), place + RUN) and all(
                _apart(points[k], points[place], points[end + 1]) <= tolerance
                for k in range(place + 1, end + 1)
            ):
                end += 1
            kept.append(("L", [points[end]]))
            place = end
    return kept


def _apart(point: Point, start: Point, end: Point) -> float:
    """The distance of a point from the line between two others."""
    (x, y), (u, v) = ((p[0] - start[0], p[1] - start[1]) for p in (point, end))
    along = min(max((x * u + y * v) / (u * u + v * v), 0.0), 1.0) if (u, v) != (0, 0) else 0.0
    return math.hypot(x - along * u, y - along * v)


def _digits(steps: int, grid: int) -> str:
    """A number of steps as a decimal without a zero before its point."""
    text = f"{steps / grid:.2f}".rstrip("0").rstrip(".")
    return re.sub(r"^(-?)0\.", r"\1.", text) if text != "-0" else "0"


def _say_once(root: ET.Element) -> None:
    """Take from the use of a mark the style that the mark itself has: the use could not change it."""
    marks = {f"#{e.attrib['id']}": _properties(e) for e in root.iter() if "id" in e.attrib}
    for use in root.iter(f"{{{SVG}}}use"):
        _drop(use, marks.get(use.attrib.get("href", ""), {}))


def _leave_strokes_unfilled(root: ET.Element) -> None:
    """Take the filling from marks of one stroke, such as the ticks of axes: there is nothing to fill."""
    paths = [path for path in root.iter(f"{{{SVG}}}path") if _STROKE.fullmatch(path.attrib.get("d", ""))]
    strokes = {f"#{path.attrib['id']}" for path in paths if "id" in path.attrib}
    for use in root.iter(f"{{{SVG}}}use"):
        if use.attrib.get("href") in strokes:
            _drop(use, ("fill",))


def _drop(element: ET.Element, names: Container[str]) -> None:
    """Take properties out of an element's style, and a style that is empty then."""
    left = ";".join(f"{name}:{value}" for name, value in _properties(element).items() if name not in names)
    if element.attrib.pop("style", "") and left:
        element.set("style", left)


def _properties(element: ET.Element) -> dict[str, str]:
    return dict(said.split(":", 1) for said in element.attrib.get("style", "").split(";") if said)


def _share(parent: ET.Element) -> None:
    """Give neighbours with one style or clipping one group, and dissolve the groups that say nothing."""
    children: list[ET.Element] = []
    for child in parent:
        _share(child)
        children += list(child) if child.tag == f"{{{SVG}}}g" and not child.attrib else [child]
    for element in list(parent):
        parent.remove(element)
    for key, found in groupby(children, _shared):
        run = list(found)
        if len(run) < 2 or not key:
            parent.extend(run)
            continue
        group = ET.SubElement(parent, f"{{{SVG}}}g", dict(key))
        for element in run:
            for name in dict(key):
                element.attrib.pop(name)
            group.extend([element] if element.attrib else list(element))


def _shared(element: ET.Element) -> tuple[tuple[str, str], ...]:
    """What a group could say for its element; nothing where a group would mean something else.

    The opacity of a group is not that of its members, a shift moves a clipping, and the style sheet of
    matplotlib sets how lines end and join on every element, so that none inherits it.
    """
    said = {name: element.attrib[name] for name in ("style", "clip-path") if name in element.attrib}
    style = said.get("style", "")
    if "transform" in element.attrib or "stroke-line" in style or re.search(r"(^|;)opacity", style):
        return ()
    return tuple(said.items())


def _mark(root: ET.Element) -> None:
    """Draw many equal marks as the marks of one line that is not drawn itself.

    The marker stands inside the group and inherits its style, as the uses did.
    """
    for number, group in enumerate(list(root.iter(f"{{{SVG}}}g"))):
        uses, name = list(group), f"m{number}"
        if len(uses) < MANY or any(set(use.attrib) != {"href", "x", "y"} for use in uses):
            continue
        if len({use.attrib["href"] for use in uses}) > 1:
            continue
        mark = ET.Element(f"{{{SVG}}}marker", id=name, overflow="visible", markerUnits="userSpaceOnUse")
        ET.SubElement(mark, f"{{{SVG}}}use", href=uses[0].attrib["href"])
        points = [tuple(round(float(use.attrib[x]) * PAGE) for x in "xy") for use in uses]
        words = [_digits(v, PAGE) for v in points[0]]
        words += [_digits(v - u, PAGE) for a, b in pairwise(points) for u, v in zip(a, b, strict=True)]
        drawn = {f"marker-{where}": f"url(#{name})" for where in ("start", "mid", "end")}
        path = "M" + " ".join([*words[:2], "l", *words[2:]]).replace(" l ", "l").replace(" -", "-")
        line = ET.Element(f"{{{SVG}}}path", {"d": path, "fill": "none", "stroke": "none", **drawn})
        group[:] = [mark, line]
