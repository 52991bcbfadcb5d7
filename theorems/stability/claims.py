"""The statements on stability: errors of field and sampler, of the data, and convergence of potentials."""

from theorems.claim import Claim, Clause, Coverage

HERE = "theorems.stability."
OURS = "this project; no claim of priority"
SETTING = r"Noise $P_0=N(0,I_d)$; data $P_1$ with finite second moment and no density assumed."
SCHEDULE = r"$\alpha$ falls from 1 to 0, $\beta$ rises from 0 to 1, both $C^1$ on $[0,1)$."
PAIR = (
    r"Every $x$ is $\alpha_ty+\beta_tu$ for one pair of $\mathrm{gph}\,\partial\varphi^*$: "
    r"$u(t,x)=\mathrm{prox}_{\lambda_t\varphi}(x/\beta_t)$, $y(t,x)=\nabla e_{\lambda_t}\varphi(x/\beta_t)$."
)

CLAIMS = (
    Claim(
        id="N3",
        label="Beyond the paper",
        title="What errors of the field and of the sampler do to samples",
        statement=(
            r"(1) $u$ and $y$ do not change along the exact flow, on all of $R^d$; $u$ is "
            r"$1/\beta_t$-Lipschitz, "
            r"$y$ is $1/\alpha_t$-Lipschitz. (2) If $Y'=v_t(Y)+e_t$ on $[s,1)$ with $\int_s^1|e|<\infty$, "
            r"$\lim u(t,Y_t)$ exists and is within $\int_s^1|e|/\beta$ of $u(s,Y_s)$; errors may be "
            r"impulses. The "
            r"bound is attained between two atoms. (3) If $\alpha_t\int_s^t|e|/\alpha\to0$, which holds "
            r"if $\alpha$ "
            r"is nonincreasing near 1, $Y_1$ exists, is that limit, and lies in the closed convex hull of "
            r"the data. "
            r"(4) To first order an error counts by $K(\alpha I+\beta K)^{-1}$: components in $\ker K$ "
            r"give nothing. "
            r"(5) $n$ Euler steps of the linear schedule are exact but for their errors: the end is within "
            r"$\sum_{k\le n-2}|e_k|/(k+1)+|e_{n-1}|/n$ of $T(x_0)$ and within $|e_{n-1}|/n$ of the hull; "
            r"to first "
            r"order the last error counts whole, the others as in (4)."
        ),
        formula=(
            r"|\lim_{t\to1}u(t,Y_t)-u(s,Y_s)|\le\int_s^1\frac{|e_r|}{\beta_r}dr,\quad "
            r"|Y_n-T(x_0)|\le\sum_{k=0}^{n-2}\frac{|e_k|}{k+1}+\frac{|e_{n-1}|}n,\quad "
            r"\frac{Y_1^\epsilon-x_1}\epsilon\to\int_s^1K(\alpha_rI+\beta_rK)^{-1}e_r\,dr"
        ),
        assumptions=(
            SETTING,
            SCHEDULE,
            PAIR,
            r"(2)–(4): $s\in(0,1)$; (3): only where it is used, $\alpha_t\int_s^t|e|/\alpha\to0$; (4): "
            r"$\varphi^*$ has "
            r"an Aleksandrov expansion at $x_0$ with derivative $K$, which holds $P_0$-almost everywhere.",
            "(5): linear schedule.",
        ),
        source=OURS,
        status="this project",
        modules=tuple(
            f"{HERE}test_{part}"
            for part in (
                "first_integrals",
                "error_of_the_field",
                "response",
                "euler",
                "euler_response",
                "learned_errors",
                "certified_paths",
            )
        ),
        depends=("P2", "P6"),
        clauses=(
            Clause(
                "first integrals",
                "(1): the pair of a point does not change, and moves no faster than the point.",
            ),
            Clause("bound", r"(2): $u$ moves by at most $\int|e|/\beta$."),
            Clause("attained", "Between two atoms there is equality in (2), and from the tie in (5)."),
            Clause("end", r"(3): the path ends where $u$ does."),
            Clause("response", "(4): the first-order response."),
            Clause("Euler's bound", "(5): steps are exact but for their errors; the two bounds."),
            Clause("Euler's response", "(5): the first-order response of Euler's steps."),
        ),
    ),
    Claim(
        id="N5",
        label="Beyond the paper",
        title="Stability in the data, with the best exponent",
        statement=(
            r"Let $\delta=W_2(P_1,Q_1)$, $\lambda>0$ and $z=T_Q(x_0)+\lambda x_0$. Pointwise in $x_0$ the "
            r"two "
            r"proximal maps differ at $z$ by at most $|T_Q-T_P|$; in $L^2(P_0)$ by at most "
            r"$\delta+\sqrt{2\lambda\sqrt d\,\delta}$ as well. Times "
            r"$|\dot\beta-\dot\alpha\beta/\alpha|$, at $\lambda=\lambda_t$, this bounds "
            r"$\|v^Q_t-v^P_t\|_{L^2(p^Q_t)}$. In dimension 1 $\|T_Q-T_P\|=\delta$. The exponent ½ is the "
            r"best "
            r"for $T$ at one fixed $P_1$ (two antipodal atoms), and for the proximal map at fixed "
            r"$\lambda$ over "
            r"$P_1$, $Q_1$ in one ball (the comb)."
        ),
        formula=(
            r"\|\mathrm{prox}_{\lambda\varphi_Q}(z)-\mathrm{prox}_{\lambda\varphi_P}(z)\|_{L^2(P_0)}\le"
            r"\min\bigl(\|T_Q-T_P\|,\ \delta+\sqrt{2\lambda\sqrt d\,\delta}\bigr)"
        ),
        assumptions=(SETTING, r"$Q_1$ likewise; $\lambda>0$; for fields $t\in(0,1)$."),
        source=OURS,
        status="this project",
        modules=tuple(
            f"{HERE}test_{part}"
            for part in ("data_pointwise", "certified_data", "data_in_the_mean", "data_exponents")
        ),
        depends=("P1", "P2", "M8"),
        clauses=(
            Clause("pointwise", r"At every $x_0$ by $|T_Q-T_P|$, and by any datum of $P$ and its gap."),
            Clause("gap", r"The glued plan of $P_0$, $P_1$ has a mean gap of at most $2\sqrt d\,\delta$."),
            Clause("mean", "In the mean square by the formula."),
            Clause("line", r"In dimension 1 $\|T_Q-T_P\|=\delta$."),
            Clause("exponent", "The exponent ½ is the best, with constants of two families."),
        ),
    ),
    Claim(
        id="N6",
        label="Beyond the paper",
        title="Potentials, maps, fields and flows converge when data do",
        statement=(
            r"Let $P_1^n\to P_1$ weakly, with $\varphi_n^*(0)=\varphi^*(0)$. Then "
            r"$\varphi_n^*\to\varphi^*$ locally "
            r"uniformly, $\varphi_n$ epi-converges to $\varphi$ and $\partial\varphi_n$ graphically to "
            r"$\partial\varphi$; envelopes and proximal maps converge locally uniformly in $(x,\lambda)$, "
            r"$\lambda>0$; the fields of the laws (not those of minibatches) uniformly on compacts of "
            r"$(0,1)\times R^d$; $X^n_{s\to t}$ uniformly on compacts for $s\in(0,1)$, $t\in[0,1]$; and "
            r"$T_n(x)\to T(x)$ wherever $\varphi^*$ is differentiable. Second moments need not converge."
        ),
        formula=(
            r"\varphi_n^*\to\varphi^*,\quad e_\lambda\varphi_n\to e_\lambda\varphi,\quad "
            r"\mathrm{prox}_{\lambda\varphi_n}\to\mathrm{prox}_{\lambda\varphi},\quad "
            r"v[P_1^n]\to v[P_1],\quad X^n_{s\to t}\to X_{s\to t}"
        ),
        assumptions=(
            SETTING,
            r"$P_1^n\to P_1$ weakly; potentials normalised at $0$.",
            "Where there is no second moment: the cyclically monotone plan.",
        ),
        source=f"rockafellar1998variational, theorems 7.37, 11.34, 12.35; {OURS}",
        status="this project",
        modules=tuple(f"{HERE}test_{part}" for part in ("polygons", "polygon_fields", "limits")),
        depends=("P1", "P2", "N4"),
        clauses=(
            Clause("potentials", "Conjugates and envelopes converge locally uniformly: epi-convergence."),
            Clause("graphs", "Graphs of subdifferentials converge in the sense of Painlevé and Kuratowski."),
            Clause("maps", "Proximal maps converge locally uniformly."),
            Clause("fields", "Fields of the laws converge uniformly on compacts."),
            Clause("flows", "Flow maps converge uniformly on compacts, to both ends of time too."),
            Clause("transports", "Transports converge where the limit is differentiable."),
            Clause("no moments", "Second moments need not converge."),
        ),
    ),
)

UNREAD = "theorems whose labels are not known to us"
COVERAGE = tuple(
    Coverage(
        "fukumizu2026proximal", UNREAD, claim, "may correspond to one of them: not read, nothing claimed"
    )
    for claim in ("N3", "N5", "N6")
)
