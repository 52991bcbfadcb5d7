r"""Euler's steps with the field of independent coupling on the circle, radially, and their derivative.

The posterior mean of x₁ at x is R A(s) x/|x| with A = I₁/I₀ and s = tR|x|/(1−t)², so that along a radius r'
= (R A(s) − r)/(1−t); A' = 1 − A/s − A².
"""

from scipy.special import ive


def radial_steps(radius: float, start: float, count: int) -> tuple[float, float]:
    """Where ``count`` Euler steps from |x| = ``start`` end, and by how much an error 1 in each moves it.

    Args:
        radius: R.
        start: |x| at t = 0.
        count: How many steps.
    """
    r, moved = start, 0.0
    for k in range(count):
        t = k / count
        s = t * radius * r / (1 - t) ** 2
        mean = ive(1, s) / ive(0, s)
        slope = 0.5 if s == 0 else 1 - mean / s - mean**2
        speed = (radius * mean - r) / (1 - t)
        change = (radius**2 * t / (1 - t) ** 2 * slope - 1) / (1 - t)
        r, moved = float(r + speed / count), float(moved + (change * moved + 1) / count)
    return r, moved
