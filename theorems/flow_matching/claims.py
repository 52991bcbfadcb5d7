"""The ground of flow matching, in the order of docs/theory.md §5."""

from theorems.claim import Claim, Clause
from theorems.flow_matching.coverage import COVERAGE, NOTES

__all__ = ["CLAIMS", "COVERAGE"]
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
        clauses=(
            Clause("sum", "Log-determinants add, each at its own intermediate point."),
            Clause("density", r"The density of $\psi(x_0)$, its constant included."),
        ),
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
        depends=("F1",),
        modules=(f"{HERE}test_residual_maps",),
        clauses=(
            Clause("bijection", r"$\varphi$ is one-to-one and onto."),
            Clause("apart", "Images keep $1-q$ of every distance."),
            Clause("ratio", "The iteration converges with ratio $q$ from anywhere."),
            Clause("not needed", "A map beyond the bound may be a bijection."),
            Clause("two points", "Beyond it two points may have one image."),
        ),
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
        depends=("F1",),
        modules=(
            f"{HERE}test_instantaneous_change",
            f"{HERE}test_stated_radii",
        ),
        clauses=(
            Clause("transport", r"$\partial_tp=-\mathrm{div}(pu)$."),
            Clause("divergence", r"$\log p_t(x_t)$ falls at the rate $\mathrm{div}\,u$."),
            Clause("integrated", r"Integrated it gives $\log p_1$, for either coupling."),
            Clause("probes", "The trace from probes with independent signs."),
        ),
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
            r"$p_t>0$, $u_t$ is locally Lipschitz in $x$, and $\int_0^1E|u_t(x_t)|\,dt<\infty$.",
        ),
        source=f"{NOTES}, section 3; lipman2023flow, theorem 1",
        status="corrected",
        modules=(f"{HERE}test_marginal_path", f"{HERE}test_instantaneous_change"),
        clauses=(
            Clause("ends", r"From $N(0,I)$ to $q*N(0,\sigma_{\min}^2I)$."),
            Clause("mixture", "Conditional paths mix to the path."),
            Clause("average", "The field is the average over the posterior at time $t$."),
            Clause("transport", "It transports the path."),
        ),
    ),
    Claim(
        id="F5",
        label="Equations (15), (20)–(24)",
        title="One gradient for both losses",
        statement=(
            r"For any parametric family the marginal loss and the conditional one have the same "
            r"gradient, and differ by $E\,\mathrm{Var}(u_t(x_t|x_1)\mid x_t)$, which no parameter changes. "
            r"It is an identity of finite sums, and needs no Gaussian."
        ),
        formula=(
            r"\nabla_\theta L_{FM}=\nabla_\theta L_{CFM},\quad "
            r"L_{CFM}-L_{FM}=E\,\mathrm{Var}(u_t(x_t|x_1)\mid x_t)"
        ),
        assumptions=(
            r"$u_t$ is the average over the posterior at time $t$ (F4); second moments exist.",
            r"$\theta\mapsto u_\theta$ is differentiable under $E$: $\nabla_\theta E=E\nabla_\theta$.",
        ),
        source=f"{NOTES}, section 3; lipman2023flow, theorem 2",
        status="stated",
        depends=("F4",),
        modules=(f"{HERE}test_losses",),
        clauses=(
            Clause("gradient", "Both losses have one gradient; in finite sums, too, without a Gaussian."),
            Clause("difference", r"They differ by $E\,\mathrm{Var}(u_t(x_t|x_1)\mid x_t)$."),
        ),
    ),
    Claim(
        id="F6",
        label="Equations (25)–(37)",
        title="The field of a conditional Gaussian path",
        statement=(
            r"One affine field has the flow $\psi_t$ of the path $N(\mu_t(x_1),\sigma_t(x_1)^2I)$, with the "
            r"mean at $x_1$, not at $x$; the path alone is generated by others, too, in $d\ge2$: add "
            r"$S(x-\mu_t)$, $S$ skew. The variance-exploding and -preserving paths start at $N(0,I)$ only in "
            r"a limit: large $\sigma_1$ after scaling, $\alpha_1\to0$. On the OT path the field is constant "
            r"along each path."
        ),
        formula=(
            r"u_t(x|x_1)=\frac{\dot\sigma_t}{\sigma_t}(x-\mu_t(x_1))+\dot\mu_t(x_1),\quad "
            r"\text{OT: }u_t(\psi_t(x_0|x_1)|x_1)=x_1-(1-\sigma_{\min})x_0"
        ),
        assumptions=(NOISE, r"$\mu$, $\sigma>0$ are $C^1$ in $t$."),
        source=f"{NOTES}, section 3; lipman2023flow, theorem 3",
        status="corrected",
        depends=("F4",),
        modules=(f"{HERE}test_conditional_fields", f"{HERE}test_generators"),
        clauses=(
            Clause("field", r"$(\dot\sigma/\sigma)(x-\mu)+\dot\mu$, for each of the three paths."),
            Clause("uniqueness", r"No other affine field has the flow $\psi_t$."),
            Clause("other fields", r"$S(x-\mu_t)$ added, $S$ skew, the path is the same."),
            Clause("start", "Variance-exploding and -preserving paths start at $N(0,I)$ only in a limit."),
            Clause("OT", "On the OT path the field is constant along each path."),
        ),
    ),
    Claim(
        id="F7",
        label="Figure 2",
        title="Conditional paths cross, trajectories do not",
        statement=(
            r"On the line two conditional paths cross with the stated probability; two trajectories of the "
            r"marginal field never meet at one time. OT trajectories are straight at constant speed, "
            r"$S=0$; those of minibatches have $S_n\le c_n-W_2^2$, as energy is at most cost and no "
            r"flow is cheaper than $W_2^2$: $O(1/n)$ for any two atoms by M6, measured at $w=0.3$, "
            r"$\Delta=2$, $n\le64$; for $N(0,I)$ to itself under the independent coupling they are straight "
            r"lines in space, but not at constant speed."
        ),
        formula=(
            r"P(\text{crossing})=\tfrac12-\tfrac1\pi\arcsin"
            r"\frac{\sigma_{\min}}{\sqrt{\sigma_{\min}^2+s^2}},\quad "
            r"|X_t(x)-X_t(y)|\ge\sigma_t|x-y|,\quad S=\int_0^1E|\dot x_t-(x_1-x_0)|^2dt"
        ),
        assumptions=(
            NOISE,
            r"The OT path of (34); the probability for data $N(0,s^2)$.",
            r"Crossing is meant in time and space.",
        ),
        source=f"{NOTES}, Figure 2; liu2023flow",
        status="corrected",
        depends=("F6", "M6"),
        modules=(f"{HERE}test_crossings", f"{HERE}test_straightness"),
        clauses=(
            Clause("crossing", "Conditional paths cross with the stated probability."),
            Clause("apart", "Trajectories of the marginal field never meet at one time."),
            Clause("straight", "OT trajectories have $S=0$."),
            Clause(
                "minibatches",
                r"$S=\int E|u_t|^2dt-W_2^2$ on the line, $S_n\le c_n-W_2^2$, and its rate for two atoms.",
            ),
            Clause("same law", "$N(0,I)$ to itself, independent: straight in space, not at constant speed."),
        ),
    ),
    Claim(
        id="F8",
        label="Algorithms 1, 2",
        title="Training and sampling",
        statement=(
            r"Euler's method errs by $O(\delta)$, at most by $\frac\delta2(L_t+LV)(e^L-1)/L$ for a field of "
            r"size $V$ and constants $L$, $L_t$: by nothing for the exact OT field, at any number of steps; "
            r"to leading order by $\frac{d-1}{2R}\delta^2$ for the independent coupling on a sphere, as the "
            r"last step goes to $E[x_1|x]$ itself, and by $\frac12(1+\frac\pi2)|x_0|\delta$ for $N(0,1)$ to "
            r"itself, so that order 1 is attained. The law of the samples approaches the target with "
            r"training: in the example, 600 steps take at least half of the noise's kernel distance away."
        ),
        formula=(
            r"x_{t+\delta}=x_t+\delta\,u_t(x_t),\quad t=0,\delta,\dots,1-\delta,\quad "
            r"|x^\delta_1-X_1(x_0)|=O(\delta)"
        ),
        assumptions=(
            NOISE,
            r"$u$ is Lipschitz in $(t,x)$ on $[0,1]$, near the trajectory, or one of the three fields named.",
        ),
        source=f"{NOTES}, section 3, algorithms 1 and 2",
        status="stated",
        depends=("F3",),
        modules=(
            f"{HERE}test_sampling",
            f"{HERE}test_algorithm_1",
            f"{HERE}test_euler_bound",
            f"{HERE}test_stated_radii",
        ),
        clauses=(
            Clause(
                "bound",
                r"Euler's method errs by at most $\frac\delta2(L_t+LV)(e^L-1)/L$ for any such Lipschitz "
                "field, at the times of Algorithm 2.",
            ),
            Clause("exact field", "By nothing for the exact OT field, at any number of steps."),
            Clause(
                "spheres", r"By $\frac{d-1}{2R}\delta^2$ to leading order for independent pairs on a sphere."
            ),
            Clause("order one", r"By $\frac12(1+\frac\pi2)|x_0|\delta$ for $N(0,1)$ to itself."),
            Clause("training", "The law of the samples approaches the target with training."),
        ),
    ),
    Claim(
        id="F9",
        label="Equations (38), (39)",
        title="A prompt recovers the law of its class",
        statement=(
            r"Regressed on data of prompt $p$ the field is that of the class: its flow carries noise to the "
            r"law of $x_1$ given $p$. Averaged over the posterior of the prompt it is the unconditional "
            r"field, and ignoring the prompt costs $E|u(\cdot,\varnothing)-u(\cdot,p)|^2$ in the loss. "
            r"A small network that is trained so comes, in the example, within half of the kernel distance "
            r"from the law of the prompt to any other."
        ),
        formula=(r"u_t(x,\varnothing)=\sum_pP(p\mid x_t=x)\,u_t(x,p),\quad X_1^p\sim q(\cdot\mid p)"),
        assumptions=(NOISE, r"Finitely many prompts; noise apart from data and prompt."),
        source=f"{NOTES}, section 3",
        status="stated",
        depends=("F5",),
        modules=(f"{HERE}test_prompts",),
        clauses=(
            Clause("class", "The field of a prompt carries noise to the law of its class."),
            Clause("average", "Averaged over the posterior of the prompt it is the unconditional field."),
            Clause("loss", r"Ignoring the prompt costs $E|u(\cdot,\varnothing)-u(\cdot,p)|^2$."),
            Clause("training", "A small network, in the example, tells the prompts."),
        ),
    ),
    Claim(
        id="F10",
        label="Equation (40)",
        title="Guidance: what it is, and what it does not sample",
        statement=(
            r"$\tilde u=(1-w)u(\cdot,\varnothing)+w\,u(\cdot,p)$ is the unconditional field at $w=0$ and the "
            r"conditional one at $w=1$. Between Gaussians of equal covariance its flow ends at the tilted "
            r"law $p^wq^{1-w}$ for every $w$; in general it does not: for $N(0,1)$ and $N(0,s^2)$ it ends at "
            r"deviation $s^w$."
        ),
        formula=(
            r"\tilde u_t(x)=(1-w)\,u_t(x,\varnothing)+w\,u_t(x,p),\quad "
            r"\tilde X_{1\#}N(0,I)\ne p^wq^{1-w}\text{ in general}"
        ),
        assumptions=(NOISE, r"$p^wq^{1-w}$ is integrable, where it is spoken of."),
        source=f"{NOTES}, section 3; ho2022classifier",
        status="stated",
        depends=("F9",),
        modules=(f"{HERE}test_guidance",),
        clauses=(
            Clause("ends", "The unconditional field at $w=0$, the conditional one at $w=1$."),
            Clause(
                "equal covariance", "Between Gaussians of equal covariance the tilted law, for every $w$."
            ),
            Clause("unequal", "From $N(0,1)$ and $N(0,s^2)$ to deviation $s^w$, which is not the tilt's."),
        ),
    ),
)
