"""Old name of `theorems.setting.vectors`."""

from theorems.setting.vectors import Array, dot, norm

__all__ = ["Array", "dot", "norm"]
