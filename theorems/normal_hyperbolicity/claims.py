"""The statements of terminal normal hyperbolicity, in the order of the argument (docs/theory.md §3)."""

from theorems.claim import Claim, Clause, Coverage

PAPER = "fukumizu2026proximal"
HERE = "theorems.normal_hyperbolicity."
PAIR = (
    r"Noise $x_0\sim N(0,I_d)$, data with finite second moment, $x_1=T(x_0)$ their optimal pair; a schedule "
    r"with $\alpha_t,\beta_t>0$, $C^1$, on $(0,1)$."
)
MANIFOLD = (
    r"$M\subset\mathrm{dom}\,\varphi$ is a $C^2$ manifold of dimension $m$ through $x_1$, $T=T_{x_1}M$, "
    r"$N=T^\perp$; each stratum of the support has its own."
)
A1 = r"A1: $\varphi|_M$ is $C^2$ near $x_1$."
A2 = r"A2: $\partial\varphi(x_1)$ has dimension $d-m$."
A3 = r"A3: $x_0$ is in the relative interior of $\partial\varphi(x_1)$."
A4 = r"A4 (added by this project): $\partial\varphi|_M$ is inner semicontinuous at $x_1$."
A5 = r"A5 (added by this project): $H\succ0$ on $T$."
SC = r"SC: $(1-t)\dot\alpha/\alpha\to-\gamma$, $\gamma>0$, and $(1-t)\dot\beta/\beta\to0$."
SC_ALPHA = (
    r"SC's clause on $\alpha$: $(1-t)\dot\alpha/\alpha\to-\gamma$, $\gamma>0$; that on $\beta$ is not used."
)

EVERY_TARGET = (
    r"Noise at which $\varphi^*$ has an Aleksandrov expansion, "
    r"$\partial\varphi^*(x_0+h)\subset x_1+Kh+o(|h|)B$: "
    r"$P_0$-almost every, for every target with finite second moment."
)

CLAIMS = (
    Claim(
        id="H1",
        label="Proposition 4.1",
        title="The Jacobian along a trajectory",
        statement=(
            r"$DX_t=\alpha I+\beta K(x_0)$, and $Dv_t(x_t)$ has the eigenvectors of $K$; where $\kappa=0$ "
            r"the eigenvalue is $\dot\alpha/\alpha$, for the linear schedule $-1/(1-t)$. It holds for every "
            r"target at $P_0$-almost every noise (N1); where A1–A5 hold $K$ is that of H3."
        ),
        formula=(
            r"\mathrm{eig}\,Dv_t(x_t)=\frac{\dot\alpha_t+\dot\beta_t\kappa}{\alpha_t+\beta_t\kappa},\quad "
            r"J=\beta K(\alpha I+\beta K)^{-1}"
        ),
        assumptions=(PAIR, r"$K=DT(x_0)$ exists; $t\in(0,1)$."),
        source=f"{PAPER}, Proposition 4.1",
        status="reconstructed",
        depends=("P2", "P6"),
        modules=(
            f"{HERE}test_jacobian",
            f"{HERE}test_every_target",
            f"{HERE}test_certified",
            f"{HERE}test_conditioning",
            f"{HERE}test_assumptions",
            f"{HERE}test_integration",
            f"{HERE}test_instruments",
        ),
        clauses=(
            Clause("flow", r"$DX_t=\alpha I+\beta K$, by integrating the field."),
            Clause(
                "Jacobian",
                "$Dv_t(x_t)$ has the eigenvectors of $K$ and the stated eigenvalues, for every target.",
            ),
            Clause("manifold", "Where A1–A5 hold $K$ is that of H3."),
            Clause("linear", r"The linear schedule: $(\kappa-1)/(1+t(\kappa-1))$, at $\kappa=0$ $-1/(1-t)$."),
        ),
    ),
    Claim(
        id="H2",
        label="Lemma 4.2",
        title="Tilting the potential shifts its prox",
        statement=(
            r"With $\tilde\varphi=\varphi-\langle x_0,\cdot\rangle$, which $x_1$ minimises, the prox of "
            r"$\varphi$ around $x_t/\beta_t=x_1+\lambda_tx_0$ is that of $\tilde\varphi$ around $x_1$."
        ),
        formula=(
            r"\mathrm{prox}_{\lambda\varphi}(x_1+\lambda x_0+w)=\mathrm{prox}_{\lambda\tilde\varphi}(x_1+w)"
        ),
        assumptions=(
            PAIR,
            r"$x_0\in\partial\varphi(x_1)$; all $w$ and $\lambda>0$, on the path $\lambda=\alpha_t/\beta_t$.",
        ),
        source=f"{PAPER}, Lemma 4.2",
        status="reconstructed",
        depends=("P2",),
        modules=(f"{HERE}test_shift",),
        clauses=(
            Clause("minimum", r"$x_1$ minimises $\tilde\varphi$."),
            Clause("shift", r"One prox is the other, at every $w$ and $\lambda$."),
        ),
    ),
    Claim(
        id="H3",
        label="Lemma 4.3",
        title="The second epi-derivative",
        statement=(
            r"The second-order quotients of $\varphi$ at $x_1$ for $x_0$ epi-converge to a quadratic form "
            r"on $T$ that is $+\infty$ off it, and prox has the derivative below at every $\lambda>0$. With "
            r"A5 also $K=H^{-1}$ on $T$ and $0$ on $N$; without it there may be none (H10). "
            "Epi-convergence is pointwise convergence of Moreau envelopes; the quotients themselves need not "
            "converge."
        ),
        formula=(
            r"d^2\varphi(x_1|x_0)(w)=\langle w,Hw\rangle+\delta_T(w),\quad "
            r"D\,\mathrm{prox}_{\lambda\varphi}(x_1+\lambda x_0)=P_T(I+\lambda H)^{-1}P_T"
        ),
        assumptions=(PAIR, MANIFOLD, A1, A2, A3, A4, r"For $K=H^{-1}$ A5 besides; $H\succcurlyeq0$ always."),
        source=f"{PAPER}, Lemma 4.3; rockafellar1998variational, chapter 13",
        status="reconstructed",
        modules=(f"{HERE}test_epiderivative", f"{HERE}test_assumptions", f"{HERE}test_from_a1"),
        depends=("H2", "A1", "A2", "A3", "A4", "A5"),
        clauses=(
            Clause("epi-limit", "Envelopes of the quotients converge to that of the quadratic form."),
            Clause("prox", r"$D\,\mathrm{prox}_{\lambda\varphi}=P_T(I+\lambda H)^{-1}P_T$."),
            Clause("K", r"With A5, $K=H^{-1}$ on $T$ and $0$ on $N$."),
            Clause("epi", r"The quotients themselves may be $+\infty$ at every $\tau$."),
        ),
    ),
    Claim(
        id="H4",
        label="Theorem 4.4",
        title="Lyapunov exponents",
        statement=(
            r"In rescaled time $\tau=-\log(1-t)$ the flow has the exponent $-\gamma$ on $N$, $d-m$ times, "
            r"and $0$ off $N$, $m$ times: for every $u\ne0$, mixed ones too."
        ),
        formula=(
            r"\lim_{\tau\to\infty}\tfrac1\tau\log|DX_tu|="
            r"\begin{cases}-\gamma&0\ne u\in N\\0&u\notin N\end{cases}"
        ),
        assumptions=(PAIR, MANIFOLD, A1, A2, A3, A4, A5, SC_ALPHA),
        source=f"{PAPER}, Theorem 4.4",
        status="reconstructed",
        modules=(
            f"{HERE}test_exponents",
            f"{HERE}test_integration",
            f"{HERE}test_conditioning",
            f"{HERE}test_assumptions",
            f"{HERE}test_ends_of_the_spectrum",
            f"{HERE}test_margins",
            f"{HERE}test_instruments",
        ),
        depends=("H1", "H3", "A1", "A2", "A3", "A4", "A5", "SC"),
        clauses=(
            Clause("normal", r"$-\gamma$ on $N$."),
            Clause("tangential", r"0 on $T$."),
            Clause("mixed", r"0 for $u$ that is neither normal nor tangential."),
        ),
    ),
    Claim(
        id="H5",
        label="Consequence of Proposition 4.1",
        title="The whole eigenvalue curve",
        statement=(
            r"$(1-t)Dv_t\to-\gamma P_N$ along every trajectory, on a known curve; for the linear schedule at "
            r"rate $1-t$ with constant $(\kappa-1)/\kappa$."
        ),
        formula=(
            r"(1-t)\frac{\dot\alpha+\dot\beta\kappa}{\alpha+\beta\kappa}"
            r"=\frac{(1-t)(\kappa-1)}{1+t(\kappa-1)}\ \text{(linear)}"
        ),
        assumptions=(PAIR, MANIFOLD, A1, A2, A3, A4, A5, SC),
        source=f"{PAPER}, section 4",
        status="this project",
        depends=("H1",),
        modules=(
            f"{HERE}test_curves",
            f"{HERE}test_moons",
            f"{HERE}test_conditioning",
            f"{HERE}test_assumptions",
        ),
        clauses=(
            Clause("curve", "Eigenvalues of $(1-t)Dv_t$ follow the curve at every $t$."),
            Clause("limit", r"$(1-t)Dv_t\to-\gamma P_N$."),
            Clause(
                "rate", r"Linear: rate $1-t$ with constant $(\kappa-1)/\kappa$, and $-1$ throughout on $N$."
            ),
        ),
    ),
    Claim(
        id="H6",
        label="Consequence of Theorem 4.4",
        title="Normal hyperbolicity",
        statement=(
            r"$T\oplus N$ is invariant; $DX_t|_T$ stays between constants that depend on $x_0$ alone, and "
            r"$|DX_t|_N|=\alpha_t$, which beats every power of the tangential rates."
        ),
        formula=(
            r"(\alpha_t+\beta_t)\min(1,\kappa)\le|DX_t|_T|\le(\alpha_t+\beta_t)\max(1,\kappa),\quad "
            r"|DX_t|_N|=\alpha_t"
        ),
        assumptions=(PAIR, MANIFOLD, A1, A2, A3, A4, A5, SC_ALPHA),
        source=f"{PAPER}, section 4",
        status="reconstructed",
        modules=(f"{HERE}test_splitting", f"{HERE}test_assumptions"),
        depends=("H1", "H3", "H4"),
        clauses=(
            Clause("splitting", r"$T\oplus N$ is invariant, and $|DX_t|_N|=\alpha_t$."),
            Clause("bounds", r"$(\alpha+\beta)\min(1,\kappa)\le|DX_t|_T|\le(\alpha+\beta)\max(1,\kappa)$."),
            Clause("domination", r"$\alpha_t$ beats every real power of the tangential rates."),
        ),
    ),
    Claim(
        id="H7",
        label="Consequence of Theorem 4.4",
        title="The spectrum reads off the intrinsic dimension",
        statement=r"The number of exponents above $-\gamma/2$ is $m$, point by point and stratum by stratum.",
        formula=r"\#\{i:\lambda_i>-\gamma/2\}=m",
        assumptions=(PAIR, MANIFOLD, A1, A2, A3, A4, A5, SC_ALPHA),
        source="this project",
        status="this project",
        depends=("H4",),
        modules=(f"{HERE}test_dimension", f"{HERE}test_assumptions"),
        clauses=(
            Clause("strata", "Point by point, stratum by stratum: the dimension that positions tell."),
            Clause("count", r"The number of exponents above $-\gamma/2$ is $m$, for drawn targets."),
        ),
    ),
    Claim(
        id="H8",
        label="Beyond the paper",
        title="Independent coupling contracts too, by another path",
        statement=(
            r"On spheres the field of independent coupling also has $(1-t)Dv_t\to-P_N$ on $M$, with the same "
            "exponents, the same dimension read off and, by symmetry, the same end of each trajectory: none "
            "of these distinguishes OT-CFM. Its spectra before the end do: normal "
            r"eigenvalues of $(1-t)Dv_t$ are $-1$ throughout, and tangential ones imply one and the same "
            r"$\kappa\ge0$ at every $t$ (H1); those of independent coupling do neither."
        ),
        formula=r"E[x_1|x_t=x]=R\frac{I_{d/2}(s)}{I_{d/2-1}(s)}\frac{x}{|x|},\quad s=\beta_tR|x|/\alpha_t^2",
        assumptions=(
            r"The uniform law on $|x|=R$ in $R^d$, $d\ge2$, drawn apart from the noise; the linear schedule, "
            r"$t\in(0,1)$.",
        ),
        source="this project; amos1974computation",
        status="this project",
        modules=(f"{HERE}test_independent",),
        depends=("H1",),
        clauses=(
            Clause("limit", r"$(1-t)Dv_t\to-P_N$ on $M$."),
            Clause("exponents", r"$-1$ on $N$, 0 on $T$."),
            Clause("dimension", r"$d-1$ is read off, as from OT-CFM."),
            Clause("ends", r"A trajectory ends at $Rx_0/|x_0|$."),
        ),
    ),
    Claim(
        id="H9",
        label="Finding: A4",
        title="A support that is M, with A1, A2, A3 and A5, gives neither A4 nor Lemma 4.3",
        statement=(
            r"The twin: data on the arc $g(s)=(s,s^2/2)$, $|s|\le.45$, and at $(1,0)$, by the potential "
            r"below. Near $x_1=g(0)$ the support is the parabola; at $x_0=0$ A1, A2, A3, A5 hold, $H=1$, but "
            r"$\mathrm{dist}(x_0,\partial\varphi(g(s)))\to1$ as $s\downarrow0$: A4 fails, and with it H3: "
            r"$D\,\mathrm{prox}$ is 1 towards $(1,0)$ and $1/(1+\lambda)$ away from it. The noise is a tie, "
            r"and $P_0$-null: where $\varphi^*$ is differentiable, A1 and $H\succ0$ imply A4 (N1). This is "
            "about the statement as we know it: the paper's full text may assume A4, for instance through "
            "partial smoothness."
        ),
        formula=(
            r"\varphi^*(v)=\max\Big(\max_{|s|\le.45}\langle v,g(s)\rangle-f(s),\ v_1\Big),\quad "
            r"f(s)=\tfrac{s^2}2+\begin{cases}s^3&s>0\\8|s|^3&s<0\end{cases}"
        ),
        assumptions=(A1, A2, A3, A5),
        source="this project; lewis2002active",
        status="this project",
        modules=(f"{HERE}test_twin", f"{HERE}test_twin_cells", f"{HERE}test_added_assumptions"),
        depends=("A1", "A2", "A3", "A4", "A5", "H3"),
        clauses=(
            Clause("cells", r"The noise of $g(s)$, $s>0$, is a segment at $(0,1)$ with the ends stated."),
            Clause("support", "Both sides of $x_1$ on the parabola have mass."),
            Clause("assumptions", "A1, A2, A3 and A5 hold at the tie, with $H=1$."),
            Clause("A4", r"The distance of $x_0$ from $\partial\varphi(g(s))$ tends to 1."),
            Clause("H3", r"prox has the slopes 1 and $1/(1+\lambda)$ on the two sides."),
        ),
    ),
    Claim(
        id="H10",
        label="Finding: A5",
        title="A1–A4 alone do not give Theorem 4.4",
        statement=(
            r"The law of $x_0^{1/3}$ has $\varphi=x^4/4$ and satisfies A1–A4 at 0 with $H=0$: "
            r"$|DX_t|$ is infinite there at every $t>0$. Again the paper's full text may exclude it."
        ),
        formula=r"X_t(h)/h=\alpha_t+\beta_th^{-2/3}\to\infty",
        assumptions=(A1, A2, A3, A4),
        source="this project",
        status="this project",
        depends=("H3", "H4"),
        modules=(f"{HERE}test_added_assumptions",),
        clauses=(
            Clause("assumptions", "A1–A4 hold at 0."),
            Clause("H", "$H=0$, and the prox is differentiable there all the same."),
            Clause("flow", "$|DX_t|$ is infinite at every $t>0$."),
        ),
    ),
    Claim(
        id="N1",
        label="Beyond the paper",
        title="Exponents for every target, and A2–A5 from A1",
        statement=(
            r"(a) At almost every noise $DX_t=\alpha I+\beta K$ and $Dv_t(x_t)$ is that of H1, whatever "
            r"the target: the exponent is $-\gamma$ on $\ker K$ and 0 off it. (b) Let $\varphi^*$ be "
            r"differentiable at $x_0$, the support near $x_1=T(x_0)$ a $C^2$ manifold $M$ without boundary "
            r"there, $\varphi|_M$ finite and $C^2$, and $H\succ0$ on $T$: then $T$ is $C^1$ near $x_0$, and "
            r"A2, A3 and A4 hold. (c) The same if, in place of $H\succ0$, $K$ exists: then $HK=P_T$, hence "
            "A5. So at almost every noise whose data lie in the smooth part of the support, H1–H7 need A1 "
            "alone."
        ),
        formula=(
            r"Dv_t(x_t)=(\dot\alpha I+\dot\beta K)(\alpha I+\beta K)^{-1},\quad HK=P_T,\quad "
            r"\lim_{\tau\to\infty}\tfrac1\tau\log|DX_tu|="
            r"\begin{cases}-\gamma&u\in\ker K\\0&u\notin\ker K\end{cases}"
        ),
        assumptions=(
            EVERY_TARGET,
            r"$t\in(0,1)$, $\alpha_t,\beta_t>0$; for the exponents $\alpha\to0$, and on $\ker K$ "
            r"$(1-t)\dot\alpha/\alpha\to-\gamma$; SC's clause on $\beta$ is not used.",
        ),
        source="this project; rockafellar1998variational, chapter 13",
        status="this project",
        modules=(f"{HERE}test_every_target", f"{HERE}test_from_a1", f"{HERE}test_twin"),
        depends=("A1",),
        clauses=(
            Clause(
                "Jacobian",
                r"$Dv_t(x_t)$ is $(\dot\alpha I+\dot\beta K)(\alpha I+\beta K)^{-1}$, $K=DT(x_0)$.",
            ),
            Clause("exponents", r"$-\gamma$ on $\ker K$, 0 off it."),
            Clause("A2-A4", r"A2, A3 and A4 follow where $\varphi^*$ is differentiable and $H\succ0$."),
            Clause("HK", r"$HK=P_T$, so A5 and $K=H^{-1}$ on $T$."),
        ),
    ),
)

COVERAGE = (
    Coverage(PAPER, "Proposition 4.1", "H1", "wording reconstructed"),
    Coverage(PAPER, "Lemma 4.2", "H2", "wording reconstructed"),
    Coverage(PAPER, "Lemma 4.3", "H3", "wording reconstructed; A4 added"),
    Coverage(PAPER, "Figure 3", "H5", "the exact field in place of a learned one, with the exact curve"),
    Coverage(PAPER, "Figure 4", "H5", "the exact field of two moons, with the exact curve"),
    Coverage(PAPER, "Theorem 4.4", "H4", "wording reconstructed; A4 and A5 added"),
    Coverage(PAPER, "hypotheses of section 4", "N1", "when they hold may be said there: not claimed"),
)
