"""Where the search of a face begins: the prox of a finite pool of atoms, and groupings of its atoms."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope
from numerics.solvers import active_set


def levels(
    envelope: Envelope,
    pool: Float[np.ndarray, "N d"],
    z: Float[np.ndarray, "n d"],
    step: Float[np.ndarray, " n"],
) -> list[Chord]:
    """The prox of every row for the atoms of the pool alone."""
    found: dict[int, Chord] = {}
    for face in active_set.solve(pool, envelope.lift(pool), z, step):
        for i, members, weights in zip(face.rows, face.members, face.weights, strict=True):
            atoms = pool[members]
            found[int(i)] = Chord(atoms, weights, (z[i] - weights @ atoms) / step[i])
    return [found[i] for i in range(len(z))]


def groupings(envelope: Envelope, chord: Chord) -> list[Int[np.ndarray, " k"]]:
    """Atoms close together may stand for one: every grouping by single linkage, as labels of the atoms.

    First the one that joins neighbours in the net, then those that join less, and more.
    """
    atoms = chord.atoms
    label = np.arange(len(atoms))
    apart = norms(atoms[:, None] - atoms)
    found, order = [label.copy()], [0.0]
    for distance in np.unique(apart[np.triu_indices(len(atoms), 1)]):
        for i, j in zip(*np.nonzero(apart <= distance), strict=True):
            label[label == max(label[i], label[j])] = min(label[i], label[j])
        if len(np.unique(label)) < len(np.unique(found[-1])):
            found.append(label.copy())
            order.append(float(distance))
    joined = max(i for i, distance in enumerate(order) if distance <= 1.6 * envelope.closed_set.spacing)
    return [found[joined], *found[:joined][::-1], *found[joined + 1 :]]


def grouped(envelope: Envelope, chords: Sequence[Chord], labels: Sequence[np.ndarray]) -> list[Chord]:
    """Each group of a chord's atoms as its mean, projected on the set."""
    means, totals = [], []
    for chord, label in zip(chords, labels, strict=True):
        groups = [label == k for k in np.unique(label)]
        totals.append(np.array([chord.weights[g].sum() for g in groups]))
        means.append(np.stack([chord.weights[g] @ chord.atoms[g] / chord.weights[g].sum() for g in groups]))
    atoms = np.split(
        envelope.closed_set.nearest(np.concatenate(means)), np.cumsum([len(mean) for mean in means])[:-1]
    )
    return [Chord(a, w, chord.slope) for a, w, chord in zip(atoms, totals, chords, strict=True)]
