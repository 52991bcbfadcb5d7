"""What the claims of this folder assume, each sentence once."""

HERE = "theorems.proximal_denoiser."
SETTING = "Noise $P_0 = N(0, I_d)$; data $P_1$ with finite second moment and no density assumed."
COUPLING = r"$(x_0, x_1)$ is the optimal pair, $x_1 = T(x_0)$ with $T = \nabla\varphi^*$."
SCHEDULE = r"$\alpha$ falls from 1 to 0, $\beta$ rises from 0 to 1, both $C^1$ on $[0,1)$."
