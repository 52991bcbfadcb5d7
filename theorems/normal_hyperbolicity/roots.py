"""Roots of polynomials in balls, proved by a change of sign."""

from flint import arb, arb_poly


def positive_root(coefficients: list[arb | int]) -> arb:
    """A ball of the one positive root (Descartes): Newton's iteration, then a proved change of sign.

    Args:
        coefficients: From the constant one on; their signs change once, from − to +.

    Raises:
        ArithmeticError: If the change of sign is not proved.
    """
    poly, x = arb_poly(coefficients), arb(1)
    for _ in range(60):
        x = (x - poly(x) / poly.derivative()(x)).mid()
    width = arb(2) ** -180
    if not poly(x - width) < 0 < poly(x + width):
        raise ArithmeticError(f"no change of sign is proved around {float(x)}")
    return (x - width).union(x + width)
