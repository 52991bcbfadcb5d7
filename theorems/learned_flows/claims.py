"""What learned flows do beside the exact ones, and what no network can (docs/theory.md §6)."""

from theorems.claim import Claim, Clause, Coverage

PAPER = "fukumizu2026proximal"
HERE = "theorems.learned_flows."
NETWORK = (
    r"$v_\theta(t,x)$ is a multilayer perceptron with SiLU, trained by Adam on batches of pairs, $t$ "
    r"uniform, linear schedule."
)
OURS = (
    "The statement is about the networks trained here (their seeds, sizes and numbers of batches are in the "
    "evidence), over noise drawn apart from their training; it is demonstrated at confidence 1 − 1e−10 from "
    "draws."
)
CIRCLE = r"The circle of radius 2 in the plane."

CLAIMS = (
    Claim(
        id="L1",
        label="Loss floor",
        title="The loss of a learned flow is its error plus the floor of its coupling",
        statement=(
            r"For any field $v_\theta$ the loss on a coupling is $E|v_\theta-v_t|^2$, with $v_t$ the field "
            r"of the coupling, plus $E\,\mathrm{Var}(\dot x_t\mid x_t)$: 0 for exact pairs, where it holds "
            "pair by pair. On the circle a network trained on exact pairs, its loss counted up to 4, comes "
            "below a twentieth of the floor that no field whatever passes on independent pairs."
        ),
        formula=(
            r"E|v_\theta(t,x_t)-\dot x_t|^2=E|v_\theta-v_t|^2+E\,\mathrm{Var}(\dot x_t\mid x_t),\quad "
            r"E_{\pi}\mathrm{Var}(\dot x_t\mid x_t)=0"
        ),
        assumptions=(NETWORK, OURS, CIRCLE),
        source="this project; tong2024improving",
        status="this project",
        depends=("P3", "M4"),
        modules=(f"{HERE}test_loss", f"{HERE}test_stated_limits", f"{HERE}test_pairs"),
        clauses=(
            Clause("splitting", r"Loss is $E|v_\theta-v_t|^2$ plus the floor."),
            Clause("exact pairs", "For exact pairs the floor is 0, pair by pair."),
            Clause("training", "On exact pairs a network comes below a twentieth of the other floor."),
        ),
    ),
    Claim(
        id="L2",
        label="Training and coupling",
        title="More batches and better pairs learn the field better",
        statement=(
            r"$E\min(|v_\theta-v_t|^2,4)$ falls with the number of batches, and at equal batches from "
            "independent pairs over blocks of 16 and of 512, matched by torchcfm, to exact pairs. With four "
            "times the batches exact pairs at least halve the error of blocks of 512. Independent pairs lead "
            "to their own field, at a distance in closed form."
        ),
        formula=r"E\min(|v_{\theta}-v_t|^2,4):\ \text{independent}>\text{16}>\text{512}>\text{exact}",
        assumptions=(
            NETWORK,
            OURS,
            CIRCLE,
            "On two moons exact pairs against blocks of 512.",
        ),
        source="this project; tong2024improving",
        status="this project",
        depends=("L1", "M2"),
        modules=(f"{HERE}test_training", f"{HERE}test_moons", f"{HERE}test_stated_limits"),
        clauses=(
            Clause("batches", "The error falls with the number of batches."),
            Clause("coupling", "At equal batches it falls with better pairs."),
            Clause(
                "half", "With four times the batches exact pairs at least halve the error of blocks of 512."
            ),
            Clause("moons", "Exact pairs against blocks of 512 on two moons."),
            Clause(
                "own field",
                "Independent pairs lead nearer to their own field than to the optimal one, known too.",
            ),
        ),
    ),
    Claim(
        id="L3",
        label="The end of time",
        title="No network of bounded slope contracts to the end",
        statement=(
            r"$|Dv_\theta|\le L$ everywhere, with $L$ the product of the layers' norms and slopes, so "
            r"$(1-t)Dv_\theta\to0$, where theorem 4.4 has $-P_N$: from $t$ on no $\log\sigma_i(DX_t)$ "
            r"moves by more than $(1-t)L$, so every exponent of such a flow is 0 in the end, and normal "
            r"contraction is seen only while $1-t$ is above $1/L$. On the circle, at $t=1$ "
            r"the field is a function of $x_1$, which does not tell $|x_0|$: the error there is at least "
            r"$\mathrm{Var}|x_0|=2-\pi/2$."
        ),
        formula=(
            r"|(1-t)Dv_\theta|\le(1-t)L\to0,\quad "
            r"E|v_\theta(1,x_1)-(x_1-x_0)|^2\ge\mathrm{Var}|x_0|=2-\tfrac\pi2"
        ),
        assumptions=(NETWORK, "The circle for the floor."),
        source="this project",
        status="this project",
        depends=("H4",),
        modules=(f"{HERE}test_terminal", f"{HERE}test_stated_limits", f"{HERE}test_pairs"),
        clauses=(
            Clause("slope", r"$|Dv_\theta|\le L$, so $(1-t)Dv_\theta\to0$."),
            Clause(
                "exponents",
                r"No $\log\sigma_i$ moves by more than $(1-t)L$ from $t$ on: every exponent is 0.",
            ),
            Clause("floor", r"On the circle the error at $t=1$ is at least $2-\pi/2$."),
        ),
    ),
    Claim(
        id="L4",
        label="Figures 3 and 4",
        title="Learned spectra and exponents near the exact ones",
        statement=(
            r"Trained on exact pairs of the circle and of two moons, networks have eigenvalues of "
            r"$(1-t)Dv_t$ along their own trajectories that, clipped to $\pm2$, are on average within 1/4 "
            r"of the exact curves of H5 for $0.5\le t\le0.9$; on the circle so are the exponents over these "
            r"times, and for at least nine tenths of the noise they tell the dimension $m=1$. A few "
            "hundred minibatches do not do it: shown beside."
        ),
        formula=(
            r"\Big|E\big[\mathrm{clip}_{\pm2}(1-t)\lambda_i(Dv_\theta)-(1-t)\tfrac{\kappa_i-1}{1+t(\kappa_i-1)}\big]\Big|<\tfrac14"
        ),
        assumptions=(
            NETWORK,
            OURS,
            "The circle, and two moons: the uniform law on two half circles.",
        ),
        source=f"{PAPER}, figures 3 and 4; this project",
        status="this project",
        depends=("H4", "H5"),
        modules=(f"{HERE}test_circle", f"{HERE}test_moons", f"{HERE}test_stated_limits"),
        clauses=(
            Clause("circle", "Spectra on the circle."),
            Clause("moons", "Spectra on two moons."),
            Clause("exponents", "Exponents on the circle."),
            Clause("dimension", "They tell $m=1$ for at least nine tenths of the noise."),
        ),
    ),
    Claim(
        id="L5",
        label="Figure 5",
        title="On images, tangential eigenvectors change the shape and normal ones add noise",
        statement=(
            r"Eigenvectors of $Dv_t$ at $t=0.7$ along generated images: moved along the one of the highest "
            "eigenvalue, an image gets away from the data on average by less than half of what noise of that "
            "size would do, moved along that of the lowest by more than half; for at least nine tenths of "
            "the images the rest of the flow keeps at least twice as much of the first move as of the "
            "second; on average the first lies in the leading principal directions of the data more than a "
            "random direction does, the second less."
        ),
        formula=(
            r"E\big[d(x_1+\varepsilon u_{\max})-d(x_1)\big]"
            r"<\tfrac12E\big[\sqrt{d(x_1)^2+\varepsilon^2}-d(x_1)\big]"
            r"<E\big[d(x_1+\varepsilon u_{\min})-d(x_1)\big]"
        ),
        assumptions=(
            NETWORK,
            OURS,
            "Digits of 8×8 pixels; $d$ is the distance to the nearest image. MNIST with --mnist: an audit.",
        ),
        source=f"{PAPER}, figure 5; this project",
        status="this project",
        depends=("H5",),
        modules=(f"{HERE}test_images", f"{HERE}test_stated_limits"),
        clauses=(
            Clause(
                "distance", "What either move takes an image away from the data, against noise of its size."
            ),
            Clause("kept", "The flow keeps at least twice as much of the tangential move."),
            Clause(
                "principal directions",
                "The tangential move lies in the leading directions more than a random one, the normal less.",
            ),
        ),
    ),
)

COVERAGE = (
    Coverage(PAPER, "Figure 3", "L4", "beside the exact curve of H5"),
    Coverage(PAPER, "Figure 4", "L4", "beside the exact curve from semidiscrete transport"),
    Coverage(PAPER, "Figure 5", "L5", "digits of 8×8 pixels; MNIST with --mnist, as an audit"),
)
