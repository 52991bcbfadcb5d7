"""Small drawings of a page as SVG: a strip of strengths, controls as dots, a histogram of shares.

Colours are classes of the style sheet, so that they follow the reader's scheme; every drawing says in words
what it shows.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

DOT = 3.5


def strip(counts: dict[str, int], width: int = 96) -> Markup:
    """One bar, divided by how many records of each strength there are."""
    total, at, parts = sum(counts.values()), 0.0, []
    for strength, count in counts.items():
        part = width * count / total
        parts.append(f'<rect class="s-{strength}" x="{at:.1f}" width="{part:.1f}" height="8"/>')
        at += part
    return Markup(
        f'<svg class="strip" viewBox="0 0 {width} 8" width="{width}" height="8" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def dots(violations: Sequence[Sequence[dict[str, Any]]]) -> Markup:
    """Controls, one numbered row a violation: a dot is what was measured, 0 intact, 1 as predicted."""
    rows, step, left, width = [], 12 if len(violations) > 8 else 16, 34, 620
    low, high = -0.15, 1.3

    def place(value: float) -> float:
        return left + (width - left - 10) * (min(max(value, low), high) - low) / (high - low)

    for k, records in enumerate(violations):
        y, marks = 14 + step * k, []
        for control in records:
            change = control["predicted"] - control["intact"]
            measured = control["measured"]
            share = math.inf if measured is None else (measured - control["intact"]) / change
            apart = control["agreement"] / abs(change)
            start = place(1 - apart)
            broad = place(1 + apart) - start
            if broad > 2 * DOT:  # a narrower one lies behind its dot
                marks.append(f'<path class="band" d="M{start:.1f} {y - 5}h{broad:.1f}v10h-{broad:.1f}z"/>')
            kind = "dot" if control["rejected"] else "dot beyond"
            marks.append(f'<circle class="{kind}" cx="{place(share):.1f}" cy="{y}" r="{DOT}"/>')
        rows.append(f'<text x="{left - 6}" y="{y + 4}">{k + 1}</text>{"".join(dict.fromkeys(marks))}')
    bottom = 14 + step * len(violations)
    axis = "".join(
        f'<line class="mark" x1="{place(x):.1f}" x2="{place(x):.1f}" y1="4" y2="{bottom - 4}"/>'
        f'<text x="{place(x):.1f}" y="{bottom + 12}">{word}</text>'
        for x, word in ((0, "intact"), (1, "predicted"))
    )
    lines = "".join(f"M{left} {14 + step * k}H{width - 10}" for k in range(len(violations)))
    axis += f'<path class="axis" d="{lines}"/>'
    controls = [control for records in violations for control in records]
    agreed = sum(bool(control["rejected"]) for control in controls)
    words = f"{agreed} of {len(controls)} controls were measured where they were predicted"
    return Markup(
        f'<svg class="chart" viewBox="0 0 {width} {bottom + 18}" width="{width}" role="img" '
        f'aria-label="{words}">{axis}<g class="rows">{"".join(rows)}</g></svg>'
    )


def histogram(shares: Sequence[float]) -> Markup:
    """How many errors used which share of their bounds, by decades; the last bars are a half and 1."""
    edges = [0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0]
    names = ["0", "10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "0.01", "0.1", "0.5", "1", "beyond"]
    counts = [sum(share <= 0 for share in shares)]
    counts += [sum(a < s <= b for s in shares) for a, b in pairwise(edges)]
    counts += [sum(share > 1 for share in shares)]
    wide, tall, spacing = 46, 70, 6
    bars = []
    for k, (name, count) in enumerate(zip(names, counts, strict=True)):
        height = tall * count / max(*counts, 1)
        x, y = k * (wide + spacing), 16 + tall - height
        kind = "bar beyond" if name == "beyond" else "bar"
        if count:
            bars.append(
                f'<rect class="{kind}" x="{x}" y="{y:.1f}" width="{wide}" height="{height:.1f}"/>'
                f'<text x="{x + wide / 2:g}" y="{y - 4:.1f}">{count}</text>'
            )
        bars.append(f'<text x="{x + wide / 2:g}" y="{32 + tall}">{name}</text>')
    words = ", ".join(f"{count} up to {name}" for name, count in zip(names, counts, strict=True) if count)
    width = len(names) * (wide + spacing)
    return Markup(
        f'<svg class="chart" viewBox="0 0 {width} {40 + tall}" width="{width}" role="img" '
        f'aria-label="Shares of their bounds that errors used: {words}">{"".join(bars)}</svg>'
    )
