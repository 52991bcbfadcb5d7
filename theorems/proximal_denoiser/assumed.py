"""What the claims of this folder assume, each sentence once."""

HERE = "theorems.proximal_denoiser."
SETTING = "Noise $P_0 = N(0, I_d)$; data $P_1$ with finite second moment and no density assumed."
COUPLING = r"$(x_0, x_1)$ is the optimal pair, $x_1 = T(x_0)$ with $T = \nabla\varphi^*$."
SCHEDULE = r"$\alpha_0=\beta_1=1$, $\alpha_1=\beta_0=0$; both are positive between and $C^1$ on $[0,1)$."
