"""The ground of flow matching, in the order of theory.md §5, and the coverage of the notes it is from."""

from theorems.claim import Claim, Coverage

NOTES = "rangrej2024flow"
HERE = "theorems.flow_matching."
NOISE = r"$x_0\sim p_0=N(0,I_d)$."

CLAIMS = (
    Claim(
        id="F1",
        label="Equations (1)–(5)",
        title="Change of variables under composed bijections",
        statement=(
            r"The density of $x_1=\psi(x_0)$ is that of $x_0=\psi^{-1}(x_1)$ over the absolute Jacobian "
            r"determinant. For a composition $\psi=\varphi_K\circ\dots\circ\varphi_1$ the "
            r"log-determinants add, each taken at its own intermediate point $z_k=\varphi_k(z_{k-1})$, "
            r"$z_0=x_0$; the constant of $p_0$ belongs to it."
        ),
        formula=(
            r"\log p_1(x_1)=-\tfrac12|x_0|^2-\tfrac d2\log 2\pi-\sum_{k=1}^K\log|\det D\varphi_k(z_{k-1})|"
        ),
        assumptions=(NOISE, r"Every $\varphi_k$ is a $C^1$ bijection with invertible derivative."),
        source=f"{NOTES}, section 1",
        status="corrected",
        modules=(f"{HERE}test_change_of_variables",),
    ),
    Claim(
        id="F2",
        label="Equations (6), (7)",
        title="Residual maps invert by a fixed point",
        statement=(
            r"If $q=\delta\,\mathrm{Lip}(u)<1$, then $\varphi(x)=x+\delta u(x)$ is a bijection of $R^d$ that "
            r"keeps points $(1-q)$ of their distance apart, and $x\leftarrow y-\delta u(x)$ converges to "
            r"$\varphi^{-1}(y)$ with ratio $q$ from anywhere. The bound is enough, not needed; beyond it two "
            r"points may have one image."
        ),
        formula=(
            r"|\varphi(a)-\varphi(b)|\ge(1-q)|a-b|,\quad "
            r"|x_{k+1}-\varphi^{-1}(y)|\le q\,|x_k-\varphi^{-1}(y)|"
        ),
        assumptions=(r"$\delta\,\mathrm{Lip}(u)<1$, a global Lipschitz constant in $R^d$.",),
        source=f"{NOTES}, section 1; behrmann2019invertible",
        status="corrected",
        modules=(f"{HERE}test_residual_maps",),
    ),
    Claim(
        id="F3",
        label="Equations (8)–(14)",
        title="Instantaneous change of variables",
        statement=(
            r"Along $\dot x_t=u_t(x_t)$ the density follows the transport equation, and the log-density "
            r"falls at the rate of the divergence; integrated from noise to data it gives $\log p_1$ for any "
            r"coupling. The trace may be estimated from probes with independent signs."
        ),
        formula=(
            r"\partial_tp_t=-\mathrm{div}(u_tp_t),\quad "
            r"\log p_1(x_1)=\log p_0(x_0)-\int_0^1\mathrm{div}\,u_t(x_t)\,dt"
        ),
        assumptions=(NOISE, r"$u$ is $C^1$ in $x$, with trajectories on all of $[0,1]$."),
        source=f"{NOTES}, section 2; chen2018neural",
        status="corrected",
        modules=(f"{HERE}test_instantaneous_change",),
    ),
    Claim(
        id="F4",
        label="Equations (16)–(19)",
        title="Conditional paths marginalise, and the posterior average transports them",
        statement=(
            r"Paths $p_t(x|x_1)$ that are $N(0,I)$ at $t=0$ and $N(x_1,\sigma_{\min}^2I)$ at $t=1$ mix to a "
            r"path from noise to $q*N(0,\sigma_{\min}^2I)$. The field that averages $u_t(x|x_1)$ over the "
            r"posterior of $x_1$ given $x_t=x$, at the same time $t$, transports it."
        ),
        formula=(
            r"p_t(x)=\int p_t(x|x_1)q(x_1)\,dx_1,\quad "
            r"u_t(x)=\int u_t(x|x_1)\frac{p_t(x|x_1)q(x_1)}{p_t(x)}\,dx_1"
        ),
        assumptions=(
            r"$p_0(x|x_1)=N(0,I)$ for every $x_1$.",
            r"$p_t>0$ and $u_t$ is locally Lipschitz in $x$.",
        ),
        source=f"{NOTES}, section 3; lipman2023flow, theorem 1",
        status="corrected",
        modules=(f"{HERE}test_marginal_path", f"{HERE}test_instantaneous_change"),
    ),
)

COVERAGE = (
    Coverage(NOTES, "(1)", "", "definition, nothing to check: $x_1=\\psi(x_0)$, $x_0\\sim N(0,I)$"),
    Coverage(NOTES, "(2)", "F1", "as printed, read with its remark: $|\\det|>1$ lowers the density"),
    Coverage(
        NOTES,
        "(3)",
        "F1",
        "corrected: as printed “$\\propto$” between logarithms drops $-\\frac d2\\log2\\pi$, and $x_0^2$ is "
        "$|x_0|^2$; the density without the constant has mass $(2\\pi)^{d/2}$ (audit)",
    ),
    Coverage(NOTES, "(4)", "", "definition, nothing to check; the index runs from 1 to $K$, not from 0"),
    Coverage(
        NOTES,
        "(5)",
        "F1",
        "corrected: as printed every determinant is taken at $x_1$; each belongs at its own intermediate "
        "point (control and audit: the density as printed has another mass)",
    ),
    Coverage(
        NOTES,
        "(6)",
        "F2",
        "corrected: “a contraction” is neither enough nor needed; what is needed is "
        "$\\delta\\,\\mathrm{Lip}(u)<1$ (audits in fractions)",
    ),
    Coverage(
        NOTES,
        "(6), proof",
        "F2",
        "corrected: the quotient $(u(a)-u(b))/(a-b)$ exists on the line alone; in $R^d$ bounds on "
        "$\\partial u_i/\\partial x_j$ one by one are not enough (audit), the Lipschitz constant is",
    ),
    Coverage(NOTES, "(7)", "F2", "as printed"),
    Coverage(
        NOTES, "(8)", "", "definition, nothing to check: the limit of (6) for $\\delta=1/K$, $K\\to\\infty$"
    ),
    Coverage(NOTES, "(9), (10)", "", "definition, nothing to check: the flow and its equation"),
    Coverage(
        NOTES,
        "(11)–(13)",
        "F3",
        "corrected: $\\nabla$ is printed for the divergence; read as a gradient the sides "
        "have different shapes",
    ),
    Coverage(NOTES, "(14)", "F3", "as printed, with the divergence for $\\nabla$"),
    Coverage(NOTES, "(15)", "F5", "definition; its gradient is checked in F5"),
    Coverage(NOTES, "(16)", "F4", "as printed"),
    Coverage(
        NOTES,
        "(17)",
        "F4",
        "as printed for the path of (34); it fails for those of (32) and (33), see there (control)",
    ),
    Coverage(
        NOTES,
        "(18)",
        "F4",
        "corrected: the variance is $\\sigma_{\\min}^2I$, printed $\\sigma_{\\min}I$ (control and audit)",
    ),
    Coverage(
        NOTES,
        "(19)",
        "F4",
        "corrected: the first line prints $p_1(x_1|x)$; the posterior at time $t$ is meant. With the one "
        "printed noise goes to another law, by a predicted amount (control and audit)",
    ),
)
