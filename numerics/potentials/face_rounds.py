"""Rounds that improve a face: a finite prox, Newton on its groupings, certificates, and new atoms.

Of every round's answers (the prox of the pool's atoms, and what Newton makes of each grouping of them) the
one with the best certificate is kept; a polished one before a plain one at equal certificates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope
from numerics.potentials.face_certificate import Certificate, certify
from numerics.potentials.face_newton import polished
from numerics.potentials.face_starts import grouped, groupings, levels
from numerics.potentials.strata import Numbers, Points

Answer = tuple[Chord, Certificate]
_ROUNDS = 30
_PATIENCE = 4
_ACCEPTED = 1e-4
_FULL = 1e-11
"""No √(λG) is that small beside the set: the bound is that of a full face, on a flat, and none gets sharp."""


def answers_from(envelope: Envelope, begun: Sequence[Chord], z: Points, step: Numbers) -> dict[int, Answer]:
    """What Newton makes of each chord, and its certificate; without those where it does not end."""
    chords = polished(envelope, begun, z, step)
    rows = [i for i, chord in enumerate(chords) if np.isfinite(chord.slope).all()]
    if not rows:
        return {}
    ended = [chords[i] for i in rows]
    certified = certify(envelope, ended, z[rows], step[rows])
    return dict(zip(rows, zip(ended, certified, strict=True), strict=True))


@dataclass
class _Search:
    """What is known of a point after some rounds."""

    plain: Chord
    best: Answer | None = None
    idle: int = 0

    def keep(self, found: Sequence[Answer]) -> Answer:
        """The best so far; counts the rounds that bring nothing better."""
        first = min(found, key=lambda pair: pair[1].error)
        if self.best is None or first[1].error < self.best[1].error * (1 - 1e-3):
            self.best, self.idle = first, 0
        else:
            self.idle += 1
        return self.best


def improved(envelope: Envelope, plains: Sequence[Chord], z: Points, step: Numbers) -> list[Answer]:
    """For every point the best of the rounds that begin at its finite prox.

    Raises:
        RuntimeError: If an answer is not known to 1e−4 of the set's size within 30 rounds.
    """
    size = envelope.closed_set.radius + norms(z)
    searches = [_Search(plain) for plain in plains]
    rows = list(range(len(z)))
    for _ in range(_ROUNDS):
        found = _round(envelope, [searches[i].plain for i in rows], z[rows], step[rows])
        left = []
        for i, answers in zip(rows, found, strict=True):
            best = searches[i].keep(answers)
            done = best[1].sharp or best[1].error <= _FULL * size[i]
            if not (done or (searches[i].idle >= _PATIENCE and best[1].error <= _ACCEPTED * size[i])):
                pool = _pool(envelope, searches[i].plain, best, answers)
                (searches[i].plain,) = levels(envelope, pool, z[i : i + 1], step[i : i + 1])
                left.append(i)
        rows = left
        if not rows:
            break
    return [_known(envelope, *each) for each in zip(searches, _ACCEPTED * size, z, step, strict=True)]


def _known(
    envelope: Envelope, search: _Search, accepted: float, z: Float[np.ndarray, " d"], step: float
) -> Answer:
    error = search.best[1].error if search.best else np.inf
    if search.best is None or error > accepted:
        raise RuntimeError(
            f"prox on {envelope.closed_set!r}: known to {error:.3g} only at z = {z}, step = {step}; "
            "is the net fine enough?"
        )
    return search.best


def _round(envelope: Envelope, plains: Sequence[Chord], z: Points, step: Numbers) -> list[list[Answer]]:
    """What Newton makes of each grouping, until one has the sharp certificate; else also the plain answer."""
    labels = [groupings(envelope, plain) for plain in plains]
    found: list[list[Answer]] = [[] for _ in plains]
    rows = list(range(len(plains)))
    for turn in range(max(len(each) for each in labels)):
        asked = [i for i in rows if turn < len(labels[i])]
        if not asked:  # the rows that had more groupings are done
            break
        begun = grouped(envelope, [plains[i] for i in asked], [labels[i][turn] for i in asked])
        for j, answer in answers_from(envelope, begun, z[asked], step[asked]).items():
            found[asked[j]].append(answer)
            if answer[1].sharp:
                rows.remove(asked[j])
        if not rows:
            return found
    certified = certify(envelope, [plains[i] for i in rows], z[rows], step[rows])
    for i, certificate in zip(rows, certified, strict=True):
        found[i].append((plains[i], certificate))
    return found


def _pool(
    envelope: Envelope, plain: Chord, best: Answer, found: Sequence[Answer]
) -> Float[np.ndarray, "k d"]:
    """Atoms of the best and the plain face, and what this round's rivals and answers add."""
    entering = [each.highest for _, each in found] + [chord.atoms for chord, _ in found]
    return _distinct(np.concatenate([best[0].atoms, plain.atoms, *entering]), envelope.closed_set.spacing)


def _distinct(atoms: Float[np.ndarray, "k d"], spacing: float) -> Float[np.ndarray, "l d"]:
    """Without those closer than 1e−7 spacings to an earlier one."""
    apart = norms(atoms[:, None] - atoms) > 1e-7 * spacing
    first = [i for i in range(len(atoms)) if apart[i, :i].all()]
    return atoms[first]
