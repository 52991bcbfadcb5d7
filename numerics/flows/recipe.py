"""How a field is trained, said without torch: whoever plans a training need not load what trains."""

from dataclasses import dataclass

from numerics.checks import positive_integer, positive_number
from numerics.schedules import Linear, Schedule


@dataclass(frozen=True)
class Training:
    """How a field is trained: Adam, the rate falling to 0 like half a cosine.

    Attributes:
        steps: Number of batches.
        batch: Pairs a batch.
        width: Units a hidden layer.
        depth: Hidden layers.
        learning_rate: Adam's first rate.
        seed: Of weights, times and pairs.
        schedule: The interpolant's coefficients.
        unprompted: Share of the pairs whose condition is dropped, so that the null prompt is learned, too.
        threads: Threads of torch on the CPU while it trains; sums, so the last bits, depend on it.

    Raises:
        ValueError: If one is out of range.

    Example:
        >>> Training(steps=3).batch
        512
    """

    steps: int = 2000
    batch: int = 512
    width: int = 64
    depth: int = 3
    learning_rate: float = 5e-3
    seed: int = 0
    schedule: Schedule = Linear()
    unprompted: float = 0.1
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "width", "depth", "threads"):
            positive_integer(name, getattr(self, name))
        positive_integer("seed", self.seed, least=0)
        positive_number("learning_rate", self.learning_rate)
        if not 0 <= self.unprompted < 1:
            raise ValueError(f"unprompted: got {self.unprompted}; it must be in [0, 1)")
