"""The field viewer: one page that holds its data, style and script, and loads nothing."""

import base64
import hashlib
import json
from typing import Any

from markupsafe import Markup

from reports.page import site

FRAMES = (0.0, 0.25, 0.5, 0.75, 1.0)


def page() -> str:
    """The text of viewer.html, from assets/fields.json as it ships."""
    assets = site.HERE / "assets"
    texts = {name: (assets / name).read_text(encoding="utf-8") for name in ("viewer.css", "viewer.js")}
    payload = (assets / "fields.json").read_text(encoding="utf-8")
    data = json.loads(payload)
    return (
        site.environment()
        .get_template("viewer.html.j2")
        .render(
            data=data,
            payload=Markup(payload.replace("<", "\\u003c")),
            style=Markup(texts["viewer.css"]),
            script=Markup(texts["viewer.js"]),
            strip=strip(data["targets"][0], data["unit"]),
            digest=digest,
        )
    )


def digest(text: str) -> str:
    """What a content policy names an inline text by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def strip(target: dict[str, Any], unit: int) -> Markup:
    """Five times of a target as SVG: noise pale, x_t dark, data in colour."""
    size, reach, drawn = 150, 3.4, []
    pairs = target["pairs"]
    for k, t in enumerate(FRAMES):
        dots: dict[str, str] = {"data": "", "now": ""}
        for i in range(0, len(pairs), 4):
            x, y, u, v = (value / unit for value in pairs[i : i + 4])
            for kind, p, q in (("data", u, v), ("now", (1 - t) * x + t * u, (1 - t) * y + t * v)):
                across, down = size * (k + 0.5 + p / reach / 2), size * (0.5 - q / reach / 2)
                dots[kind] += f"M{across:.0f} {down:.0f}h0"
        drawn += [f'<path class="{kind}" d="{path}"/>' for kind, path in dots.items()]
        drawn.append(f'<text x="{size * (k + 0.5)}" y="{size + 12}" text-anchor="middle">t = {t:g}</text>')
    wide, words = size * len(FRAMES), "the law of x_t at five times, from noise to data"
    return Markup(
        f'<svg class="strip" viewBox="0 0 {wide} {size + 18}" width="{wide}" role="img" '
        f'aria-label="{target["name"]}: {words}">{"".join(drawn)}</svg>'
    )
