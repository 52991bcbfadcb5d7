"""A fixed sample of faults that the theorems must notice: `make mutants` draws from all of them.

Each is a slip that an author could make, and names the check that speaks of what it breaks.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
P, H, M, F, S, L = (
    f"theorems/{folder}/test_"
    for folder in (
        "proximal_denoiser",
        "normal_hyperbolicity",
        "minibatch_convergence",
        "flow_matching",
        "stability",
        "learned_flows",
    )
)
FAULTS = {
    "sign of a schedule's rate": (
        "numerics/schedules.py",
        "return -np.pi / 2 * self._beta(t, r)",
        "return np.pi / 2 * self._beta(t, r)",
        f"{H}assumptions.py::test_schedules_satisfy_sc",
    ),
    "missing root of a schedule": (
        "numerics/schedules.py",
        "return np.sqrt(r * (1 + t))",
        "return r * (1 + t)",
        f"{H}assumptions.py::test_schedules_satisfy_sc",
    ),
    "alpha for beta in the flow": (
        "numerics/flows/exact.py",
        "return alpha * noise + beta * self.potential.transport(noise)",
        "return beta * noise + alpha * self.potential.transport(noise)",
        f"{P}flow.py",
    ),
    "alpha for beta in the field": (
        "numerics/flows/exact.py",
        "return c.alpha_dot[:, None] * x0 + c.beta_dot[:, None] * x1",
        "return c.beta_dot[:, None] * x0 + c.alpha_dot[:, None] * x1",
        f"{P}field.py",
    ),
    "1/step for step": (
        "numerics/flows/times.py",
        "return z, c.alpha / c.beta",
        "return z, c.beta / c.alpha",
        f"{P}field.py",
    ),
    "wrong quotient in a Jacobian": (
        "numerics/flows/exact.py",
        "c.alpha_dot[started] / alpha, c.beta_dot[started] / beta",
        "c.alpha_dot[started] / beta, c.beta_dot[started] / beta",
        f"{P}spectrum.py::test_field_spectrum_lies_between_the_rates",
    ),
    "dropped factor of a velocity potential": (
        "numerics/flows/exact.py",
        "squares[started] / (2 * beta) - alpha * envelope",
        "squares[started] / beta - alpha * envelope",
        f"{P}moreau.py::test_field_is_the_gradient_of_its_potential",
    ),
    "dropped factor of a stretched conjugate": (
        "numerics/potentials/scaled.py",
        "return self.factor * self.base._conjugate(x0)",
        "return self.base._conjugate(x0)",
        f"{P}optimality.py",
    ),
    "step of a stretched potential": (
        "numerics/potentials/scaled.py",
        "self.factor * self.base._prox(z / self.factor, step / self.factor)",
        "self.factor * self.base._prox(z / self.factor, step)",
        f"{P}field.py",
    ),
    "sign of a translation": (
        "numerics/potentials/translated.py",
        "return self.base._conjugate(x0) + x0 @ self.shift",
        "return self.base._conjugate(x0) - x0 @ self.shift",
        f"{P}optimality.py",
    ),
    "curvature of a sphere": (
        "numerics/potentials/sphere.py",
        "hessian = multiplier[:, None, None] * np.eye(self.dim - 1)",
        "hessian = -multiplier[:, None, None] * np.eye(self.dim - 1)",
        f"{H}jacobian.py",
    ),
    "largest for smallest eigenvalue of a margin": (
        "numerics/potentials/normal_cones.py",
        "np.linalg.eigvalsh(core)[:, 0]",
        "np.linalg.eigvalsh(core)[:, -1]",
        f"{H}margins.py",
    ),
    "the larger of two blocks' margins": (
        "numerics/potentials/product_potential.py",
        "return np.minimum(\n            self._first.boundary_distance",
        "return np.maximum(\n            self._first.boundary_distance",
        f"{H}margins.py",
    ),
    "square of a bridge's share": (
        "numerics/flows/independent.py",
        "c.beta**2 / (2 * c.alpha**2)",
        "c.beta / (2 * c.alpha**2)",
        f"{M}field.py::test_independent_coupling_keeps_its_floor",
    ),
    "dropped half of a Gaussian's logarithm": (
        "numerics/flows/mixtures.py",
        "np.log(2 * np.pi * variances).sum(axis=1) / 2",
        "np.log(2 * np.pi * variances).sum(axis=1)",
        f"{F}marginal_path.py",
    ),
    "dimension dropped from a normal density": (
        "numerics/flows/density.py",
        "x.shape[1] * np.log(2 * np.pi) / 2",
        "np.log(2 * np.pi) / 2",
        f"{F}instantaneous_change.py",
    ),
    "radius of a probed divergence halved": (
        "numerics/flows/density.py",
        "radius = width * np.sqrt(np.log(2 * n / level) / (2 * len(signs)))",
        "radius = width * np.sqrt(np.log(2 * n / level) / (2 * len(signs))) / 2",
        f"{F}instantaneous_change.py::test_one_probe_may_be_off_by_all_that_hoeffding_allows_for",
    ),
    "inverse of a residual map without 1/(1 − q)": (
        "numerics/flows/residual.py",
        "(q * moved + rounding) / (1 - q)",
        "q * moved + rounding",
        f"{F}residual_maps.py",
    ),
    "guidance with the weights exchanged": (
        "numerics/flows/guidance.py",
        "(1 - w) * free + w * given",
        "w * free + (1 - w) * given",
        f"{F}guidance.py",
    ),
    "the larger of two blocks' distances to a kink": (
        "numerics/potentials/product_potential.py",
        "kink=lambda: np.minimum(upper.kink, lower.kink)",
        "kink=lambda: np.maximum(upper.kink, lower.kink)",
        f"{P}kinks.py",
    ),
    "gap of an enclosure without the step": (
        "numerics/intervals/exact_potential.py",
        "return (step * arb(gap.abs_upper())).sqrt()",
        "return arb(gap.abs_upper()).sqrt()",
        f"{P}certificate_statements.py::test_enclosures_are_attained",
    ),
    "a field's statement a million times too large": (
        "numerics/flows/roundings.py",
        'Rounding(terms, 5, "α̇(x − βx₁)/α + β̇x₁")',
        'Rounding(terms, 5e6, "α̇(x − βx₁)/α + β̇x₁")',
        f"{P}field_statements.py::test_statements_of_the_field_are_no_larger_than_rounding",
    ),
    "interval of a total variation without its mean": (
        "numerics/transport/solution.py",
        "(np.sqrt(n / self.draws) + np.sqrt(2 * np.log(1 / level) / self.draws)) / 2",
        "np.sqrt(2 * np.log(1 / level) / self.draws) / 2",
        f"{P}stated_intervals.py::test_the_total_variation_lies_in_its_interval",
    ),
    "dropped half in order statistics": (
        "numerics/transport/order_statistics.py",
        "mass = np.exp(-(x**2) / 2)",
        "mass = np.exp(-(x**2))",
        f"{M}line.py::test_cost_by_ranks_is_the_cost_by_the_copula",
    ),
    "the lower for the upper limit of a share": (
        "theorems/betting.py",
        "beta.isf(level, count + 1, n - count)",
        "beta.ppf(level, count + 1, n - count)",
        f"{L}stated_limits.py::test_as_few_are_seen_at_the_limit_with_the_stated_probability",
    ),
    "dropped half in a batch's potential": (
        "numerics/flows/batches.py",
        "(1 - t) * loss + t / 2 * self._norm",
        "(1 - t) * loss + t * self._norm",
        f"{M}drawn_batches.py::test_field_of_drawn_batches_datum_by_datum",
    ),
    "differences extrapolated with the wrong power": (
        "numerics/flows/spectrum.py",
        "(4**order - 1)",
        "(2**order - 1)",
        f"{H}instruments.py::test_differences_of_polynomials_are_exact",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The tree, in which files may be changed, with what is compiled of it: a changed file is newer.

    Without what pytest compiled, which names its source, and what another process is writing.
    """
    place = tmp_path_factory.mktemp("faults")
    left = shutil.ignore_patterns("*-pytest-*", "*.pyc.*", "html")
    for name in ("numerics", "theorems", "reports"):
        shutil.copytree(ROOT / name, place / name, ignore=left)
    shutil.copy(ROOT / "pyproject.toml", place)
    return place


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_the_theorems_notice(fault, copy):
    name, right, wrong, check = FAULTS[fault]
    path = copy / name
    source = path.read_text(encoding="utf-8")
    assert source.count(right) >= 1, "the code has changed: say what the fault is now"
    path.write_text(source.replace(right, wrong), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", check]
    try:
        ended = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
    finally:
        path.write_text(source, encoding="utf-8")
    assert ended.returncode == 1, ended.stdout[-1500:]
    assert "FAILED" in ended.stdout
