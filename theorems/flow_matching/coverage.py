"""The notes of flow matching, item by item: which claim covers it, or why none does."""

from theorems.claim import Coverage

NOTES = "rangrej2024flow"

COVERAGE = (
    Coverage(NOTES, "(1)", "", "definition, nothing to check: $x_1=\\psi(x_0)$, $x_0\\sim N(0,I)$"),
    Coverage(NOTES, "(2)", "F1", "as printed, read with its remark: $|\\det|>1$ lowers the density"),
    Coverage(
        NOTES,
        "(3)",
        "F1",
        "notation: “$\\propto$” between logarithms means equal up to $-\\frac d2\\log2\\pi$, and "
        "$x_0^2$ is $|x_0|^2$; here with the constant",
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
        "as printed, a contraction with constant below $1/\\delta$ suffices; “contraction” is not needed, "
        "the constant is what is used",
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
        NOTES,
        "(8)",
        "",
        "definition, nothing to check: the limit of (6) for $\\delta=1/K$; how fast is in F8",
    ),
    Coverage(NOTES, "(9), (10)", "", "definition, nothing to check: the flow and its equation"),
    Coverage(
        NOTES,
        "(11)–(13)",
        "F3",
        "corrected: $\\nabla$ is printed for the divergence; read as a gradient the sides "
        "have different shapes (audit)",
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
    Coverage(NOTES, "(20)", "F5", "definition; it is not $L_{FM}$: the two differ by a constant (control)"),
    Coverage(NOTES, "(21)–(24)", "F5", "as printed, once (19) is corrected"),
    Coverage(NOTES, "(25), (26)", "", "definition, nothing to check"),
    Coverage(
        NOTES,
        "(27)–(31)",
        "F6",
        "corrected: $\\mu_t(x)$ is printed for $\\mu_t(x_1)$; read literally the field forgets $x_1$ "
        "(control and audit)",
    ),
    Coverage(
        NOTES,
        "(32)",
        "F6",
        "corrected: $p_0(x|x_1)=N(x_1,\\sigma_1^2I)$, which is not (17); only in the limit of large "
        "$\\sigma_1$, after scaling (control and audit)",
    ),
    Coverage(NOTES, "(33)", "F6", "corrected: (17) holds only if $\\alpha_1=0$ (control and audit)"),
    Coverage(NOTES, "(34)", "F6", "definition; its field is (35)"),
    Coverage(NOTES, "(35)", "F6", "as printed"),
    Coverage(NOTES, "(36), (37)", "F6", "as printed: (35) put into (20); trained with in F8"),
    Coverage(NOTES, "Algorithm 1", "F8", "as printed, trained in torch"),
    Coverage(NOTES, "Algorithm 2", "F8", "as printed: time runs to $1-\\delta$"),
    Coverage(
        NOTES,
        "Figure 2",
        "F7",
        "corrected: “curved” is not always so (data a single point: straight in time and space), and “do not "
        "cross” holds at equal times (two audits); redrawn",
    ),
    Coverage(NOTES, "(38)", "F9", "as printed"),
    Coverage(NOTES, "(39)", "", "empty in print: nothing to check"),
    Coverage(
        NOTES,
        "(40)",
        "F10",
        "as printed; the weight is one more than in ho2022classifier, where $1+w$ multiplies the conditional "
        "part",
    ),
)
