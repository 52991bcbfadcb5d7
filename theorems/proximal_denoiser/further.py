"""Two further theorems about the potential and its flow (docs/theory.md, N4 and N7)."""

from theorems.claim import Claim, Clause
from theorems.proximal_denoiser.assumed import HERE, SCHEDULE, SETTING

FURTHER = (
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
            r"v_t(x)\to\mathrm{argmin}\{|w|:w\in\dot\alpha_0x+\dot\beta_0\partial\varphi^*(x)\}"
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
        depends=(
            "P2",
            "P5",
            "P6",
        ),
        clauses=(
            Clause(
                "decomposition",
                r"$x=\alpha_sy+\beta_su$ with one pair $u\in\partial\varphi^*(y)$, carried to "
                r"$\alpha_ty+\beta_tu$.",
            ),
            Clause("stretch", "The two bounds on how distances are stretched."),
            Clause("attained", "Both constants are attained."),
            Clause(
                "solutions",
                r"From $x_0$ start exactly the solutions $\alpha x_0+\beta u$, "
                r"$u\in\partial\varphi^*(x_0)$.",
            ),
            Clause(
                "start",
                r"As $t\to0$ at any point: the projection of $cx$ on $\partial\varphi^*(x)$, "
                r"$c=-\dot\alpha_0/\dot\beta_0$; the element of least norm for the field.",
            ),
            Clause("optimality", r"$X_{s\to t}$ is an optimal transport for any two times of any schedule."),
            Clause("distance", "$W_2(p_s,p_t)$ in closed form."),
        ),
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
        depends=("P1",),
        clauses=(
            Clause("finiteness", r"$\varphi^*$ is finite on $\mathbf{R}^d$."),
            Clause("constant", r"$\varphi^*$ and $\varphi$ are unique up to one constant."),
            Clause("growth", r"$\varphi(u)/|u|\to\infty$."),
            Clause("envelope", r"$\varphi=(\varphi+\delta_{\mathrm{supp}P_1})^{**}$."),
            Clause(
                "domain",
                r"$\overline{\mathrm{dom}}\,\varphi=\overline{\mathrm{conv}}\,\mathrm{supp}P_1$.",
            ),
            Clause("image", r"$\nabla\varphi^*(x_0)\in\mathrm{supp}P_1$ wherever it exists."),
            Clause("uniqueness", r"It is the only maximiser of $\langle x_0,\cdot\rangle-\varphi$."),
        ),
    ),
)
