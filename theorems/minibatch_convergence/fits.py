"""Old name of `theorems.setting.fits`."""

from theorems.setting.fits import last_slope, slope_of, slope_of_intervals, slope_of_means

__all__ = ["last_slope", "slope_of", "slope_of_intervals", "slope_of_means"]
