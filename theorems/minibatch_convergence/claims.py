"""The statements of minibatch convergence, in the order of docs/theory.md §2. Batches as proximal: P9."""

from theorems.claim import Claim, Clause, Coverage

BATCHES = "boite2026expected"
HERE = "theorems.minibatch_convergence."
PLAN = (
    r"$\pi_n$: law of a uniformly drawn pair of the optimal assignment of $n$ noises $N(0,I_d)$ and "
    r"$n$ data, all "
    "independent."
)
MOMENT = "Data with finite second moment and no density assumed."
LINE = "Dimension 1."
ATOMS = (
    r"Weights $w$ at $y_0$, $1-w$ at $y_1$, $\Delta=|y_1-y_0|$, $b=\Phi^{-1}(w)$; noise $N(0,I_d)$, any $d$."
)

CLAIMS = (
    Claim(
        id="M1",
        label="Endpoints of the batch size",
        title="One pair is independent, marginals are exact",
        statement=(
            r"$\pi_1=P_0\otimes P_1$, and $\pi_n$ has the marginals $P_0$, $P_1$ for every $n$, "
            r"exactly."
        ),
        formula=r"\pi_1=P_0\otimes P_1,\quad (\mathrm{pr}_0)_\#\pi_n=P_0,\quad (\mathrm{pr}_1)_\#\pi_n=P_1",
        assumptions=(PLAN,),
        source=f"{BATCHES}; this project's wording",
        status="reconstructed",
        modules=(
            f"{HERE}test_marginals",
            f"{HERE}test_every_size",
            f"{HERE}test_other_schedules",
            f"{HERE}test_stated_limits",
            f"{HERE}test_drawn_batches",
        ),
        clauses=(
            Clause("one pair", r"$\pi_1=P_0\otimes P_1$."),
            Clause("marginals", r"$P_0$ and $P_1$ for every $n$, exactly."),
        ),
    ),
    Claim(
        id="M2",
        label="Monotone cost",
        title="The cost falls with the batch size, to the optimum",
        statement=(
            r"$c_n=E_{\pi_n}|x_0-x_1|^2$ is at least $W_2^2$, does not increase with $n$, batch by batch "
            r"(the mean of the $n+1$ leave-one-out batches' plans is feasible for the batch of $n+1$; N8), "
            r"and tends to $W_2^2$. Halves give less: $(m+n)c_{m+n}\le mc_m+nc_n$ does not order "
            r"$c_3$ and $c_2$."
        ),
        formula=r"c_1\ge c_2\ge\dots\ge W_2^2(P_0,P_1),\quad c_n\to W_2^2(P_0,P_1)",
        assumptions=(PLAN, MOMENT),
        source=f"{BATCHES}; this project's wording",
        status="reconstructed",
        modules=(
            f"{HERE}test_cost",
            f"{HERE}test_leave_one_out",
            f"{HERE}test_one_coordinate",
            f"{HERE}test_statements",
            f"{HERE}test_stated_limits",
        ),
        clauses=(
            Clause("falling", "$c_{n+1}\\le c_n$, batch by batch."),
            Clause("halves", "The corollary for batches split in two."),
            Clause("optimum", "$c_n\\ge W_2^2$ and $c_n\\to W_2^2$."),
        ),
    ),
    Claim(
        id="M3",
        label="Convergence of the plan",
        title="The batch plan tends to the optimal one",
        statement=(
            r"$\pi_n\to\pi$ weakly and in $W_2$: couplings whose cost tends to $W_2^2$ have only "
            r"optimal limits, and "
            r"$\pi$ is unique because $P_0$ has a density."
        ),
        formula=r"W_2(\pi_n,\pi)\to0",
        assumptions=(PLAN, MOMENT),
        source=f"{BATCHES}; this project's wording",
        status="reconstructed",
        modules=(f"{HERE}test_plan", f"{HERE}test_one_coordinate", f"{HERE}test_stated_limits"),
        clauses=(
            Clause("limit", r"$\pi_n\to\pi$ in $W_2$: on the line, on the circle, in space."),
            Clause("only optimal limits", "A cost that tends to the optimum leaves no other limit."),
        ),
        depends=("M2",),
    ),
    Claim(
        id="M4",
        label="Convergence of the field",
        title="Flux, energy and loss floor converge",
        statement=(
            r"For $t\in(0,1)$ the fluxes converge weakly, the energy tends to that of $v_t$, and the "
            r"loss floor to 0. "
            "Checked in the two-atom model, where all three are integrals over one coordinate: energy and "
            "floor for every schedule, the flux for the linear one. For every target it follows from M2, M3 "
            "and M8. The fields need not converge where no population interpolant lies: there they tend to a "
            "step (N2)."
        ),
        formula=(
            r"v^{(n)}_tp^{(n)}_t\to v_tp_t,\quad E|v^{(n)}_t|^2\to E|v_t|^2,\quad "
            r"E\,\mathrm{Var}_{\pi_n}(\dot x_t\mid x_t)\to0"
        ),
        assumptions=(PLAN, MOMENT, r"$t\in(0,1)$: at $t=1$ the floor need not vanish."),
        source=f"{BATCHES}; this project's wording",
        status="reconstructed",
        modules=(f"{HERE}test_field", f"{HERE}test_other_schedules", f"{HERE}test_drawn_batches"),
        clauses=(
            Clause("flux", "The fluxes converge weakly."),
            Clause("energy", "The energy tends to that of $v_t$."),
            Clause("floor", "The loss floor tends to 0."),
        ),
        depends=("M2", "M3", "M8"),
    ),
    Claim(
        id="M5",
        label="Finite batches on the line",
        title="The law of a matched pair, for every batch size",
        statement=(
            r"With $u=\Phi(x_0)$ the matched datum has conditional distribution function "
            r"$G_n(u,F_1(s))$ for any "
            r"target on the line; the Bernstein copula is a copula of the pair, the only one if $F_1$ is "
            r"continuous, and its ranks are $1/(3(n+1))$ apart in mean square, for every $n$."
        ),
        formula=(
            r"G_n(u,w)=P(\mathrm{Bin}(n-1,u)<\mathrm{Bin}(n,w)),\quad E|u-v|^2=\frac1{3(n+1)},\quad "
            r"c_n=Ex_0^2+Ex_1^2-\frac2n\sum_iE[X_{(i)}]E[Y_{(i)}]"
        ),
        assumptions=(PLAN, LINE, "For the cost: data with finite second moment."),
        source="this project; no claim of priority",
        status="this project",
        modules=(
            f"{HERE}test_line",
            f"{HERE}test_every_size",
            f"{HERE}test_statements",
            f"{HERE}test_stated_limits",
        ),
        clauses=(
            Clause("law", "The law of the matched datum, for any target on the line."),
            Clause("copula", r"$\partial G_n/\partial w$ is the Bernstein copula's density, for every $n$."),
            Clause("ranks", r"$1/(3(n+1))$, for every $n$."),
            Clause("cost", "$c_n$ by order statistics, and by the copula."),
        ),
        depends=("M1",),
    ),
    Claim(
        id="M6",
        label="Two atoms",
        title="Three constants of the two-atom model",
        statement=(
            r"The plan depends on $u=\Phi(\langle x_0,y_1-y_0\rangle/\Delta)$ alone, through "
            r"$G_n(u,w)$. With "
            r"$\varphi_N$ the normal density, $\sigma^2=2w(1-w)$ and "
            r"$I=\int(\varphi_N+z\Phi)^2\Phi(-z)dz=0.376126$: misassigned mass, excess of the cost, "
            r"and $W_2^2(\pi_n,\pi)$ have the rates and constants of the formula. The last is at most $K_n$, "
            r"the cost of moving noise with labels kept, and for a fixed $\Delta$ less by an exponentially "
            r"small part alone (a dual certificate). Each is approached at relative order $1/n$, "
            r"the first with factor $1-(1/\sigma^2-1)/(8n)$. We derived them; others may have before."
        ),
        formula=(
            r"\int|G_n-1_{u<w}|du\sim2\sqrt{\tfrac{w(1-w)}{\pi n}},\quad "
            r"c_n-W_2^2\sim\frac{2\Delta w(1-w)}{\varphi_N(b)\,n},\quad "
            r"W_2^2(\pi_n,\pi)\sim K_n\sim\frac{2\sigma^3I}{\varphi_N(b)^2n^{3/2}}"
        ),
        assumptions=(PLAN, ATOMS, r"$n\,w(1-w)$ large for the asymptotic forms."),
        source="this project; no claim of priority",
        status="this project",
        modules=(
            f"{HERE}test_two_atoms",
            f"{HERE}test_every_size",
            f"{HERE}test_one_coordinate",
            f"{HERE}test_plan_dual",
            f"{HERE}test_statements",
            f"{HERE}test_stated_limits",
        ),
        clauses=(
            Clause("one coordinate", r"The plan depends on $u$ only, in any dimension."),
            Clause("misassigned mass", r"$\int|G_n-1_{u<w}|du=E|A-B|/n$ for every $n$."),
            Clause("constants", "Three rates and their constants."),
            Clause("order", "What remains is of relative order $1/n$; the first two coefficients."),
            Clause("optimal", r"$W_2^2(\pi_n,\pi)$ is $K_n$ but for an exponentially small part."),
        ),
        depends=("M5",),
    ),
    Claim(
        id="M7",
        label="Rates elsewhere",
        title="Measured rates beside theory",
        statement=(
            r"The smaller side governs: circle $1/n$, $S^2$ $(\log n)/n$, $S^{d-1}$ with $d\ge4$ "
            r"$n^{-2/(d-1)}$; densities on both sides: $(\log n)^2/n$ in the plane, $n^{-2/d}$ for $d\ge3$, "
            r"and on the line $2(\log\log n+\log2+\gamma_E)/n$, slower than $1/n$ at every size."
        ),
        formula=(
            r"c_n-W_2^2\asymp n^{-2/(d-1)}\ (S^{d-1},\ d\ge4),\quad n^{-1}\ (S^1),\quad n^{-2/d}\ "
            r"(\mathrm{densities\ in}\ R^d,\ d\ge3)"
        ),
        assumptions=(PLAN, MOMENT),
        source="this project; no claim of priority",
        status="open",
        depends=("M2",),
        modules=(f"{HERE}test_rates", f"{HERE}test_stated_limits"),
        clauses=(
            Clause("spheres", "Spheres and tori: the smaller side governs, not the space around it."),
            Clause("densities", "Densities in the plane and beyond."),
            Clause("line", "On the line slower than $1/n$ at every size."),
        ),
    ),
    Claim(
        id="M8",
        label="Cost bounds the field",
        title="The excess of the cost bounds the error of the field",
        statement=(
            r"Let $v_t(x)=(\dot\alpha/\alpha)x+(\dot\beta-\dot\alpha\beta/\alpha)\,"
            r"\mathrm{prox}_{\lambda\varphi}(x/\beta)$, $\lambda=\alpha/\beta$, everywhere: the population's "
            r"field, and one choice of it where no population interpolant lies. For every target, every plan "
            r"of $P_0$ and $P_1$ and every $t\in(0,1)$ it errs from the plan's velocities by at most the "
            r"excess of the cost, up to a factor of the schedule; so the plan's own field and its loss floor "
            r"are as near. With M2 and M3 this gives M4 for every target, and which batch size is enough. "
            r"The constant cannot be improved over plans: single pairs attain it, and plans come as near as "
            r"one likes."
        ),
        formula=(
            r"E|v^{(n)}_t-v_t|^2+E\,\mathrm{Var}_{\pi_n}(\dot x_t\mid x_t)=E_{\pi_n}|\dot x_t-v_t(x_t)|^2\le"
            r"\frac{(\alpha_t\dot\beta_t-\dot\alpha_t\beta_t)^2}{\alpha_t\beta_t}\,\frac{c_n-W_2^2}2,"
            r"\quad\text{linear: }\frac{c_n-W_2^2}{2t(1-t)}"
        ),
        assumptions=(
            r"$\varphi$ is the potential of $P_1$; $\pi_n$ any plan with the marginals $P_0$, $P_1$.",
            MOMENT,
            r"$t\in(0,1)$.",
        ),
        source="this project; no claim of priority",
        status="this project",
        modules=(
            f"{HERE}test_field_error",
            f"{HERE}test_splitting",
            f"{HERE}test_batch_size",
            f"{HERE}test_stated_limits",
            f"{HERE}test_drawn_batches",
        ),
        clauses=(
            Clause("bound", "At most the excess of the cost, pair by pair."),
            Clause("splitting", "The loss splits into the field's error and the floor."),
            Clause("sharp", "Single pairs attain the constant, plans come near it."),
        ),
        depends=("P1", "P2"),
    ),
    Claim(
        id="N2",
        label="Beyond the paper",
        title="In the gap the field of minibatches tends to a step, not to the prox field",
        statement=(
            r"Outside the population's gap, on its ends too, $v^{(n)}\to v$ exponentially. Inside, the "
            r"velocity of one label is approached exponentially on either side of one hyperplane "
            r"$\langle x,e\rangle=x^\ast$, where $b(u_0)=b(u_1)$: the field tends to a step. What is left is "
            r"$\sup|v^{(n)}-v|\to J\max(q^\ast,1-q^\ast)$, $q^\ast$ the share of the gap left of the tie; "
            r"the slope of $v^{(n)}$ at its switch grows as $n$, beyond P5's $\dot\beta/\beta$, although "
            r"$E|v^{(n)}-v|^2\to0$ (M8). Here $z_i=\langle x-\beta y_i,e\rangle/\alpha$, $u_i=\Phi(z_i)$, "
            r"$b(u)=\sqrt{uw}+\sqrt{(1-u)(1-w)}$, $D=\log b(u_0)-\log b(u_1)$, "
            r"$J=(\dot\beta-\dot\alpha\beta/\alpha)\Delta$, and "
            r"$c=\log\frac{\varphi_N(z_0)}{\varphi_N(z_1)}+\frac12\log\frac{1-u_1}{1-u_0}"
            r"-\log\frac{\rho_0-1}{1-\rho_1}+\frac12\log\frac{p_1(1-p_1)}{p_0(1-p_0)}$ at $x^\ast$, "
            r"$p=\sqrt{uw}/b$, $\rho=\sqrt{u(1-w)/(w(1-u))}$."
        ),
        formula=(
            r"G_n(u,w)=b^{2n-1}\sqrt{\tfrac{1-w}{1-u}}\,E[\rho^{A-B}1_{A<B}],\quad "
            r"n(x_n-x^\ast)\to-\frac{c}{2D'(x^\ast)},\quad "
            r"\frac1n\mathrm{Lip}(v^{(n)})\to\tfrac12J|D'(x^\ast)|"
        ),
        assumptions=(PLAN, ATOMS, r"$w\in(0,1)$, $t\in(0,1)$, $J>0$."),
        source="this project; no claim of priority",
        status="this project",
        modules=(
            f"{HERE}test_step",
            f"{HERE}test_step_limits",
            f"{HERE}test_statements",
        ),
        depends=("P3", "P5", "M6", "M8"),
        clauses=(
            Clause("tilt", "Both binomials tilt to one law, exactly, for every $n$."),
            Clause("outside the gap", "Outside the gap and on its ends, exponentially to the prox field."),
            Clause("labels in the gap", "Inside, exponentially to one label on either side of the tie."),
            Clause("one switch", "The odds of the labels fall along $e$: one switch for every $n$."),
            Clause("place", r"$n$ times the switch's distance from the tie tends to $-c/(2D')$."),
            Clause("height", r"What is left of $|v^{(n)}-v|$ tends to $J\max(q^\ast,1-q^\ast)$."),
            Clause("slope", r"The slope at the switch over $n$ tends to $J|D'|/2$."),
        ),
    ),
    Claim(
        id="N8",
        label="Beyond the paper",
        title="Batch plans concentrate on the graph of the transport",
        statement=(
            r"A batch of $n+1$ costs at most the mean of the optimal costs of its $n+1$ leave-one-out "
            r"batches, whichever datum is dropped with which noise. $E_{\pi_n}|x_1-T(x_0)|^2\to0$, and it "
            r"bounds $W_2^2(\pi_n,\pi)$, so M3's weak limit is one in $W_2$; at $t=0$ the loss floor, "
            r"$\dot\beta_0^2E\,\mathrm{Var}_{\pi_n}(x_1\mid x_0)$, tends to 0 too. For two atoms both have "
            r"rate $n^{-1/2}$, although the cost has $1/n$."
        ),
        formula=(
            r"W_2^2(\pi_n,\pi)\le E_{\pi_n}|x_1-T(x_0)|^2\to0;\quad \text{two atoms: }"
            r"\sqrt n\,E|x_1-T|^2\to2\Delta^2\sqrt{\tfrac{w(1-w)}\pi}"
        ),
        assumptions=(PLAN, MOMENT, "Leave one out: any noise and data. Concentration: noise with a density."),
        source="this project; no claim of priority",
        status="this project",
        modules=(f"{HERE}test_leave_one_out", f"{HERE}test_concentration"),
        depends=("M2", "M3", "M6"),
        clauses=(
            Clause("leave one out", "Pathwise, for every batch, pairing, noise and data."),
            Clause("concentration", r"$E_{\pi_n}|x_1-T(x_0)|^2\to0$."),
            Clause("distance of the plans", r"$W_2^2(\pi_n,\pi)$ is at most that."),
            Clause("rate one half", "Two atoms: the constant of $n^{-1/2}$, beside $1/n$ of the cost."),
            Clause("floor", r"The floor at $t=0$ tends to 0; two atoms: its constant."),
        ),
    ),
)

COVERAGE = (
    Coverage(BATCHES, "expected batch plans", "M2", "wording not available to us"),
    Coverage(BATCHES, "two-atom model", "M6", "not read: no claim of priority"),
    Coverage(BATCHES, "consequences for flow matching", "N2", "not read: may be there in another form"),
    Coverage(BATCHES, "convergence of expected plans", "N8", "not read: may be there in another form"),
)
