"""The statements of the proximal formulation, in the order of the argument (theory.md §1)."""

from theorems.claim import Claim, Coverage

PAPER = "fukumizu2026proximal"
HERE = "theorems.proximal_denoiser."
SETTING = "Noise $P_0 = N(0, I_d)$; data $P_1$ with finite second moment and no density assumed."
COUPLING = r"$(x_0, x_1)$ is the optimal pair, $x_1 = T(x_0)$ with $T = \nabla\varphi^*$."
SCHEDULE = r"$\alpha$ falls from 1 to 0, $\beta$ rises from 0 to 1, both $C^1$ on $[0,1)$."

CLAIMS = (
    Claim(
        id="P1",
        label="Section 2 (setting)",
        title="The potential is optimal",
        statement=(
            r"$T$ pushes the noise to the data, the Fenchel–Young gap is nonnegative and zero exactly on the "
            "optimal pairs, and on any finite sample the identity is an optimal assignment: the potentials "
            "are a feasible dual with zero gap."
        ),
        formula=r"\varphi(u)+\varphi^*(x_0)-\langle u,x_0\rangle\ge 0,\quad =0\iff u=T(x_0)",
        assumptions=(SETTING,),
        source=f"{PAPER}, section 2; brenier1991polar",
        status="reconstructed",
        modules=(f"{HERE}test_optimality", f"{HERE}test_push_forward", f"{HERE}test_uniform_digits"),
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
            f"{HERE}test_routes",
            f"{HERE}test_digits",
            f"{HERE}test_uniform_digits",
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
        modules=(f"{HERE}test_field",),
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
        assumptions=(SETTING, COUPLING, SCHEDULE),
        source=f"{PAPER}, section 2; moreau1965proximite",
        status="reconstructed",
        modules=(f"{HERE}test_moreau",),
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
        modules=(f"{HERE}test_spectrum",),
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
        modules=(f"{HERE}test_flow",),
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
        modules=(f"{HERE}test_ends", f"{HERE}test_start_of_time"),
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
        assumptions=("A finite batch, matched by an optimal assignment for the squared distance.", SCHEDULE),
        source="this project; linear-programming duality",
        status="this project",
        modules=(f"{HERE}test_minibatch",),
    ),
    Claim(
        id="N4",
        label="Beyond the paper",
        title="The flow on the whole space, its start, and optimality between any two times",
        statement=(
            r"Every $x$ is $\alpha_sy+\beta_su$ for one pair with $u\in\partial\varphi^*(y)$, and the flow "
            r"carries it to $\alpha_ty+\beta_tu$: a homeomorphism of the whole space that stretches by "
            r"constants which targets attain. From $x_0$ start exactly the solutions "
            r"$\alpha x_0+\beta u$, $u\in\partial\varphi^*(x_0)$: one where $\varphi^*$ is differentiable, "
            r"many at a tie. As $t\to0$ at any fixed $x$ the field tends to the element of least norm of "
            r"what they start with. The flow map between any two times is optimal."
        ),
        formula=(
            r"\frac{\alpha_t}{\alpha_s}|x-x'|\le|X_{s\to t}x-X_{s\to t}x'|\le"
            r"\frac{\beta_t}{\beta_s}|x-x'|,\quad "
            r"v_t(x)\to\arg\min\{|w|:w\in\dot\alpha_0x+\dot\beta_0\partial\varphi^*(x)\}"
        ),
        assumptions=(
            SETTING,
            SCHEDULE,
            r"$s,t\in(0,1)$; for optimality $s,t\in[0,1]$.",
            r"$\lambda_t\le\lambda_s$ for the bounds as written; else the constants change places.",
            r"For the limit at $t=0$: $\alpha$, $\beta$ are $C^1$ there and $\dot\beta_0>0$.",
        ),
        source="this project; minty1962monotone; brezis1973operateurs",
        status="this project",
        modules=(f"{HERE}test_two_times", f"{HERE}test_start_of_time", f"{HERE}test_optimal_between_times"),
    ),
    Claim(
        id="N7",
        label="Beyond the paper",
        title="The potential exists, is unique, and has this shape",
        statement=(
            r"$\varphi^*$ is finite on $\mathbf{R}^d$, and it and $\varphi$ are unique up to one constant. "
            r"$\varphi$ grows faster than every slope, is the convex envelope of its restriction to the "
            r"support, and its domain has the closed convex hull of the support as closure. Wherever "
            r"$\varphi^*$ is differentiable its gradient lies in the support and is the only maximiser of "
            r"$\langle x_0,\cdot\rangle-\varphi$."
        ),
        formula=(
            r"\varphi=(\varphi+\delta_{\mathrm{supp}P_1})^{**},\quad "
            r"\overline{\mathrm{dom}}\,\varphi=\overline{\mathrm{conv}}\,\mathrm{supp}P_1,\quad "
            r"\frac{\varphi(u)}{|u|}\to\infty,\quad \nabla\varphi^*(x_0)\in\mathrm{supp}P_1"
        ),
        assumptions=(
            "Noise with a density that is positive almost everywhere.",
            "Data with finite second moment.",
        ),
        source="this project; brenier1991polar, mccann1995existence",
        status="this project",
        modules=(f"{HERE}test_uniqueness", f"{HERE}test_envelope", f"{HERE}test_domain"),
    ),
)

COVERAGE = (
    Coverage(PAPER, "Lemma 2.1", "P2", "wording reconstructed"),
    Coverage(PAPER, "Corollary 2.2", "P3", "wording reconstructed"),
    Coverage(PAPER, "Figure 1", "P2", "redrawn from computed values"),
    Coverage(PAPER, "Figure 2", "P1", "redrawn from computed values"),
)
