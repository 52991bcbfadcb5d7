r"""N3 asked of a trained flow: what its samples err by, told from the errors of its field.

A network is a field with errors e_k = v_θ − v along its own path, so the bound of N3 (5) holds for its
samples. That errors at the exact interpolants, which can be known before a sample is drawn, predict the
samples' errors to first order is no theorem for errors of this size: an audit, with the naive sum Σe_k/n
beside it.

Assumed: exact pairs of the circle of radius 2; a network of the size and training of
`theorems.learned_flows`.
"""

import numpy as np
import pytest

from numerics.accuracy import Rounding
from numerics.flows.checkpoints import trained
from numerics.flows.exact import ExactField
from numerics.flows.learned import Training
from numerics.flows.pairs import exact
from numerics.flows.perturbed import euler_bound, euler_response, euler_steps
from numerics.geometry import norms
from numerics.potentials import Sphere
from theorems.stability.figures import draw_scatter
from theorems.stability.steps import Steps

TARGET = Sphere(2, 2.0)
TRAINING = Training(steps=400, batch=512, learning_rate=1e-2, seed=0)
STEPS, SAMPLES = 16, 1000


@pytest.fixture(scope="module")
def learned():
    return trained(exact(TARGET), TARGET.dim, TRAINING)


def _sampled(learned, x0, steps=STEPS):
    return euler_steps(learned.velocity, x0, np.zeros((steps, *x0.shape)))


@pytest.mark.claim("N3")
@pytest.mark.parametrize("steps", [2, 4, 16])
def test_samples_err_by_no_more_than_the_bound(evidence, rng, learned, steps):
    x0 = rng.standard_normal((SAMPLES, 2))
    path, field = _sampled(learned, x0, steps), ExactField(TARGET)
    wanted = [field.velocity(k / steps, path[k]) for k in range(steps)]
    errors = np.array([learned.velocity(k / steps, path[k]) - v for k, v in enumerate(wanted)])
    run = Steps(TARGET, x0, errors, given=path)
    off = norms(path[-1] - run.image)
    formed = Rounding.measured(
        euler_bound(4 * np.finfo(float).eps * (norms(errors) + norms(np.array(wanted)))), "v_θ − v"
    )
    evidence.on("a network trained on exact pairs of the circle", steps=steps).bounded(
        "|Y_n − T(x₀)| of a trained flow's samples",
        off,
        run.of_end + formed + Rounding(off, 6, "a length"),
        because="Σ|e_k|/(k+1) + |e_{n−1}|/n with e = v_θ − v on the way",
        main=euler_bound(norms(errors)),
        clause="Euler's bound",
    )


@pytest.mark.claim("N3")
def test_field_errors_tell_sample_errors(evidence, rng, learned):
    """Errors at the exact interpolants, weighed by K(αI+βK)⁻¹, beside the naive mean of the errors."""
    x0 = rng.standard_normal((SAMPLES, 2))
    image, field = TARGET.transport(x0), ExactField(TARGET)
    errors = np.array(
        [
            learned.velocity(k / STEPS, (1 - k / STEPS) * x0 + k / STEPS * image) - (image - x0)
            for k in range(STEPS)
        ]
    )
    found = _sampled(learned, x0)[-1] - image
    spread, out = TARGET.transport_jacobian(x0), image / TARGET.radius
    along = np.stack([-out[:, 1], out[:, 0]], axis=1)
    predicted, naive = euler_response(spread, errors), errors.mean(axis=0)
    unexplained = {
        "by K(αI+βK)⁻¹": float(np.median(norms(found - predicted)) / np.median(norms(found))),
        "by the mean of the errors": float(np.median(norms(found - naive)) / np.median(norms(found))),
    }
    subject = "a network trained on exact pairs of the circle, 16 steps"
    on = evidence.on(subject)
    on.audit(
        "Do the field's errors on exact paths tell those of the samples, to first order?",
        "agrees" if unexplained["by K(αI+βK)⁻¹"] < 0.5 else "deviates",
        expected="median of what is left well below the median error of samples (chosen: half)",
        measured=unexplained["by K(αI+βK)⁻¹"],
        because="N3 (5) to first order; no theorem for errors of this size",
        subject=subject,
        kind="flow",
    )
    normal = (errors * out).sum(axis=2, keepdims=True) * out
    rows = [["as trained", float(np.median(norms(found))), float(np.median(norms(errors.mean(axis=0))))]]
    for name, part in (("normal errors alone", normal), ("tangential errors alone", errors - normal)):
        ends = euler_steps(field.velocity, x0, part)[-1] - image
        rows.append([name, float(np.median(norms(ends))), float(np.median(norms(part.mean(axis=0))))])
    rows.extend([f"left over, predicted {name}", share, ""] for name, share in unexplained.items())
    on.table(
        "which errors of a trained field matter: median error of 1000 samples, 16 steps",
        ["errors of the field", "median |Y_n − T(x₀)|", "median |mean of the errors|"],
        rows,
    )
    on.figure(
        "Errors of a trained flow's samples, told from its field's errors (circle, 16 Euler steps)",
        "Tangential errors of samples lie along the diagonal of the prediction; so do normal ones",
        lambda figure: draw_scatter(
            figure,
            {
                "along the circle": ((predicted * along).sum(axis=1), (found * along).sum(axis=1)),
                "across it": ((predicted * out).sum(axis=1), (found * out).sum(axis=1)),
            },
        ),
    )
    # The errors' normal parts enter through the last step alone, whatever their number and size before it.
    single = Steps(TARGET, x0, 1e-4 * normal)
    last = 1e-4 * normal[-1] / STEPS
    off = norms(single.path[-1] - single.image - last)
    half = Steps(TARGET, x0, 0.5e-4 * normal)
    again = norms(half.path[-1] - half.image - last / 2)
    on.estimated(
        "|end − last normal error/n|, the network's normal errors times 1e−4",
        off,
        4 * again + 4 * single.of_end.bound + 1e-12,
        by="halving the errors: what is left is of second order",
        because="normal errors before the last step give nothing to first order",
        clause="Euler's response",
    )
