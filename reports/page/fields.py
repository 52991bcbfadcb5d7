"""What the field viewer shows: pairs, fields and Jacobians on a grid of places and times, in hundredths.

``python -m reports.page.fields`` computes them anew and writes assets/fields.json, which ships; the report
only copies it. The schedule is the linear one, v_t = x₁ − x₀ on optimal pairs.
"""

import base64
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.potentials import Ellipsoid, FiniteAtoms, NearestPoint, Potential, Sphere, Torus

FILE = Path(__file__).parent / "assets" / "fields.json"
TIMES = np.linspace(0.05, 0.95, 13)
SIDE, REACH, PAIRS, DRAWS = 11, 3.0, 160, 2000
HUNDREDTHS = 100
LARGEST = 50.0
"""Longer velocities and larger entries of Dv_t are cut off: they are drawn at a limited length anyway."""


@dataclass(frozen=True)
class Shown:
    """A target of the viewer.

    Attributes:
        name: What the list calls it.
        words: One sentence about it.
        make: Makes its potential, in the plane or, where ``plane`` is set, in space.
        plane: The two coordinates of an invariant plane that are shown; None in the plane itself.
    """

    name: str
    words: str
    make: Callable[[], Potential]
    plane: tuple[int, int] | None = None


def _moons() -> Potential:
    from sklearn.datasets import make_moons

    from numerics.transport import semidiscrete

    points, _ = make_moons(40, noise=0.0, random_state=0)
    return semidiscrete.solve(1.6 * (points - points.mean(axis=0))).potential


SHOWN = (
    Shown(
        "circle", "The uniform law on a circle: every ray of noise goes to one point.", lambda: Sphere(2, 2.0)
    ),
    Shown(
        "ellipse",
        "The law of Ax₀/√(x₀ᵀAx₀) on an ellipse: the data lie denser where it bends.",
        lambda: Ellipsoid([[4.0, 0.0], [0.0, 0.8]]),
    ),
    Shown(
        "two moons",
        "Forty atoms on two half circles, of equal weight: the potential is solved exactly.",
        _moons,
    ),
    Shown(
        "five atoms",
        "The corners of a pentagon: the field jumps at the edges of its cells as t → 1.",
        lambda: FiniteAtoms.regular_polygon(5),
    ),
    Shown(
        "section of a torus",
        "A plane through the axis of a torus, in which noise and data stay: two circles.",
        lambda: NearestPoint(Torus(1.6, 0.7)),
        (0, 2),
    ),
)


def computed(shown: Shown) -> dict[str, Any]:
    """The data of one target.

    Returns:
        ``pairs`` (PAIRS rows x₀, x₁), and all times of ``optimal``, ``independent`` (two numbers a place)
        and ``jacobian`` (three a place: the entries xx, xy, yy), places row by row from below: see `packed`.
    """
    potential, rng = shown.make(), np.random.default_rng(0)
    axes = shown.plane or (0, 1)
    noise = np.zeros((DRAWS, potential.dim))
    noise[:, axes] = rng.standard_normal((DRAWS, 2))
    data = potential.transport(noise)
    exact = ExactField(potential)
    blurred = IndependentField(data, np.full(DRAWS, 1 / DRAWS))
    line = np.linspace(-REACH, REACH, SIDE)
    places = np.zeros((SIDE**2, potential.dim))
    places[:, axes] = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    found: dict[str, Any] = {"name": shown.name, "words": shown.words}
    found["pairs"] = _whole(np.hstack([noise[:PAIRS, axes], data[:PAIRS, axes]])).tolist()
    slopes = [exact.jacobian(t, places)[:, axes][:, :, axes] for t in TIMES]
    return found | {
        "optimal": packed([exact.velocity(t, places)[:, axes] for t in TIMES]),
        "independent": packed([blurred.velocity(t, places)[:, axes] for t in TIMES]),
        "jacobian": packed([slope[:, [0, 0, 1], [0, 1, 1]] for slope in slopes]),
    }


def everything() -> dict[str, Any]:
    """The content of fields.json."""
    frame = {"times": TIMES.round(4).tolist(), "side": SIDE, "reach": REACH, "unit": HUNDREDTHS}
    return frame | {"targets": [computed(shown) for shown in SHOWN]}


def packed(times: Sequence[NDArray[np.float64]]) -> str:
    """Hundredths, as changes from time to time; all lower bytes, then all higher; deflated, in base 64."""
    changes = np.diff([_whole(values) for values in times], axis=0, prepend=np.int16(0)).astype("<i2")
    halves = changes.reshape(-1, 1).view(np.uint8).T
    return base64.b64encode(zlib.compress(halves.tobytes(), 9)).decode("ascii")


def unpacked(text: str) -> NDArray[np.float64]:
    """The numbers of a packed text, one row a time, to a hundredth."""
    halves = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8).reshape(2, -1)
    changes = np.ascontiguousarray(halves.T).view("<i2").reshape(len(TIMES), -1)
    return np.cumsum(changes, axis=0) / HUNDREDTHS


def _whole(values: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.rint(np.clip(values, -LARGEST, LARGEST) * HUNDREDTHS).astype("<i2").ravel()


if __name__ == "__main__":
    FILE.write_text(json.dumps(everything(), separators=(",", ":"), ensure_ascii=False), encoding="utf-8")
