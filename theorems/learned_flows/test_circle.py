"""L4 on the circle: the paper's figure 3, beside the exact curve that it does not have.

Assumed: uniform law on the circle. Statements hold for the times 0.5 ≤ t ≤ 0.9, where a network can still
follow (L3 says why not later), for a network trained on exact pairs; the paper's coupling is shown beside it.
Control: independent coupling, whose spectrum is in closed form and another one.
"""

import numpy as np
import pytest

from numerics.flows.spectrum import path_eigenvalues, slopes, stretches
from numerics.schedules import Linear
from theorems.learned_flows.circle import EQUAL, FIELD, LONG, PAPER, TARGET, network
from theorems.learned_flows.conclusions import BY_BETTING, DEMONSTRATED, share_limit
from theorems.learned_flows.figures import draw_fields, draw_spectra
from theorems.learned_flows.learned_spectra import (
    CHOSEN,
    KEPT,
    MARGIN,
    SHOWN,
    SPANS,
    WINDOW,
    log_growth,
    off_limit,
    span,
    spectra,
)
from theorems.setting.independent_sphere import IndependentSphere

N, LEVEL = 1000, 1e-10


def exact_spectra(x0, times):
    """H5: ascending eigenvalues (k,n,2) of (1−t)Dv_t."""
    values = path_eigenvalues(Linear(), stretches(TARGET, x0), times)
    return np.sort((1 - times)[:, None, None] * values, axis=2)


@pytest.mark.claim("L4")
def test_spectrum_follows_the_exact_curve(evidence, rng, device):
    x0 = rng.standard_normal((N, 2))
    figure_3(evidence, x0[:100], device)
    found = spectra(network("exact", LONG, device=device), x0, WINDOW)
    exact = exact_spectra(x0, WINDOW)
    evidence.on("circle, exact pairs", steps=LONG, t="0.5 to 0.9").statistical(
        "upper limit of |E[learned, clipped to ±2, − exact eigenvalue of (1−t)Dv]|, at confidence 1 − level",
        off_limit(found.transpose(1, 0, 2), exact.transpose(1, 0, 2), LEVEL),
        MARGIN,
        LEVEL,
        chosen=CHOSEN,
        because=BY_BETTING,
        clause="circle",
    )


@pytest.mark.claim("L4")
def test_exponents_follow_the_theory(evidence, rng, device):
    """Slopes of log σ(DX_t) in τ = −log(1−t), by the variational equation; exact ones from κ."""
    learned = network("exact", LONG, device=device)
    x0 = rng.standard_normal((N, 2))
    times = np.array([0.5, 0.9])
    found = slopes(log_growth(learned, x0, times), -np.log1p(-times))[0]
    kappa = stretches(TARGET, x0)
    exact = slopes(np.log((1 - times)[:, None, None] + times[:, None, None] * kappa), -np.log1p(-times))[0]
    off = found - exact
    on = evidence.on("circle, exact pairs", steps=LONG, t="0.5 to 0.9")
    on.statistical(
        "upper limit of |E[learned, clipped to ±2, − exact exponent]|, at confidence 1 − level",
        off_limit(found, exact, LEVEL),
        MARGIN,
        LEVEL,
        chosen=CHOSEN,
        because=BY_BETTING,
        clause="exponents",
    )
    wrong = int(((found > -0.5).sum(axis=1) != 1).sum())
    on.statistical(
        "upper limit of the share of noise whose exponents do not tell m = 1, at confidence 1 − level",
        share_limit(wrong, len(x0), LEVEL),
        0.1,
        LEVEL,
        chosen="a tenth",
        because=f"exponents above −γ/2 are counted (H7). Clopper–Pearson over {N} draws: {DEMONSTRATED}",
        clause="dimension",
    )
    half = off.std(axis=0, ddof=1) / np.sqrt(len(off))
    on.table(
        f"Exponents of the learned flow on the circle from t = 0.5 to 0.9, mean over {N} trajectories",
        ("direction", "learned", "exact", "difference", "standard error"),
        [
            (name, found[:, i].mean(), exact[:, i].mean(), off[:, i].mean(), half[i])
            for i, name in enumerate(("tangential", "normal"))
        ],
    )


def figure_3(evidence, x0, device):
    """100 initial points, as in the paper; its coupling beside exact pairs."""
    fields = {
        f"torchcfm, {EQUAL} batches of {PAPER}": network(f"minibatch {PAPER}", EQUAL, device=device),
        f"exact pairs, {LONG} batches": network("exact", LONG, device=device),
    }
    exact = exact_spectra(x0, SHOWN)
    learned = {name: spectra(field, x0, SHOWN) for name, field in fields.items()}
    evidence.table(
        "Figure 3 in numbers: (1−t)Dv_t on the circle, mean over 100 learned trajectories",
        ("network", *SPANS, *(f"normal at t = {SHOWN[k]:g} (exact −1)" for k in KEPT)),
        [
            (name, *span(values[:, :, 0], exact[:, :, 0]), *values[KEPT, :, 0].mean(axis=1))
            for name, values in learned.items()
        ],
    )
    evidence.figure(
        "Figure 3: eigenvalues of (1−t)Dv_t along learned trajectories on the circle, with the exact curve",
        "Two panels. With exact pairs the learned normal eigenvalue stays near −1 until t = 0.9 and the "
        "tangential one follows the exact curve to 0; with few minibatches it leaves −1 from t = 0.7 on. "
        "Both normal eigenvalues turn back to 0 at t = 1, which the exact one does not.",
        lambda figure: draw_spectra(figure, SHOWN, learned, exact),
        size=(9.0, 3.6),
    )
    points, velocity = FIELD.flow(0.9, x0), TARGET.transport(x0) - x0
    support = TARGET.sample(400, np.random.default_rng(0))[1]
    evidence.figure(
        "Figure 3: the learned field at t = 0.9 on the circle, and the exact one",
        "Arrows at 100 interpolants: exact in black, learned in red, along the radii of the circle.",
        lambda figure: draw_fields(figure, fields, support, points, velocity, 0.9),
        size=(9.0, 4.4),
    )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("L4")
@pytest.mark.parametrize("t", [0.2, 0.3])
def test_independent_coupling_has_another_spectrum(evidence, rng, device, t):
    """The same measure of a network of the same size: the closed form of the other coupling."""
    learned = network("independent", 4 * EQUAL, device=device)
    x0 = rng.standard_normal((N, 2))
    x = FIELD.flow(t, x0)
    length = np.linalg.norm(x, axis=1)
    turned = np.stack([-x[:, 1], x[:, 0]], axis=1) / length[:, None]
    across = (1 - t) * np.einsum("ni,nij,nj->n", turned, learned.jacobian(t, x), turned)
    predicted, _ = IndependentSphere(2, TARGET.radius).rescaled_eigenvalues(1 - t, length)
    optimal = (1 - t) * path_eigenvalues(Linear(), stretches(TARGET, x0), t)[:, 0]
    evidence.on("circle, independent pairs", steps=4 * EQUAL, t=t).control(
        "optimal pairs replaced by independent ones: mean tangential eigenvalue of (1−t)Dv_t",
        predicted=predicted.mean(),
        measured=across.mean(),
        agreement=MARGIN,
        because="RA(s)/|x| − 1 by Bessel functions",
        chosen="the margin of the claim",
        intact=optimal.mean(),
    )
