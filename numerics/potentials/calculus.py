r"""New targets from old (docs/theory.md §4.1): rotate, translate, scale, embed, product.

The source stays N(0, I) throughout, which is why each rule holds: noise is rotated with the target, and a
product of targets sees independent blocks of noise.
"""

from numpy.typing import ArrayLike

from numerics.potentials.base import Potential
from numerics.potentials.isometric import Isometric
from numerics.potentials.product_potential import Product
from numerics.potentials.scaled import Scaled
from numerics.potentials.translated import Translated


def rotate(base: Potential, rotation: ArrayLike) -> Potential:
    r"""The law of Qx₁: $φ^*(Q^⊤·)$, $φ(Q^⊤·)$; Q (d,d) orthogonal, reflections allowed.

    Raises:
        ValueError: If Q isn't orthogonal of the right size.

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> turned = rotate(FiniteAtoms.two([0.0, 0.0], [1.0, 0.0], 0.5), [[0.0, -1.0], [1.0, 0.0]])
        >>> turned.transport([[0.0, 2.0], [0.0, -2.0]]).tolist()  # the atoms (0, 0) and (0, 1)
        [[0.0, 1.0], [0.0, 0.0]]
    """
    return Isometric(base, rotation, square=True)


def embed(base: Potential, isometry: ArrayLike) -> Potential:
    r"""The law of Vx₁ in $R^{D}$: $φ^*(V^⊤·)$, $φ(V^⊤·) + δ_{\mathrm{range} V}$; V (D,d) with VᵀV = I.

    Raises:
        ValueError: If the columns of V aren't orthonormal or V has the wrong width.

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> slanted = embed(FiniteAtoms.hypercube(1), [[0.6], [0.8]])  # ±1 on the line along (0.6, 0.8)
        >>> slanted.transport([[1.0, 1.0], [-1.0, 0.0]]).tolist()
        [[0.6, 0.8], [-0.6, -0.8]]
    """
    return Isometric(base, isometry, square=False)


def translate(base: Potential, shift: ArrayLike) -> Potential:
    r"""The law of x₁ + b: $φ^* + ⟨b,·⟩$, $φ(·-b)$; b (d,).

    Raises:
        ValueError: If b has the wrong length or an entry isn't finite.

    Example:
        >>> from numerics.potentials import Sphere
        >>> translate(Sphere(2), [1.0, 1.0]).transport([[0.0, 5.0]]).tolist()
        [[1.0, 2.0]]
    """
    return Translated(base, shift)


def scale(base: Potential, factor: float) -> Potential:
    r"""The law of s·x₁, s > 0: $sφ^*$, $sφ(·/s)$.

    Raises:
        ValueError: If s isn't positive and finite.

    Example:
        >>> from numerics.potentials import Sphere
        >>> scale(Sphere(2), 3.0).transport([[0.0, 5.0]]).tolist()
        [[0.0, 3.0]]
    """
    return Scaled(base, factor)


def product(first: Potential, second: Potential) -> Potential:
    r"""The product law of two independent blocks: $φ^* ⊕ ψ^*$, $φ ⊕ ψ$.

    Example:
        >>> from numerics.potentials import FiniteAtoms, Sphere
        >>> product(FiniteAtoms.hypercube(1), Sphere(2)).transport([[-0.1, 0.0, 3.0]]).tolist()
        [[-1.0, 0.0, 1.0]]
    """
    return Product(first, second)
