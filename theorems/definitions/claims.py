"""The two definitions of the proximal formulation, as statements to check (docs/theory.md D1, D2)."""

from theorems.claim import Claim, Clause, Coverage

PAPER = "fukumizu2026proximal"
HERE = "theorems.definitions."

CLAIMS = (
    Claim(
        id="D1",
        label="Definition A.1",
        title="Prox-boundedness and its threshold",
        statement=(
            r"$f$ is prox-bounded if $e_\lambda f(x)>-\infty$ for some $\lambda>0$ and $x$; the threshold "
            r"$\lambda_f$ is the supremum of such $\lambda$. A proper lsc convex $f$ has $\lambda_f=\infty$; "
            r"$-\frac r2|x|^2$ has $\lambda_f=1/r$; $-|x|^3$ is not prox-bounded; $-|x|$ has "
            r"$\lambda_f=\infty$ without being convex."
        ),
        formula=(
            r"\lambda_f=\sup\{\lambda>0:e_\lambda f\not\equiv-\infty\},\quad "
            r"e_\lambda\varphi(x)\ge\varphi(p)+\langle y,x-p\rangle-\tfrac\lambda2|y|^2,\ "
            r"y\in\partial\varphi(p)"
        ),
        assumptions=(r"$f$ is proper and lower semicontinuous.",),
        source=f"{PAPER}, Definition A.1; rockafellar1998variational, Definition 1.23",
        status="reconstructed",
        modules=(f"{HERE}test_prox_boundedness",),
        clauses=(
            Clause("convex", r"A proper lsc convex $f$ has $\lambda_f=\infty$."),
            Clause("square", r"$-\frac r2|x|^2$ has $\lambda_f=1/r$, in every dimension."),
            Clause("cube", "$-|x|^3$ is not prox-bounded."),
            Clause("modulus", r"$-|x|$ has $\lambda_f=\infty$ without being convex."),
        ),
    ),
    Claim(
        id="D2",
        label="Definition A.2",
        title="Prox-regularity and its modulus",
        statement=(
            r"$f$ is prox-regular at $\bar x$ for $\bar v$, with modulus $\rho$, if the inequality holds for "
            r"$x',x$ near $\bar x$ and limiting subgradients $v\in\partial f(x)$ near $\bar v$. A convex $f$ "
            r"has $\rho=0$ everywhere; $f-\frac\rho2|x|^2$ with $f$ convex has modulus at most $\rho$, and "
            r"exactly $\rho$ where $f$ is affine; $-|x|$ is not prox-regular at $0$. If $f+\frac\rho2|x|^2$ "
            r"is convex, $\mathrm{prox}_{\lambda f}$ is single-valued and Lipschitz with constant "
            r"$1/(1-\lambda\rho)$ for every $\lambda<1/\rho$; of $-\frac\rho2|x|^2$ it is empty for every "
            r"$\lambda>1/\rho$."
        ),
        formula=r"f(x')\ge f(x)+\langle v,x'-x\rangle-\tfrac\rho2|x'-x|^2",
        assumptions=(
            r"$f$ is finite and locally lower semicontinuous at $\bar x$, and $\bar v\in\partial f(\bar x)$.",
            r"$f(x)$ is near $f(\bar x)$.",
        ),
        source=f"{PAPER}, Definition A.2; rockafellar1998variational, Definition 13.27",
        status="reconstructed",
        modules=(
            f"{HERE}test_prox_regularity",
            f"{HERE}test_local_regularity",
            f"{HERE}test_published_mistakes",
        ),
        clauses=(
            Clause("convex", r"A convex $f$ has $\rho=0$ everywhere."),
            Clause(
                "shifted",
                r"$f-\frac\rho2|x|^2$ has modulus at most $\rho$, exactly $\rho$ where $f$ is affine.",
            ),
            Clause(
                "local",
                r"It is local in $x$ and in $v$: a kink whose modulus depends on $\bar v$, and the circle.",
            ),
            Clause("concave modulus", "$-|x|$ is not prox-regular at 0."),
            Clause(
                "prox", r"The prox is single-valued and $1/(1-\lambda\rho)$-Lipschitz for $\lambda<1/\rho$."
            ),
            Clause("no prox", r"Of $-\frac\rho2|x|^2$ it is empty for $\lambda>1/\rho$."),
        ),
    ),
)

COVERAGE = (
    Coverage(PAPER, "Definition A.1", "D1", "wording reconstructed"),
    Coverage(PAPER, "Definition A.2", "D2", "wording reconstructed"),
)
