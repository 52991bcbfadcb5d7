"""What rests on what: claims and hypotheses in layers, drawn as SVG, every node a link."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from reports.page.words import file_name

WIDE, TALL, ACROSS, DOWN = 46, 24, 88, 74


def edges(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs (what it rests on, claim), sorted; names that nobody declares are left out."""
    known = {claim["id"] for claim in report["claims"]} | set(report["hypotheses"])
    return sorted((need, c["id"]) for c in report["claims"] for need in set(c["depends"]) if need in known)


def layers(pairs: list[tuple[str, str]]) -> list[list[str]]:
    """Nodes by the length of the longest chain below them; each layer ordered by where its needs stand.

    Nodes on a circle, which the declarations forbid, stand in the layer in which they were met.
    """
    needs: dict[str, set[str]] = {}
    for need, claim in pairs:
        needs.setdefault(claim, set()).add(need)
        needs.setdefault(need, set())
    found: list[list[str]] = []
    placed: dict[str, float] = {}
    while left := [name for name in needs if name not in placed]:
        ready = [name for name in left if needs[name] <= placed.keys()] or left
        order = sorted(ready, key=lambda n: (_middle(needs[n], placed), _natural(n)))
        found.append(order)
        placed |= {name: (k + 0.5) / len(order) for k, name in enumerate(order)}
    return found


def drawing(report: Mapping[str, Any], root: str = "") -> Markup:
    """The graph as SVG; empty where nothing is declared to rest on anything.

    Args:
        report: The content of report.json.
        root: What leads from the page to the report's directory.
    """
    pairs = edges(report)
    rows = layers(pairs)
    if not rows:
        return Markup("")
    width, height = max(map(len, rows)) * ACROSS + 20, len(rows) * DOWN + 10
    spot = {
        name: (width * (k + 0.5) / len(row), 10 + DOWN * r + TALL / 2)
        for r, row in enumerate(rows)
        for k, name in enumerate(row)
    }
    claims = {claim["id"]: claim for claim in report["claims"]}
    lines = "".join(_edge(spot[need], spot[claim]) for need, claim in pairs)
    nodes = "".join(_node(name, spot[name], claims.get(name), report["hypotheses"], root) for name in spot)
    return Markup(
        f'<svg class="graph" viewBox="0 0 {width} {height}" width="{width}" role="group" '
        f'aria-label="Claims and what they rest on; the same is listed below">{lines}{nodes}</svg>'
    )


def _edge(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x, y), (u, v) = start, end
    y, v = y + TALL / 2, v - TALL / 2
    middle = (y + v) / 2
    return (
        f'<path class="edge" d="M{x:.0f} {y:.0f}C{x:.0f} {middle:.0f} {u:.0f} {middle:.0f} {u:.0f} {v:.0f}"/>'
    )


def _node(
    name: str, spot: tuple[float, float], claim: Mapping[str, Any] | None, given: Mapping[str, str], root: str
) -> str:
    x, y = spot[0] - WIDE / 2, spot[1] - TALL / 2
    kind = " ".join("n-" + word.replace(" ", "-") for word in _kinds(claim))
    title = (
        given.get(name, "") if claim is None else f"{claim['title']}: {claim['verdict']}, {claim['status']}"
    )
    link = f"{root}guide.html#hypotheses" if claim is None else f"{root}claims/{file_name(name)}.html"
    radius = 12 if claim is None else 4
    return (
        f'<a href="{link}" tabindex="-1"><g class="node {kind}"><title>{escape(title)}</title>'
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDE}" height="{TALL}" rx="{radius}"/>'
        f'<text x="{spot[0]:.0f}" y="{spot[1] + 4:.0f}" text-anchor="middle">{escape(name)}</text></g></a>'
    )


def _kinds(claim: Mapping[str, Any] | None) -> list[str]:
    return ["hypothesis"] if claim is None else [claim["verdict"], claim["status"]]


def _middle(needs: set[str], placed: Mapping[str, float]) -> float:
    return sum(placed.get(need, 0.5) for need in needs) / len(needs) if needs else 0.0


def _natural(name: str) -> tuple[str, int, str]:
    letters = name.rstrip("0123456789")
    digits = name[len(letters) :]
    return letters, int(digits or 0), name
