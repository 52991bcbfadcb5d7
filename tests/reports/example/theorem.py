"""A theorem with one of everything that a report can hold; its report is kept beside it.

``python -m tests.reports.example`` writes the kept report anew; look at the difference before committing it.
Nothing here is random, so the report does not depend on versions of Hypothesis.
"""

CLAIMS = r"""
    claim(
        "E1", label="Lemma 2.1", title=r"The denoiser is a proximal operator",
        statement=r"For every $t \in (0,1)$ the data point is recovered: "
        r"$\mathrm{prox}_{\lambda_t\varphi}(x_t/\beta_t) = x_1$.",
        formula=r"\mathrm{prox}_{\lambda_t\varphi}(x_t/\beta_t) = "
        r"\operatorname{argmin}_u \varphi(u) + \frac{|u - x_t/\beta_t|^2}{2\lambda_t} = x_1",
        assumptions=(r"$\varphi$ is proper, convex and lower semicontinuous", r"$0 < t < 1$"),
        clauses=(
            Clause("recovery", r"The prox of $x_t/\beta_t$ is $x_1$."),
            Clause("nonexpansive", "Two proxes are no farther apart than their arguments."),
        ),
    ),
    claim(
        "E2", "reconstructed", label="Proposition 4.1", title="A claim that is refuted", depends=("E1", "A1"),
    ),
    claim("E3", "this project", label="Our remark", title="A claim without a control", depends=("E1",)),
    claim("E4", "corrected", label="Equation (7)", title="A claim that was skipped in part"),
    claim("E5", "open", label="Question", title="A rate that is only observed"),
    claim("E6", label="Corollary 2.2", title="A claim in another module", modules=("test_absent",)),
"""
TESTS = r'''
from fractions import Fraction

from numerics.accuracy import Rounding


class Sphere:
    def __init__(self, dim):
        self.dim = dim

    def __repr__(self):
        return f"Sphere(dim={self.dim})"


@pytest.mark.claim("E1", "E4")
def test_recovery(evidence):
    """One of each strength."""
    for dim in (2, 3, 8):
        t = np.linspace(0.1, 0.9, 5)
        on = evidence.on(Sphere(dim), t=t)
        error = 1e-16 * dim * (1 + t)
        on.bounded(
            r"$|\mathrm{prox} - x_1|$",
            error,
            Rounding(1 / t, 24, "16 products and eight sums, each divided by t"),
            because="prox is nonexpansive, so what z errs by arrives as it is",
            at_kinks=1,
            clause="recovery",
        )
        on.bounded(
            r"$|\mathrm{prox}(z) - \mathrm{prox}(z')|$",
            0.8 * t,
            Rounding(1.0, 20, "both proxes"),
            because="prox is nonexpansive: the main term is $|z - z'|$",
            main=t,
            left_out=2,
            clause="nonexpansive",
        )
        on.certified(
            "Fenchel–Young gap",
            t * 1e-13,
            1e-12,
            because="interval arithmetic: balls of 128 bits",
            kind="error",
        )
        on.estimated(
            "length of the curve",
            1e-9 * t,
            4e-9,
            by="two resolutions, 200 and 400 nodes",
            because="the rule is of fourth order, so the difference is 15 times the error",
            chosen="4 times the difference",
        )
    thirds = [Fraction(1, 3) * n == Fraction(n, 3) for n in range(40)]
    evidence.on("FiniteAtoms").exact("KKT conditions", thirds, domain="40 rational instances")
    evidence.statistical("mean error", 0.0104, 0.05, 1e-9, because="Hoeffding, 4000 draws in [0, 1]")
    evidence.trend("excess against n", -1.004, (-1.03, -0.98), -1, "interval contains theory", points=8)
    evidence.table("Recovered digits", ["digit", "images", "recovered"], [[0, 178, 1.0], [1, 182, 0.994]])
    evidence.figure("The eigenvalues of the field", "One line falls from 1 to 0.", draw)


def draw(figure):
    axes = figure.subplots()
    t = np.linspace(0, 1, 20)
    axes.plot(t, 1 - t, label="tangential")
    axes.plot(t, t**2, label="normal")
    axes.set_xlabel("$t$")
    axes.legend()


@pytest.mark.control("E1", "E2", "E4")
def test_wrong_step(evidence):
    evidence.on(Sphere(3), t=0.5).control(
        r"step $2\lambda$ instead of $\lambda$",
        predicted=1 / 3,
        measured=0.33333333,
        agreement=1e-6,
        because="(s − 1)λ/(σ + sλ) in closed form",
    )
    evidence.control(
        "independent coupling",
        predicted=0.25,
        measured=0.2512,
        agreement=0.01,
        because="recovery has probability $2^{-d}$; Hoeffding",
        chosen="4000 draws",
        left_out=12,
        intact=1.0,
        level=1e-9,
    )


@pytest.mark.claim("E2")
def test_refuted(evidence):
    evidence.on(Sphere(2), t=0.99).certified("Lipschitz quotient", 1.25, 1.0, because="prox is nonexpansive")


@pytest.mark.claim("E3", "E5")
def test_uncontrolled(evidence):
    evidence.certified("distance", 0.5, 1.0, because="both lie in the unit ball")


@pytest.mark.claim("E4")
def test_gpu(evidence):
    pytest.skip("no GPU on this machine")


def test_library(evidence):
    on = evidence.on("torchcfm 1.0.7")
    on.audit("Are the marginals of a batch kept?", "deviates", 0.0, 0.31, "pairs are drawn with replacement")
'''
