"""The statements of the proximal formulation, in the order of the argument (docs/theory.md, P1–P9)."""

from theorems.claim import Claim, Clause, Coverage
from theorems.proximal_denoiser.assumed import COUPLING, HERE, SCHEDULE, SETTING
from theorems.proximal_denoiser.further import FURTHER

PAPER = "fukumizu2026proximal"

CLAIMS = (
    Claim(
        id="P1",
        label="Section 2 (setting)",
        title="The potential is optimal",
        statement=(
            r"$T$ pushes the noise to the data. The Fenchel–Young gap is nonnegative and zero iff "
            r"$u\in\partial\varphi^*(x_0)$, for almost every noise iff $u=T(x_0)$. On any finite sample the "
            "identity is an optimal assignment: the potentials are a feasible dual with zero gap."
        ),
        formula=(
            r"\varphi(u)+\varphi^*(x_0)-\langle u,x_0\rangle\ge 0,\quad "
            r"=0\iff u\in\partial\varphi^*(x_0)"
        ),
        assumptions=(SETTING,),
        source=f"{PAPER}, section 2; brenier1991polar",
        status="reconstructed",
        modules=(
            f"{HERE}test_gap",
            f"{HERE}test_optimality",
            f"{HERE}test_weights",
            f"{HERE}test_push_forward",
            f"{HERE}test_statements",
            f"{HERE}test_push_forward_in_space",
            f"{HERE}test_laws",
            f"{HERE}test_listed_laws",
            f"{HERE}test_laws_by_two_names",
            f"{HERE}test_domain",
            f"{HERE}test_uniform_digits",
            f"{HERE}test_field_statements",
            f"{HERE}test_moved_statements",
            f"{HERE}test_unit_of_length",
            f"{HERE}test_stated_intervals",
            f"{HERE}test_moved_far",
        ),
        clauses=(
            Clause("push-forward", "$T$ pushes the noise to the data."),
            Clause(
                "gap",
                r"The Fenchel–Young gap is nonnegative, and zero iff $u\in\partial\varphi^*(x_0)$.",
            ),
            Clause(
                "uniqueness",
                "That is $u=T(x_0)$ for almost every noise; elsewhere the gap is at least "
                r"$|u-\mathrm{prox}_{\lambda\varphi}(u+\lambda x_0)|^2/\lambda$.",
            ),
            Clause(
                "assignment",
                "On any finite sample the identity is an optimal assignment, certified by the potentials.",
            ),
            Clause("duality", r"$E\varphi(x_1)+E\varphi^*(x_0)=E\langle x_0,x_1\rangle$."),
        ),
    ),
    Claim(
        id="P2",
        label="Lemma 2.1",
        title="The denoiser is a proximal operator",
        statement=(
            r"$H_t=\alpha_t\partial\varphi+\beta_t\mathrm{Id}$ is $\beta_t$-strongly monotone with a "
            r"single-valued inverse on the whole space, which is a proximal operator; on the optimal pair it "
            r"returns the data point exactly: $\mathrm{prox}_{\lambda_t\varphi}(x_t/\beta_t)=x_1$."
        ),
        formula=(
            r"H_t^{-1}(y)=\nabla\psi_t^*(y)=\mathrm{prox}_{\lambda_t\varphi}(y/\beta_t),\quad "
            r"\lambda_t=\alpha_t/\beta_t"
        ),
        assumptions=(SETTING, COUPLING, SCHEDULE, r"$t\in(0,1)$."),
        source=f"{PAPER}, Lemma 2.1",
        status="reconstructed",
        modules=(
            f"{HERE}test_prox",
            f"{HERE}test_rational",
            f"{HERE}test_certified",
            f"{HERE}test_certified_extremes",
            f"{HERE}test_routes",
            f"{HERE}test_statements",
            f"{HERE}test_digits",
            f"{HERE}test_uniform_digits",
            f"{HERE}test_field_statements",
            f"{HERE}test_moved_statements",
            f"{HERE}test_unit_of_length",
            f"{HERE}test_certificate_statements",
            f"{HERE}test_certified_field",
            f"{HERE}test_faces",
            f"{HERE}test_moved_far",
        ),
        depends=("P1",),
        clauses=(
            Clause(
                "monotonicity",
                r"$H_t$ is $\beta_t$-strongly monotone; its inverse is single-valued on the whole space "
                r"and $1/\beta_t$-Lipschitz.",
            ),
            Clause("inverse", r"The inverse is $\mathrm{prox}_{\lambda_t\varphi}(\cdot/\beta_t)$."),
            Clause("recovery", "On the optimal pair it returns the data point exactly."),
        ),
    ),
    Claim(
        id="P3",
        label="Corollary 2.2",
        title="The field attains loss zero",
        statement=(
            r"Both ends are functions of $x_t$ on the optimal coupling, so the population loss of OT-CFM has "
            "infimum 0 at every time. Zero loss does not certify optimality: it is attained by every "
            r"coupling in which $\dot x_t$ is a function of $x_t$."
        ),
        formula=(
            r"v_t(x)=\frac{\dot\alpha_t}{\alpha_t}x+\Bigl(\dot\beta_t-\frac{\dot\alpha_t\beta_t}{\alpha_t}"
            r"\Bigr)\mathrm{prox}_{\lambda_t\varphi}(x/\beta_t)"
        ),
        assumptions=(SETTING, COUPLING, SCHEDULE, r"$t\in(0,1)$."),
        source=f"{PAPER}, Corollary 2.2",
        status="reconstructed",
        modules=(
            f"{HERE}test_field",
            f"{HERE}test_couplings",
            f"{HERE}test_field_statements",
            f"{HERE}test_certified_field",
        ),
        depends=(
            "P1",
            "P2",
        ),
        clauses=(
            Clause("loss", "The population loss is 0 at every time."),
            Clause("formula", "The field has the stated formula, off the support too."),
            Clause("converse", "Zero loss is attained by couplings that are not optimal."),
        ),
    ),
    Claim(
        id="P4",
        label="Consequence of Lemma 2.1",
        title="Noise is the gradient of the Moreau envelope",
        statement=(
            r"The recovered noise is $\nabla e_{\lambda\varphi}(x_t/\beta_t)=x_0$, and the field is the "
            r"gradient of $V_t$: it has no curl."
        ),
        formula=(
            r"V_t(y)=\dot\alpha_t\beta_t\,e_{\lambda_t\varphi}(y/\beta_t)+\dot\beta_t\,\psi_t^*(y),\quad "
            r"\psi_t^*(y)=\frac{|y|^2}{2\beta_t}-\alpha_t e_{\lambda_t\varphi}(y/\beta_t)"
        ),
        assumptions=(SETTING, COUPLING, SCHEDULE, r"$t\in(0,1)$."),
        source=f"{PAPER}, section 2; moreau1965proximite",
        status="reconstructed",
        modules=(
            f"{HERE}test_moreau",
            f"{HERE}test_certified_extremes",
            f"{HERE}test_statements",
            f"{HERE}test_field_statements",
            f"{HERE}test_certified_field",
        ),
        depends=("P2",),
        clauses=(
            Clause("noise", r"$\nabla e_{\lambda\varphi}(x_t/\beta_t)=x_0$."),
            Clause("conjugate", r"$\psi_t^*$ has the stated form."),
            Clause("gradient", r"$v_t=\nabla V_t$: no curl, no circulation."),
        ),
    ),
    Claim(
        id="P5",
        label="Consequence of Lemma 2.1",
        title="Spectral bounds and the Lipschitz constant",
        statement=(
            r"Where prox is differentiable its Jacobian $J$ is symmetric with spectrum in $[0,1]$; prox is "
            r"firmly nonexpansive everywhere, and $v_t$ is Lipschitz on the whole space, also in the gaps of "
            "an atomic target."
        ),
        formula=(
            r"Dv_t=\frac{\dot\alpha_t}{\alpha_t}(I-J)+\frac{\dot\beta_t}{\beta_t}J,\quad "
            r"\frac{\dot\alpha_t}{\alpha_t}\le\mathrm{eig}\,Dv_t\le\frac{\dot\beta_t}{\beta_t}"
        ),
        assumptions=(SETTING, SCHEDULE, r"$t\in(0,1)$."),
        source=f"{PAPER}, section 2; rockafellar1998variational",
        status="reconstructed",
        modules=(
            f"{HERE}test_spectrum",
            f"{HERE}test_statements",
            f"{HERE}test_field_statements",
            f"{HERE}test_moved_statements",
            f"{HERE}test_kinks",
            f"{HERE}test_certified_field",
        ),
        depends=("P2",),
        clauses=(
            Clause("contraction", "$J$ is symmetric with spectrum in $[0,1]$."),
            Clause("spectrum", "$Dv_t$ has the stated form and bounds."),
            Clause("Lipschitz", "The field is Lipschitz on the whole space, in gaps too."),
        ),
    ),
    Claim(
        id="P6",
        label="Consequence of Lemma 2.1",
        title="Trajectories are straight, do not meet before t = 1, and act least",
        statement=(
            r"$X_t=\alpha_t\mathrm{Id}+\beta_tT$ is the flow map and contracts no faster than "
            r"$\alpha_t$; for the linear schedule the field solves Burgers' equation, its potential the "
            r"Hamilton–Jacobi equation, and the kinetic energy is $W_2^2$."
        ),
        formula=(
            r"|X_t(x)-X_t(y)|\ge\alpha_t|x-y|,\quad \partial_tV+\tfrac12|\nabla V|^2=0,\quad "
            r"\int_0^1 E|v_t(x_t)|^2dt=W_2^2(P_0,P_1)"
        ),
        assumptions=(SETTING, COUPLING, "Linear schedule, except for the flow map and its lower bound."),
        source=f"{PAPER}, section 2; benamou2000computational",
        status="reconstructed",
        modules=(
            f"{HERE}test_flow",
            f"{HERE}test_energy",
            f"{HERE}test_field_statements",
        ),
        depends=(
            "P1",
            "P3",
            "P4",
        ),
        clauses=(
            Clause("flow map", "$X_t$ integrates the field."),
            Clause("apart", r"$|X_t(x)-X_t(y)|\ge\alpha_t|x-y|$, and between two times likewise."),
            Clause("straight", "Paths are straight at constant speed: Euler's method is exact."),
            Clause("equations", "Burgers' and the Hamilton–Jacobi equation."),
            Clause("energy", "The kinetic energy is $W_2^2$."),
        ),
    ),
    Claim(
        id="P7",
        label="Consequence of Lemma 2.1",
        title="The two ends of time",
        statement=(
            r"As $t\to0$ the denoiser tends to $T(x)$ where $\varphi^*$ is differentiable; as $t\to1$ it "
            "tends to the projection on the closed convex hull of the support, "
            r"the rescaled field to $\gamma$ times the way there."
        ),
        formula=(
            r"v_0=\dot\beta_0T+\dot\alpha_0\mathrm{Id},\quad "
            r"(1-t)v_t(x)\to\gamma\bigl(\mathrm{proj}_{\overline{\mathrm{dom}}\varphi}(x)-x\bigr)"
        ),
        assumptions=(
            SETTING,
            SCHEDULE,
            r"SC: $(1-t)\dot\alpha/\alpha\to-\gamma$ and $(1-t)\dot\beta/\beta\to0$ as $t\to1$, $\gamma>0$.",
        ),
        source=f"{PAPER}, section 2; rockafellar1998variational",
        status="reconstructed",
        modules=(f"{HERE}test_ends", f"{HERE}test_start_of_time", f"{HERE}test_branches"),
        depends=(
            "P2",
            "N7",
            "SC",
        ),
        clauses=(
            Clause(
                "start",
                r"As $t\to0$ at a fixed point: $T$, and $\dot\beta_0T+\dot\alpha_0\mathrm{Id}$ for the "
                "field.",
            ),
            Clause("end", r"As $t\to1$: the projection on the closed convex hull of the support."),
        ),
    ),
    Claim(
        id="P8",
        label="Consequence of Lemma 2.1",
        title="No density is needed",
        statement=(
            "The denoiser identity and the zero loss hold for atoms, manifolds, an atom mixed with a "
            "density, and the Cantor law, which has neither atoms nor a density."
        ),
        formula=(
            r"\varphi^{*\prime}=Q\circ\Phi,\quad \partial\varphi(x)=\Phi^{-1}[F(x^-),F(x)],\quad "
            r"\mathrm{prox}_{\lambda_t\varphi}(x_t/\beta_t)=x_1"
        ),
        assumptions=(SETTING, COUPLING, SCHEDULE, r"$t\in(0,1)$."),
        source=f"{PAPER}, section 2; brenier1991polar",
        status="reconstructed",
        modules=(f"{HERE}test_no_density", f"{HERE}test_curve_lifts"),
        depends=(
            "P1",
            "P2",
            "P3",
        ),
        clauses=(
            Clause("recovery", "Denoiser and loss for laws without a density."),
            Clause("subdifferential", r"$\partial\varphi(x)=\Phi^{-1}[F(x^-),F(x)]$ on the line."),
            Clause("curves", "Uniform laws on curves, lifted from atoms."),
        ),
    ),
    Claim(
        id="P9",
        label="Consequence of Lemma 2.1",
        title="Every minibatch is itself proximal",
        statement=(
            "The optimal assignment of one batch has dual potentials; the convex envelope of the heights "
            "they give recovers the data point of every pair of the batch."
        ),
        formula=(
            r"g_j=\tfrac12(|x_1^j|^2-v_j),\quad "
            r"x_1^i=\mathrm{prox}_{\lambda_t\varphi_B}(x_t^i/\beta_t)\ \text{for every pair }i"
        ),
        assumptions=(
            "A finite batch, matched by an optimal assignment for the squared distance; its data may repeat.",
            SCHEDULE,
            r"$t\in(0,1)$.",
        ),
        source="this project; linear-programming duality",
        status="this project",
        modules=(f"{HERE}test_minibatch",),
        depends=("P2",),
        clauses=(
            Clause("recovery", "Every pair of the batch is recovered."),
            Clause("copies", "Copies of one data point have one height."),
        ),
    ),
    *FURTHER,
)

COVERAGE = (
    Coverage(PAPER, "Lemma 2.1", "P2", "wording reconstructed"),
    Coverage(PAPER, "Corollary 2.2", "P3", "wording reconstructed"),
    Coverage(PAPER, "Figure 1", "P2", "redrawn from computed values"),
    Coverage(PAPER, "Figure 2", "P1", "redrawn from computed values"),
    Coverage(
        PAPER, "theorems of unknown label", "N4", "one may speak of the flow off the support: not claimed"
    ),
    Coverage(PAPER, "section 2, the potential", "N7", "may be stated there in part: not claimed"),
)
